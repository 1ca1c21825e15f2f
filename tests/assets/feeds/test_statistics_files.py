from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from assets.feeds import statistics_files
from assets.feeds.cells import Cells
from assets.feeds.columns import cell_sql
from assets.feeds.mapping import FeedMapping
from assets.feeds.statistics_files import read_statistics_file
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.written_files import as_dta, as_sav

MARCH = date(2026, 3, 2)


def cells(content: bytes, folder: Path, **keys: object) -> Cells:
    (folder / "landed").write_bytes(content)
    given = {"feed": "clinicians", "index": 0, "files": "a", "format": "spss", **keys}
    mapping = FeedMapping.model_validate(given)
    return read_statistics_file(folder / "landed", name="a.sav", mapping=mapping, copy=folder / "cells")


def rows(found: Cells) -> list[tuple[object, ...]]:
    texts = [cell_sql(f"c{place}", f"t{place}", form=None) for place in range(len(found.names))]
    with duckdb.connect() as con:
        return con.execute(f"SELECT {', '.join(texts)} FROM read_parquet('{found.path}') ORDER BY line").fetchall()


def test_codes_are_read_and_labels_only_of_the_columns_that_are_listed(tmp_path: Path):
    table = {"sex": [1.0, 2.0, 3.0, None], "item": [0.0, 1.0, 2.0, 3.0], "site": ["N", "S", "X", None]}
    labels = {"sex": {1: "male", 2: "female"}, "item": {0: "not at all"}, "site": {"N": "north"}}
    content = as_sav(table, variable_value_labels=labels)
    assert rows(cells(content, tmp_path)) == [("1", "0", "N"), ("2", "1", "S"), ("3", "2", "X"), (None, "3", "")]
    assert rows(cells(content, tmp_path, labels=["sex", "site"])) == [
        ("male", "0", "north"),
        ("female", "1", "S"),
        ("3", "2", "X"),
        (None, "3", ""),
    ]


def test_stata_has_labels_too(tmp_path: Path):
    content = as_dta({"sex": [1.0, 2.0]}, variable_value_labels={"sex": {1: "male"}})
    assert rows(cells(content, tmp_path, format="stata", labels=["sex"])) == [("male",), ("2",)]


def test_what_spss_declares_missing_is_missing(tmp_path: Path):
    content = as_sav({"id": ["a", "b", "c"], "item": [3.0, 99.0, -1.0]}, missing_ranges={"item": [99.0, -1.0]})
    assert rows(cells(content, tmp_path)) == [("a", "3"), ("b", None), ("c", None)]


def test_statas_missing_values_are_missing(tmp_path: Path):
    table = {"id": ["a", "b", "c"], "item": ["3", "a", "z"]}
    content = as_dta({**table, "item": [3.0, None, 4.0]})
    assert rows(cells(content, tmp_path, format="stata")) == [("a", "3"), ("b", None), ("c", "4")]


def test_days_and_moments_are_told_from_numbers_by_their_format(tmp_path: Path):
    at = datetime.combine(MARCH, datetime.min.time().replace(hour=10, minute=30))
    table = {
        "on": [MARCH, None, date(1900, 1, 1)],
        "at": [at, None, at.replace(hour=0, minute=0)],
        "n": [1.0, 1.5, 0.1 + 0.2],
    }
    told = [("2026-03-02", "2026-03-02 10:30:00", "1"), (None, None, "1.5"), ("1900-01-01", "2026-03-02", "0.3")]
    assert rows(cells(as_sav(table), tmp_path)) == told
    assert rows(cells(as_dta(table), tmp_path, format="stata")) == told


def test_a_day_beyond_every_calendar_stays_a_number(tmp_path: Path):
    content = as_sav({"on": [1e18, 13_991_788_800.0]}, variable_format={"on": "DATE11"})
    assert rows(cells(content, tmp_path)) == [("1e+18",), ("2026-03-02",)]


def test_lines_go_on_from_block_to_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(statistics_files, "_CELLS_AT_ONCE", 3)
    monkeypatch.setattr(statistics_files, "_FEWEST_ROWS", 1)
    monkeypatch.setattr(statistics_files.blocks_of, "__kwdefaults__", {"first_rows": 2})
    for n in (1, 2, 3, 8):
        found = cells(as_sav({"id": [f"a{line}" for line in range(1, n + 1)]}), tmp_path)
        with duckdb.connect() as con:
            told = con.execute(f"SELECT line, c0 FROM read_parquet('{found.path}') ORDER BY line").fetchall()
        assert told == [(line, f"a{line}") for line in range(1, n + 1)]


def old_stata(text: bytes) -> bytes:
    """A .dta of format 115, which says nothing of its encoding: one column of one text."""
    header = bytes([115, 2, 1, 0]) + (1).to_bytes(2, "little") + (1).to_bytes(4, "little") + bytes(81 + 18)
    types, name = bytes([len(text)]), b"place".ljust(33, b"\0")
    described = bytes(4) + b"%9s".ljust(49, b"\0") + bytes(33) + bytes(81)
    return header + types + name + described + bytes(5) + text


def test_an_old_file_is_read_in_the_encoding_of_its_time(tmp_path: Path):
    content = old_stata("Zürich".encode("latin-1"))
    assert rows(cells(content, tmp_path, format="stata")) == [("Zürich",)]
    assert rows(cells(old_stata("Łódź".encode("cp1250")), tmp_path, format="stata", encoding="cp1250")) == [("Łódź",)]


def test_text_of_another_encoding_than_it_says_is_said_by_its_key(tmp_path: Path):
    with pytest.raises(WrongInput) as caught:
        cells(old_stata(b"Z\xfcrich"), tmp_path, format="stata", encoding="ascii")
    assert caught.value.place == "feeds.clinicians[0].encoding"
