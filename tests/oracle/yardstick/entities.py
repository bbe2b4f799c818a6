"""Silver's seven entities: their typed rows, rules, order and columns."""

from __future__ import annotations

from tests.oracle.yardstick.findings import (
    NO_CHILD,
    YEAR_ENDS,
    Entity,
    Rule,
    code_of_no_year,
    event_day,
    is_unknown,
    key_day,
    no_code_of_year,
    not_before,
    open_is_latest,
)
from tests.oracle.yardstick.source import Fields, cin_person, lac_person

_ATTRIBUTES = {"sex": "coalesce(c.sex, 'unknown')", "ethnicity": "c.ethnicity"}


def age_on(day: str) -> str:
    """Completed years of the child `c` on a day; the unborn are 0."""
    years = f"year({day}) - year(c.birth_date)"
    before = f"(month({day}) * 100 + day({day}) < month(c.birth_date) * 100 + day(c.birth_date))::INTEGER"
    return (
        f"(CASE WHEN {day} IS NULL THEN NULL WHEN c.only_expected THEN 0"
        f" WHEN c.birth_date IS NOT NULL THEN greatest({years} - {before}, 0) END)::INTEGER"
    )


def _typed(module: str, *columns: str, joins: str = "") -> str:
    return f"""
        SELECT n.child, r.la_code, r.census_year, r.record_position, {", ".join(columns)}
        FROM raw_{module} r LEFT JOIN child_names n ON n.la_code = r.la_code AND n.id = r.id {joins}
    """


def _iso_days(fields: Fields, **days: str) -> list[str]:
    return _days(fields, fields.iso, days)


def _days(fields: Fields, read: object, days: dict[str, str]) -> list[str]:
    assert callable(read)
    return [
        part
        for name, received in days.items()
        for part in (
            f"{read(received)} AS {name}",
            f"{fields.no_date(received, read(received))} AS {name}_unreadable",
        )
    ]


def _birth_rules(*others: Rule) -> list[Rule]:
    nulls = ("birth_date", "person_key")
    rules = {
        "birth_date_after_return": f"birth_date > {YEAR_ENDS}",
        "birth_date_placeholder": "birth_date <= DATE '1900-01-01'",
        "birth_date_unreadable": "birth_date_unreadable",
    }
    return [NO_CHILD, *(Rule(code, fails, "birth_month", nulls) for code, fails in rules.items()), *others]


_CHILD_COLUMNS = {
    "person_key": "j.person_key",
    "birth_month": "date_trunc('month', j.birth_date)::DATE",
    "sex": "j.sex",
    "ethnicity": "j.ethnicity",
}
_CHILD_ORDER = ", ".join(
    f"{name} NULLS LAST"
    for name in (
        "birth_date",
        "sex",
        "ethnicity",
        "sex_received",
        "only_expected",
        "birth_date_unreadable",
        "person_key",
    )
)


def children_in_need(fields: dict[str, Fields]) -> Entity:
    """Children of the CIN census."""
    own = fields["child_identifiers"]
    birth, expected = own.text("PersonBirthDate"), own.text("ExpectedPersonBirthDate")
    typed = _typed(
        "child_identifiers",
        *_iso_days(own, birth_date="PersonBirthDate"),
        f"{own.iso('ExpectedPersonBirthDate')} AS expected_birth_date",
        f"{birth} IS NULL AND {own.no_date('ExpectedPersonBirthDate', own.iso('ExpectedPersonBirthDate'))}"
        " AS expected_unreadable",
        f"{birth} IS NULL AND {expected} IS NOT NULL AND {own.iso('ExpectedPersonBirthDate')} IS NOT NULL"
        " AS only_expected",
        f"{own.sex('Sex', 'GenderCurrent')} AS sex",
        f"coalesce({own.code('Sex')}, {own.code('GenderCurrent')}) AS sex_received",
        f"{own.code('Ethnicity')} AS ethnicity",
        "p.person_key",
        joins=f"LEFT JOIN person_names p ON p.message = {cin_person(fields)}",
    )
    unreadable = Rule(
        "expected_birth_date_unreadable", "expected_unreadable", "birth_month", ("birth_date", "person_key")
    )
    return Entity(
        "cin_children", typed, _birth_rules(unreadable), (), f"{_CHILD_ORDER}, expected_birth_date NULLS LAST",
        _CHILD_COLUMNS,
    )  # fmt: skip


def looked_after_children(fields: dict[str, Fields]) -> Entity:
    """Children of the SSDA903 header."""
    own = fields["lac_header"]
    typed = _typed(
        "lac_header",
        *_days(own, own.british, {"birth_date": "DOB"}),
        "FALSE AS only_expected",
        f"{own.sex('SEX')} AS sex",
        f"{own.code('SEX')} AS sex_received",
        f"{own.code('ETHNIC')} AS ethnicity",
        "p.person_key",
        joins=f"LEFT JOIN person_names p ON p.message = {lac_person(fields)}",
    )
    return Entity("lac_children", typed, _birth_rules(), (), _CHILD_ORDER, _CHILD_COLUMNS)


def referrals(fields: dict[str, Fields]) -> Entity:
    """Referrals."""
    own = fields["cin_details"]
    flag = own.flag("ReferralNFA")
    unreadable = f"({own.text('ReferralNFA')} IS NOT NULL AND ({flag}) IS NULL)"
    typed = _typed(
        "cin_details",
        *_iso_days(own, referral_date="CINreferralDate", closure_date="CINclosureDate", icpc_date="DateOfInitialCPC"),
        f"{own.code('ReferralSource')} AS referral_source",
        f"{own.code('PrimaryNeedCode')} AS primary_need",
        f"{own.code('ReasonForClosure')} AS closure_reason",
        f"{flag} AS nfa_flag",
        f"{unreadable} AS nfa_flag_unreadable",
        f"coalesce({flag}, FALSE) AS is_nfa_at_referral",
    )
    rules = [
        NO_CHILD, *key_day("referral_date"), *event_day("closure_date"), *event_day("icpc_date"),
        not_before("closure_before_referral", "closure_date", "referral_date"),
        code_of_no_year("closure_reason", "cin", "ReasonForClosure"),
        Rule("nfa_flag_unreadable", "nfa_flag_unreadable", "is_nfa_at_referral", ("is_nfa_at_referral",)),
    ]  # fmt: skip
    columns = {
        **{name: f"j.{name}" for name in ("referral_date", "referral_source", "primary_need", "closure_date",
           "closure_reason", "is_nfa_at_referral", "icpc_date")},
        "age_at_referral": age_on("j.referral_date"),
        "age_at_closure": age_on("j.closure_date"),
        **_ATTRIBUTES,
    }  # fmt: skip
    order = (
        f"is_nfa_at_referral NULLS LAST, {open_is_latest('closure_date')}, referral_source NULLS LAST,"
        " primary_need NULLS LAST, closure_reason NULLS LAST, icpc_date NULLS LAST, nfa_flag NULLS LAST,"
        " nfa_flag_unreadable"
    )
    return Entity("referrals", typed, rules, ("referral_date",), order, columns, _of_child("cin_children"))


def assessments(fields: dict[str, Fields]) -> Entity:
    """Assessments."""
    own = fields["assessments"]
    typed = _typed(
        "assessments",
        *_iso_days(
            own, referral_date="CINreferralDate", assessment_start_date="AssessmentActualStartDate",
            assessment_authorised_date="AssessmentAuthorisationDate",
        ),
        f"{own.text('AssessmentFactors')} AS factors",
    )  # fmt: skip
    rules = [
        NO_CHILD, *key_day("referral_date"), *key_day("assessment_start_date"),
        *event_day("assessment_authorised_date"),
        not_before("authorised_before_start", "assessment_authorised_date", "assessment_start_date"),
    ]  # fmt: skip
    columns = _under_referral("assessment_start_date", "assessment_authorised_date")
    order = f"{open_is_latest('assessment_authorised_date')}, factors NULLS LAST"
    key = ("referral_date", "assessment_start_date")
    return Entity("assessments", typed, rules, key, order, columns, _of_referral())


def section47(fields: dict[str, Fields]) -> Entity:
    """Section 47 enquiries."""
    own = fields["section47"]
    flag = own.flag("ICPCnotRequired")
    typed = _typed(
        "section47",
        *_iso_days(own, referral_date="CINreferralDate", section47_start_date="S47ActualStartDate",
                   icpc_date="DateOfInitialCPC"),
        f"{flag} AS icpc_not_required",
        f"{own.text('ICPCnotRequired')} IS NOT NULL AND ({flag}) IS NULL AS flag_unreadable",
    )  # fmt: skip
    rules = [
        NO_CHILD, *key_day("referral_date"), *key_day("section47_start_date"), *event_day("icpc_date"),
        Rule("icpc_not_required_unreadable", "flag_unreadable", "icpc_not_required", ("icpc_not_required",)),
    ]  # fmt: skip
    columns = _under_referral("section47_start_date", "icpc_date", "icpc_not_required")
    order = f"{is_unknown('icpc_date')}, icpc_date NULLS LAST, icpc_not_required NULLS LAST"
    key = ("referral_date", "section47_start_date")
    return Entity("section47_enquiries", typed, rules, key, order, columns, _of_referral())


def plans(fields: dict[str, Fields]) -> Entity:
    """Child protection plans."""
    own = fields["cp_plans"]
    reviews = f"string_split({own.text('CPPreviewDates')}, ';')"
    typed = _typed(
        "cp_plans",
        *_iso_days(own, referral_date="CINreferralDate", cpp_start_date="CPPstartDate", cpp_end_date="CPPendDate"),
        f"{own.code('InitialCategoryOfAbuse')} AS initial_category_of_abuse",
        f"{own.code('LatestCategoryOfAbuse')} AS latest_category_of_abuse",
        f"try_cast({own.text('NumberOfPreviousCPP')} AS INTEGER) AS n_previous",
        f"list_min(list_transform({reviews}, lambda day: try_cast(trim(day) AS DATE))) AS first_review",
    )
    rules = [
        NO_CHILD, *key_day("referral_date"), *key_day("cpp_start_date"), *event_day("cpp_end_date"),
        not_before("cpp_end_before_start", "cpp_end_date", "cpp_start_date"),
    ]  # fmt: skip
    categories = ("initial_category_of_abuse", "latest_category_of_abuse")
    columns = {name: f"j.{name}" for name in ("referral_date", "cpp_start_date", "cpp_end_date", *categories)}
    received = (*categories, "n_previous", "first_review")
    order = ", ".join([open_is_latest("cpp_end_date"), *(f"{name} NULLS LAST" for name in received)])
    return Entity("cp_plans", typed, rules, ("referral_date", "cpp_start_date"), order, columns)


def episodes(fields: dict[str, Fields]) -> Entity:
    """Episodes of care."""
    own = fields["lac_episodes"]
    coded = {
        "reason_new_episode": "RNE", "legal_status": "LS", "category_of_need": "CIN", "placement_code": "PLACE",
        "placement_provider": "PLACE_PROVIDER", "reason_episode_ceased": "REC", "urn": "URN",
    }  # fmt: skip
    start, end = "care_episode_start_date", "care_episode_end_date"
    typed = _typed(
        "lac_episodes",
        *_days(own, own.british, {start: "DECOM", end: "DEC"}),
        *(f"{own.code(received)} AS {name}" for name, received in coded.items()),
    )
    rules = [
        NO_CHILD, *key_day(start), *event_day(end), not_before("end_before_start", end, start),
        code_of_no_year("reason_episode_ceased", "ssda903", "episodes.REC"),
        no_code_of_year("reason_new_episode", "ssda903", "episodes.RNE"),
        no_code_of_year("legal_status", "ssda903", "episodes.LS"),
        no_code_of_year("placement_code", "ssda903", "episodes.PLACE"),
    ]  # fmt: skip
    columns = {
        **{name: f"j.{name}" for name in (start, end, "reason_new_episode", "legal_status", "category_of_need",
           "placement_code", "reason_episode_ceased")},
        "birth_month": "date_trunc('month', c.birth_date)::DATE",
        "age_at_start": age_on(f"j.{start}"),
        **_ATTRIBUTES,
    }  # fmt: skip
    order = ", ".join([open_is_latest(end), *(f"{name} NULLS LAST" for name in coded)])
    return Entity("lac_episodes", typed, rules, (start,), order, columns, _of_child("lac_children"))


def _of_child(children: str) -> str:
    return f"LEFT JOIN births_{children} c ON c.child = j.child"


def _of_referral() -> str:
    referral = "LEFT JOIN silver_referrals f ON f.child = j.child AND f.referral_date = j.referral_date"
    return f"{_of_child('cin_children')} {referral}"


def _under_referral(start: str, *others: str) -> dict[str, str]:
    return {
        **{name: f"j.{name}" for name in ("referral_date", start, *others)},
        "primary_need": "f.primary_need",
        "age_at_start": age_on(f"j.{start}"),
        **_ATTRIBUTES,
    }
