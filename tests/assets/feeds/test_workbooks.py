from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from assets.feeds import workbooks
from assets.feeds.cells import Cells
from assets.feeds.columns import cell_sql
from assets.feeds.mapping import FeedMapping
from assets.feeds.workbooks import head_of, read_workbook
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.written_files import as_ods, as_xls, as_xlsx, compound, workbook

NOTHING: list[object] = []
MARCH = date(2026, 3, 2)


def mapping(**keys: object) -> FeedMapping:
    given = {"feed": "clinicians", "index": 0, "files": "a.xlsx", "format": "excel", "columns": {"site": "place"}}
    return FeedMapping.model_validate({**given, **keys})


def cells(content: bytes, folder: Path, **keys: object) -> Cells:
    (folder / "landed").write_bytes(content)
    return read_workbook(folder / "landed", name="a.xlsx", mapping=mapping(**keys), copy=folder / "cells")


def rows(found: Cells) -> list[tuple[object, ...]]:
    texts = [cell_sql(f"c{place}", f"t{place}", form=None) for place in range(len(found.names))]
    with duckdb.connect() as con:
        return con.execute(
            f"SELECT line, {', '.join(texts)} FROM read_parquet('{found.path}') ORDER BY line"
        ).fetchall()


def wrong(content: bytes, folder: Path, **keys: object) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        cells(content, folder, **keys)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_only_visible_sheet_that_holds_anything_is_the_one_that_is_meant(tmp_path: Path):
    content = workbook({"Booked": [["id"], ["a"]], "Notes": [["id"], ["x"]], "Sheet3": []}, hidden=["Notes"])
    assert rows(cells(content, tmp_path)) == [(2, "a")]


def test_a_hidden_sheet_is_read_where_it_is_named(tmp_path: Path):
    content = workbook({"Booked": [["id"], ["a"]], "Notes": [["id"], ["x"]]}, hidden=["Notes"])
    assert rows(cells(content, tmp_path, sheet="Notes")) == [(2, "x")]


def test_of_two_sheets_neither_is_guessed(tmp_path: Path):
    complaint = wrong(workbook({"North": [["id"]], "South": [["id"]]}), tmp_path)
    assert complaint.place == "feeds.clinicians[0].sheet"
    assert complaint.mend == "name one of: North, South"


def test_a_sheet_that_is_not_there_is_said_with_the_nearest_that_is(tmp_path: Path):
    complaint = wrong(workbook({"North": [["id"]], "South": [["id"]]}), tmp_path, sheet="Nort")
    assert complaint.what == 'a.xlsx has no sheet "Nort"'
    assert complaint.mend == 'did you mean "North"? its sheets are: North, South'


def test_rows_have_the_numbers_that_the_workbook_shows_and_empty_ones_are_blank(tmp_path: Path):
    sheet = [NOTHING, NOTHING, [None, "id", "place"], [None, "a", "x"], NOTHING, [None, " ", None], [None, "b", None]]
    found = cells(workbook({"S": sheet}), tmp_path)
    assert found.names == ("id", "place")
    assert rows(found) == [(4, "a", "x"), (7, "b", None)]
    assert (found.records, found.blank) == (2, 4)


def test_a_title_above_the_names_is_passed_over_where_their_row_is_given(tmp_path: Path):
    sheet = [["Appointments of March"], NOTHING, ["id", 2026.0], ["a", "x"]]
    found = cells(workbook({"S": sheet}), tmp_path, header_row=3)
    assert found.names == ("id", "2026")
    assert rows(found) == [(4, "a", "x")]
    assert wrong(workbook({"S": sheet}), tmp_path, header_row=2).place == "feeds.clinicians[0].header_row"
    assert wrong(workbook({"S": sheet}), tmp_path, header_row=9).what == "row 9 of a.xlsx is empty"


def test_a_sheet_without_a_cell_has_no_row(tmp_path: Path):
    found = cells(workbook({"S": []}), tmp_path)
    assert (found.names, found.records, found.blank) == ((), 0, 0)


@pytest.mark.parametrize("is_1904", [False, True])
def test_cells_become_the_text_that_they_mean(is_1904, tmp_path: Path):
    sheet = [
        ["text", "number", "fraction", "truth", "day", "moment"],
        ["007", 7.0, 0.1 + 0.2, True, MARCH, datetime.combine(MARCH, datetime.min.time().replace(hour=10, minute=29))],
        [" 3.0 ", 3.0, -1e16, False, date(2024, 2, 29), None],
    ]
    found = cells(workbook({"S": sheet}, date_1904=is_1904), tmp_path)
    assert rows(found) == [
        (2, "007", "7", "0.3", "TRUE", "2026-03-02", "2026-03-02 10:29:00"),
        (3, " 3.0 ", "3", "-1e+16", "FALSE", "2024-02-29", None),
    ]


def test_a_column_may_hold_days_and_what_somebody_typed(tmp_path: Path):
    sheet = [["on"], [MARCH], ["02/03/2026"], [46083.0], ["next week"]]
    found = cells(workbook({"S": sheet}), tmp_path)
    with duckdb.connect() as con:
        text = cell_sql("c0", "t0", form="%d/%m/%Y")
        told = con.execute(f"SELECT {text} FROM read_parquet('{found.path}') ORDER BY line").fetchall()
    # A number without a date's format may be anything; it stays what it is and is refused as no date.
    assert told == [("02/03/2026",), ("02/03/2026",), ("46083",), ("next week",)]


def test_a_time_of_day_is_no_day(tmp_path: Path):
    sheet = [["at"], [datetime.min.time().replace(hour=10, minute=30)]]
    found = cells(workbook({"S": sheet}), tmp_path)
    with duckdb.connect() as con:
        said = [cell_sql("c0", "t0", form=form) for form in ("%d/%m/%Y", "%H:%M")]
        told = con.execute(f"SELECT {', '.join(said)} FROM read_parquet('{found.path}')").fetchall()
    assert told == [("10:30:00", "10:30")]


def test_the_cells_that_hold_errors_are_told_by_row_and_column(tmp_path: Path):
    sheet = [NOTHING, [None, "id", "place"], [None, "a", "=#N/A"], [None, "b", "c"], [None, "=#DIV/0!", "d"]]
    found = cells(workbook({"Other": [["x"], ["=#REF!"]], "S": sheet}), tmp_path, sheet="S")
    assert found.failed == ((3, 1), (5, 0))
    assert found.failed_lines({1}) == [3]


def test_a_merged_cell_belongs_to_its_first_row(tmp_path: Path):
    sheet = [["id", "place"], ["a", "north"], [None, "south"]]
    assert rows(cells(workbook({"S": sheet}), tmp_path)) == [(2, "a", "north"), (3, None, "south")]


def test_a_cell_far_from_the_table_does_not_take_the_machine_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workbooks, "MOST_CELLS", 1000)
    far = [["id"], *[NOTHING] * 50, [None] * 30 + ["stray"]]
    assert "spreads over more than 1000 cells" in wrong(workbook({"S": far}), tmp_path).what
    assert len(rows(cells(workbook({"S": far, "T": [["id"], ["a"]]}), tmp_path, sheet="T"))) == 1


def test_a_locked_workbook_is_said(tmp_path: Path):
    locked = compound({"EncryptionInfo": b"\4\0\4\0", "EncryptedPackage": bytes(5000)})
    assert str(wrong(locked, tmp_path)) == "a.xlsx: is locked with a password; send it without one"


def test_the_head_of_a_workbook_is_its_names_and_first_rows(tmp_path: Path):
    table = {"id": ["a", "b", "c"], "on": [MARCH, None, MARCH]}
    for write in (as_xlsx, as_ods, as_xls):
        (tmp_path / "landed").write_bytes(write(table))
        names, told = head_of(tmp_path / "landed", name="a", mapping=mapping(), rows=2)
        assert names == ["id", "on"]
        assert [row[0] for row in told] == ["a", "b"]
