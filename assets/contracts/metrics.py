"""What a published rate is: declared once, and the SELECT, caption and dictionary entry that follow from it.

Belongs here: the shape of a declaration and what can be said from it alone. Does not belong here: the rates themselves
(`assets.contracts.rates`), intervals and rounding (`assets.science`), or running a SELECT (`assets.analysis`).

A rate is counted over the period that pages show, the `period_months` before the data date; its population's day decides
what lies within. Counts are of whole things; nothing here is a rate of rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assets.contracts.vocabulary import SCOPES

Better = Literal["higher", "lower", "neither"]

_NAME_OF_GROUP = {"service": "'all'", "site": "site", "programme": "programme"}

NO_INSTRUMENT = "all"
"""Stands where a rate is not about one measure."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """What a family of rates counts.

    Attributes:
        id: a short name.
        things: what one row is, in the plural.
        reads: the tables its SELECT reads, as `schema.table`.
        select: SQL giving `case_id`, `site`, `programme`, `instrument`, `day`, and the columns that conditions name.
        day_words: which day decides whether a row lies in the period.
        is_by_instrument: whether every measure has a rate of its own.
    """

    id: str
    things: str
    reads: tuple[str, ...]
    select: str
    day_words: str
    is_by_instrument: bool = False


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One published rate.

    Attributes:
        id: its name in `analysis.rates`.
        title: its name on a page.
        population: what is counted.
        numerator: SQL condition of the things counted; each also meets the denominator's.
        denominator: SQL condition of the things it is out of.
        numerator_words: the things counted, completing "the share that ...".
        denominator_words: what it is out of, in the plural, completing "of ...".
        eligible: SQL condition of the things that should have been measured; the denominator where not said.
        complete: SQL condition of those that were; the denominator where not said.
        citation: who defines it so.
        better: which way is better.
        decimals: of the published per cent, rounded half up.
    """

    id: str
    title: str
    population: Population
    numerator: str
    denominator: str
    numerator_words: str
    denominator_words: str
    citation: str
    better: Better
    eligible: str = ""
    complete: str = ""
    decimals: int = 1

    @property
    def counts(self) -> dict[str, str]:
        """The four things counted of it, each with its SQL condition."""
        return {
            "numerator": self.numerator,
            "denominator": self.denominator,
            "eligible": self.eligible or self.denominator,
            "complete": self.complete or self.denominator,
        }


def definition(metric: Metric) -> str:
    """What the rate is, in one sentence."""
    return f"Of {metric.denominator_words}, the share that {metric.numerator_words}."


def caption(metric: Metric) -> str:
    """What a page writes under the rate: what it is, which day decides, which way is better, who says so."""
    ways = {"higher": "Higher is better. ", "lower": "Lower is better. ", "neither": ""}
    by_measure = "For each measure apart. " if metric.population.is_by_instrument else ""
    return (
        f"{definition(metric)} Counted by {metric.population.day_words}. {by_measure}{ways[metric.better]}"
        f"Definition: {metric.citation}."
    )


def suppression(metric: Metric) -> str:
    """When it is withheld, in one sentence."""
    return (
        f"Withheld from pages where the {metric.denominator_words} belong to fewer clients than the service's smallest "
        "group."
    )


def rounding(metric: Metric) -> str:
    """How its per cent is written."""
    places = "a whole number" if metric.decimals == 0 else f"{metric.decimals} decimal place"
    return f"Per cent from unrounded counts, to {places}, halves up."


def dictionary_entry(metric: Metric) -> str:
    """The rate as the data dictionary describes it, in Markdown."""
    lines = [
        f"### Rate `{metric.id}`: {metric.title}",
        "",
        caption(metric),
        "",
        f"- Of `{metric.population.things}`, counted: `{metric.numerator}`",
        f"- Out of: `{metric.denominator}`",
        *([f"- Should have been measured: `{metric.eligible}`"] if metric.eligible else []),
        *([f"- Were measured: `{metric.complete}`"] if metric.complete else []),
        f"- {rounding(metric)}",
        f"- {suppression(metric)}",
        "",
    ]
    return "\n".join(lines)


def counting_select(metrics: Sequence[Metric], *, run: str = "quality.run") -> str:
    """The SELECT that counts rates of one population.

    Args:
        metrics: at least one, all of the same population.
        run: what holds `data_date` and `period_months` in one row: the night's own table, or a SELECT in parentheses.

    Returns:
        SQL giving, for each metric, scope, group and measure with anything to count: `metric`, `scope`, `scope_name`,
        `instrument`, `numerator`, `denominator`, `eligible`, `complete`, and `cases`, the different cases in the
        denominator.

    Raises:
        ValueError: the metrics are of several populations.
    """
    if len({metric.population.id for metric in metrics}) != 1:
        raise ValueError("One SELECT counts one population.")
    columns = ",\n    ".join(
        f"COUNT(CASE WHEN {condition} THEN 1 END) AS {metric.id}_{name}"
        for metric in metrics
        for name, condition in metric.counts.items()
    )
    totals = "\nUNION ALL\n".join(_totals(metric, scope) for metric in metrics for scope in SCOPES)
    return f"""WITH counted AS (
  {metrics[0].population.select}
),
by_case AS (
  SELECT
    counted.case_id, counted.site, counted.programme, counted.instrument,
    {columns}
  FROM counted
  CROSS JOIN {run} AS run
  WHERE counted.day > run.data_date - TO_MONTHS(CAST(run.period_months AS INTEGER)) AND counted.day <= run.data_date
  GROUP BY counted.case_id, counted.site, counted.programme, counted.instrument
)
{totals}"""


def monthly_select(metric: Metric) -> str:
    """The SELECT that counts a rate by calendar month.

    Returns:
        SQL giving `measure`, `site`, `programme`, `instrument`, `month` (its first day), `total` (the numerator) and
        `counted` (the denominator), over all time.
    """
    month = "CAST(DATE_TRUNC('month', day) AS DATE)"
    return (
        f"SELECT '{metric.id}' AS measure, site, programme, instrument, {month} AS month, "
        f"CAST(COUNT(CASE WHEN {metric.numerator} THEN 1 END) AS DOUBLE) AS total, "
        f"COUNT(CASE WHEN {metric.denominator} THEN 1 END) AS counted "
        f"FROM ({metric.population.select}) AS counted WHERE day IS NOT NULL "
        f"GROUP BY site, programme, instrument, {month}"
    )


def _totals(metric: Metric, scope: str) -> str:
    sums = ", ".join(f"CAST(SUM({metric.id}_{name}) AS BIGINT) AS {name}" for name in metric.counts)
    name = _NAME_OF_GROUP[scope]
    return (
        f"SELECT '{metric.id}' AS metric, '{scope}' AS scope, {name} AS scope_name, instrument, {sums}, "
        f"COUNT(DISTINCT CASE WHEN {metric.id}_denominator > 0 THEN case_id END) AS cases "
        f"FROM by_case WHERE {name} IS NOT NULL GROUP BY {name}, instrument"
    )
