"""Watched measures month by month: what changed, by which rule, and whether standards will be met.

Belongs here: the summary table of the service, a site or a programme. Does not belong here: the months' classes, which
the night made (`analysis.monthly_measures`).
"""

from dataclasses import dataclass

import polars as pl

from dashboards import thresholds, words
from dashboards.views import panels
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.recalled import RELIABLE_CHANGE, marked, note
from dashboards.views.scales import score_span
from dashboards.views.service import Service
from dashboards.views.signals import Signal, of_months

_NAMES = {
    "alliance_mean": "Alliance ({})",
    "improved": "Reliably improved ({})",
    "did_not_attend": "Appointments missed without notice",
    "cancelled_by_clinic": "Appointments the clinic called off",
    "alliance_recorded": "Sessions with an alliance score",
    "outcome_recorded": "Sessions with an outcome score",
}
_THINGS = {
    "alliance_mean": "rating",
    "improved": "ended course",
    "did_not_attend": "appointment",
    "cancelled_by_clinic": "appointment",
    "alliance_recorded": "session",
    "outcome_recorded": "session",
}
_SMALLEST = {
    "improved": thresholds.SMALLEST_IMPROVEMENT,
    "did_not_attend": thresholds.SMALLEST_ATTENDANCE,
    "cancelled_by_clinic": thresholds.SMALLEST_ATTENDANCE,
    "alliance_recorded": thresholds.SMALLEST_RECORDING,
    "outcome_recorded": thresholds.SMALLEST_RECORDING,
}
_AT_MOST = ("did_not_attend", "cancelled_by_clinic")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One watched measure of one area: its name, the footnote to it, what it rests on, its verdict, and whether it is a share."""

    measure: str
    name: str
    note: str
    rests_on: str
    signal: Signal
    is_share: bool


def measure_rows(service: Service, area: Area) -> tuple[Measure, ...]:
    """An area's measures: alliance, improvement, attendance, recording."""
    rows = area.rows(service.tables["analysis.monthly_measures"])
    alliance = dict.fromkeys(alliance for alliance, _ in area.pairs)
    outcomes = dict.fromkeys(outcome for _, outcome in area.pairs)
    wanted = [
        *(("alliance_mean", each) for each in alliance),
        *(("improved", each) for each in outcomes),
        *((each, "all") for each in ("did_not_attend", "cancelled_by_clinic", "alliance_recorded", "outcome_recorded")),
    ]
    found = (_measure(rows, service, measure=measure, instrument=instrument) for measure, instrument in wanted)
    return tuple(each for each in found if each is not None)


def _measure(rows: pl.DataFrame, service: Service, *, measure: str, instrument: str) -> Measure | None:
    own = rows.filter((pl.col("measure") == measure) & (pl.col("instrument") == instrument))
    if own.is_empty():
        return None
    settings = service.settings
    is_share = measure != "alliance_mean"
    # The night tells counts to the nearest five: so many more make sure that a month rests on enough.
    fewest_clients = settings.minimum_clients + thresholds.COUNTS_TO_NEAREST // 2
    facts = (RELIABLE_CHANGE,) if measure == "improved" else ()
    signal = of_months(
        own,
        data_date=settings.data_date,
        minimum=fewest_clients if measure == "improved" else settings.minimum_sessions,
        smallest=_SMALLEST[measure] if is_share else thresholds.SMALLEST_ALLIANCE * score_span(instrument)[2],
    )
    return Measure(
        measure=measure,
        name=marked(service, _NAMES[measure].format(instrument), instrument=instrument, facts=facts),
        note=note(service, [(instrument, fact) for fact in facts]),
        rests_on=words.counted(sum(signal.counts), _THINGS[measure]),
        signal=signal,
        is_share=is_share,
    )


def measures_panel(measures: tuple[Measure, ...]) -> Panel:
    """The measures with what changed, by which rule, and whether standards will be met."""
    changed = [each for each in measures if each.signal.tone != "ordinary"]
    unmet = [each for each in measures if each.signal.assurance == "no_unless_something_changes"]
    title = (
        f"{len(changed)} of {len(measures)} measures have changed beyond chance by enough to matter"
        if changed
        else "No measure has changed enough to matter"
    )
    if unmet:
        title += f"; {words.counted(len(unmet), 'standard')} will not be met unless something changes"
    return Panel(
        key="measures",
        title=title,
        caption="Latest whole month with enough to show, against the usual range of the first 12 months on record. Changes too small to matter "
        "are said to be small; under each change stands the rule that named it."
        + "".join(dict.fromkeys(each.note for each in measures)),
        how="the band is the usual range and the dot the latest month.",
        method="signal",
        table=Table(
            columns=(
                "Measure",
                "Rests on",
                "Latest month",
                "Usual range",
                "Change",
                "Standard",
                "Will it be met?",
                "24 months",
            ),
            rows=tuple(_row(each) for each in measures),
            numeric=frozenset({1, 2, 3}),
        ),
        shown=True,
        wide=True,
    )


def _row(each: Measure) -> tuple[Cell, ...]:
    signal = each.signal
    way = "at most" if each.measure in _AT_MOST else "at least"
    goal = "none set" if signal.standard is None else f"{way} {words.percent(signal.standard)}"
    tones = {"yes_consistently": "better", "no_unless_something_changes": "worse"}
    return (
        each.name,
        each.rests_on,
        panels.value_words(signal.latest, is_share=each.is_share, beside=signal.standard),
        panels.usual_words(signal, is_share=each.is_share),
        panels.tag(signal),
        goal,
        Tag(
            words=words.assurance(signal.assurance if signal.standard is not None else None),
            tone=tones.get(signal.assurance or "", "ordinary"),
        ),
        panels.spark(signal, is_share=each.is_share),
    )
