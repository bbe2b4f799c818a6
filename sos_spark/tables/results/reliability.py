"""How far a design can be relied on: what it could find, and how often its methods are right on it."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

_EFFECT = Column("effect", "DOUBLE", "The effect, in the outcome's own unit")
_MC_SE = Column("mc_se", "DOUBLE", "The simulation's standard error of share")
_REPLICATIONS = Column("replications", "BIGINT", "How many studies were simulated", nullable=False)
_SD_SHOCK = (
    Column("sd_shock", "DOUBLE", "The standard deviation of a unit's shock in a period"),
    Column("sd_shock_low", "DOUBLE", "The lower end of the 95 % of sd_shock estimated again"),
    Column("sd_shock_high", "DOUBLE", "The upper end of the 95 % of sd_shock estimated again"),
)
_AUTOCORRELATION = Column("autocorrelation", "DOUBLE", "The correlation of a unit's shocks in neighbouring periods")
_WEIGHT_MAX = Column(
    "treated_weight_max", "DOUBLE", "The largest treated unit's share of the rows' weight from go-live on"
)
_EFFECTIVE = Column("effective_clusters", "DOUBLE", "How many equal units would share the leverage as the units do")

CALIBRATION = ResultTable(
    "calibration",
    "an outcome, measure, method and effect: what simulated studies of this design came to",
    (
        c.OUTCOME_ID,
        Column(
            "measure",
            "STRING",
            "What is counted; blank in the row that says why nothing could be",
            codes={
                "size": "how often no effect is rejected where there is none",
                "power": "how often no effect is rejected where there is one",
                "coverage": "how often the 95 % interval holds the effect",
                "strong": "how often the evidence of a change is rated strong",
                "moderate": "how often the evidence of a change is rated moderate or strong",
            },
        ),
        Column(
            "method",
            "STRING",
            "How chance is judged; blank in the row that says why nothing could be",
            codes={
                "cr2": "by se_cr2 and its degrees of freedom",
                "wcr": "by the restricted wild cluster bootstrap",
                "ri": "by permuted go-lives",
                "headline": "by the rule that the verdict goes by",
            },
        ),
        _EFFECT,
        Column("share", "DOUBLE", "The share of simulated studies in which it was so"),
        _MC_SE,
        _REPLICATIONS,
        Column("holds", "BOOLEAN", "Whether size is within 3.5 to 6.5 % or coverage within 93 to 97 %, but for chance"),
        *_SD_SHOCK,
        _AUTOCORRELATION,
        Column("autocorrelation_low", "DOUBLE", "The lower end of the 95 % of autocorrelation estimated again"),
        Column("autocorrelation_high", "DOUBLE", "The upper end of the 95 % of autocorrelation estimated again"),
        c.N_CLUSTERS,
        c.N_TREATED_CLUSTERS,
        _WEIGHT_MAX,
        Column("leverage_max", "DOUBLE", "The greatest share of one unit in the effect's partial leverage"),
        _EFFECTIVE,
        c.NOTE,
    ),
    key=("outcome_id", "measure", "method", "effect"),
)

CALIBRATION_SWITCHES = ResultTable(
    "calibration_switches",
    "an outcome, way of doing the sums and planted effect: what the headline rule came to in simulated studies",
    (
        c.OUTCOME_ID,
        c.SPECIFICATION,
        replace(_EFFECT, meaning="The effect planted, in the outcome's own unit; 0 where there is none"),
        Column("reported", "DOUBLE", "The share of simulated studies in which the headline rule reports a change"),
        replace(_MC_SE, meaning="The simulation's standard error of reported"),
        Column("rated_strong", "DOUBLE", "The share in which the evidence of a change is rated strong"),
        Column("coverage", "DOUBLE", "The share in which the 95 % interval holds the effect"),
        c.MDE,
        Column("baseline_mean", "DOUBLE", "The mean of the treated units' rows before go-live"),
        c.N_ROWS,
        c.N_CLUSTERS,
        c.N_TREATED_CLUSTERS,
        _WEIGHT_MAX,
        _EFFECTIVE,
        *_SD_SHOCK,
        _AUTOCORRELATION,
        _REPLICATIONS,
        Column("seed", "BIGINT", "The seed of every draw"),
        c.NOTE,
    ),
    key=("outcome_id", "specification", "effect"),
)

POWER = ResultTable(
    "power",
    "an outcome, source and effect: how likely the study is to find it",
    (
        c.OUTCOME_ID,
        Column(
            "source",
            "STRING",
            "Where the power comes from",
            codes={"analytic": "a formula, or the randomisation distribution", "simulated": "simulated studies"},
            nullable=False,
        ),
        Column("effect", "DOUBLE", "The effect, in the outcome's own unit"),
        Column("power", "DOUBLE", "The chance that the test finds it"),
        Column("mc_se", "DOUBLE", "The simulation's standard error of power; blank for a formula"),
        Column("replications", "BIGINT", "How many studies were simulated; 0 for a formula", nullable=False),
        c.SE_CR2,
        c.DF,
        c.MDE,
        Column("sd_la", "DOUBLE", "The standard deviation of lasting differences between units"),
        _SD_SHOCK[0],
        _AUTOCORRELATION,
        c.N_CLUSTERS,
        c.N_TREATED_CLUSTERS,
        c.NOTE,
    ),
    key=("outcome_id", "source", "effect"),
)
