import json
from datetime import date

import duckdb
import pytest

from assets import warehouse
from assets.contracts import dictionary
from assets.contracts.registry import TABLES
from assets.feeds.wrong_input import WrongInput
from pipelines import rebuilding

FIRST, SECOND, AGAIN = "20261120T020000000000Z", "20261121T020000000000Z", "20261121T040000000000Z"
DAY, NEXT = date(2026, 11, 20), date(2026, 11, 21)


@pytest.fixture
def home(tmp_path):
    """A state folder of three landed files and three versions, the last two of one day."""
    landing = tmp_path / "home" / "landing"
    landing.mkdir(parents=True)
    (landing / "ab").mkdir()
    lines = [{"file_number": n, "name": f"{n}.csv", "sha256": "ab" * 32, "bytes": 1, "landed_on": on} for n, on in ((1, "2026-11-20"), (2, "2026-11-21"), (3, "2026-11-21"))]  # fmt: skip
    (landing / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    for version, on, against, landed in (
        (FIRST, "2026-11-20", None, 1),
        (SECOND, "2026-11-21", FIRST, 2),
        (AGAIN, "2026-11-21", SECOND, 3),
    ):
        folder = tmp_path / "home" / "published" / version
        folder.mkdir(parents=True)
        (folder / warehouse.WAREHOUSE_FILE).touch()
        said = {"version": version, "data_date": on, "run_id": "r", "against": against, "landed_files": landed}
        (folder / "manifest.json").write_text(json.dumps(said), encoding="utf-8")
    return tmp_path / "home"


def forget(home, version):
    for file in (home / "published" / version).iterdir():
        file.unlink()


def test_of_two_versions_of_one_day_the_newer_is_made_again(home):
    assert rebuilding._kept_of(home, as_of=NEXT)["version"] == AGAIN
    assert rebuilding._kept_of(home, as_of=date(2026, 1, 1)) is None


def test_a_kept_version_says_how_many_files_it_had(home):
    kept = {"landed_files": 2}
    assert [line.file_number for line in rebuilding._landed_by(home, kept=kept, as_of=NEXT)] == [1, 2]


@pytest.mark.parametrize("kept", [None, {"version": "of an older release"}])
def test_else_a_night_had_what_landed_on_its_day_or_before(home, kept):
    assert [line.file_number for line in rebuilding._landed_by(home, kept=kept, as_of=DAY)] == [1]


def test_a_day_before_anything_landed_can_not_be_made_again(home):
    with pytest.raises(WrongInput, match="nothing had landed by then"):
        rebuilding._landed_by(home, kept=None, as_of=date(2026, 1, 1))


def test_a_night_is_held_against_the_version_that_it_was_held_against(home):
    assert rebuilding._before(home, kept=rebuilding._kept_of(home, as_of=NEXT), as_of=NEXT) == (SECOND, [])
    assert rebuilding._before(home, kept=rebuilding._kept_of(home, as_of=DAY), as_of=DAY) == (None, [])


def test_where_that_one_is_gone_it_is_said_what_is_lost(home):
    kept = rebuilding._kept_of(home, as_of=NEXT)
    forget(home, SECOND)
    before, [lost] = rebuilding._before(home, kept=kept, as_of=NEXT)
    assert before is None
    assert lost.startswith(f"the version before it, {SECOND}, is no longer kept")


def test_a_night_of_which_no_version_is_kept_is_held_against_the_newest_one_before(home):
    assert rebuilding._before(home, kept=None, as_of=date(2026, 12, 1)) == (AGAIN, [])
    assert rebuilding._before(home, kept=None, as_of=DAY)[0] is None


def test_what_is_laid_out_is_linked_and_nothing_of_the_state_folder_is_touched(home, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    scratch = tmp_path / "scratch"
    rebuilding._lay_out(scratch, home=home, lines=rebuilding._landed_by(home, kept=None, as_of=DAY), before=FIRST)
    assert (scratch / "landing" / "manifest.jsonl").read_text("utf-8").count("\n") == 1
    assert (scratch / "landing" / "ab").resolve() == (home / "landing" / "ab").resolve()
    assert warehouse.current_version(scratch) == FIRST
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_a_folder_that_is_there_already_is_not_written_over(home, tmp_path):
    with pytest.raises(WrongInput, match="something is there already"):
        rebuilding.rebuild(home, config=tmp_path / "x.toml", as_of=DAY, to=home)


@pytest.fixture
def file(tmp_path):
    """Makes a warehouse file with rows of one table."""

    def made(name, *rows):
        path = tmp_path / name
        with duckdb.connect(str(path)) as con:
            con.execute("CREATE SCHEMA quality")
            con.execute(dictionary.create_sql(TABLES["quality.files"]))
            for row in rows:
                con.execute("INSERT INTO quality.files (file_number, file) VALUES (?, ?)", row)
        return path

    return made


@pytest.mark.parametrize(
    "other", [[(1, "a")], [(1, "a"), (2, "c")], [(1, "a"), (2, "b"), (2, "b")], [(1, "b"), (2, "a")]]
)
def test_a_row_more_fewer_twice_or_otherwise_makes_a_table_differ(file, other):
    assert rebuilding._differing_tables(file("one", (1, "a"), (2, "b")), file("other", *other)) == ["quality.files"]


def test_the_order_of_rows_is_no_difference(file):
    assert rebuilding._differing_tables(file("one", (1, "a"), (2, "b")), file("other", (2, "b"), (1, "a"))) == []
