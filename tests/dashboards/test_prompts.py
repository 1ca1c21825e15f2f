from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from dashboards.thresholds import MOST_CONVERSATIONS
from dashboards.views.progress import expected_verdict, rate_verdict
from dashboards.views.prompts import conversations, reasons, signed
from dashboards.views.service import read_service
from tests.dashboards.frame_reader import reader_of

ROW = {
    "funnel_rule": "within",
    "improved_rate": 0.4,
    "service_rate": 0.5,
    "evaluable": 40,
    "low": 0.3,
    "high": 0.5,
}
BESIDE = {
    "clinician_id": "T001",
    "instrument": "PHQ-9",
    "estimate": -1.0,
    "low": -1.7,
    "high": -0.3,
    "certainty": "clear",
}


@pytest.fixture(scope="module")
def service(made):
    return read_service(reader_of(made.service(clinicians=20)), settings=made.settings())


@pytest.fixture(scope="module")
def found(service):
    return reasons(service)


def of_month(signal, **changes):
    return replace(signal, certainty="clear", direction="down", tone="worse", since=date(2026, 5, 1), **changes)


def test_there_are_never_more_conversations_than_a_month_has_room_for(service, found):
    listed = conversations(found, service.shown)
    assert len(listed) == MOST_CONVERSATIONS
    assert len({each.code for each in listed}) == len(listed)


def test_there_is_always_one_to_learn_from_where_there_is_one(service, found):
    assert conversations(found, service.shown)[-1].is_to_learn


def test_conversations_stand_in_the_order_of_certainty_then_code(service, found):
    asked = [
        (("clear", "likely").index(each.certainty), each.code)
        for each in conversations(found, service.shown)
        if not each.is_to_learn
    ]
    assert asked == sorted(asked)


def test_a_falling_alliance_is_a_reason(found):
    assert any(each.why.startswith("Alliance") and not each.is_to_learn for each in found["T001"])


def test_a_quiet_clinician_is_no_reason(found):
    assert [each for each in found.get("T008", ()) if each.why.startswith("Alliance")] == []


def test_nobody_withheld_comes_up(made):
    service = read_service(reader_of(made.service(clinicians=6, clients_each=4)), settings=made.settings())
    assert conversations(reasons(service), service.shown) == ()


def test_a_sign_that_chance_brings_among_so_many_opens_no_conversation(service):
    quiet = {code: of_month(signal, chance=0.04) for code, signal in service.alliance.items()}
    none = service.tables | {"analysis.clinician_signals": service.tables["analysis.clinician_signals"].clear()}
    among = replace(service, alliance=quiet, missed={}, tables=none)
    one = replace(
        among,
        alliance={"T001": quiet["T001"]}
        | {code: replace(signal, chance=0.5) for code, signal in quiet.items() if code != "T001"},
    )
    assert signed(reasons(replace(among, alliance={"T001": quiet["T001"]})), service.shown) == ("T001",)
    assert signed(reasons(one), service.shown) == ()
    assert [each.code for each in reasons(one)["T001"]] == ["T001"]


def test_nobody_differing_gives_a_false_sign_on_at_most_one_night_in_twenty(service):
    draw = np.random.default_rng(3)
    none = service.tables | {"analysis.clinician_signals": service.tables["analysis.clinician_signals"].clear()}
    nights = 400
    wrong = 0
    for chances in draw.uniform(size=(nights, len(service.alliance))):
        drawn = {
            code: of_month(signal, chance=float(p))
            for (code, signal), p in zip(service.alliance.items(), chances, strict=True)
        }
        night = replace(service, alliance=drawn, missed={}, tables=none)
        wrong += bool(signed(reasons(night), service.shown))
    assert wrong / nights <= 0.05 + 3 * (0.05 * 0.95 / nights) ** 0.5


def test_progress_within_chance_has_no_colour():
    found = rate_verdict(ROW)
    assert (found.tone, found.certainty) == ("ordinary", "cannot_tell")


def test_a_rate_outside_the_outer_band_is_clear_and_outside_the_inner_likely():
    assert rate_verdict(ROW | {"funnel_rule": "outside_998"}).certainty == "clear"
    assert rate_verdict(ROW | {"funnel_rule": "outside_95"}).certainty == "likely"
    assert rate_verdict(ROW | {"funnel_rule": "outside_95"}).tone == "worse"


def test_progress_beside_clients_alike_carries_colour_only_where_it_stands_among_all_comparisons():
    stands = {("T001", "adjusted_progress", "PHQ-9")}
    behind = expected_verdict(BESIDE, flagged=stands)
    assert (behind.tone, behind.certainty, behind.is_to_learn) == ("worse", "clear", False)
    assert "behind expected" in behind.tag
    lost = expected_verdict(BESIDE, flagged=frozenset())
    assert (lost.tone, lost.is_to_learn) == ("ordinary", False)
    assert "Chance" in lost.tag
    assert expected_verdict(BESIDE | {"certainty": "too_few"}, flagged=stands).certainty == "too_few"


@pytest.mark.parametrize("row", [None, ROW | {"funnel_rule": "too_few"}, ROW | {"improved_rate": None}])
def test_too_few_is_no_verdict_on_anyone(row):
    found = rate_verdict(row)
    assert (found.certainty, found.tone) == ("too_few", "ordinary")


def test_near_ties_of_measures_go_by_the_configuration(made):
    frames = made.service(clinicians=3)
    other = frames["analysis.alliance_link"].with_columns(outcome_instrument=pl.lit("GAD-7"), pairs=pl.col("pairs") + 1)
    frames["analysis.alliance_link"] = pl.concat([frames["analysis.alliance_link"], other])
    settings = made.settings(measures=(made.PAIR, ("WAI-SR", "GAD-7")))
    assert set(read_service(reader_of(frames), settings=settings).pair.values()) == {made.PAIR}
