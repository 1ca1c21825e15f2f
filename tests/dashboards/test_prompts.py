import polars as pl
import pytest

from dashboards.thresholds import MOST_CONVERSATIONS
from dashboards.views.progress import progress_verdict
from dashboards.views.prompts import conversations, reasons
from dashboards.views.service import read_service

ROW = {
    "funnel_rule": "within",
    "improved_rate": 0.4,
    "service_rate": 0.5,
    "evaluable": 40,
    "low": 0.3,
    "high": 0.5,
    "expected_difference": 0.1,
    "expected_difference_low": -1.0,
    "expected_difference_high": 1.2,
    "certainty": "cannot_tell",
}


@pytest.fixture(scope="module")
def service(made):
    return read_service(made.reader(made.service(clinicians=20)), settings=made.settings())


def test_there_are_never_more_conversations_than_a_month_has_room_for(service):
    found = conversations(service)
    assert len(found) == MOST_CONVERSATIONS
    assert len({each.code for each in found}) == len(found)


def test_there_is_always_one_to_learn_from_where_there_is_one(service):
    assert conversations(service)[-1].is_to_learn


def test_conversations_stand_in_the_order_of_certainty_then_code(service):
    asked = [
        (("clear", "likely").index(each.certainty), each.code)
        for each in conversations(service)
        if not each.is_to_learn
    ]
    assert asked == sorted(asked)


def test_a_falling_alliance_is_a_reason(service):
    assert any(each.why.startswith("Alliance") and not each.is_to_learn for each in reasons(service, "T001"))


def test_a_quiet_clinician_is_no_reason(service):
    assert [each for each in reasons(service, "T008") if each.why.startswith("Alliance")] == []


def test_nobody_withheld_comes_up(made):
    service = read_service(made.reader(made.service(clinicians=6, clients_each=4)), settings=made.settings())
    assert conversations(service) == ()


def test_progress_within_chance_has_no_colour():
    found = progress_verdict(ROW)
    assert (found.tone, found.certainty) == ("ordinary", "cannot_tell")


def test_a_rate_outside_the_outer_band_is_clear_and_outside_the_inner_likely():
    assert progress_verdict(ROW | {"funnel_rule": "outside_998"}).certainty == "clear"
    assert progress_verdict(ROW | {"funnel_rule": "outside_95"}).certainty == "likely"
    assert progress_verdict(ROW | {"funnel_rule": "outside_95"}).tone == "worse"


def test_progress_against_the_same_first_score_speaks_where_the_funnel_is_silent():
    behind = progress_verdict(
        ROW
        | {
            "certainty": "clear",
            "expected_difference": -1.0,
            "expected_difference_low": -1.7,
            "expected_difference_high": -0.3,
        }
    )
    assert (behind.tone, behind.certainty, behind.is_to_learn) == ("worse", "clear", False)
    assert "behind expected" in behind.tag


@pytest.mark.parametrize("row", [None, ROW | {"funnel_rule": "too_few"}, ROW | {"improved_rate": None}])
def test_too_few_is_no_verdict_on_anyone(row):
    found = progress_verdict(row)
    assert (found.certainty, found.tone) == ("too_few", "ordinary")


def test_near_ties_of_measures_go_by_the_configuration(made):
    frames = made.service(clinicians=3)
    other = frames["analysis.alliance_link"].with_columns(outcome_instrument=pl.lit("GAD-7"), pairs=pl.col("pairs") + 1)
    frames["analysis.alliance_link"] = pl.concat([frames["analysis.alliance_link"], other])
    settings = made.settings(measures=(made.PAIR, ("WAI-SR", "GAD-7")))
    assert set(read_service(made.reader(frames), settings=settings).pair.values()) == {made.PAIR}
