import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from assets.contracts.staging import FEEDS
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile, land
from assets.feeds.mapping import FeedMapping
from assets.feeds.mapping_checks import read_mappings
from assets.feeds.reading import ReadReport, read_into
from assets.feeds.wrong_input import WrongInput

BY_NAME = {feed.name: feed for feed in FEEDS}
INSTRUMENTS = {"WAI-SR": 12, "PHQ-9": 9, "GAD-7": 7, "SRS": 4, "ORS": 4, "CSI-4": 4}
Read = Callable[..., tuple[ReadReport, list[dict[str, object]]]]


def mapped(feed: str = "clinicians", **keys: object) -> FeedMapping:
    given = {"files": "staff.csv", "columns": {"clinician_id": "id", "site": "place"}, "index": 0, **keys}
    return FeedMapping.model_validate({"feed": feed, **given})


def landed(path: Path, *claims: FeedMapping) -> LandedFile:
    return LandedFile(
        file_number=1,
        name="staff.csv",
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        landed_on=date(2026, 11, 20),
        claims=claims,
    )


class _AsSent(Codes):
    """Identifiers as they were sent, for tests that look at the reading alone."""

    @property
    def letters(self) -> dict[str, str]:
        return {}


AS_SENT = _AsSent(secret=b"", rekeys_clinicians=False)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads bytes, or a file, as one mapping sees them: the account, and the rows as dictionaries."""
    folder = tmp_path / "an [odd] *name*"
    (folder / "scratch").mkdir(parents=True)

    def run(
        content: bytes | Path, mapping: FeedMapping, *others: FeedMapping
    ) -> tuple[ReadReport, list[dict[str, object]]]:
        path = folder / "landed"
        path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        claims = sorted({mapping.place: mapping, **{other.place: other for other in others}}.items())
        with duckdb.connect() as con:
            file = landed(path, *(claim for _, claim in claims))
            report = read_into(
                con, file, mapping, feed=BY_NAME[mapping.feed], codes=AS_SENT, table="read", scratch=folder / "scratch"
            )
            rows = con.sql("SELECT * FROM read ORDER BY source_line").to_arrow_table().to_pylist()
        assert not list((folder / "scratch").iterdir())
        assert report.lines == report.kept + report.blank + len(report.rejected)
        assert report.kept == len(rows)
        return report, rows

    return run


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[str], Path]:
    """Writes what a query gives as a Parquet file."""

    def write(query: str) -> Path:
        path = tmp_path / "file.parquet"
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        return path

    return write


def test_the_three_site_export_is_read_to_the_last_line(repository: Path, shared_export: Path, tmp_path: Path):
    written = tomllib.loads((repository / "pipelines/examples/three_sites.toml").read_text(encoding="utf-8"))
    mappings = read_mappings(written["feeds"], feeds=FEEDS, instruments=INSTRUMENTS)
    pulled = land(shared_export, landing=tmp_path / "landing", mappings=mappings, data_date=date(2026, 11, 20))
    found = {}
    with duckdb.connect() as con:
        for file in pulled.files:
            for claim in file.claims:
                report = read_into(
                    con, file, claim, feed=BY_NAME[claim.feed], codes=AS_SENT, table="read", scratch=tmp_path
                )
                unknown = con.execute("SELECT count(*) FROM read WHERE COLUMNS(*)::VARCHAR = '?'").fetchall()
                assert unknown == [(0,)]
                found[file.name, claim.feed] = (report.lines, report.kept, [each.line for each in report.rejected])
    assert pulled.unclaimed == ("README.md",)
    assert pulled.files[-1].name == "north/appointments_corrections_2026-11-19.csv"
    assert found == {
        ("clinicians.csv", "clinicians"): (49, 49, []),
        ("couples/appointments.parquet", "attendance"): (2521, 2521, []),
        ("couples/measures.parquet", "alliance"): (3588, 3588, []),
        ("couples/measures.parquet", "outcomes"): (3803, 3803, []),
        ("episodes.csv", "episodes"): (2860, 2860, []),
        ("harbour/Termine_export.csv", "attendance"): (10856, 10855, [10857]),
        ("harbour/measures_long.csv", "outcomes"): (107_650, 107_650, []),
        ("harbour/srs.csv", "alliance"): (7876, 7876, []),
        ("north/appointments.csv", "attendance"): (14_108, 14_108, []),
        ("north/appointments_corrections_2026-11-19.csv", "attendance"): (60, 60, []),
        ("north/gad7.csv", "outcomes"): (10_770, 10_770, []),
        ("north/phq9.csv", "outcomes"): (10_729, 10_729, []),
        ("north/wai_sr.csv", "alliance"): (6660, 6660, []),
        ("people.csv", "people"): (3120, 3120, []),
    }


def test_columns_are_found_by_name_and_what_is_not_mapped_is_not_read(read: Read):
    _, rows = read(b"notes,place,id\nsecret,north,1\n", mapped())
    assert rows == [{"source_line": 2, "clinician_id": "1", "site": "north"}]


def test_text_is_trimmed_and_blank_is_missing(read: Read):
    _, rows = read("id,place\n 1\t,\u00a0\n".encode(), mapped())
    assert rows == [{"source_line": 2, "clinician_id": "1", "site": None}]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"id,place", b"id,place\r\n"])
def test_a_file_without_a_record_is_a_table_without_a_row(read: Read, content: bytes):
    report, rows = read(content, mapped())
    assert rows == []
    assert report.kept == 0


def test_blank_lines_before_the_header_and_among_the_records_do_not_shift_line_numbers(read: Read):
    report, rows = read(b"\n\nid,place\n1,a\n\n2,b\n  \n3,c", mapped())
    assert [(row["source_line"], row["clinician_id"]) for row in rows] == [(4, "1"), (6, "2"), (8, "3")]
    assert report.blank == 4


def test_a_file_of_one_column_is_read_line_by_line(read: Read):
    report, rows = read(b'id\n1\n\n" 2"\n""\n3;4\n', mapped(columns={"clinician_id": "id"}))
    assert [(row["source_line"], row["clinician_id"]) for row in rows] == [(2, "1"), (4, "2"), (5, None), (6, "3;4")]
    assert report.blank == 1


def test_rejected_lines_have_their_place_and_a_reason_without_their_content(read: Read):
    report, rows = read(b'id,place\n1\n2,b\n3,c,secret\n4,"open\n5,e\n6,"f"x\n7,g\n', mapped())
    assert [row["source_line"] for row in rows] == [3, 6, 8]
    assert [(each.line, each.rule) for each in report.rejected] == [
        (2, "too_few_columns"),
        (4, "too_many_columns"),
        (5, "open_quote"),
        (7, "stray_quote"),
    ]
    assert not any(word in each.reason for each in report.rejected for word in ("secret", "open\n"))


def test_a_quoted_value_may_run_over_lines(read: Read):
    report, rows = read(b'id,place\r\n1,"a\r\nb, ""c"""\r\n2,d\r\n', mapped())
    assert [(row["source_line"], row["site"]) for row in rows] == [(2, 'a\nb, "c"'), (4, "d")]
    assert report.lines == 2


def test_one_forgotten_quote_costs_one_line_of_thousands(read: Read):
    lines = [b"%d,north" % number for number in range(5000)]
    lines[1000] = b'1000,"north'
    report, rows = read(b"\n".join([b"id,place", *lines]), mapped())
    assert report.kept == 4999
    assert [(each.line, each.rule) for each in report.rejected] == [(1002, "open_quote")]
    assert [row["source_line"] for row in rows] == [line for line in range(2, 5002) if line != 1002]


def test_a_file_of_which_every_tenth_line_is_short_loses_no_other(read: Read):
    lines = [b"%d,%s" % (number, b"x" * 200) if number % 10 else b"%d" % number for number in range(100_000)]
    report, rows = read(b"\n".join([b"id,place", *lines, b""]), mapped())
    assert (report.kept, len(report.rejected)) == (90_000, 10_000)
    assert all(int(str(row["clinician_id"])) == int(str(row["source_line"])) - 2 for row in rows)


def test_a_line_longer_than_any_record_is_rejected_alone(read: Read):
    report, rows = read(b"id,place\n1," + b"x" * 2_100_000 + b"\n2,b\n", mapped())
    assert [each.rule for each in report.rejected] == ["line_too_long"]
    assert [row["source_line"] for row in rows] == [3]


def test_words_are_translated_and_others_are_marked(read: Read):
    mapping = mapped(
        "attendance", columns={"status": "id"}, words={"status": {"5": "attended", "it's": "did_not_attend"}}
    )
    _, rows = read(b"id,place\n5,\nit's,\nattended,\nsecret,\n,x\n", mapping)
    assert [row["status"] for row in rows] == ["attended", "did_not_attend", "attended", "?", None]


def test_a_word_of_no_vocabulary_stays_where_it_has_no_translation(read: Read):
    _, rows = read(b"id,place\n1,N\n2,S\n", mapped(words={"site": {"N": "north"}}))
    assert [row["site"] for row in rows] == ["north", "S"]


def test_columns_are_joined_by_a_space_and_missing_where_a_part_is_missing(read: Read):
    mapping = mapped("attendance", columns={"starts_at": ["id", "place"]})
    _, rows = read(b"id,place\n04/02/2024,13:00\n04/02/2024,\n", mapping)
    assert [row["starts_at"] for row in rows] == ["04/02/2024 13:00", None]


def test_a_pattern_cuts_out_its_group_and_is_missing_where_it_does_not_fit(read: Read):
    mapping = mapped(
        "people", columns={"client_id": "id"}, patterns={"case_id": {"from": "id", "regex": "^(.+)-[ab]$"}}
    )
    _, rows = read(b"id,place\nC1-a,\nC2,\n", mapping)
    assert [row["case_id"] for row in rows] == ["C1", None]


def test_constants_stand_in_every_row(read: Read):
    _, rows = read(b"id\n1\n2\n", mapped(columns={"clinician_id": "id"}, constants={"site": "St. Mary's"}))
    assert [row["site"] for row in rows] == ["St. Mary's", "St. Mary's"]


def test_wide_items_keep_their_order_and_their_gaps(read: Read):
    mapping = mapped("outcomes", columns={}, items=["b", "a"], total="sum", delimiter=";", decimal=",")
    _, rows = read(b"a;b;sum\n1,5;2;3,5\n;;\n", mapping)
    assert rows == [
        {"source_line": 2, "items": ["2", "1.5"], "total": "3.5"},
        {"source_line": 3, "items": [None, None], "total": None},
    ]


def test_long_items_have_their_number_and_value(read: Read):
    mapping = mapped("outcomes", columns={}, layout="long", item_number="n", item_value="v", delimiter=";", decimal=",")
    _, rows = read(b"n;v\n1;2,5\n", mapping)
    assert rows == [{"source_line": 2, "item_number": "1", "item_value": "2.5"}]


def test_each_mapping_takes_its_own_lines_and_the_first_takes_what_none_takes(read: Read):
    first = mapped("alliance", columns={}, total="t", only={"m": ["SRS"]})
    second = mapped("outcomes", columns={}, total="t", only={"m": ["CSI-4", "ORS"]})
    content = b"m,t\nSRS,1\nCSI-4,2\n\nORS,3\nXYZ,4\n,5\nSRS\n"
    report, rows = read(content, first, second)
    assert [row["source_line"] for row in rows] == [2, 6, 7]
    assert (report.lines, report.blank, len(report.rejected), report.left_to_others) == (5, 1, 1, 2)
    report, rows = read(content, second, first)
    assert [row["source_line"] for row in rows] == [3, 5]
    assert (report.lines, report.blank, len(report.rejected), report.left_to_others) == (2, 0, 0, 3)


def test_two_mappings_without_a_filter_both_take_every_line(read: Read):
    first = mapped("outcomes", columns={}, total="phq")
    second = mapped("outcomes", columns={}, total="gad", index=1)
    for mapping, other in ((first, second), (second, first)):
        report, _ = read(b"phq,gad\n1,2\n3,4\n", mapping, other)
        assert (report.kept, report.left_to_others) == (2, 0)


def test_parquet_rows_are_numbered_from_one_and_their_values_are_text(read: Read, parquet: Callable[[str], Path]):
    path = parquet(
        "SELECT * FROM (VALUES (TIMESTAMP '2026-04-27 10:30:00', DATE '2026-04-27', 28.7::DOUBLE, ' A ', 1),"
        ' (NULL, NULL, NULL, \' \', 2)) AS t(line, file, score, name, "an ""odd"" one")'
    )
    mapping = mapped(
        "attendance",
        format="parquet",
        columns={
            "starts_at": "line",
            "episode_id": "file",
            "duration_minutes": "score",
            "case_id": "name",
            "appointment_id": 'an "odd" one',
        },
    )
    report, rows = read(path, mapping)
    assert report.lines == 2
    assert rows[0] == {
        "source_line": 1,
        "appointment_id": "1",
        "episode_id": "2026-04-27",
        "case_id": "A",
        "starts_at": "2026-04-27 10:30:00",
        "duration_minutes": "28.7",
    }
    assert set(rows[1].values()) == {2, "2", None}


def test_a_moment_with_a_zone_is_written_in_universal_time(read: Read, parquet: Callable[[str], Path]):
    path = parquet("SELECT TIMESTAMPTZ '2026-07-01 10:30:00+01' AS t")
    _, rows = read(path, mapped("attendance", format="parquet", columns={"starts_at": "t"}))
    assert rows[0]["starts_at"] == "2026-07-01 09:30:00+00"


def test_a_day_that_parquet_holds_as_a_moment_is_its_day(read: Read, parquet: Callable[[str], Path]):
    path = parquet("SELECT TIMESTAMP '2026-07-01 00:00:00' AS day")
    _, rows = read(path, mapped(format="parquet", columns={"started_on": "day"}))
    assert rows[0]["started_on"] == "2026-07-01"


def wrong(read: Read, content: bytes | Path, mapping: FeedMapping) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        read(content, mapping)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_misspelt_column_is_said_with_its_key_and_the_nearest_there_is(read: Read):
    complaint = wrong(read, b"id,place\n1,a\n", mapped(columns={"clinician_id": "id", "site": "plaec"}))
    assert complaint.place == "feeds.clinicians[0].columns.site"
    assert 'no column "plaec"' in complaint.what
    assert complaint.mend == 'did you mean "place"? its columns are: id, place'


def test_a_file_without_a_header_is_not_repeated(read: Read):
    complaint = wrong(read, b"NO-10001,secret\n", mapped())
    assert "NO-10001" not in str(complaint)
    assert "secret" not in str(complaint)


def test_records_behind_a_quote_left_open_in_the_header_are_not_repeated(read: Read):
    complaint = wrong(read, b'id,"plaec\n1,secret"\n2,b\n', mapped())
    assert "secret" not in str(complaint)
    complaint = wrong(read, b'id,"plaec\n1,secret\n2,b\n', mapped())
    assert "secret" not in str(complaint)


def test_a_mapped_column_that_stands_twice_is_said(read: Read):
    assert "2 columns" in wrong(read, b"id,place,id\n1,a,2\n", mapped()).what


def test_a_missing_column_of_a_parquet_file_is_said(read: Read, parquet: Callable[[str], Path]):
    path = parquet("SELECT 1 AS id, 2 AS palce")
    assert 'did you mean "palce"?' in wrong(read, path, mapped(format="parquet")).mend


def test_a_file_that_is_no_parquet_is_said(read: Read):
    complaint = wrong(read, b"id,place\n1,secret\n", mapped(format="parquet"))
    assert complaint.place == "staff.csv"
    assert "secret" not in str(complaint)
