"""What the page of night to night says, and what it never holds."""

import re

import polars as pl
import pytest

from dashboards import change_words
from dashboards.views.changes import changes_page, changes_panel
from dashboards.views.model import Tag
from dashboards.views.service import read_service
from tests.dashboards.frame_reader import reader_of


@pytest.fixture
def page(made, frames):
    """The page over the made-up night, with its tables of night to night changed; panels by their key."""

    def of(**changed: pl.DataFrame):
        tables = frames | {f"quality.{name}": table for name, table in changed.items()}
        drawn = changes_page(read_service(reader_of(tables), settings=made.settings()), facts=())
        return {panel.key: panel for panel in drawn.panels} | {"page": drawn}

    return of


def test_each_moved_figure_stands_with_both_values_and_ranges_its_reason_and_whether_the_data_explain_it(page, frames):
    worth = frames["quality.changes"].filter(pl.col("is_on_pages") & pl.col("is_worth_telling"))
    rows = page()["moved"].table.rows
    assert len(rows) == worth.height > 3
    for name, where, before, tonight, difference, why, verdict in rows:
        assert name
        assert where.startswith(("The service", "Site ", "Programme "))
        assert re.fullmatch(r"[\d.\u2212]+%?", before.words)
        assert " to " in tonight.note
        assert difference[0] in "+\u22120"
        assert why in change_words.WHY.values()
        assert isinstance(verdict, Tag)


def test_a_movement_beyond_the_data_is_marked_but_not_one_of_a_changed_definition(page):
    tones = {(row[5], row[6].words): row[6].tone for row in page()["moved"].table.rows}
    assert tones["A definition changed", "It means something else now"] == "ordinary"
    assert tones["New data", "More than such changes usually bring"] == "worse"


def test_the_figures_of_a_rate_stand_together_and_never_in_the_order_of_movement(page):
    names = [row[0] for row in page()["moved"].table.rows]
    assert len(list(dict.fromkeys(names))) == sum(one != other for one, other in zip(names, ["", *names], strict=False))


def test_no_figure_stands_there_that_pages_may_not_show(page, frames):
    none_shown = frames["quality.changes"].with_columns(is_on_pages=pl.lit(value=False))
    found = page(changes=none_shown)
    assert found["moved"].table.rows == ()
    assert "moved-rates" not in found
    assert found["moved"].title == "No figure on these pages has moved"


def test_clinicians_figures_are_counted_and_never_told(page, frames):
    own = frames["quality.changes"].head(1).with_columns(
        scope=pl.lit("clinician"), scope_name=pl.lit("T001"), is_on_pages=pl.lit(value=False), is_worth_telling=pl.lit(value=True)
    )  # fmt: skip
    found = page(changes=pl.concat([frames["quality.changes"], own]))
    assert "1 figure of clinicians moved as far and stands on their own pages only." in found["moved"].caption
    assert "T001" not in repr(found)


def test_rows_are_counted_no_more_exactly_than_pages_count(page, frames):
    panel = page()["changed-rows"]
    assert panel.title == "Rows behind the figures: new, late and corrected"
    [booked, outcomes] = panel.table.rows
    assert booked == ("Attendance", "About 40", "Fewer than 5", "0", "0", "0", "0")
    assert outcomes[3] == "About 5"


def test_a_changed_setting_is_named_with_both_values_and_what_it_moved(page):
    panel = page()["definitions"]
    assert panel.table.rows == (("Setting", "episodes.gap_days", "120", "90"),)
    assert re.fullmatch(r"1 definition changed, and all history was made anew: \d+ figures on pages moved", panel.title)


def test_changed_code_is_named_by_its_version(page, frames):
    table = frames["quality.definitions"].with_columns(has_changed_itself=pl.col("name") == "planned_ending")
    assert page(definitions=table)["definitions"].table.rows == (
        ("What a rate counts", "planned_ending", "Otherwise", "Version 0123456789ab"),
    )


def test_a_night_like_the_one_before_says_so(page, frames):
    same = frames["quality.definitions"].with_columns(has_changed_itself=pl.lit(value=False))
    found = page(
        definitions=same, changes=frames["quality.changes"].clear(), changed_rows=frames["quality.changed_rows"].clear()
    )
    assert found["definitions"].title == "Every figure is defined as it was"
    assert found["definitions"].empty == "All 4 definitions are as they were."
    assert found["changed-rows"].title == "No row behind the figures has changed"


def test_a_first_night_says_that_there_is_nothing_to_compare_with(page, frames):
    first = {
        name: frames[f"quality.{name}"].clear() for name in ("changes", "changed_rows", "definitions", "freshness")
    }
    found = page(**first)
    assert {key: found[key].title for key in ("moved", "changed-rows", "definitions")} == change_words.NO_VERSION
    assert "there is no version before" in found["page"].about


def test_the_data_quality_page_has_the_reasons_and_the_way_to_the_page(made, frames):
    panel = changes_panel(read_service(reader_of(frames), settings=made.settings()))
    *reasons, way = panel.table.rows
    assert way[0].href == "changes.html"
    shown = frames["quality.changes"].filter("is_on_pages")
    assert sum(int(row[1].replace(",", "")) for row in reasons) == shown.height


@pytest.mark.parametrize(("share", "told"), [(0.0625, "6.3%"), (0.5, "50.0%"), (0.12349999, "12.3%"), (1.0, "100.0%")])
def test_a_rate_is_written_as_the_pages_publish_it(share, told):
    assert change_words.rate(share) == told


@pytest.mark.parametrize(
    ("worth", "looked_at", "beyond", "title"),
    [
        (0, 0, 0, "No figure on these pages has moved"),
        (0, 12, 0, "12 figures moved, none by enough to read differently"),
        (2, 12, 0, "2 of 12 figures that moved did so by enough to tell, as such changes of data usually bring"),
        (
            2,
            12,
            1,
            "2 of 12 figures that moved did so by enough to tell; 1 by more than such changes of data usually bring",
        ),
    ],
)
def test_the_title_says_how_many_moved_and_whether_the_data_explain_it(worth, looked_at, beyond, title):
    assert change_words.moved_title(worth=worth, looked_at=looked_at, beyond=beyond) == title
