from pathlib import Path

import polars as pl
import pytest

from assets.feeds.mapping import FeedMapping
from assets.feeds.shapes import ColumnChange, column_changes, column_shapes, shape


def mapping(**more):
    return FeedMapping(**{"feed": "attendance", "index": 0, "files": "a.csv", **more})


def shapes_of(tmp_path: Path, text: str, **more):
    file = tmp_path / "a.csv"
    file.write_text(text, encoding=more.get("encoding", "utf-8"))
    return column_shapes(file, mapping(**more))


def changes(tmp_path, before, after):
    return column_changes(shapes_of(tmp_path, before), shapes_of(tmp_path, after))


@pytest.mark.parametrize(
    ("value", "looks"), [("K00123", "a9"), ("2026-11-20 09:30", "9-9-9 9:9"), ("Zoë O'Neil", "a a'a"), (" 7,5 ", "9,9")]
)
def test_a_shape_keeps_no_letter_and_no_digit(value, looks):
    assert shape(value) == looks


def test_a_file_has_its_columns_in_order_with_the_shapes_of_their_values(tmp_path):
    found = shapes_of(tmp_path, "id;day;note\nA1;2026-01-02;\nB22;2026-01-03;\n", delimiter=";", encoding="cp1252")
    assert found == {"id": {"a9": 1.0}, "day": {"9-9-9": 1.0}, "note": {}}


def test_parquet_has_columns_and_shapes_too(tmp_path):
    file = tmp_path / "a.parquet"
    pl.DataFrame({"id": ["A1", None], "minutes": [50, 60]}).write_parquet(file)
    assert column_shapes(file, mapping(format="parquet")) == {"id": {"a9": 1.0}, "minutes": {"9": 1.0}}


def test_a_file_that_cannot_be_read_has_no_columns(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and then nothing")
    assert column_shapes(tmp_path / "a.parquet", mapping(format="parquet")) == {}
    assert column_shapes(tmp_path / "gone.csv", mapping()) == {}
    assert shapes_of(tmp_path, "") == {}


def test_the_same_columns_in_another_order_are_no_change(tmp_path):
    assert changes(tmp_path, "a,b\n1,2\n", "b,a\n2,1\n") == ()


def test_a_column_under_a_like_name_with_like_values_is_renamed(tmp_path):
    before, after = "id,StaffRef\nA1,N001\nA2,N002\n", "id,Staff_Reference\nA1,N003\nA2,N001\n"
    told = ColumnChange(column="Staff_Reference", change="renamed", before="StaffRef")
    assert changes(tmp_path, before, after) == (told,)


def test_a_column_with_other_values_is_new_and_the_old_one_missing(tmp_path):
    before, after = "id,StaffRef\nA1,N001\n", "id,StaffMinutes\nA1,50\n"
    assert changes(tmp_path, before, after) == (
        ColumnChange(column="StaffMinutes", change="new"),
        ColumnChange(column="StaffRef", change="missing"),
    )


def test_of_two_that_could_be_the_old_one_the_liker_is(tmp_path):
    before = "id,ApptDate\nA1,2026-01-02\n"
    after = "id,DateOfReferral,Appt_Date\nA1,2026-01-02,2026-01-02\n"
    assert changes(tmp_path, before, after) == (
        ColumnChange(column="Appt_Date", change="renamed", before="ApptDate"),
        ColumnChange(column="DateOfReferral", change="new"),
    )
