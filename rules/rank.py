"""The order of findings: nothing more than that."""

import polars as pl

from rules.facts import Facts

SEVERITY_SHARE, AMOUNT_SHARE, FRESHNESS_SHARE = 0.5, 0.3, 0.2
HALF_LIFE_DAYS = 14


def rank(findings: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Adds `rank`, Int64 from 0 to 100: severity, amount in the team, freshness, actionability.

    The amount counts by its percentile among the team's open deals of the same currency (team:
    those whom the owner's manager manages); a deal without an amount counts as the lowest.
    """
    age_days = (pl.lit(facts.as_of) - pl.col("at")).dt.total_seconds().clip(0) / 86_400
    score = (
        SEVERITY_SHARE * pl.col("severity") / 2
        + AMOUNT_SHARE * pl.col("percentile").fill_null(0)
        + FRESHNESS_SHARE * pl.lit(2.0).pow(-age_days / HALF_LIFE_DAYS)
    )
    return (
        findings.join(
            _percentiles(facts),
            left_on="subject_id",
            right_on="deal_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(rank=(100 * score * pl.col("actionability")).round().cast(pl.Int64))
        .drop("percentile")
    )


def _percentiles(facts: Facts) -> pl.DataFrame:
    managers = facts.tables.management.filter(
        pl.col("valid_from") <= facts.as_of,
        pl.col("valid_to").is_null() | (pl.col("valid_to") > facts.as_of),
    ).unique("person_id", keep="any")
    team = ["manager_id", "currency"]
    place = (pl.col("amount").rank("average") - 1) / (pl.len() - 1)
    return (
        facts.state.filter(
            pl.col("closed").ne_missing(pl.lit(value=True)), pl.col("amount").is_not_null()
        )
        .join(managers, left_on="owner_id", right_on="person_id", how="left")
        .select(
            "deal_id",
            percentile=pl.when(pl.len().over(team) > 1).then(place.over(team)).otherwise(1.0),
        )
    )
