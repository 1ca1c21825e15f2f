"""One night's tables, read once, with everyone too small to show taken out by name.

Belongs here: which clinicians are withheld, which measures speak for whom, and each series' verdict. Does not belong
here: what a page says of them (`overview`, `clinician`, `clinician_list`, `data_quality`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from assets.science.disclosure import DisclosureRule, is_small, suppressed_cells
from dashboards import readings, thresholds
from dashboards.page_settings import PageSettings
from dashboards.views.clinician_months import alliance_by_clinician, monthly_rate
from dashboards.views.signals import Signal

TABLES = (
    "marts.clinicians",
    "analysis.rates",
    "analysis.monthly_measures",
    "analysis.change_methods",
    "analysis.effect_sizes",
    "analysis.instruments",
    "analysis.clinician_alliance",
    "analysis.clinician_attendance",
    "analysis.clinician_progress",
    "analysis.alliance_levels",
    "analysis.alliance_link",
    "analysis.clinician_signals",
    "analysis.clinician_adjusted_progress",
    "analysis.clinician_alliance_growth",
    "analysis.clinician_alliance_parts",
    "analysis.clinician_weakest_part",
    "analysis.expected_progress",
    "analysis.variance_shares",
    "analysis.retention",
    "analysis.landmark",
    "analysis.after_rupture",
    "analysis.holding_back_calibration",
    "analysis.missing_forms",
    "analysis.rate_bounds",
    "analysis.couple_clinicians",
    "quality.reconciliation",
    "quality.checks",
    "quality.flow",
    "quality.freshness",
    "quality.schema_changes",
    "quality.since_last",
    "quality.changes",
    "quality.definitions",
    "quality.published_slices",
    "quality.withheld",
)
_OWNED = (
    "analysis.clinician_alliance_growth",
    "analysis.clinician_alliance_parts",
    "analysis.couple_clinicians",
    "analysis.rate_bounds",
)
Pair = tuple[str, str]
Row = dict[str, Any]
_NEARLY = 0.9


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything that pages are made from.

    Attributes:
        tables: Every table that pages read whole, by its full name.
        read: Answers a SELECT over promised tables (`dashboards.readings`).
        cases: Cases on record, by scope and name.
        latest_session: Its day, where there is one.
        showing_signs: Open clients with two or more kinds of signal of holding back, of how many, by scope and name.
        checks_passed: How many checks passed, of how many.
        is_alarming: Whether a check failed that a reader must know of.
        clinicians: All codes, ascending.
        withheld: Codes of which nothing is shown.
        is_withheld: Whether the service as a whole is too small to show.
        pair: Each clinician's alliance and outcome measure, where they have one.
        pairs: Pairs in use among the shown, most clinicians first.
        alliance, missed, recorded: Verdicts of each shown clinician's months.
        recalled: Measures and facts whose numbers nobody has checked against their source.
        owned: Rows of tables with several a clinician, by table and code.
        curves: Retention by scope and name.
        bands: Expected progress of each measure, by quarter of first scores and session.
        flagged: Code, signal and measure of every comparison that stands among all of them; none before that is asked
            (`prompts.standing`).
    """

    settings: PageSettings
    tables: dict[str, pl.DataFrame]
    read: Callable[[str], pl.DataFrame]
    cases: dict[tuple[str, str], int]
    latest_session: date | None
    showing_signs: dict[tuple[str, str], tuple[int, int]]
    checks_passed: tuple[int, int]
    is_alarming: bool
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
    owned: dict[tuple[str, str], list[Row]]
    curves: dict[tuple[str, str], list[Row]]
    bands: dict[str, list[Row]]
    flagged: frozenset[tuple[str, str, str]]

    @property
    def shown(self) -> tuple[str, ...]:
        """Codes of clinicians whose figures are shown, ascending."""
        return tuple(code for code in self.clinicians if code not in self.withheld)

    def row(self, table: str, code: str, instrument: str = "") -> Row | None:
        """A shown clinician's row of an analysis table, or None."""
        return None if code in self.withheld else self.rows.get((table, instrument), {}).get(code)

    def own(self, table: str, code: str) -> list[Row]:
        """A shown clinician's rows of a table that has several."""
        return [] if code in self.withheld else self.owned.get((table, code), [])

    def curve(self, scope: str, name: str) -> list[Row]:
        """The retention of the service, a site, a programme or a shown clinician."""
        return [] if scope == "clinician" and name in self.withheld else self.curves.get((scope, name), [])


def read_service(read: Callable[[str], pl.DataFrame], *, settings: PageSettings) -> Service:
    """Decide who is withheld, before anything else is made.

    Args:
        read: Gives a table whole by its full name, as pages are told of it, and the rows of a SELECT over promised tables.
        settings: The build's.
    """
    tables = {name: read(name) for name in TABLES}
    codes = tuple(sorted(tables["marts.clinicians"]["clinician_id"].drop_nulls().to_list()))
    attendance = tables["analysis.clinician_attendance"]
    cases = dict(attendance.select("clinician_id", "cases").iter_rows())
    rule = disclosure_rule(settings)
    present = {code: int(cases[code]) for code in codes if cases.get(code)}
    withheld = frozenset(code for code in codes if is_small(int(cases.get(code) or 0), rule=rule)) | suppressed_cells(
        present, rule=rule, is_total_shown=True, clinicians=None
    )
    withheld |= _given_away(tables["quality.withheld"])
    on_record = {(scope, name): held for scope, name, held in read(readings.CASES).iter_rows()}
    months = read(readings.CLINICIAN_MONTHS)
    checks = tables["quality.checks"]
    pair = _pairs(tables["analysis.alliance_link"], read(readings.PAIRS), settings=settings)
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
        read=read,
        cases=on_record,
        latest_session=read(readings.LATEST_SESSION)["latest"].item(),
        showing_signs={
            (scope, name): (asking, clients)
            for scope, name, asking, clients in read(readings.signs_now(at_least=thresholds.WORTH_ASKING)).iter_rows()
        },
        checks_passed=(int(checks["is_passed"].sum()), checks.height),
        is_alarming=bool((~checks["is_passed"] & (checks["severity"] == "error")).any()),
        clinicians=codes,
        withheld=withheld,
        is_withheld=is_small(on_record["service", "all"], rule=rule),
        pair=pair,
        pairs=used,
        alliance=alliance_by_clinician(read(readings.ALLIANCE_MONTHS), pair, shown, settings=settings),
        missed=monthly_rate(
            months.filter(pl.col("clinician_id").is_in(shown)),
            over="did_not_attend",
            under="appointments",
            is_better_up=False,
            smallest=thresholds.SMALLEST_ATTENDANCE,
            settings=settings,
            standard="did_not_attend_rate",
        ),
        recorded=monthly_rate(
            months.filter(pl.col("clinician_id").is_in(shown)),
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
        owned={(name, code): rows for name in _OWNED for code, rows in _grouped(tables[name], "clinician_id").items()},
        curves=_grouped(tables["analysis.retention"], "scope", "scope_name"),
        bands=_grouped(
            tables["analysis.expected_progress"].drop_nulls(["expected", "behind_limit"]).sort("session_number"),
            "instrument",
        ),
        flagged=frozenset(),
    )


def _grouped(table: pl.DataFrame, *by: str) -> dict[Any, list[Row]]:
    """Rows by the values of these columns."""
    found: dict[Any, list[Row]] = {}
    for row in table.iter_rows(named=True):
        found.setdefault(row[by[0]] if len(by) == 1 else tuple(row[name] for name in by), []).append(row)
    return found


def _given_away(named: pl.DataFrame) -> frozenset[str]:
    """Clinicians whose caseload and another published group differ by a small one."""
    of_one = (pl.col("reason") == "subtraction") & pl.col("slice_id").str.starts_with("booked/clinician/")
    # A code may hold a slash itself.
    return frozenset(each.split("/", 2)[2].rsplit("/", 2)[0] for each in named.filter(of_one)["slice_id"])


def disclosure_rule(settings: PageSettings) -> DisclosureRule:
    """How small is too small on every page."""
    return DisclosureRule(
        min_clients=settings.minimum_clients,
        min_clinicians=thresholds.FEWEST_CLINICIANS,
        zero="suppressed",
        round_to=1,
        is_complement_protected=False,
    )


def _pairs(linked: pl.DataFrame, paired: pl.DataFrame, *, settings: PageSettings) -> dict[str, Pair]:
    """The configured pair with most of a clinician's pairs of scores; near ties go to the pair configured first."""
    most: dict[str, dict[Pair, int]] = {}
    behind = linked.select("clinician_id", "alliance_instrument", "outcome_instrument", n="pairs")
    for code, alliance, outcome, n in (*behind.iter_rows(), *paired.iter_rows()):
        if (alliance, outcome) in settings.measures:
            held = most.setdefault(code, {})
            held[alliance, outcome] = max(n, held.get((alliance, outcome), 0))
    # A form more or fewer is no reason to read a colleague's clients on another measure: near ties go by configuration.
    return {
        code: next(each for each in settings.measures if held.get(each, 0) >= _NEARLY * max(held.values()))
        for code, held in most.items()
    }


def _rows(tables: dict[str, pl.DataFrame]) -> dict[tuple[str, str], dict[str, Row]]:
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for name in ("clinician_alliance", "clinician_progress", "clinician_adjusted_progress", "clinician_weakest_part"):
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
