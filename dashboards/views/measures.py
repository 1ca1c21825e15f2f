"""The service's measures month by month: what changed, and whether standards will be met.

Belongs here: the overview's summary table and the rows it is made of.
"""

import polars as pl

from assets.science.disclosure import suppressed_cells
from dashboards import thresholds, words
from dashboards.views import panels
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.service import Service, disclosure_rule, monthly_alliance, monthly_rate
from dashboards.views.signals import Signal, signals

Measure = tuple[str, int, Signal, bool]
"""A row: its name, its clients, its verdict, and whether it is a share."""


def measure_rows(service: Service) -> tuple[Measure, ...]:
    """The service's measures: name, clients, verdict, whether it is a share."""
    settings, tables = service.settings, service.tables
    ratings, months = tables["marts.ratings"], tables["marts.clinician_months"]
    appointments = tables["marts.appointments"]
    everyone = appointments["case_id"].n_unique()
    found: list[Measure] = []

    def add(name: str, clients: int, made: dict[str, Signal], *, is_share: bool) -> None:
        if "all" in made and clients >= settings.minimum_clients:
            found.append((name, clients, made["all"], is_share))

    for instrument in dict.fromkeys(alliance for alliance, _ in service.pairs):
        rated = ratings.filter(pl.col("instrument") == instrument)
        add(
            f"Alliance ({instrument})",
            rated["client_id"].n_unique(),
            monthly_alliance(ratings, instrument=instrument, by=None, settings=settings),
            is_share=False,
        )
    for instrument in dict.fromkeys(outcome for _, outcome in service.pairs):
        clients, made = _improved(service, instrument)
        add(f"Reliably improved ({instrument})", clients, made, is_share=True)
    for name, over, under, is_up, smallest, standard in (
        (
            "Appointments missed without notice",
            "did_not_attend",
            "appointments",
            False,
            thresholds.SMALLEST_ATTENDANCE,
            "did_not_attend_rate",
        ),
        (
            "Sessions with an alliance score",
            "sessions_with_alliance",
            "attended",
            True,
            thresholds.SMALLEST_RECORDING,
            "alliance_recorded",
        ),
        (
            "Sessions with an outcome score",
            "sessions_with_outcome",
            "attended",
            True,
            thresholds.SMALLEST_RECORDING,
            "outcome_recorded",
        ),
    ):
        add(
            name,
            everyone,
            monthly_rate(
                months,
                by=None,
                over=over,
                under=under,
                is_better_up=is_up,
                smallest=smallest,
                settings=settings,
                standard=standard,
            ),
            is_share=True,
        )
    found += _sites(service)
    return tuple(found)


def _improved(service: Service, instrument: str) -> tuple[int, dict[str, Signal]]:
    """Reliable improvement by the month in which treatment ended."""
    closed = (
        service.tables["analysis.client_change"]
        .filter(
            (pl.col("instrument") == instrument)
            & ~pl.col("is_open")
            & pl.col("last_score").is_not_null()
            & pl.col("reliable_change").is_not_null()
        )
        .join(service.tables["marts.episodes"].select("episode_id", "ended_on"), on="episode_id")
        .drop_nulls("ended_on")
    )
    cells = (
        closed.with_columns(series=pl.lit("all"), month=pl.col("ended_on").dt.truncate("1mo"))
        .group_by("series", "month")
        .agg(value=pl.col("is_reliably_improved").cast(pl.Float64).mean(), count=pl.col("client_id").n_unique())
    )
    settings = service.settings
    return closed["client_id"].n_unique(), signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_clients,
        improvement="up",
        floor=0.0,
        ceiling=1.0,
        smallest=thresholds.SMALLEST_IMPROVEMENT,
        standard=settings.standards.get("improved_rate"),
    )


def _sites(service: Service) -> list[Measure]:
    """Missed appointments by site, none where leaving one out would give a small one away."""
    appointments = service.tables["marts.appointments"].drop_nulls("site")
    counts = dict(appointments.group_by("site").agg(pl.col("case_id").n_unique()).sort("site").iter_rows())
    if len(counts) < 2:
        return []
    staff = dict(appointments.group_by("site").agg(pl.col("clinician_id").n_unique()).iter_rows())
    hidden = suppressed_cells(counts, rule=disclosure_rule(service.settings), is_total_shown=True, clinicians=staff)
    made = monthly_rate(
        service.tables["marts.clinician_months"].drop_nulls("site"),
        by="site",
        over="did_not_attend",
        under="appointments",
        is_better_up=False,
        smallest=thresholds.SMALLEST_ATTENDANCE,
        settings=service.settings,
        standard="did_not_attend_rate",
    )
    return [
        (f"Missed without notice: {site}", counts[site], made[site], True)
        for site in counts
        if site in made and site not in hidden
    ]


def measures_panel(measures: tuple[Measure, ...]) -> Panel:
    """The service's measures with what changed and whether standards will be met."""
    changed = [name for name, _, signal, _ in measures if signal.tone != "ordinary"]
    unmet = [name for name, _, signal, _ in measures if signal.assurance == "no_unless_something_changes"]
    title = (
        f"{len(changed)} of {len(measures)} measures have changed beyond chance by enough to matter"
        if changed
        else "No measure has changed enough to matter"
    )
    if unmet:
        title += f"; {words.counted(len(unmet), 'standard')} will not be met unless something changes"
    rows: list[tuple[Cell, ...]] = []
    tones = {"yes_consistently": "better", "no_unless_something_changes": "worse"}
    for name, clients, signal, is_share in measures:
        goal = (
            "none set"
            if signal.standard is None
            else f"{'at most' if 'issed' in name else 'at least'} {words.percent(signal.standard)}"
        )
        rows.append(
            (
                name,
                f"{clients:,}",
                panels.value_words(signal.latest, is_share=is_share, beside=signal.standard),
                panels.usual_words(signal, is_share=is_share),
                panels.tag(signal),
                goal,
                Tag(
                    words=words.assurance(signal.assurance if signal.standard is not None else None),
                    tone=tones.get(signal.assurance or "", "ordinary"),
                ),
                panels.spark(signal, is_share=is_share),
            )
        )
    return Panel(
        key="measures",
        title=title,
        caption="Latest whole month with enough to show, against the usual range of the first 12 months shown. Changes too small to matter are said to be small.",
        method="signal",
        table=Table(
            columns=(
                "Measure",
                "Clients",
                "Latest month",
                "Usual range",
                "Change",
                "Standard",
                "Will it be met?",
                "24 months",
            ),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3}),
        ),
        shown=True,
        wide=True,
    )
