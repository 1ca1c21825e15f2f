"""One night's tables, read once, with everyone too small to show taken out by name.

Belongs here: which clinicians are withheld, which measures speak for whom, and each series' verdict. Does not belong
here: what a page says of them (`overview`, `clinician`, `clinician_list`, `data_quality`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from assets.science.disclosure import DisclosureRule, is_small, suppressed_cells
from assets.science.instruments.registry import REGISTRY
from dashboards import thresholds, words
from dashboards.page_settings import PageSettings
from dashboards.views.signals import Signal, signals

TABLES = (
    "marts.appointments",
    "marts.clinicians",
    "marts.clinician_months",
    "marts.episodes",
    "marts.ratings",
    "marts.sessions",
    "marts.alliance_pairs",
    "analysis.rates",
    "analysis.monthly_measures",
    "analysis.change_methods",
    "analysis.effect_sizes",
    "analysis.milestones",
    "analysis.instruments",
    "analysis.client_change",
    "analysis.clinician_alliance",
    "analysis.clinician_attendance",
    "analysis.clinician_progress",
    "analysis.alliance_levels",
    "analysis.alliance_link",
    "analysis.ruptures",
    "quality.reconciliation",
    "quality.checks",
    "quality.published_slices",
    "staging.refused_rows",
)
Pair = tuple[str, str]
Row = dict[str, Any]
_NEARLY = 0.9


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything that pages are made from.

    Attributes:
        tables: Every table by its full name.
        clinicians: All codes, ascending.
        withheld: Codes of which nothing is shown.
        is_withheld: Whether the service as a whole is too small to show.
        pair: Each clinician's alliance and outcome measure, where they have one.
        pairs: Pairs in use among the shown, most clinicians first.
        alliance, missed, recorded: Verdicts of each shown clinician's months.
        recalled: Measures and facts whose numbers nobody has checked against their source.
    """

    settings: PageSettings
    tables: dict[str, pl.DataFrame]
    clinicians: tuple[str, ...]
    withheld: frozenset[str]
    is_withheld: bool
    pair: dict[str, Pair]
    pairs: tuple[Pair, ...]
    alliance: dict[str, Signal]
    missed: dict[str, Signal]
    recorded: dict[str, Signal]
    rows: dict[tuple[str, str], dict[str, Row]]
    recalled: frozenset[tuple[str, str]]

    @property
    def shown(self) -> tuple[str, ...]:
        """Codes of clinicians whose figures are shown, ascending."""
        return tuple(code for code in self.clinicians if code not in self.withheld)

    def row(self, table: str, code: str, instrument: str = "") -> Row | None:
        """A shown clinician's row of an analysis table, or None."""
        return None if code in self.withheld else self.rows.get((table, instrument), {}).get(code)


def score_span(instrument: str) -> tuple[float | None, float | None, float]:
    """Lowest and highest score of a measure and the distance between them; 1 where it is not declared."""
    if instrument not in REGISTRY:
        return None, None, 1.0
    measure = REGISTRY[instrument]
    span = measure.score_range
    return span.low, span.high, span.high - span.low


def step_words(instrument: str) -> str:
    """The step that published links are for, a tenth of the alliance scale, in the measure's own points."""
    return f"{words.score(round(score_span(instrument)[2] / 10, 1))} {instrument} points"


def is_higher_better(instrument: str) -> bool:
    """Whether a higher score is better; an undeclared measure's scores are taken as symptoms."""
    return instrument in REGISTRY and REGISTRY[instrument].direction == "higher_is_better"


def read_service(read: Callable[[str], pl.DataFrame], *, settings: PageSettings) -> Service:
    """Read every table and decide who is withheld, before anything else is made."""
    tables = {name: read(name) for name in TABLES}
    codes = tuple(sorted(tables["marts.clinicians"]["clinician_id"].drop_nulls().to_list()))
    attendance = tables["analysis.clinician_attendance"]
    cases = dict(attendance.select("clinician_id", "cases").iter_rows())
    rule = disclosure_rule(settings)
    present = {code: int(cases[code]) for code in codes if cases.get(code)}
    withheld = frozenset(code for code in codes if is_small(int(cases.get(code) or 0), rule=rule)) | suppressed_cells(
        present, rule=rule, is_total_shown=True, clinicians=None
    )
    total = tables["marts.appointments"]["case_id"].n_unique()
    pair = _pairs(tables, settings=settings)
    shown = [code for code in codes if code not in withheld]
    held: dict[Pair, int] = {}
    for code in shown:
        if code in pair:
            held[pair[code]] = held.get(pair[code], 0) + 1
    order = list(settings.measures)
    used = tuple(sorted(held, key=lambda each: (-held[each], order.index(each) if each in order else len(order), each)))
    return Service(
        settings=settings,
        tables=tables,
        clinicians=codes,
        withheld=withheld,
        is_withheld=is_small(total, rule=rule),
        pair=pair,
        pairs=used,
        alliance=_alliance_by_clinician(tables, pair, shown, settings=settings),
        missed=monthly_rate(
            tables["marts.clinician_months"].filter(pl.col("clinician_id").is_in(shown)),
            by="clinician_id",
            over="did_not_attend",
            under="appointments",
            is_better_up=False,
            smallest=thresholds.SMALLEST_ATTENDANCE,
            settings=settings,
            standard="did_not_attend_rate",
        ),
        recorded=monthly_rate(
            tables["marts.clinician_months"].filter(pl.col("clinician_id").is_in(shown)),
            by="clinician_id",
            over="sessions_with_alliance",
            under="attended",
            is_better_up=True,
            smallest=thresholds.SMALLEST_RECORDING,
            settings=settings,
            standard="alliance_recorded",
        ),
        rows=_rows(tables),
        recalled=frozenset(
            tables["analysis.instruments"]
            .filter(pl.col("status") == "recalled")
            .select("instrument", "fact")
            .iter_rows()
        ),
    )


def disclosure_rule(settings: PageSettings) -> DisclosureRule:
    """How small is too small on every page."""
    return DisclosureRule(
        min_clients=settings.minimum_clients,
        min_clinicians=thresholds.FEWEST_CLINICIANS,
        zero="suppressed",
        round_to=1,
        is_complement_protected=False,
    )


def monthly_rate(
    months: pl.DataFrame,
    *,
    by: str | None,
    over: str,
    under: str,
    is_better_up: bool,
    smallest: float,
    settings: PageSettings,
    standard: str,
) -> dict[str, Signal]:
    """Verdicts on a share month by month, a series each value of `by`, or one called `all`."""
    name = pl.lit("all") if by is None else pl.col(by)
    cells = (
        months.with_columns(series=name)
        .group_by("series", "month")
        .agg(over=pl.col(over).sum(), count=pl.col(under).sum())
        .select(
            "series",
            "month",
            pl.when(pl.col("count") > 0).then(pl.col("over") / pl.col("count")).alias("value"),
            "count",
        )
    )
    return signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_sessions,
        improvement="up" if is_better_up else "down",
        floor=0.0,
        ceiling=1.0,
        smallest=smallest,
        standard=settings.standards.get(standard),
    )


def monthly_alliance(
    ratings: pl.DataFrame, *, instrument: str, by: str | None, settings: PageSettings
) -> dict[str, Signal]:
    """Verdicts on the mean alliance score month by month, as clients rate it."""
    low, high, span = score_span(instrument)
    cells = (
        ratings.filter(
            (pl.col("kind") == "alliance")
            & (pl.col("instrument") == instrument)
            & (pl.col("rater") == "client")
            & pl.col("score").is_not_null()
        )
        .with_columns(
            series=pl.lit("all") if by is None else pl.col(by), month=pl.col("completed_on").dt.truncate("1mo")
        )
        .drop_nulls("series")
        .group_by("series", "month")
        .agg(value=pl.col("score").mean(), count=pl.coalesce("appointment_id", "rating_id").n_unique())
    )
    return signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_sessions,
        improvement="up",
        floor=low,
        ceiling=high,
        smallest=thresholds.SMALLEST_ALLIANCE * span,
        standard=None,
    )


def _alliance_by_clinician(
    tables: dict[str, pl.DataFrame], pair: dict[str, Pair], shown: Iterable[str], *, settings: PageSettings
) -> dict[str, Signal]:
    of: dict[str, list[str]] = {}
    for code in shown:
        if code in pair:
            of.setdefault(pair[code][0], []).append(code)
    ratings = tables["marts.ratings"]
    found: dict[str, Signal] = {}
    for instrument, codes in sorted(of.items()):
        some = ratings.filter(pl.col("clinician_id").is_in(codes))
        found |= monthly_alliance(some, instrument=instrument, by="clinician_id", settings=settings)
    return found


def _pairs(tables: dict[str, pl.DataFrame], *, settings: PageSettings) -> dict[str, Pair]:
    """The configured pair with most of a clinician's rows; near ties go to the pair configured first."""
    most: dict[str, dict[Pair, int]] = {}
    for code, alliance, outcome, n in pl.concat([linked_rows(tables), paired_rows(tables)]).iter_rows():
        if (alliance, outcome) in settings.measures:
            held = most.setdefault(code, {})
            held[alliance, outcome] = max(n, held.get((alliance, outcome), 0))
    # A form more or fewer is no reason to read a colleague's clients on another measure: near ties go by configuration.
    return {
        code: next(each for each in settings.measures if held.get(each, 0) >= _NEARLY * max(held.values()))
        for code, held in most.items()
    }


def linked_rows(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Pairs of scores behind each clinician's link, by measures."""
    return tables["analysis.alliance_link"].select(
        "clinician_id", "alliance_instrument", "outcome_instrument", n=pl.col("pairs").cast(pl.Int64)
    )


def paired_rows(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Pairs of scores that each clinician has, by measures."""
    return (
        tables["marts.alliance_pairs"]
        .group_by("clinician_id", "alliance_instrument", "outcome_instrument")
        .agg(n=pl.len().cast(pl.Int64))
    )


def _rows(tables: dict[str, pl.DataFrame]) -> dict[tuple[str, str], dict[str, Row]]:
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for name in ("clinician_alliance", "clinician_progress"):
        for row in tables[f"analysis.{name}"].iter_rows(named=True):
            found.setdefault((name, row["instrument"]), {})[row["clinician_id"]] = row
    for row in tables["analysis.alliance_link"].iter_rows(named=True):
        key = ("alliance_link", f"{row['alliance_instrument']} {row['outcome_instrument']}")
        found.setdefault(key, {})[row["clinician_id"]] = row
    for row in tables["analysis.clinician_attendance"].iter_rows(named=True):
        found.setdefault(("clinician_attendance", ""), {})[row["clinician_id"]] = row
    for row in tables["marts.clinicians"].iter_rows(named=True):
        found.setdefault(("clinicians", ""), {})[row["clinician_id"]] = row
    return found
