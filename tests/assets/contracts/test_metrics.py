import random
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from assets.contracts import dictionary, registry
from assets.contracts.metrics import (
    SCOPES,
    caption,
    counting_select,
    definition,
    dictionary_entry,
    monthly_select,
    rounding,
    suppression,
)
from assets.contracts.rates import METRICS, POPULATIONS, WATCHED_RATES, metric, of_population
from assets.contracts.vocabulary import CHANGE_CATEGORIES, END_REASONS, STATUSES
from assets.estimates.rates import rates
from assets.science.attendance import attendance_rates
from assets.science.talking_therapies import official_counts, official_rates
from tests.assets.contracts.rates_by_hand import recounted

DATA_DATE = date(2026, 10, 31)
EVERY = pytest.mark.parametrize("each", METRICS, ids=lambda each: each.id)


def rows_of_a_small_service(seed=4, episodes=60):
    """A few dozen episodes with everything missing at times, drawn so that every condition has some on either side."""
    draw = random.Random(seed)  # noqa: S311 -- made-up rows, no secret

    def day(within):
        return DATA_DATE - timedelta(days=draw.randrange(within))

    for number in range(episodes):
        who = {
            "episode_id": f"e{number}",
            "case_id": f"c{number // 2}",
            "site": draw.choice(["north", "south", None]),
            "programme": draw.choice(["low", "high", None]),
        }
        ended = draw.choice([None, day(600), day(600)])
        reason = draw.choice([*END_REASONS, None]) if ended else None
        yield "marts.episodes", {**who, "ended_on": ended, "is_open": ended is None}
        finished, paired, mild = draw.random() < 0.8, draw.random() < 0.8, draw.random() < 0.2
        finished = finished and ended is not None
        paired, mild = paired and finished, mild and finished
        fate = draw.choice(["up", "down", "same"]) if paired else "none"
        recovered = paired and not mild and draw.random() < 0.5
        yield (
            "analysis.courses",
            {
                **who,
                "ended_on": ended,
                "stage": "finished_course" if finished else "ended_treated_once" if ended else "not_ended",
                "wait_days": draw.choice([None, -3, 0, 42, 43, 126, 127]),
                "uses_pair": True,
                "is_paired": paired,
                "is_finished": finished,
                "is_not_at_caseness": mild,
                "is_recovered": recovered,
                "is_improved": fate == "up",
                "is_deteriorated": fate == "down",
                "is_no_reliable_change": fate == "same",
                "is_reliably_recovered": recovered and fate == "up",
            },
        )
        answers = {
            name: None if ended is None else draw.choice([True, False, None])
            for name in ("is_judged_unplanned", "has_few_sessions", "ended_on_missed", "has_no_reliable_improvement")
        }
        yield "analysis.drop_out", {**who, **answers, "is_open": ended is None, "ended_on": ended, "end_reason": reason}
        for name, threshold in (("PHQ-9", 6.0), ("ORS", 5.0), ("CSI-4", None)):
            first = draw.choice([None, 4.0, 10.0, 24.9, 25.0])
            category = "not_evaluable" if threshold is None or first is None else draw.choice(CHANGE_CATEGORIES)
            is_clinical = first is not None and (first >= 10.0 if name == "PHQ-9" else first < 25.0)
            if category == "recovered" and not is_clinical:
                category = "improved"
            yield (
                "analysis.client_change",
                {
                    **who,
                    "client_id": who["case_id"],
                    "instrument": name,
                    "first_score": first,
                    "reliable_change": threshold,
                    "category": category,
                    "is_reliably_improved": category in ("recovered", "improved"),
                    "is_reliably_deteriorated": category in ("deteriorated", "harmed"),
                },
            )
        for slot in range(4):
            booked = {**who, "appointment_id": f"a{number}-{slot}", "starts_on": day(600)}
            del booked["programme"]
            status = draw.choice(STATUSES)
            yield "marts.appointments", {**booked, "status": status}
            if status == "attended":
                rated = {"has_alliance": draw.random() < 0.5, "has_outcome": draw.random() < 0.5}
                yield "marts.sessions", {**booked, **rated}
    for name, value, direction in (("PHQ-9", "10", "higher_is_worse"), ("ORS", "25", "higher_is_better")):
        fact = {"instrument": name, "fact": "cut_off", "value": value, "direction": direction}
        yield "analysis.instruments", fact
    yield "quality.run", {"data_date": DATA_DATE, "period_months": 12}


@pytest.fixture(scope="module")
def service():
    with duckdb.connect() as con:
        for schema in registry.LAYERS:
            con.execute(f"CREATE SCHEMA {schema}")
        for table in registry.TABLES.values():
            con.execute(dictionary.create_sql(table))
        for table, row in rows_of_a_small_service():
            marks = ", ".join("?" for _ in row)
            con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        yield con


def counted(con, select):
    found = con.sql(select)
    return {row[:4]: row[4:] for row in found.fetchall()}, found.columns


@pytest.fixture(scope="module")
def by_hand(service):
    def read(table):
        found = service.sql(f"FROM {table}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    return recounted(read)


@EVERY
def test_a_rate_counts_what_a_slow_reading_counts(each, service, by_hand):
    fast, columns = counted(service, counting_select([each]))
    assert columns[4:] == ["numerator", "denominator", "eligible", "complete", "cases"]
    assert fast == {key: counts for key, counts in by_hand.items() if key[0] == each.id}
    assert {key[1] for key in fast} == set(SCOPES)


@EVERY
def test_nothing_is_counted_that_it_is_not_out_of(each, service):
    stray = service.sql(
        f"SELECT COUNT(*) FROM ({each.population.select}) AS counted WHERE ({each.numerator}) "
        f"AND ({each.denominator}) IS NOT TRUE"
    ).fetchall()
    fast, _ = counted(service, counting_select([each]))
    assert stray == [(0,)]
    assert all(numerator <= denominator for numerator, denominator, *_ in fast.values())
    assert all(complete <= eligible for _, _, eligible, complete, _ in fast.values())
    assert any(numerator > 0 for numerator, *_ in fast.values())


@EVERY
def test_what_is_said_of_a_rate_comes_from_its_declaration(each):
    said = caption(each)
    assert said.startswith(definition(each))
    assert each.numerator_words in said
    assert each.denominator_words in said
    assert said.endswith(f"{each.citation}.")
    entry = dictionary_entry(each)
    assert all(part in entry for part in (each.title, said, f"`{each.numerator}`", rounding(each), suppression(each)))
    assert entry in dictionary.render()


def test_a_family_of_rates_is_counted_together_as_each_alone(service):
    for population in POPULATIONS:
        family = of_population(population)
        together, _ = counted(service, counting_select(family))
        apart = {}
        for each in family:
            apart |= counted(service, counting_select([each]))[0]
        assert together == apart


def test_every_rate_belongs_to_one_population_and_has_a_name_of_its_own():
    assert sum(len(of_population(population)) for population in POPULATIONS) == len(METRICS)
    assert len({each.id for each in METRICS}) == len({each.title for each in METRICS}) == len(METRICS)


def test_a_rate_is_found_by_its_id_and_an_unknown_one_is_said():
    assert metric("recovery").title == "Recovery"
    with pytest.raises(KeyError, match="no rate is published as 'happiness'"):
        metric("happiness")


def test_populations_are_not_mixed_in_one_count():
    with pytest.raises(ValueError, match="One SELECT counts one population"):
        counting_select([metric("recovery"), metric("did_not_attend")])


def test_populations_read_promised_tables():
    for population in POPULATIONS:
        assert set(population.reads) <= set(registry.TABLES)
        assert all(name in population.select for name in population.reads)


def test_a_whole_per_cent_is_said_to_be_one():
    assert rounding(replace(metric("recovery"), decimals=0)).startswith(
        "Per cent from unrounded counts, to a whole number"
    )


@pytest.mark.parametrize("name", WATCHED_RATES)
def test_months_add_up_to_the_whole(name, service):
    each = metric(name)
    months = service.sql(
        f"SELECT instrument, CAST(SUM(total) AS BIGINT), CAST(SUM(counted) AS BIGINT) FROM ({monthly_select(each)}) "
        "AS months GROUP BY instrument ORDER BY instrument"
    ).fetchall()
    whole = service.sql(
        f"SELECT instrument, COUNT(CASE WHEN {each.numerator} THEN 1 END), COUNT(CASE WHEN {each.denominator} THEN 1 END) "
        f"FROM ({each.population.select}) AS counted GROUP BY instrument ORDER BY instrument"
    ).fetchall()
    assert months == whole
    days = service.sql(f"SELECT DISTINCT DAY(month) FROM ({monthly_select(each)}) AS months").fetchall()
    assert days == [(1,)]


def test_the_official_rates_are_those_of_the_official_formulas(service):
    names = {
        "recovery": "recovery",
        "reliable_recovery": "reliable_recovery",
        "improvement": "reliable_improvement",
        "deterioration": "reliable_deterioration",
        "no_reliable_change": "no_reliable_change",
    }
    courses = service.sql(
        "SELECT course.* FROM analysis.courses AS course, quality.run AS run WHERE course.ended_on > DATE '2025-10-31'"
    ).pl()
    official = official_rates(official_counts(courses), decimals=1)
    published = rates(
        service.sql(counting_select(of_population(metric("recovery").population))).pl(), minimum_clients=1
    )
    whole = published.filter(pl.col("scope") == "service")
    for official_name, name in names.items():
        row = whole.filter(pl.col("metric") == name).row(0, named=True)
        wanted = official[official_name]
        assert (row["numerator"], row["denominator"], row["published_percent"]) == (
            wanted.numerator,
            wanted.denominator,
            wanted.percent,
        )
        assert (100 * row["low"], 100 * row["high"]) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize(
    ("name", "in_science"),
    [
        ("missed_of_due", "missed_of_due"),
        ("attended_of_offered", "attended_of_offered"),
        ("cancelled_by_clinic", "cancelled_by_clinic_of_booked"),
    ],
)
def test_rates_of_attendance_are_those_of_science(name, in_science, service):
    booked = service.sql(
        "SELECT episode_id, case_id, status, starts_on AS starts_at FROM marts.appointments WHERE starts_on > DATE '2025-10-31'"
    ).pl()
    wanted = attendance_rates(booked, by=[], confidence=0.95).filter(pl.col("rate_name") == in_science)
    fast, _ = counted(service, counting_select([metric(name)]))
    assert fast[name, "service", "all", "all"][:2] == wanted.select("events", "appointments").row(0)
