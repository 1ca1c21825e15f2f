"""One night over the three-site export, run once and looked at from many sides."""

import json
import re
import shutil
from pathlib import Path

import pytest

from assets import warehouse
from assets.contracts.registry import TABLES
from tests.assets.contracts.rates_by_hand import recounted
from tests.assets.staging_harness import CODES
from tests.system.night_runs import THREE_SITES, Ended, run_nightly, run_verb

# Planted in the export: names and numbers that must not leave landing.
IDENTIFIERS = ("jo.bloggs", "07700 900123", "943 476 5919", "9434765919", "SW1A 1AA", "homework", "café closed")


@pytest.fixture(scope="session")
def second_night(night: Ended, tmp_path_factory: pytest.TempPathFactory, shared_export: Path) -> Ended:
    home = tmp_path_factory.mktemp("second") / "home"
    shutil.copytree(night.home, home, symlinks=True)
    return run_nightly(config=THREE_SITES, inbox=shared_export, home=home)


def test_the_night_publishes_and_says_so(night):
    assert night.status == 0, night.complained
    assert "Where every line went" in night.said
    assert str(night.home / "warehouse.duckdb") in night.said


def test_three_findings_are_told_in_words(night):
    findings = night.said.split("Findings\n\n")[1].split("\n\n")[0].splitlines()
    assert [line[:2] for line in findings] == ["1.", "2.", "3."]
    assert all(len(line.split()) > 5 for line in findings)


def test_every_line_of_every_file_is_accounted_for(night):
    broken = night.rows(
        "SELECT file FROM quality.reconciliation WHERE lines <> accepted + refused + superseded + identical + blank"
    )
    assert broken == []


def test_the_lines_counted_are_the_lines_in_the_files(night, shared_export):
    counted = dict(night.rows("SELECT file, SUM(lines) FROM quality.reconciliation GROUP BY file"))
    for file in shared_export.rglob("*.csv"):
        lines = len(file.read_bytes().splitlines()) - 1
        assert counted[file.relative_to(shared_export).as_posix()] == lines


def test_every_refused_line_is_listed_once_with_its_reason(night):
    refused = night.rows("SELECT feed, file_number, refused FROM quality.reconciliation WHERE refused > 0 ORDER BY ALL")
    listed = night.rows(
        "SELECT feed, file_number, COUNT(DISTINCT line) FROM staging.refused_rows WHERE reason <> ''"
        " GROUP BY feed, file_number ORDER BY ALL"
    )
    assert listed == refused


def test_corrections_replace_what_they_correct(night):
    codes = tuple(CODES.code("appointment_id", sent) for sent in ("A702164", "A704024"))
    rows = night.rows(f"SELECT source_file, status FROM staging.attendance WHERE appointment_id IN {codes}")
    assert rows == [("north/appointments_corrections_2026-11-19.csv", "did_not_attend")] * 2


def test_a_correction_that_says_the_same_in_our_words_is_identical(night):
    # Attended on time and attended late are both attended, so 5 of the 60 corrections change nothing.
    fates = night.rows(
        "SELECT accepted, identical FROM quality.reconciliation WHERE file LIKE '%corrections_2026-11-19.csv'"
    )
    assert fates == [(55, 5)]


def test_exact_repeats_within_a_file_change_nothing(night):
    repeats = night.rows("SELECT identical FROM quality.reconciliation WHERE file = 'north/appointments.csv'")
    assert repeats == [(40,)]


def test_a_couples_two_raters_stay_two_people_of_one_case(night):
    rows = night.rows(
        "SELECT case_id, COUNT(DISTINCT client_id) FROM marts.ratings WHERE site = 'couples'"
        " GROUP BY case_id HAVING COUNT(DISTINCT client_id) > 2 OR MIN(client_id) = case_id"
    )
    both = night.rows("SELECT COUNT(*) FROM marts.cases WHERE site = 'couples' AND clients = 2")
    assert rows == []
    assert both == [(260,)]


def test_the_wrong_form_is_named_and_costs_nobody_else_a_row(night):
    rows = night.rows("SELECT rule, COUNT(*) FROM staging.refused_rows WHERE rule LIKE 'another_form%' GROUP BY rule")
    others = night.rows(
        "SELECT COUNT(*) FROM staging.refused_rows WHERE file = 'north/wai_sr.csv' AND rule LIKE 'answers%'"
    )
    kept = night.rows("SELECT COUNT(*) FROM staging.alliance WHERE instrument = 'WAI-SR' AND clinician_id = 'N007'")
    assert rows == [("another_form_waisr", 232)]
    assert others == [(0,)]
    assert kept == [(0,)]


def test_sessions_are_numbered_without_holes(night):
    holes = night.rows(
        "SELECT episode_id FROM marts.sessions GROUP BY episode_id"
        " HAVING MAX(session_number) <> COUNT(*) OR MIN(session_number) <> 1"
    )
    assert holes == []


def test_every_promised_table_and_column_stands_with_its_comment(night):
    tables = dict(
        night.rows("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables() WHERE NOT internal")
    )
    columns = night.rows(
        "SELECT schema_name || '.' || table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    )
    assert set(tables) == set(TABLES)
    assert all(tables.values())
    assert [column for column in columns if not column[2]] == []


def test_no_rule_that_stops_a_night_is_broken(night):
    assert night.rows("SELECT check_name FROM quality.checks WHERE severity = 'error' AND NOT is_passed") == []


def test_no_planted_identifier_leaves_landing(night):
    for file in night.home.rglob("*"):
        if not file.is_file() or (night.home / "landing") in file.parents:
            continue
        held = file.read_bytes()
        found = [mark for mark in IDENTIFIERS if mark.encode() in held or mark.encode("cp1252") in held]
        assert found == [], file


RAW_CODES = r"\b(?:(?:NO|HA|CO)-[0-9]{5}|A7[0-9]{5}|E[NHC]5[0-9]{4})\b"


def test_no_identifier_of_the_record_systems_leaves_landing(night):
    for file in night.home.rglob("*"):
        if file.is_file() and (night.home / "landing") not in file.parents:
            assert re.search(RAW_CODES.encode(), file.read_bytes()) is None, file


def test_no_text_of_any_table_is_an_identifier_of_the_record_systems_or_a_direct_one(night):
    with night.warehouse() as con:
        texts = con.sql(
            "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns()"
            " WHERE NOT internal AND data_type = 'VARCHAR'"
        ).fetchall()
        for table, column in texts:
            told = f"regexp_matches({column}, '{RAW_CODES}') OR regexp_matches({column}, '{'|'.join(IDENTIFIERS)}')"
            assert con.sql(f"SELECT COUNT(*) FROM {table} WHERE {told}").fetchall() == [(0,)], (table, column)


def test_refused_rows_hold_no_client_code(night):
    rows = night.rows("SELECT COUNT(*) FROM staging.refused_rows WHERE regexp_matches(reason, '(NO|HA|CO)-[0-9]{5}')")
    assert rows == [(0,)]


def test_the_version_says_what_it_holds(night):
    described = json.loads((night.home / "current" / "manifest.json").read_text(encoding="utf-8"))
    assert described["data_date"] == "2026-11-20"
    assert set(described["rows"]) == set(TABLES)
    assert "warehouse.duckdb" in described["sha256"]


def test_every_published_rate_is_what_a_slow_count_of_the_same_tables_gives(night):
    def read(table):
        found = con.sql(f"FROM {table}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    with night.warehouse() as con:
        by_hand = recounted(read)
        published = con.sql(
            "SELECT metric, scope, scope_name, instrument, numerator, denominator, eligible, complete, cases FROM analysis.rates"
        ).fetchall()
    assert {row[:4]: row[4:] for row in published} == by_hand
    assert len(published) == len(by_hand) > 100


# What these tell of the version before, a first night can't tell.
OF_THE_VERSION_BEFORE = {
    "quality.since_last": "FALSE",
    "quality.freshness": "table_layer <> 'published'",
    "quality.definitions": "FALSE",
}


def test_a_second_run_publishes_the_same_tables_to_the_last_digit(night, second_night):
    assert second_night.status == 0, second_night.complained
    with night.warehouse() as first, second_night.warehouse() as second:
        for name in TABLES:
            ordered = f"SELECT * FROM {name} WHERE {OF_THE_VERSION_BEFORE.get(name, 'TRUE')} ORDER BY ALL"
            assert first.sql(ordered).fetchall() == second.sql(ordered).fetchall(), name


def test_a_second_run_says_that_nothing_has_changed_since_the_first(night, second_night):
    moved = "SELECT COUNT(*) FROM quality.since_last WHERE lines_before IS NOT NULL AND lines <> lines_before"
    assert second_night.rows(moved) == [(0,)]
    told = "SELECT COUNT(*) FROM quality.freshness WHERE table_layer = 'published'"
    assert (night.rows(told), second_night.rows(told)) == ([(0,)], [(1,)])


def test_a_second_run_moves_no_figure_changes_no_row_and_defines_everything_as_the_first(night, second_night):
    for name in ("quality.changes", "quality.changed_rows"):
        assert second_night.rows(f"SELECT COUNT(*) FROM {name}") == [(0,)]
    versions = "SELECT kind, name, own_version, version FROM quality.definitions ORDER BY ALL"
    assert night.rows(versions) == second_night.rows(versions)
    assert second_night.rows("SELECT DISTINCT has_changed FROM quality.definitions") == [(False,)]
    assert night.rows("SELECT DISTINCT has_changed FROM quality.definitions") == [(None,)]


def test_a_second_run_keeps_both_versions_and_points_at_the_newer(second_night):
    kept = warehouse.versions(second_night.home)
    assert len(kept) == 2
    assert warehouse.current_version(second_night.home) == kept[-1]


def test_landing_keeps_each_files_bytes_once(second_night, shared_export):
    manifest = (second_night.home / "landing" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    files = [file for file in shared_export.rglob("*") if file.suffix in {".csv", ".parquet"}]
    assert len(manifest) == len(files)


def test_what_a_night_leaves_is_closed_to_others_and_as_its_manifests_say(night):
    looked = run_verb("verify", home=night.home)
    assert looked.status == 0, looked.said
    open_to_others = [path for path in night.home.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o007]
    assert open_to_others == []
