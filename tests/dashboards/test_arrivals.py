"""What the data quality page says of the flow: since the last version, against history, promises and columns."""

from dataclasses import dataclass

import polars as pl
import pytest

from dashboards.views import arrivals
from dashboards.views.model import Noted, Panel, Tag
from dashboards.views.service import read_service
from tests.dashboards.frame_reader import reader_of


@dataclass(frozen=True)
class Said:
    """A panel and its rows as plain words."""

    panel: Panel

    @property
    def rows(self) -> list[list[str]]:
        return [[_plain(cell) for cell in row] for row in self.panel.table.rows]


def _plain(cell: object) -> str:
    if isinstance(cell, Noted):
        return f"{cell.words} | {cell.note}" if cell.note else cell.words
    return cell.words if isinstance(cell, Tag) else str(cell)


@pytest.fixture
def said(made, frames):
    """A panel made from the made-up night, with tables of it changed."""

    def of(panel, **changed: pl.DataFrame) -> Said:
        tables = frames | {f"quality.{name}": table for name, table in changed.items()}
        return Said(panel(read_service(reader_of(tables), settings=made.settings())))

    return of


def test_what_changed_since_the_version_before_is_the_title(said):
    found = said(arrivals.since_panel)
    assert (
        found.panel.title
        == "Lines since the version before: 1 more accepted, 1 fewer refused and 1 admitted that was refused until now"
    )
    assert ["Attendance", "Accepted", "9", "8", "+1"] in found.rows
    assert ["Attendance", "Refused", "2", "3", "\u22121"] in found.rows


def test_an_admitted_line_keeps_the_reason_for_which_it_was_refused(said):
    reasons = [row[1] for row in said(arrivals.since_panel).rows if row[1].startswith("Admitted")]
    assert reasons == [
        "Admitted since: refused until now | the status is none of the words that the configuration names"
    ]


def test_what_has_not_changed_stands_in_no_row(said):
    assert not [row for row in said(arrivals.since_panel).rows if row[1] in {"Exact repeats", "Blank"}]


def test_the_first_night_has_nothing_to_compare_with(said, frames):
    none = pl.lit(None, pl.Int64)
    first = frames["quality.since_last"].filter(pl.col("fate") != "admitted_since")
    found = said(arrivals.since_panel, since_last=first.with_columns(lines_before=none, more_lines=none))
    assert found.panel.title == "There is no version before to compare with"
    assert found.rows == []
    assert found.panel.empty


def test_a_night_like_the_one_before_says_so(said, frames):
    same = frames["quality.since_last"].filter(pl.col("fate") != "admitted_since")
    same = same.with_columns(lines_before="lines", more_lines=pl.lit(0, pl.Int64))
    found = said(arrivals.since_panel, since_last=same)
    assert found.panel.title == "No line has changed its fate in total"
    assert found.rows == []


def test_unusual_series_come_first_and_are_counted_in_the_title(said):
    found = said(arrivals.flow_panel)
    assert found.panel.title == "1 of 4 series lies outside the usual range"
    assert found.rows[0][0] == "Rows that came | Attendance"
    assert found.rows[0][-1] == "Below the usual range"
    assert found.rows[0][3] == "About 10"
    assert found.panel.shown


def test_where_nothing_is_unusual_the_title_says_so_and_the_table_stays_folded(said, frames):
    usual = frames["quality.flow"].with_columns(is_unusual=pl.lit(value=False))
    found = said(arrivals.flow_panel, flow=usual.filter(pl.col("measure") != "volume"))
    assert found.panel.title == "Nothing unusual arrived: all 3 series with enough history are as usual"
    assert {row[-1] for row in found.rows} == {"Usual", "Too few to say"}
    assert not found.panel.shown


def test_only_the_newest_point_of_a_series_is_told(said, frames):
    assert len(said(arrivals.flow_panel).rows) == frames["quality.flow"]["is_latest"].sum()


def test_a_point_outside_a_range_that_rests_on_little_is_not_called_usual(said, frames):
    short = frames["quality.flow"].filter("is_unusual").with_columns(is_unusual=pl.lit(value=False))
    assert said(arrivals.flow_panel, flow=short).rows[0][-1] == "Cannot tell"


def test_a_series_without_limits_has_too_little_history(said, frames):
    young = (
        frames["quality.flow"]
        .filter("is_unusual")
        .with_columns(
            is_unusual=pl.lit(value=False), lower_limit=pl.lit(None, pl.Float64), rule=pl.lit(None, pl.String)
        )
    )
    found = said(arrivals.flow_panel, flow=young)
    assert found.panel.title == "Too little history to say whether what came is usual"
    assert found.rows[0][4:] == ["Too few points", "Too little history"]


def test_numbers_of_a_site_without_a_page_are_withheld(said):
    small = [row for row in said(arrivals.flow_panel).rows if row[1] == "a small place"]
    assert {cell for row in small for cell in row[3:5]} == {"Withheld tonight"}
    assert small[0][-1] == "Usual"


def test_numbers_of_a_site_whose_figures_are_an_earlier_nights_are_withheld(said, frames):
    held = frames["quality.published_slices"].with_columns(
        has_held_figures=(pl.col("scope") == "site") & (pl.col("scope_name") == "north")
    )
    rows = said(arrivals.flow_panel, published_slices=held).rows
    assert {row[3] for row in rows if row[1] == "north"} == {"Withheld tonight"}
    fresh = said(arrivals.freshness_panel, published_slices=held).rows
    assert {row[2] for row in fresh if row[1] == "north"} == {"Withheld tonight"}
    assert {row[-1] for row in fresh if row[1] == "north"} == {"Kept", "Late"}


def test_no_flow_at_all_is_said(said, frames):
    assert said(arrivals.flow_panel, flow=frames["quality.flow"].clear()).panel.empty


def test_a_late_layer_comes_first_and_is_counted(said):
    found = said(arrivals.freshness_panel)
    assert found.panel.title == "1 of 4 promises of freshness is late"
    assert found.rows[0][0] == "Newest appointment | among accepted lines"
    assert found.rows[0][3:] == ["30 days", "7 days", "Late"]


def test_kept_promises_are_said_in_the_title(said, frames):
    kept = frames["quality.freshness"].filter("is_kept")
    assert (
        said(arrivals.freshness_panel, freshness=kept).panel.title == "Data are as new as promised: all 3 promises kept"
    )


def test_a_subject_without_any_day_says_there_is_none(said, frames):
    none = (
        frames["quality.freshness"]
        .head(1)
        .with_columns(newest_on=pl.lit(None, pl.Date), age_days=pl.lit(None, pl.Int64), is_kept=pl.lit(value=False))
    )
    assert said(arrivals.freshness_panel, freshness=none).rows[0][2:] == [
        "There is none",
        "None at all",
        "7 days",
        "Late",
    ]


def test_columns_of_the_newest_files_are_named_in_words(said):
    found = said(arrivals.columns_panel)
    assert found.panel.title == "Columns of the newest files: 1 probably renamed and 1 new"
    assert [row[2] for row in found.rows] == [
        "There is a new column \u201croom\u201d",
        "The column \u201cstart\u201d is probably called \u201cstarts\u201d now",
    ]


def test_a_line_says_that_no_column_has_changed(said, frames):
    found = said(arrivals.columns_panel, schema_changes=frames["quality.schema_changes"].clear())
    assert found.panel.empty == "No column is new, missing or renamed."
    assert found.rows == []
