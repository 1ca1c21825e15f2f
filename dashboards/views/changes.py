"""Night to night: which figures on pages moved since the version before, and why.

Belongs here: the page, and its summary on the data quality page. Does not belong here: what moved and why, which the night
decides (`quality.changes`). Only figures stand here that the pages of both nights may show, and no clinician's: those are
counted.
"""

import polars as pl

from assets.contracts.analysis import ALLIANCE_LEVELS
from assets.contracts.changes import WORTH_TELLING
from assets.contracts.figures import RATE
from assets.contracts.metrics import NO_INSTRUMENT
from assets.contracts.rates import metric
from assets.science.disclosure import rounded_count
from dashboards import change_words, readings, words
from dashboards.figures.changes import movements
from dashboards.thresholds import COUNTS_TO_NEAREST
from dashboards.views.model import Cell, Fact, Link, Noted, Page, Panel, Table, Tag
from dashboards.views.service import Row, Service

PAGE = "changes.html"
_MOST_ROWS = 40
_MOST_DRAWN = 10
_WHERE = {"site": "Site", "programme": "Programme"}
_ORDER = {"service": 0, "site": 1, "programme": 2}


def changes_page(service: Service, *, facts: tuple[Fact, ...]) -> Page:
    """Which figures moved, what changed underneath, and which definitions did."""
    since = _since(service)
    drawn = _drawn(service)
    return Page(
        title=f"Night to night: {service.settings.clinic}",
        heading="Night to night: what moved, and why",
        about=f"Data to {words.day(service.settings.data_date)}, held against {since}.",
        section="changes",
        facts=facts,
        is_alarming=service.is_alarming,
        panels=(
            *((drawn,) if drawn is not None else ()),
            _moved(service),
            _rows(service),
            _definitions(service),
        ),
        explains=("changes", "withheld"),
    )


def changes_panel(service: Service) -> Panel:
    """The same in a few lines, for the data quality page."""
    shown = _shown(service)
    by_reason = (
        shown.group_by("reason")
        .agg(moved=pl.len(), worth=pl.col("is_worth_telling").sum())
        .sort("worth", descending=True)
    )
    rows: list[tuple[Cell, ...]] = [
        (change_words.WHY[reason], f"{moved:,}", f"{worth:,}") for reason, moved, worth in by_reason.iter_rows()
    ]
    if rows:
        rows.append((Link(words="Which figures, and why", href=PAGE), "", ""))
    return Panel(
        key="moved-summary",
        title=_title(service),
        caption="Figures on pages by the first reason for which they moved since the version before; to tell: by a quarter of their half range or more.",
        method="changes",
        shown=True,
        table=Table(columns=("Why", "Moved", "To tell"), rows=tuple(rows), numeric=frozenset({1, 2})),
        empty=None if rows else _nothing(service, "No figure on pages has moved."),
    )


def _moved(service: Service) -> Panel:
    shown, worth = _shown(service), _worth(service)
    clinicians = service.tables["quality.changes"].filter((pl.col("scope") == "clinician") & pl.col("is_worth_telling"))
    left_out = worth.height - _MOST_ROWS
    said = (
        f"Figures with their 95% ranges, as the pages of the two nights give them, that came or went or moved by {WORTH_TELLING:.0%} of their earlier half range or more. "
        f"{words.counted(shown.height - worth.height, 'figure')} moved by less. "
        f"{f'Of these rows {left_out:,} more stand in quality.changes. ' if left_out > 0 else ''}"
        f"{change_words.of_clinicians(clinicians.height)}"
    )
    return Panel(
        key="moved",
        title=_title(service),
        caption=said,
        method="changes",
        shown=True,
        wide=True,
        table=Table(
            columns=("Figure", "Where", "Before", "Tonight", "Difference", "Why", "Is it usual?"),
            rows=tuple(_figure_row(row) for row in worth.head(_MOST_ROWS).iter_rows(named=True)),
            numeric=frozenset({2, 3, 4}),
        ),
        empty=None if worth.height else _nothing(service, "No figure on these pages came, went or moved so far."),
    )


def _drawn(service: Service) -> Panel | None:
    """Rates of both nights as a picture; None where none that moved far enough stands on both."""
    rates = _worth(service).filter((pl.col("table_name") == RATE.table) & pl.col("explained").is_not_null())
    rows = rates.filter(pl.col("movement") == "moved").head(_MOST_DRAWN).rows(named=True)
    if not rows:
        return None
    kinds = [
        "redefined" if row["reason"] == "definition" else "beyond" if row["is_beyond_data"] else "explained"
        for row in rows
    ]
    return Panel(
        key="moved-rates",
        title=change_words.drawn_title(
            drawn=len(rows), beyond=kinds.count("beyond"), redefined=kinds.count("redefined")
        ),
        caption="Tonight less the version before, in points of per cent; right of the line is more. "
        "The band is how far so much changed data usually moves a rate; changes that all point one way move it further.",
        how="a dot lies within the band; a triangle beyond it; a square belongs to a rate whose definition changed.",
        method="changes",
        wide=True,
        is_detail=True,
        table=Table(
            columns=("Rate", "Where", "Difference", "Band"),
            rows=tuple((_name(row), _where(row), _difference(row), _band(row["explained"] * 100)) for row in rows),
            numeric=frozenset({2, 3}),
        ),
        figure=movements(
            names=[f"{_broken(_name(row))}<br>{_broken(_where(row))}" for row in rows],
            differences=[row["difference"] * 100 for row in rows],
            explained=[row["explained"] * 100 for row in rows],
            kinds=kinds,
        ),
    )


def _rows(service: Service) -> Panel:
    counted = service.read(readings.CHANGED_ROWS)
    found = {(name, reason): int(rows) for name, reason, rows in counted.iter_rows()}
    feeds = [feed for feed in words.FEEDS if any(name == f"staging.{feed}" for name, _ in found)]
    totals = {reason: sum(rows for (_, why), rows in found.items() if why == reason) for reason in change_words.ROWS}
    return Panel(
        key="changed-rows",
        title=change_words.rows_title(totals) if _has_last(service) else change_words.NO_VERSION["changed-rows"],
        caption="Accepted rows that differ from the version before, to the nearest five. New: of days after its last data date; late: of days up to it; "
        "corrected: saying something else; withdrawn: gone for another reason than a refusal. The period of pages has moved on as well.",
        method="changes",
        shown=True,
        wide=True,
        table=Table(
            columns=("Feed", *change_words.ROWS.values()),
            rows=tuple(
                (
                    words.FEEDS[feed],
                    *(_about(found.get((f"staging.{feed}", reason), 0)) for reason in change_words.ROWS),
                )
                for feed in feeds
            ),
            numeric=frozenset(range(1, 1 + len(change_words.ROWS))),
        ),
        empty=None if feeds else _nothing(service, "Every accepted row says what it said."),
    )


def _definitions(service: Service) -> Panel:
    table = service.tables["quality.definitions"]
    changed = table.filter(pl.col("has_changed_itself").fill_null(value=False)).sort("kind", "name")
    moved = _shown(service).filter(pl.col("reason") == "definition").height
    return Panel(
        key="definitions",
        title=change_words.definitions_title(changed.height, moved=moved)
        if _has_last(service)
        else change_words.NO_VERSION["definitions"],
        caption="Settings, what a rate counts and how tables are made, each by a hash of the setting or the code itself. A changed one is "
        "applied to all history on the night that it changes.",
        method="changes",
        shown=True,
        wide=True,
        table=Table(
            columns=("What", "Name", "Before", "Now"),
            rows=tuple(
                (
                    change_words.KINDS[row["kind"]],
                    row["name"],
                    row["value_before"] or "Otherwise",
                    row["value"] or f"Version {row['own_version']}",
                )
                for row in changed.iter_rows(named=True)
            ),
        ),
        empty=None
        if changed.height
        else _nothing(service, f"All {words.counted(table.height, 'definition')} are as they were."),
    )


def _title(service: Service) -> str:
    if not _has_last(service):
        return change_words.NO_VERSION["moved"]
    worth = _worth(service)
    beyond = worth.filter(pl.col("is_beyond_data") & (pl.col("reason") != "definition")).height
    return change_words.moved_title(worth=worth.height, looked_at=_shown(service).height, beyond=beyond)


def _shown(service: Service) -> pl.DataFrame:
    """Moved figures that the pages of both nights may show, a rate's places together; never by how far they moved."""
    table = service.tables["quality.changes"].filter("is_on_pages")
    place = pl.col("scope").replace_strict(_ORDER, return_dtype=pl.Int64)
    return table.sort(pl.col("table_name") != RATE.table, "about", place, "scope_name")


def _worth(service: Service) -> pl.DataFrame:
    return _shown(service).filter("is_worth_telling")


def _figure_row(row: Row) -> tuple[Cell, ...]:
    is_beyond = bool(row["is_beyond_data"]) and row["reason"] != "definition"
    said = change_words.explained(movement=row["movement"], is_beyond=row["is_beyond_data"], reason=row["reason"])
    return (
        _name(row),
        _where(row),
        _told(row, "_before"),
        _told(row, ""),
        _difference(row),
        change_words.WHY[row["reason"]],
        Tag(words=said, tone="worse" if is_beyond else "ordinary"),
    )


def _name(row: Row) -> str:
    if row["table_name"] == RATE.table:
        name, _, instrument = str(row["about"]).partition(" / ")
        return (
            f"{metric(name).title}, {instrument}" if instrument and instrument != NO_INSTRUMENT else metric(name).title
        )
    alliance, outcome, level, _ = str(row["about"]).split(" / ")
    return f"Link {change_words.LEVELS[level]}, {alliance} with {outcome}"


def _where(row: Row) -> str:
    return "The service" if row["scope"] == "service" else f"{_WHERE[row['scope']]} {row['scope_name']}"


def _told(row: Row, end: str) -> Cell:
    value, low, high = (row[f"{name}{end}"] for name in ("value", "low", "high"))
    if value is None:
        return "Not shown"
    if row["table_name"] == ALLIANCE_LEVELS.full_name:
        return Noted(words=words.decimal(value, places=2), note=words.between(low, high, places=2))
    return Noted(words=change_words.rate(value), note=words.percent_between(low, high))


def _difference(row: Row) -> str:
    if row["difference"] is None:
        return ""
    is_link = row["table_name"] == ALLIANCE_LEVELS.full_name
    return words.signed(row["difference"], places=2) if is_link else change_words.points(row["difference"])


def _band(points: float) -> str:
    return f"{words.signed(-points)} to {words.signed(points)} points"


def _about(count: int) -> str:
    near = rounded_count(count, round_to=COUNTS_TO_NEAREST)
    return change_words.about_rows(count, near=near, to_nearest=COUNTS_TO_NEAREST)


def _broken(name: str) -> str:
    """A label of a picture in lines that fit beside it."""
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + len(word) > 22:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def _has_last(service: Service) -> bool:
    return bool(service.tables["quality.definitions"]["has_changed"].is_not_null().any())


def _since(service: Service) -> str:
    freshness = service.tables["quality.freshness"].filter(pl.col("table_layer") == "published")
    days = freshness["newest_on"].drop_nulls()
    return f"the version with data to {words.day(days[0])}" if len(days) else "nothing: there is no version before"


def _nothing(service: Service, said: str) -> str:
    return said if _has_last(service) else "The next night is held against this one."
