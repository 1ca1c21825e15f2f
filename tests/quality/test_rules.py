from collections.abc import Callable
from datetime import date, datetime, timedelta
from types import MappingProxyType

import pytest
import sqlglot

from assets.contracts import registry
from assets.contracts.figures import ESTIMATED
from assets.science.instruments.registry import REGISTRY
from quality.expectations import validate
from quality.model import Severity, Suite
from quality.rules import Parameters, raters, score_ranges, written
from tests.quality.comparison_faults import COMPARISON_FAULTS
from tests.quality.faults_of_flow import FAULTS as FAULTS_OF_FLOW
from tests.quality.faults_of_two_nights import FAULTS as FAULTS_OF_TWO_NIGHTS

DATA_DATE = date(2026, 11, 20)
FIRST_DAY = date(2024, 1, 1)
RULES = written(
    Parameters(
        data_date=DATA_DATE,
        first_possible_day=FIRST_DAY,
        score_ranges=score_ranges(REGISTRY),
        raters=raters(REGISTRY),
        minimum_clients=10,
        minimum_difference=5,
    )
)
LATE, EARLY = DATA_DATE + timedelta(days=1), FIRST_DAY - timedelta(days=1)
FROM = MappingProxyType({"source_file": "f.csv", "source_line": 1})


def moment(day, hour=10, minute=0):
    return datetime(2026, 1, day, hour, minute)  # noqa: DTZ001 -- the warehouse keeps UTC without a zone


def appointment(put, appointment_id, **changes):
    row = {"episode_id": "e1", "case_id": "c1", "starts_at": moment(5), "is_attended": True, **changes}
    put("marts.appointments", appointment_id=appointment_id, **row)


def session(put, appointment_id, **changes):
    row = {"episode_id": "e1", "case_id": "c1", "starts_at": moment(5), "session_number": 1, **changes}
    put("marts.sessions", appointment_id=appointment_id, **row)


def two_sessions(put, *, minutes, gap, case="c1"):
    later = moment(5) + timedelta(minutes=gap)
    session(put, "s1", duration_minutes=minutes)
    session(put, "s2", starts_at=later, session_number=2, case_id=case, episode_id=f"e-{case}")


def score(put, rating_id, value, *, instrument="PHQ-9"):
    put("staging.scores", instrument=instrument, rating_id=rating_id, score=value)


def form(put, rating_id, feed="outcomes", **changes):
    put(f"staging.{feed}", **{"instrument": "PHQ-9", "rating_id": rating_id, **changes})


def episode(put, episode_id, start, end, case="c1"):
    put("marts.episodes", episode_id=episode_id, case_id=case, started_on=start, ended_on=end, appointments=0)


def reconciliation(put, **changes):
    row = dict.fromkeys(("refused", "superseded", "identical", "blank"), 0) | {"lines": 3, "accepted": 3}
    put("quality.reconciliation", feed="attendance", file="f", **{"file_number": 1, **row, **changes})


def refused(put, line):
    put("staging.refused_rows", feed="attendance", file="f", file_number=1, line=line, rule="r", reason="x")


def months(put, **changes):
    statuses = ("did_not_attend", "cancelled_by_client", "cancelled_by_clinic", "late_not_seen")
    row = dict.fromkeys(statuses, 0) | {"appointments": 1, "attended": 1, **changes}
    put("marts.clinician_months", clinician_id="k1", month=date(2026, 1, 1), **row)


def dated(table, column, day):
    return lambda put: [put(table, **{column: day, **FROM}), put(table, **{column: day, **FROM})]


def both(*steps: Callable[[Callable[..., None]], object]):
    return lambda put: [step(put) for step in steps]


FAULTS = {
    "attendance.starts_on.after_data_date": (dated("staging.attendance", "starts_on", LATE), 2),
    "attendance.starts_on.before_service": (dated("staging.attendance", "starts_on", EARLY), 2),
    "alliance.completed_on.after_data_date": (dated("staging.alliance", "completed_on", LATE), 2),
    "alliance.completed_on.before_service": (dated("staging.alliance", "completed_on", EARLY), 2),
    "outcomes.completed_on.after_data_date": (dated("staging.outcomes", "completed_on", LATE), 2),
    "outcomes.completed_on.before_service": (dated("staging.outcomes", "completed_on", EARLY), 2),
    "episodes.referred_on.after_data_date": (dated("staging.episodes", "referred_on", LATE), 2),
    "episodes.referred_on.before_service": (dated("staging.episodes", "referred_on", EARLY), 2),
    "episodes.started_on.after_data_date": (dated("staging.episodes", "started_on", LATE), 2),
    "episodes.ended_on.after_data_date": (dated("staging.episodes", "ended_on", LATE), 2),
    "clinicians.started_on.after_data_date": (dated("staging.clinicians", "started_on", LATE), 2),
    "episodes.ended_before_started": (
        lambda put: put("staging.episodes", started_on=date(2026, 2, 2), ended_on=date(2026, 2, 1)),
        1,
    ),
    "episodes.started_before_referred": (
        lambda put: put("staging.episodes", referred_on=date(2026, 2, 2), started_on=date(2026, 2, 1)),
        1,
    ),
    "appointments.episode_of_another_case": (
        both(
            lambda put: put("staging.episodes", episode_id="e1", case_id="c2"),
            lambda put: appointment(put, "a1"),
            lambda put: appointment(put, "a2", case_id="c2"),
        ),
        1,
    ),
    "episodes.overlapping": (
        both(
            lambda put: episode(put, "e1", date(2026, 1, 1), date(2026, 6, 1)),
            lambda put: episode(put, "e2", date(2026, 2, 1), date(2026, 3, 1)),
            lambda put: episode(put, "e3", date(2026, 5, 31), None),
            lambda put: episode(put, "e4", date(2026, 7, 1), None),
        ),
        3,
    ),
    "sessions.numbered_in_order": (
        both(
            lambda put: session(put, "s1", session_number=1),
            lambda put: session(put, "s2", session_number=3, starts_at=moment(6)),
            lambda put: session(put, "s3", session_number=2, starts_at=moment(7)),
        ),
        2,
    ),
    "sessions.of_attended_appointment": (
        both(
            lambda put: appointment(put, "s1", is_attended=False),
            lambda put: appointment(put, "s2"),
            *(lambda put, name=name: session(put, name) for name in ("s1", "s2", "s3")),
        ),
        2,
    ),
    "sessions.two_at_one_time": (lambda put: two_sessions(put, minutes=50, gap=49), 1),
    "scores.instrument.known": (lambda put: score(put, "r1", 1.0, instrument="PHQ-99"), 1),
    "scores.score.possible": (
        both(*(lambda put, value=value: score(put, f"r{value}", value) for value in (-1.0, 0.0, 27.0, 27.1))),
        2,
    ),
    "scores.alliance.total_agrees": (
        both(
            lambda put: score(put, "r1", 12.0),
            lambda put: form(put, "r1", "alliance", items=[1.0], total=13.0),
        ),
        1,
    ),
    "scores.outcomes.total_agrees": (
        both(
            *(lambda put, name=name: score(put, name, 12.0) for name in ("r1", "r2", "r3", "r4")),
            lambda put: form(put, "r1", items=[1.0], total=13.0),
            lambda put: form(put, "r2", items=[1.0], total=12.0),
            lambda put: form(put, "r3", items=[1.0]),
            lambda put: form(put, "r4", total=13.0),
        ),
        1,
    ),
    "ratings.appointment.attended": (
        both(
            lambda put: appointment(put, "a1", is_attended=False),
            lambda put: put("marts.ratings", rating_id="r1", appointment_id="a1", case_id="c1"),
            lambda put: put("marts.ratings", rating_id="r2", case_id="c1"),
        ),
        1,
    ),
    "ratings.appointment.of_another_case": (
        both(
            lambda put: appointment(put, "a1"),
            lambda put: put("marts.ratings", rating_id="r1", appointment_id="a1", case_id="c2"),
        ),
        1,
    ),
    "scores.as_many_as_forms": (lambda put: form(put, "r1"), 1),
    "appointments.as_many_as_accepted": (lambda put: put("staging.attendance", appointment_id="a1"), 1),
    "sessions.as_many_as_attended": (lambda put: appointment(put, "a1"), 1),
    "ratings.as_many_as_scores": (lambda put: score(put, "r1", 1.0), 1),
    "episodes.hold_every_appointment": (lambda put: appointment(put, "a1"), 1),
    "clinicians.hold_every_session": (lambda put: session(put, "s1"), 1),
    "clinician_months.hold_every_appointment": (lambda put: appointment(put, "a1"), 1),
    "clinician_months.statuses_add_up": (lambda put: months(put, appointments=2), 1),
    "reconciliation.lines_add_up": (
        both(lambda put: reconciliation(put, blank=1), lambda put: reconciliation(put, file_number=2)),
        1,
    ),
    "reconciliation.refusals_have_reasons": (
        both(
            lambda put: reconciliation(put, lines=5, refused=2),
            lambda put: refused(put, 4),
        ),
        1,
    ),
}


FIGURES = tuple((each.table.removeprefix("analysis."), each.name, each.low, each.high) for each in ESTIMATED)
FAULTS |= COMPARISON_FAULTS


def figures(table, *rows):
    return lambda put: [put(f"analysis.{table}", **row) for row in rows]


for _table, _figure, _low, _high in FIGURES:
    _sound = {_figure: 0.5, _low: 0.5, _high: 0.6}
    FAULTS[f"{_table}.{_figure}.has_interval"] = (
        figures(_table, _sound, {_figure: 0.5}, {_figure: 0.5, _low: 0.1}, {_figure: 0.5, _high: 0.7}, {_low: 0.1}),
        3,
    )
    FAULTS[f"{_table}.{_figure}.within_interval"] = (
        figures(_table, _sound, {**_sound, _figure: 0.4}, {**_sound, _figure: 0.7}, {_figure: 0.5}),
        2,
    )


def rate(put, **changes):
    row = {"numerator": 2, "denominator": 20, "eligible": 20, "complete": 20, "cases": 15, "rate": 0.1}
    told = {"low": 0.05, "high": 0.3, "published_percent": 10.0, "is_too_few": False}
    put(
        "analysis.rates",
        metric="improved",
        scope="site",
        scope_name="north",
        instrument="PHQ-9",
        **row | told | changes,
    )


def rates(*faults):
    """A sound row, one out of nothing, one withheld, and one for each fault; as many broken as there are faults."""
    out_of_nothing = dict.fromkeys(("numerator", "denominator", "eligible", "complete", "cases"), 0)
    untold = dict.fromkeys(("rate", "low", "high", "published_percent"))
    sound = ({}, out_of_nothing | untold, {"is_too_few": True, "published_percent": None})
    return lambda put: [rate(put, **changes) for changes in (*sound, *faults)], len(faults)


FAULTS |= {
    "rates.numerator.within_denominator": rates({"numerator": 21}),
    "rates.complete.within_eligible": rates({"complete": 21}, {"eligible": 19, "complete": 19}),
    "rates.cases.within_denominator": rates({"cases": 21}, {"cases": 0}),
    "rates.rate.of_its_counts": rates({"rate": 0.11}, {"rate": None}, {"denominator": 0}),
    "rates.rate.within_interval": rates({"low": 0.11}, {"high": 0.09}, {"low": None}, {"low": -0.1}, {"high": 1.1}),
    "rates.published_percent.withheld": rates({"is_too_few": True}, {"published_percent": None}, {"denominator": 0}),
    "rates.published_percent.of_its_rate": rates({"published_percent": 10.6}),
}


FAULTS |= FAULTS_OF_FLOW | FAULTS_OF_TWO_NIGHTS


def verdict_of(name, connection):
    rule = next(rule for rule in RULES if rule.name == name)
    [verdict] = validate(connection, suites=[Suite(table=rule.table, rules=(rule,))])
    return verdict


def test_every_written_rule_has_a_planted_fault_here():
    assert {rule.name for rule in RULES} == set(FAULTS)
    assert len(RULES) == len(FAULTS)


def test_every_written_rule_passes_over_an_empty_warehouse(warehouse):
    tables = sorted({rule.table for rule in RULES})
    suites = [Suite(table=table, rules=tuple(rule for rule in RULES if rule.table == table)) for table in tables]
    assert {verdict.name for verdict in validate(warehouse, suites=suites) if not verdict.is_passed} == set()


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_planted_fault_is_found_with_its_number(name, warehouse, put):
    plant, number = FAULTS[name]
    plant(put)
    assert verdict_of(name, warehouse).failing_rows == number


@pytest.mark.parametrize("name", ["sessions.two_at_one_time"])
@pytest.mark.parametrize(
    "sound", [{"minutes": 50, "gap": 50}, {"minutes": None, "gap": 1}, {"minutes": 50, "gap": 0, "case": "c2"}]
)
def test_sessions_one_after_the_other_or_of_two_cases_are_not_at_one_time(name, sound, warehouse, put):
    two_sessions(put, **sound)
    assert verdict_of(name, warehouse).is_passed


def test_an_episode_may_start_on_the_day_the_one_before_ended(warehouse, put):
    episode(put, "e1", date(2026, 1, 1), date(2026, 2, 1))
    episode(put, "e2", date(2026, 2, 1), None)
    episode(put, "e3", date(2026, 1, 15), None, case="c2")
    assert verdict_of("episodes.overlapping", warehouse).is_passed


def test_the_data_date_and_the_first_possible_day_are_themselves_possible(warehouse, put):
    put("staging.attendance", starts_on=DATA_DATE)
    put("staging.attendance", starts_on=FIRST_DAY)
    assert verdict_of("attendance.starts_on.after_data_date", warehouse).is_passed
    assert verdict_of("attendance.starts_on.before_service", warehouse).is_passed


def test_a_reconciled_file_with_its_reasons_passes(warehouse, put):
    reconciliation(put, lines=9, accepted=3, refused=1, superseded=2, identical=2, blank=1)
    refused(put, 4)
    assert verdict_of("reconciliation.lines_add_up", warehouse).is_passed
    assert verdict_of("reconciliation.refusals_have_reasons", warehouse).is_passed


def test_every_instrument_of_the_registry_may_give_its_very_best_and_worst(warehouse, put):
    for instrument in REGISTRY:
        score(put, "low", instrument.score_range.low, instrument=instrument.id)
        score(put, "high", instrument.score_range.high, instrument=instrument.id)
    assert verdict_of("scores.score.possible", warehouse).is_passed
    assert verdict_of("scores.instrument.known", warehouse).is_passed


def test_rules_say_what_they_mean_why_it_matters_and_what_a_failure_does():
    for rule in RULES:
        assert rule.table in registry.TABLES
        assert rule.meaning.endswith(".")
        assert rule.why.endswith(".")
        assert rule.severity in set(Severity)


def test_rules_are_one_select_that_spark_can_be_told_too():
    for rule in RULES:
        [statement] = sqlglot.parse(rule.failing_rows, read="duckdb")
        assert isinstance(statement, sqlglot.exp.Select)
        assert sqlglot.transpile(
            rule.failing_rows, read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
        )
