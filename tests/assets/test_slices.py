from datetime import date

import duckdb
import pytest

from assets.contracts import dictionary, registry
from assets.service import Suppression
from assets.slices import seen


@pytest.fixture
def con():
    """Every promised table, empty but for two cases: one in treatment at a site, one who finished elsewhere."""
    with duckdb.connect() as connection:
        for schema in registry.LAYERS:
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in registry.TABLES.values():
            connection.execute(dictionary.create_sql(table))

        def put(table, **row):
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

        for case, day in (("c1", 2), ("c1", 9), ("c2", 3)):
            site = {"c1": "north", "c2": None}[case]
            put(
                "marts.appointments",
                appointment_id=f"a{day}",
                episode_id=f"e-{case}",
                case_id=case,
                clinician_id="k1",
                site=site,
                starts_on=date(2026, 1, day),
            )
        put("marts.episodes", episode_id="e-c1", case_id="c1", programme="CBT", site="north", wait_days=-3)
        put(
            "marts.episodes",
            episode_id="e-c2",
            case_id="c2",
            ended_on=date(2026, 2, 1),
            wait_days=5,
            first_session_on=date(2026, 1, 3),
        )
        forms = (("r1", "c1", "client", 10.0), ("r2", "c1", "clinician", 10.0), ("r3", "c2", "client", None))
        for rating, case, rater, score in forms:
            put(
                "marts.ratings",
                rating_id=rating,
                instrument="PHQ-9",
                case_id=case,
                episode_id=f"e-{case}",
                rater=rater,
                score=score,
                completed_on=date(2026, 1, 9),
            )
        for case, is_open, category in (("c1", True, "improved"), ("c2", False, "unchanged")):
            put(
                "analysis.client_change",
                client_id=case,
                case_id=case,
                episode_id=f"e-{case}",
                instrument="PHQ-9",
                is_open=is_open,
                category=category,
            )
        yield connection


def groups(con):
    cases, parts = seen(con)
    rows = (row for part in parts for row in part.iter_rows(named=True))
    named = ("population", "scope", "scope_name", "instrument")
    return {(*(row[name] for name in named), cases[row["case"]]): row["latest_on"] for row in rows}


def test_a_case_is_in_the_groups_of_what_happened_to_it_with_the_latest_day(con):
    found = groups(con)
    assert found["booked", "service", "all", "all", "c1"] == date(2026, 1, 9)
    assert found["booked", "site", "north", "all", "c1"] == date(2026, 1, 9)
    assert found["booked", "programme", "CBT", "all", "c1"] == date(2026, 1, 9)
    assert found["booked", "clinician", "k1", "all", "c2"] == date(2026, 1, 3)
    assert found["rated", "service", "all", "PHQ-9", "c1"] == date(2026, 1, 9)
    assert found["first_seen", "service", "all", "all", "c2"] == date(2026, 1, 3)
    assert found["finished", "service", "all", "PHQ-9", "c2"] == date(2026, 2, 1)


def test_who_has_no_score_no_known_wait_or_no_end_is_in_no_group_of_them(con):
    in_populations = {(population, case) for population, _, _, _, case in groups(con)}
    assert in_populations == {
        ("booked", "c1"),
        ("booked", "c2"),
        ("rated", "c1"),
        ("first_seen", "c2"),
        ("finished", "c2"),
    }


def test_a_case_of_no_site_is_in_no_sites_group(con):
    assert {case for _, scope, _, _, case in groups(con) if scope == "site"} == {"c1"}


def test_the_smallest_difference_is_five_unless_the_service_says_otherwise():
    assert Suppression().minimum_difference == 5
