"""Returns written to a source folder, with defaults for whatever a test is not about."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.ingest import ingest

EPISODES_HEADER = "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,REASON_PLACE_CHANGE,HOME_POST,PL_POST,URN"
HEADER_HEADER = "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB"


def leaves(**fields: str) -> str:
    """XML leaves in the order given."""
    return "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())


def a_referral(*, day: str = "2014-05-01", inside: str = "") -> str:
    """A CINdetails element; `inside` goes before its last leaf."""
    return f"<CINdetails>{leaves(CINreferralDate=day)}{inside}{leaves(ReferralNFA='false')}</CINdetails>"


def a_child(child_id: str = "C1", *referrals: str, identifiers: str = "", characteristics: str = "") -> str:
    """A Child element."""
    return (
        f"<Child><ChildIdentifiers>{leaves(LAchildID=child_id)}{identifiers}</ChildIdentifiers>"
        f"<ChildCharacteristics>{characteristics}</ChildCharacteristics>{''.join(referrals)}</Child>"
    )


def a_header(
    *, la: str = "201", year: str = "2015", reference_date: str | None = None, at: str = "2015-05-01T09:00:00"
) -> str:
    """A Header element that agrees with itself unless told otherwise."""
    reference_date = f"{year}-03-31" if reference_date is None else reference_date
    return (
        f"<Header><CollectionDetails>{leaves(Collection='CIN', Year=year, ReferenceDate=reference_date)}"
        f"</CollectionDetails><Source>{leaves(LEA=la, **({'DateTime': at} if at else {}))}</Source></Header>"
    )


def cin_xml(*children: str, header: str | None = None) -> str:
    """A CIN census file."""
    header = a_header() if header is None else header
    return f"<Message>{header}<Children>{''.join(children)}</Children></Message>"


def put(path: Path, content: str | bytes) -> Path:
    """Writes a file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_lac_folder(
    source: Path,
    *,
    la: str = "201",
    year: str = "2015",
    episodes: str = "A1,01/05/2014,S,C2,N1,U1,PR0,,,,AB1 2CD,EF3 4GH,",
    header: str = "A1,1,01/02/2008,WBRI,,,",
) -> Path:
    """Writes an SSDA903 folder with header.csv and episodes.csv."""
    folder = source / "ssda903" / year / la
    put(folder / "header.csv", f"{HEADER_HEADER}\n{header}\n")
    put(folder / "episodes.csv", f"{EPISODES_HEADER}\n{episodes}\n")
    return folder


def run_ingest(spark: SparkSession, source: Path, lake: Path, *, allow_refused: bool = False) -> tuple[Run, StepReport]:
    """Runs the step."""
    run = Run("test", Environment(source=source, lake=lake, allow_refused=allow_refused), None, lambda: spark)
    return run, ingest(run)
