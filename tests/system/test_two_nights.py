"""What two consecutive nights' published bytes give away when one is subtracted from the other.

Left out are clinicians' own pages: whoever may open one sees its clients one by one, so a difference tells nothing new.
"""

import csv
import html
import json
import re
import shutil
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest

from assets import warehouse
from assets.published import TOLD
from tests.system.night_runs import THREE_SITES, Ended, run_nightly

SMALL = range(1, 5)
NEW_CLIENTS = 3
# A number right before or after a word for people, whatever it counts of them.
_IN_WORDS = re.compile(r"(\d[\d,]*)\s+(?:open\s+)?(?:clients?|cases?|people|persons?)\b")
# Pages that speak of methods and columns; their numbers are years and pages of papers.
_OF_NOBODY = ("methods.html", "dictionary.html")
_COLUMNS = ("clients", "cases", "first seen", "counted")


@dataclass(frozen=True)
class Count:
    """A number of clients as a page says it, and where."""

    place: str
    number: int


@pytest.fixture(scope="module")
def two_nights(night: Ended, shared_export: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Ended]:
    """The session's night, and the next one over the same export with three new clients' first appointments."""
    folder = tmp_path_factory.mktemp("two_nights")
    home, inbox = folder / "home", folder / "inbox"
    shutil.copytree(night.home, home, symlinks=True)
    shutil.copytree(shared_export, inbox, copy_function=_copied)
    (inbox / "north").chmod(0o755)
    with (inbox / "north" / "appointments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    attended = next(row for row in rows if row["AttendOrDNACode"] == "5")
    later = inbox / "north" / "appointments_corrections_2026-11-21.csv"
    with later.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(attended))
        writer.writeheader()
        for number in range(NEW_CLIENTS):
            new = {"AppointmentID": f"NEW-A{number}", "EpisodeID": "", "PersonRef": f"NEW-P{number}"}
            writer.writerow(attended | new | {"ApptDateTime": f"2026-11-21 1{number}:00:00"})
    second = run_nightly(config=THREE_SITES, inbox=inbox, home=home, as_of="2026-11-21")
    assert second.status == 0, second.complained
    return night, second


def _copied(source: str, target: str) -> None:
    shutil.copyfile(source, target)


def counts(site: Path) -> list[Count]:
    """Every labelled number of clients in the bytes of a site's pages, tables of numbers and data."""
    found: list[Count] = []
    for path in sorted(site.rglob("*")):
        place = path.relative_to(site).as_posix()
        is_own_page = place.startswith("clinicians/") and place != "clinicians/index.html"
        if is_own_page or place in _OF_NOBODY or path.suffix not in {".html", ".json", ".csv"}:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            found += [Count(f"{place}, a table", number) for number in _in_tables(text)]
        if place.startswith("slices/"):
            # The last cell of a slice's row says how many the rate is of.
            rows = json.loads(text)["rows"]
            found += [Count(f"{place}, a row", _number(row[-1])) for row in rows if row[-1][:1].isdigit()]
        if path.suffix == ".csv":
            found += [
                Count(f"{place}, a column", number) for number in _in_columns(list(csv.reader(text.splitlines())))
            ]
        words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(text)))
        found += [Count(f"{place}, in words", _number(each)) for each in _IN_WORDS.findall(words)]
    return found


def _in_tables(page: str) -> list[int]:
    found: list[int] = []
    for table in re.findall(r"<table.*?</table>", page, flags=re.DOTALL):
        rows = [
            [
                html.unescape(re.sub(r"<[^>]+>", " ", cell)).strip()
                for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
            ]
            for row in re.findall(r"<tr.*?</tr>", table, flags=re.DOTALL)
        ]
        found += _in_columns(rows)
    return found


def _in_columns(rows: list[list[str]]) -> list[int]:
    if not rows:
        return []
    asked = [at for at, name in enumerate(rows[0]) if name.lower() in _COLUMNS]
    return [
        _number(each) for row in rows[1:] for at in asked if at < len(row) for each in re.findall(r"\d[\d,]*", row[at])
    ]


def _number(text: str) -> int:
    return int(text.rstrip(",").replace(",", ""))


def told(ended: Ended) -> dict[str, pl.DataFrame]:
    """What pages were given of each table with a row a scope."""
    return {path.stem: pl.read_parquet(path) for path in (ended.home / warehouse.CURRENT / TOLD).iterdir()}


def members(ended: Ended) -> dict[object, set[object]]:
    """Whom each scope's figures speak of."""
    found: dict[object, set[object]] = {}
    for slice_id, case in ended.rows("SELECT slice_id, case_id FROM quality.figure_members"):
        found.setdefault(slice_id, set()).add(case)
    return found


def test_no_two_numbers_of_clients_in_two_nights_bytes_differ_by_a_small_group(two_nights):
    found = [count for ended in two_nights for count in counts(ended.home / "site")]
    assert len(found) > 40
    numbers = {count.number: count.place for count in found}
    leaks = [
        f"{numbers[one]} and {numbers[other]}: {one} and {other}"
        for one, other in combinations(sorted(numbers), 2)
        if other - one in SMALL
    ]
    assert leaks == []


def test_the_service_did_change_by_a_small_group_between_the_two(two_nights):
    cases = [ended.rows("SELECT COUNT(DISTINCT case_id) FROM marts.appointments")[0][0] for ended in two_nights]
    assert cases[1] - cases[0] == NEW_CLIENTS


def test_every_scopes_figures_stand_or_speak_of_a_group_that_has_changed_by_enough(two_nights):
    first, second = (members(ended) for ended in two_nights)
    assert len(first) > 3
    for slice_id in first.keys() & second.keys():
        changed = first[slice_id] ^ second[slice_id]
        assert len(changed) not in SMALL, slice_id
    held = "SELECT scope, scope_name FROM quality.published_slices WHERE has_held_figures"
    scopes = set(two_nights[1].rows(held))
    assert scopes
    before, after = (told(ended) for ended in two_nights)
    for name, table in after.items():
        for scope, scope_name in scopes:
            rows = (pl.col("scope") == scope) & (pl.col("scope_name") == scope_name)
            assert table.filter(rows).equals(before[name].filter(rows)), (name, scope, scope_name)


def test_what_pages_are_given_counts_in_fives_and_of_no_withheld_scope(two_nights):
    for ended in two_nights:
        given = told(ended)
        assert given["analysis.rates"].height > 20
        for column in ("numerator", "denominator", "eligible", "complete", "cases"):
            assert (given["analysis.rates"][column] % 5 == 0).all()
        shown = ended.rows(
            "SELECT scope, scope_name FROM quality.published_slices WHERE population = 'booked' AND status <> 'withheld'"
        )
        for table in given.values():
            assert set(table.select("scope", "scope_name").unique().iter_rows()) <= set(shown)


def test_withheld_groups_are_named_with_their_reason(two_nights):
    for ended in two_nights:
        named = ended.rows("SELECT slice_id, reason, sentence FROM quality.withheld")
        withheld = ended.rows("SELECT slice_id FROM quality.published_slices WHERE status = 'withheld'")
        assert {row[0] for row in named} == {row[0] for row in withheld}
        assert all(str(row[0]) in str(row[2]) for row in named)


def test_the_second_night_says_what_changed_since_the_first(two_nights):
    changed = two_nights[1].rows(
        "SELECT more_lines FROM quality.since_last WHERE feed = 'attendance' AND fate = 'accepted'"
    )
    assert changed == [(NEW_CLIENTS,)]
    first = two_nights[0].rows("SELECT COUNT(*) FROM quality.since_last WHERE lines_before IS NOT NULL")
    assert first == [(0,)]


def test_the_second_night_names_the_new_rows_and_why_figures_moved(two_nights):
    changed = two_nights[1].rows("SELECT table_name, reason, COUNT(*) FROM quality.changed_rows GROUP BY ALL")
    assert changed == [("staging.attendance", "new", NEW_CLIENTS)]
    reasons = {row[0] for row in two_nights[1].rows("SELECT DISTINCT reason FROM quality.changes")}
    assert reasons
    assert reasons <= {"new", "aged", "elsewhere", "time"}
    north = "SELECT DISTINCT rows_new FROM quality.changes WHERE scope = 'service' AND table_name = 'analysis.rates'"
    assert set(two_nights[1].rows(north)) <= {(NEW_CLIENTS,)}


def test_no_figure_of_a_scope_that_is_held_is_told_to_have_moved(two_nights):
    held = "SELECT scope, scope_name FROM quality.published_slices WHERE has_held_figures"
    moved = "SELECT DISTINCT scope, scope_name FROM quality.changes WHERE scope IN ('service', 'site', 'programme')"
    of_scopes = f"{moved} AND table_name IN (SELECT 'analysis.' || table_name FROM duckdb_columns() WHERE column_name = 'scope_name' AND schema_name = 'analysis')"
    assert set(two_nights[1].rows(held))
    assert not set(two_nights[1].rows(of_scopes)) & set(two_nights[1].rows(held))


def test_the_page_of_night_to_night_tells_only_what_both_nights_were_given(two_nights):
    before, after = (told(ended) for ended in two_nights)
    shown = two_nights[1].rows(
        "SELECT row_key, value_before, value FROM quality.changes WHERE is_on_pages AND table_name = 'analysis.rates'"
    )
    for key, was, is_ in shown:
        given = [
            dict(
                zip(
                    map("/".join, table.select("metric", "scope", "scope_name", "instrument").rows()),
                    table["rate"],
                    strict=True,
                )
            )
            for table in (before["analysis.rates"], after["analysis.rates"])
        ]
        assert (given[0].get(key), given[1].get(key)) == (was, is_)


def test_the_flow_of_the_export_is_as_usual_and_fresh(two_nights):
    for ended in two_nights:
        assert ended.rows("SELECT sentence FROM quality.flow WHERE is_unusual") == []
        assert ended.rows("SELECT sentence FROM quality.freshness WHERE NOT is_kept") == []
        assert ended.rows("SELECT COUNT(*) > 500 FROM quality.flow") == [(True,)]
