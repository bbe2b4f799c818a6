"""How it was done: the comparison, the model, how chance is judged, and what is counted."""

from __future__ import annotations

from sos_spark.config.reference import outside_references
from sos_spark.config.study import Study
from sos_spark.report.blocks import Bullets, DataTable, Heading, Section, Strong, Table, Text, Work, section_of
from sos_spark.report.results import Results
from sos_spark.report.words.labels import outcome_labels

_PARAGRAPHS: tuple[tuple[str, str], ...] = (
    (
        "Comparison.",
        " The study is a difference-in-differences: the change in the pilots from before to after go-live, less"
        " the change in the comparators over the same time. It answers for the pilots, on the assumption that"
        " without the programme they would have moved in step with the comparators. That assumption cannot be"
        " proved; the periods before go-live and the placebo tests can only cast doubt on it.",
    ),
    (
        "Model.",
        " Each index row's outcome is explained by an effect of its authority, an effect of its period and, after"
        " go-live, the effect of the programme. Shares are fitted on the scale of shares (a linear probability"
        " model), lengths in days. Where pilots started in different periods, the estimator is the one that the study"
        " file names, and it never takes pilots that have started for comparators; the others of its kind stand"
        " beside it. Effects by time since go-live are then averages of group-time effects (Callaway and"
        " Sant'Anna), not adjusted for covariates. The fit uses counts and sums by authority and period, which"
        " give the same estimate and the same clustered errors as the individual rows.",
    ),
    (
        "Chance.",
        " Authorities are the units that chance works on, so errors are clustered by authority. With few pilots"
        " the usual clustered errors are too small; the interval therefore comes from a restricted wild cluster"
        " bootstrap (Rademacher signs, the test inverted), and beside it stands the CR2 standard error with"
        " Satterthwaite degrees of freedom. A change is called evidence only if both p-values are below 0.05."
        " Randomisation inference, which asks how unusual the result is among all ways of naming the pilots,"
        " stands beside them; with 4 or fewer pilots it is the headline. A single pilot is measured by its own ups and"
        " downs from period to period, beside comparators each taken for a pilot.",
    ),
    (
        "Many outcomes.",
        " Testing several outcomes makes a chance finding more likely. Adjusted p-values allow for that within a"
        " family of outcomes (Romano and Wolf, by step-down; with few pilots on permutations that the outcomes share)."
        " A change is claimed only where it stands after that. Intervals are of each outcome by itself, so one may"
        " leave out zero where no change is claimed.",
    ),
    (
        "Strength of evidence.",
        " The words strong, moderate and weak follow this study's own rule: a change that is evidence by the"
        " headline rule is strong if all four of these hold, moderate if three do, weak if fewer do: it stands"
        " after adjustment; all methods agree; a drift before go-live that could make an effect of interest is ruled"
        " out; without any one pilot the answer is the same and half of the effect is left. A test that could not"
        " have seen such a drift is not informative, and does not count. They are nobody else's scale.",
    ),
    (
        "Conventions.",
        " A child is known by the authority's code and the authority's own id, as a pseudonym."
        ' "Within so many months" includes the last day, and a month that is too short ends on its last day.'
        " Working days count after the start, up to and including the authorisation, without weekends and the"
        " bank holidays of England and Wales. A row counts only if every day of its window was observed, even where the"
        ' event was seen before; what is not known is left out, never counted as "no". Authorities that merged'
        " are one unit over the whole study. CR1 errors use G/(G-1) x (N-1)/(N-K), with authority effects nested and"
        " not counted.",
    ),
)
_REFERENCES: tuple[tuple[str, str, str], ...] = (
    (
        "Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with"
        " multi-stage samples.",
        "Survey Methodology",
        " 28, 169-181.",
    ),
    (
        "Callaway, B. and Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods.",
        "Journal of Econometrics",
        " 225, 200-230.",
    ),
    (
        "Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). Bootstrap-based improvements for inference with"
        " clustered errors.",
        "Review of Economics and Statistics",
        " 90, 414-427.",
    ),
    (
        "MacKinnon, J. G. and Webb, M. D. (2020). Randomization inference for difference-in-differences with few"
        " treated clusters.",
        "Journal of Econometrics",
        " 218, 435-450.",
    ),
    (
        "Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance estimation"
        " and hypothesis testing in fixed effects models.",
        "Journal of Business and Economic Statistics",
        " 36, 672-683.",
    ),
    (
        "Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends.",
        "Review of Economic Studies",
        " 90, 2555-2591.",
    ),
    (
        "Romano, J. P. and Wolf, M. (2005). Exact and approximate stepdown methods for multiple hypothesis testing.",
        "Journal of the American Statistical Association",
        " 100, 94-108.",
    ),
    (
        "Roodman, D., Nielsen, M. Ø., MacKinnon, J. G. and Webb, M. D. (2019). Fast and wild: bootstrap inference"
        " in Stata using boottest.",
        "The Stata Journal",
        " 19, 4-60.",
    ),
)


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    header = ("Outcome", "What is counted", "Family")
    return section_of(
        "method",
        "How it was done",
        [
            *(Text((Strong(heading), words)) for heading, words in _PARAGRAPHS),
            Heading("References"),
            Bullets([(f"{authors} ", Work(title), where) for authors, title, where in _REFERENCES], look="references"),
            Heading("What each method was checked against"),
            Text(
                "The project's tests compare its numbers with those of other packages, of published studies and of the"
                " long way round, and let no larger difference pass than the one given."
            ),
            Table("Outside references", _outside_references(), folded=True),
            Heading("What is counted"),
            Table("Outcomes of this study", DataTable(header, tuple(definitions(results.study)), numeric=99)),
        ],
    )


def _outside_references() -> DataTable:
    header = ("Method", "Numbers", "Checked against", "How", "Largest difference")
    rows = tuple((one.subject, one.quantity, one.against, one.kind, one.agreement) for one in outside_references())
    return DataTable(header, rows, numeric=99)


def definitions(study: Study) -> list[tuple[str, ...]]:
    """Returns outcome, what is counted, family; a row per outcome."""
    labels = outcome_labels(study)
    return [(labels[o.outcome_id], o.definition, o.family) for o in study.outcomes]
