"""The flow of data as it came: against the last version, against its own history, against what was promised.

Belongs here: panels of the data quality page. Does not belong here: what is usual or late, which the night decides
(`quality.flow`, `quality.freshness`), or checks (`data_quality`). Sizes and dates of a small site stand nowhere here, and
those of the others are no more exact than on the pages of figures.
"""

import polars as pl

from assets.science.disclosure import rounded_count
from dashboards import flow_words, words
from dashboards.thresholds import COUNTS_TO_NEAREST
from dashboards.views.model import Cell, Noted, Panel, Table, Tag
from dashboards.views.service import Row, Service

_SHARES = ("with_alliance", "with_outcome", "scored")
_NO_SITE = ("all", "not recorded")
_UNTOLD = "Withheld tonight"


def since_panel(service: Service) -> Panel:
    """Lines whose number has changed since the version before, by fate and reason, and those admitted since."""
    table = service.tables["quality.since_last"].sort("feed", "fate", pl.col("reason") != "all", "reason")
    of_fates = table.filter((pl.col("reason") == "all") & pl.col("more_lines").is_not_null())
    admitted = table.filter(pl.col("fate") == "admitted_since")
    is_first = of_fates.is_empty()
    more = {
        fate: int(of_fates.filter(pl.col("fate") == fate)["more_lines"].sum())
        for fate in flow_words.FATES
        if fate != "admitted_since"
    }
    changed = table.filter((pl.col("more_lines") != 0) | (pl.col("fate") == "admitted_since"))
    if is_first:
        empty = "The next night is held against this one."
    else:
        empty = None if changed.height else "Every feed has as many lines of every fate and reason as before."
    return Panel(
        key="since",
        title=flow_words.since_title(more, admitted=int(admitted["lines"].sum()), is_first=is_first),
        caption="Lines of each feed by where they went, and refused ones by reason, against the version that readers had until tonight; only what has changed. "
        "A line refused then and taken now is admitted. Counted, not estimated.",
        method="since",
        shown=True,
        wide=not is_first,
        table=Table(
            columns=("Feed", "Where lines went", "Lines", "Before", "Difference"),
            rows=tuple(
                (
                    words.FEEDS.get(row["feed"], row["feed"]),
                    Noted(
                        words=flow_words.FATES[row["fate"]], note="" if row["reason"] == "all" else str(row["reason"])
                    ),
                    f"{row['lines']:,}",
                    f"{row['lines_before']:,}",
                    _difference(row),
                )
                for row in changed.iter_rows(named=True)
            )
            if not is_first
            else (),
            numeric=frozenset({2, 3, 4}),
        ),
        empty=empty,
    )


def flow_panel(service: Service) -> Panel:
    """The newest point of every series against its usual range, unusual ones first."""
    newest = (
        service.tables["quality.flow"]
        .filter("is_latest")
        .sort(["is_unusual", "feed", "site", "measure", "instrument"], descending=[True, False, False, False, False])
    )
    judged = newest.filter(pl.col("is_unusual") | (_has_history() & pl.col("rule").ne_missing("outside_limits")))
    unusual = int(newest["is_unusual"].sum())
    told = _told_sites(service)
    return Panel(
        key="flow",
        title=flow_words.flow_title(unusual=unusual, judged=judged.height),
        caption="The newest whole month, or the newest file, of each series beside its usual range: how much came, how much was refused, how complete it is, how scores "
        "lie. Rows are to the nearest five. Unusual is a reason to look at what was sent, not yet a fault.",
        method="flow",
        shown=unusual > 0,
        wide=True,
        table=Table(
            columns=("What", "Site", "When", "Figure", "Usual range", "Against its own history"),
            rows=tuple(_flow_row(row, is_told=row["site"] in told) for row in newest.iter_rows(named=True)),
            numeric=frozenset({3, 4}),
        ),
        empty="Nothing has come in yet." if newest.is_empty() else None,
    )


def freshness_panel(service: Service) -> Panel:
    """Each promise of freshness, late ones first, kept or late."""
    promises = service.tables["quality.freshness"].sort("is_kept", "table_layer", "subject", "site")
    told = _told_sites(service)
    rows: list[tuple[Cell, ...]] = []
    for row in promises.iter_rows(named=True):
        layer = flow_words.LAYERS[row["table_layer"]]
        if row["site"] not in told:
            newest, age = _UNTOLD, _UNTOLD
        elif row["newest_on"] is None or row["age_days"] is None:
            newest, age = "There is none", "None at all"
        else:
            newest, age = words.day(row["newest_on"]), words.counted(row["age_days"], "day")
        rows.append(
            (
                Noted(words=f"Newest {row['subject']}", note=layer),
                _site(row["site"]),
                newest,
                age,
                words.counted(row["promised_days"], "day"),
                Tag(words="Kept") if row["is_kept"] else Tag(words="Late", tone="worse"),
            )
        )
    return Panel(
        key="freshness",
        title=flow_words.freshness_title(late=int((~promises["is_kept"]).sum()), promises=promises.height),
        caption="The newest day that each layer has of each site, its age on the data date, and the oldest that the service\u2019s settings promise. A late layer shows "
        "where the flow stopped. Counted, not estimated.",
        method="freshness",
        shown=True,
        wide=True,
        table=Table(
            columns=("What", "Site", "Newest", "Age", "Promised: at most", "Promise"),
            rows=tuple(rows),
            numeric=frozenset({3, 4}),
        ),
        empty=None if rows else "Nothing is dated yet.",
    )


def columns_panel(service: Service) -> Panel:
    """Columns that the newest files have and those before them had not, or the other way round."""
    changes = service.tables["quality.schema_changes"].filter("is_latest").sort("feed", "file", "column_name")
    kinds = {str(kind): int(count) for kind, count in changes.group_by("change").len().iter_rows()}
    return Panel(
        key="columns",
        title=flow_words.columns_title(kinds),
        caption="Each newest file beside the file before it of the same kind. Renamed is a guess, from a like name and like values; mend the mapping in the settings where "
        "it is so.",
        method="columns",
        shown=True,
        wide=True,
        table=Table(
            columns=("Feed", "File", "What changed"),
            rows=tuple(
                (
                    words.FEEDS.get(row["feed"], row["feed"]),
                    Noted(words=row["file"], note=f"before: {row['file_before']}"),
                    flow_words.column_change(row["change"], name=row["column_name"], before=row["name_before"]),
                )
                for row in changes.iter_rows(named=True)
            ),
        ),
        empty=None if changes.height else "No column is new, missing or renamed.",
    )


def _has_history() -> pl.Expr:
    return pl.all_horizontal(pl.col("value", "lower_limit", "upper_limit").is_not_null())


def _told_sites(service: Service) -> frozenset[str]:
    """Sites whose caseloads of the period the night neither withholds nor holds, and rows that speak of no site."""
    decided = service.tables["quality.published_slices"]
    of_sites = decided.filter(
        (pl.col("population") == "booked")
        & (pl.col("scope") == "site")
        & (pl.col("months") == service.settings.period_months)
        & (pl.col("status") != "withheld")
        & ~pl.col("has_held_figures")
    )
    return frozenset({*_NO_SITE, *of_sites["scope_name"].to_list()})


def _flow_row(row: Row, *, is_told: bool) -> tuple[Cell, ...]:
    feed = words.FEEDS.get(row["feed"], row["feed"])
    of = feed if row["instrument"] == "all" else f"{feed}, {row['instrument']}"
    figure, usual = _UNTOLD, _UNTOLD
    if is_told:
        figure, usual = _figure(row), _usual(row)
    return (
        Noted(words=flow_words.MEASURES[row["measure"]], note=of),
        _site(row["site"]),
        row["point"],
        figure,
        usual,
        _verdict(row),
    )


def _verdict(row: Row) -> Tag:
    if row["is_unusual"]:
        side = {"up": "Above", "down": "Below", None: "Outside"}[row["direction"]]
        return Tag(words=f"{side} the usual range", tone="worse")
    if row["value"] is None:
        return Tag(words="Too few to say")
    if row["lower_limit"] is None or row["upper_limit"] is None:
        return Tag(words="Too little history")
    if row["rule"] == "outside_limits":
        return Tag(words="Cannot tell", note="Outside the range, on a short history.")
    return Tag(words="Usual")


def _figure(row: Row) -> str:
    if row["value"] is None:
        return "Too few"
    if row["measure"] == "volume":
        return f"About {rounded_count(round(row['value']), round_to=COUNTS_TO_NEAREST):,}"
    if row["measure"] == "refused":
        return f"{row['value'] * 100:.1f}%"
    return words.percent(row["value"]) if row["measure"] in _SHARES else words.decimal(row["value"])


def _usual(row: Row) -> str:
    low, high = row["lower_limit"], row["upper_limit"]
    if row["value"] is None or low is None or high is None:
        return "Too few points"
    if row["measure"] == "volume":
        near = [rounded_count(max(0, round(end)), round_to=COUNTS_TO_NEAREST) for end in (low, high)]
        return f"{near[0]:,} to {near[1]:,}"
    if row["measure"] == "refused" or row["measure"] in _SHARES:
        return words.percent_between(low, high)
    return words.between(low, high)


def _difference(row: Row) -> str:
    more = row["more_lines"] or 0
    return f"{more:+,}".replace("-", "\u2212") if more else "0"


def _site(name: str) -> str:
    return {"all": "All", "not recorded": "Not recorded"}.get(name, name)
