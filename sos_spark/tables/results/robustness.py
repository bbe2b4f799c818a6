"""What an answer hangs on: one authority, a trend before go-live, chance, what is not known."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

LEAVE_ONE_OUT = ResultTable(
    "leave_one_out",
    "an outcome and authority left out, pilots first",
    (
        c.OUTCOME_ID,
        Column("left_out", "STRING", "The unit left out", nullable=False),
        replace(c.ARM, codes={name: c.ARMS[name] for name in ("pilot", "comparator")}),
        replace(c.ATT, meaning="The effect without it; blank where there is none"),
        c.SE_CR2,
        c.DF,
        c.P_CR2,
        Column("change", "DOUBLE", "The effect without it less that with it"),
        Column("verdict_cr2", "STRING", "What the row answers by se_cr2 and equivalence", codes=c.VERDICTS),
        Column("keeps_answer", "BOOLEAN", "Whether the answer is main's, and an effect found keeps half its size"),
    ),
    key=("outcome_id", "left_out"),
)

_PLACEBO_SE = "The error expected of a comparator of its size, were it as unsteady as the pilots: a standard deviation"
PILOTS = ResultTable(
    "pilots",
    "an outcome and pilot: its own effect against the comparators",
    (
        c.OUTCOME_ID,
        Column("unit_id", "STRING", "The pilot", nullable=False),
        Column("gtime", "BIGINT", "The number of its first treated period", nullable=False),
        Column("n_rows", "BIGINT", "Its index rows", nullable=False),
        c.ATT,
        Column("se_placebo", "DOUBLE", _PLACEBO_SE),
        c.CI_LOW,
        c.CI_HIGH,
        Column(
            "p_placebo", "DOUBLE", "The share of comparators, itself counted, that are off by as much for their scatter"
        ),
        Column("n_placebos", "BIGINT", "How many comparators were taken for a pilot", nullable=False),
        Column("shrunken", "DOUBLE", "The effect drawn towards the pilots' mean, as far as their spread says"),
        Column("shrunken_low", "DOUBLE", "The lower end of the 95 % interval of shrunken"),
        Column("shrunken_high", "DOUBLE", "The upper end of the 95 % interval of shrunken"),
        c.NOTE,
    ),
    key=("outcome_id", "unit_id"),
)

PILOTS_POOLED = ResultTable(
    "pilots_pooled",
    "an outcome: what its pilots' effects have in common, and how they differ",
    (
        c.OUTCOME_ID,
        Column("n_pilots", "BIGINT", "How many pilots have an effect with an interval", nullable=False),
        Column("mean", "DOUBLE", "The mean of the pilots' effects, each pilot's weighed by what is known of it"),
        Column("se_mean", "DOUBLE", "Its standard error"),
        c.CI_LOW,
        c.CI_HIGH,
        Column("prediction_low", "DOUBLE", "The lower end of what another pilot may expect, at 95 %"),
        Column("prediction_high", "DOUBLE", "The upper end of what another pilot may expect, at 95 %"),
        Column("sd_between", "DOUBLE", "How far true effects of pilots differ: a standard deviation"),
        Column("sd_low", "DOUBLE", "The lower end of the 95 % interval of sd_between"),
        Column("sd_high", "DOUBLE", "The upper end of the 95 % interval of sd_between"),
        Column("q", "DOUBLE", "The weighted sum of squares of the effects about their mean"),
        c.NOTE,
    ),
    key=("outcome_id",),
)

INFERENCE = ResultTable(
    "inference",
    "an outcome and other way of judging chance that the study declares",
    (
        c.OUTCOME_ID,
        Column(
            "method",
            "STRING",
            "The way",
            codes={
                "cr3_t": "the jackknife's standard error, t with the Satterthwaite degrees of freedom of CR2",
                "wcr_33": "the bootstrap with the jackknife's scores and standard errors",
                "region": "the bootstrap with regions as clusters",
            },
            nullable=False,
        ),
        c.N_CLUSTERS,
        replace(c.N_TREATED_CLUSTERS, meaning="How many clusters have a treated unit"),
        c.ATT,
        Column("se", "DOUBLE", "Its standard error: CR3, or CR1 by region"),
        Column("df", "DOUBLE", "The degrees of freedom of t"),
        Column("p", "DOUBLE", "The p-value of no effect"),
        c.CI_LOW,
        c.CI_HIGH,
        c.NOTE,
    ),
    key=("outcome_id", "method"),
)

SYNTHETIC = ResultTable(
    "synthetic",
    "an outcome and authority that synthetic difference-in-differences could use: pilots and comparators",
    (
        c.OUTCOME_ID,
        Column("unit_id", "STRING", "The unit", nullable=False),
        replace(c.ARM, codes={name: c.ARMS[name] for name in ("pilot", "comparator")}),
        Column("weight", "DOUBLE", "Its share of its arm: of treated cells, or of the synthetic control"),
        replace(c.NOTE, meaning="Why it was left out; blank where it was not"),
    ),
    key=("outcome_id", "unit_id"),
)

SYNTHETIC_CHECKS = ResultTable(
    "synthetic_checks",
    "an outcome and another way of making a synthetic control, beside the row synthetic_did of estimates",
    (
        c.OUTCOME_ID,
        Column(
            "method",
            "STRING",
            "How it is made",
            codes={
                "annual": "synthetic difference-in-differences by whole years since go-live",
                "augmented": "weights, and a ridge regression for what they leave unlike before go-live",
            },
            nullable=False,
        ),
        replace(c.ATT, meaning="The effect on the mean pilot, in the outcome's own unit"),
        Column("plain", "DOUBLE", "The same by the weights alone (augmented)"),
        Column("se_placebo", "DOUBLE", "The standard deviation of pseudo-pilots' effects"),
        Column("se_jackknife", "DOUBLE", "The jackknife standard error (annual)"),
        Column("p", "DOUBLE", "The share of pseudo-pilots with an effect at least as large; blank with one pilot"),
        Column("n_pilots", "BIGINT", "How many pilots are in it"),
        Column("n_comparators", "BIGINT", "How many comparators it could weigh"),
        Column("n_before", "BIGINT", "How many periods before go-live it follows: years, or the study's own"),
        c.NOTE,
    ),
    key=("outcome_id", "method"),
)

PRETREND = ResultTable(
    "pretrend",
    "an outcome: the slope of treated units against comparators before go-live",
    (
        c.OUTCOME_ID,
        c.SPECIFICATION,
        Column("n_pre", "BIGINT", "How many event times before go-live have treated rows", nullable=False),
        Column("p_joint", "DOUBLE", "The p-value of the event study's joint test that all effects before are 0"),
        Column("slope", "DOUBLE", "The slope before go-live, in the outcome's unit per period"),
        c.SE_CR2,
        c.DF,
        c.P_CR2,
        c.CI_LOW,
        c.CI_HIGH,
        Column("slope_bound", "DOUBLE", "The slope that, going on, makes a bias of the smallest effect of interest"),
        Column("p_equivalence", "DOUBLE", "The p-value of a slope beyond slope_bound, either way"),
        Column("detectable_slope", "DOUBLE", "The slope that the 5 % test finds with 80 % power"),
        Column("detectable_violation", "DOUBLE", "The bias that detectable_slope would make"),
        c.NOTE,
    ),
    key=("outcome_id", "specification"),
)

HONEST = ResultTable(
    "honest",
    "an outcome, restriction, m and target: bounds that allow for unlike trends",
    (
        c.OUTCOME_ID,
        Column(
            "restriction",
            "STRING",
            "What is assumed of the trends; blank in the row that says why there are no bounds",
            codes={
                "relative_magnitudes": "they part by at most m times the largest step before go-live",
                "smoothness": "their slope changes by at most m per year",
            },
        ),
        Column("m", "DOUBLE", "How far the trends may part"),
        Column(
            "target",
            "STRING",
            "Which effect is bounded",
            codes={"average": "the mean of the years from go-live on", "first": "the first of these years"},
        ),
        Column("estimate", "DOUBLE", "The target under parallel trends; years count equally"),
        c.CI_LOW,
        c.CI_HIGH,
        Column("set_low", "DOUBLE", "The least effect that the restriction allows, were the estimates exact"),
        Column("set_high", "DOUBLE", "The greatest effect that the restriction allows, were the estimates exact"),
        Column("n_pre", "BIGINT", "How many years before the reference"),
        Column("n_post", "BIGINT", "How many years from go-live on"),
        c.DF,
        Column(
            "label",
            "STRING",
            "How to read the interval",
            codes={"interval": "its coverage is simulated", "descriptive": "fewer than 3 degrees of freedom"},
        ),
        Column("breakdown", "DOUBLE", "The largest m up to which 0 stays outside the interval; blank if inside at 0"),
        c.NOTE,
    ),
    key=("outcome_id", "restriction", "m", "target"),
)

PLACEBO_PILOTS = ResultTable(
    "placebo_pilots",
    "an outcome and draw of units that are given the pilots' go-lives",
    (
        c.OUTCOME_ID,
        Column("draw", "BIGINT", "The draw's number, from 1", nullable=False),
        replace(c.ATT, meaning="The effect on the drawn units"),
        Column("t", "DOUBLE", "The effect over its standard error"),
    ),
    key=("outcome_id", "draw"),
)

PLACEBO_SUMMARY = ResultTable(
    "placebo_summary",
    "an outcome: the real effect among those of drawn units",
    (
        c.OUTCOME_ID,
        Column("n_draws", "BIGINT", "How many draws have an effect", nullable=False),
        Column("n_undefined", "BIGINT", "How many draws have none", nullable=False),
        Column("n_pilots", "BIGINT", "How many units are drawn each time", nullable=False),
        Column("n_candidates", "BIGINT", "How many units they are drawn from", nullable=False),
        replace(c.ATT, meaning="The real effect, against every candidate"),
        Column("t", "DOUBLE", "The real effect over its standard error"),
        Column("sd", "DOUBLE", "The standard deviation of the drawn effects"),
        Column("p2_5", "DOUBLE", "The 2.5th percentile of the drawn effects"),
        Column("p97_5", "DOUBLE", "The 97.5th percentile of the drawn effects"),
        Column(
            "share_beyond", "DOUBLE", "The share of draws at least as far from 0 as the real one; blank with one pilot"
        ),
    ),
    key=("outcome_id",),
)

BOUNDS = ResultTable(
    "bounds",
    "an outcome and kind of unknown value: how far the unknown could move the effect",
    (
        c.OUTCOME_ID,
        Column(
            "what",
            "STRING",
            "Which values are not known",
            codes={
                "suppressed": "published counts that are suppressed",
                "missing": "outcomes of rows that belong to the estimand",
                "missing_within_follow_up": "the same without those not yet observed to the end of their window",
            },
            nullable=False,
        ),
        Column("att_complete_case", "DOUBLE", "The effect on what is known, without covariates"),
        Column("att_low", "DOUBLE", "The least effect that the unknown values allow"),
        Column("att_high", "DOUBLE", "The greatest effect that the unknown values allow"),
        replace(c.CI_LOW, meaning="The lower end of the 95 % interval at att_low"),
        replace(c.CI_HIGH, meaning="The upper end of the 95 % interval at att_high"),
        Column("n_cells_unknown", "BIGINT", "How many fitted units' periods have unknown values", nullable=False),
        Column("n_cells", "BIGINT", "How many units' periods are fitted", nullable=False),
        c.NOTE,
    ),
    key=("outcome_id", "what"),
)
