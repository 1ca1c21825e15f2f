from datetime import date

import pytest

from dashboards import finding_words, words

SINCE = date(2026, 3, 1)


def change(certainty="clear", direction="down", **more):
    given = {"certainty": certainty, "direction": direction, "since": SINCE, "is_small": False} | more
    return words.change_title("alliance", **given)


def test_a_clear_change_is_said_outright():
    assert change() == "Alliance lower than usual since Mar 2026"


def test_a_likely_change_is_said_to_be_probable():
    assert change(certainty="likely", direction="up") == "Alliance probably higher than usual since Mar 2026"


def test_a_change_too_small_to_matter_says_so():
    assert change(is_small=True).endswith(", but the difference is small")


def test_no_sign_is_no_change_beyond_chance():
    assert change(certainty="cannot_tell", direction=None, since=None) == "Alliance: no change beyond chance"


def test_a_sign_that_has_passed_is_not_told_as_if_it_stood():
    title = change(certainty="cannot_tell", direction=None, since=None, ended=date(2026, 6, 1))
    assert title == "Alliance: within the usual range now; the last sign of change was in Jun 2026"


def test_too_few_months_are_called_too_few():
    assert change(certainty="too_few", direction=None, since=None).startswith("Too few months")


@pytest.mark.parametrize("certainty", ["clear", "likely", "cannot_tell", "too_few"])
@pytest.mark.parametrize("is_small", [False, True])
def test_a_tag_and_its_title_speak_of_one_verdict(certainty, is_small):
    direction, since = (None, None) if certainty in {"cannot_tell", "too_few"} else ("down", SINCE)
    title = change(certainty=certainty, direction=direction, since=since, is_small=is_small)
    tag = words.change_tag(certainty=certainty, direction=direction, since=since, is_small=is_small)
    assert ("lower" in title) == ("ower" in tag)
    assert ("small" in title) == ("small" in tag)
    assert ("Too few" in title) == ("Too few" in tag)


@pytest.mark.parametrize(
    ("share", "standard", "said"),
    [(0.847, 0.85, "84.7%"), (0.853, 0.85, "85.3%"), (0.85, 0.85, "85%"), (0.71, 0.85, "71%"), (0.99, None, "99%")],
)
def test_rounding_never_sets_a_share_on_the_wrong_side_of_its_standard(share, standard, said):
    assert words.percent(share, beside=standard) == said


def test_a_number_carries_a_true_minus_and_nothing_is_minus_nothing():
    assert words.decimal(-1.25, places=1) == "\u22121.2"
    assert words.decimal(-0.01, places=1) == "0.0"
    assert words.signed(0.4) == "+0.4"
    assert words.signed(0.0) == "0.0"
    assert words.decimal(None) == "none"


@pytest.mark.parametrize("certainty", ["clear", "likely"])
def test_alliance_goes_with_progress_and_causes_nothing(certainty):
    said = words.link_title(certainty=certainty, is_positive=True)
    assert "with better progress" in said
    assert "goes" in said
    assert "cause" not in said


def test_a_link_of_the_wrong_sign_is_said_as_it_is():
    assert "worse progress" in words.link_title(certainty="clear", is_positive=False)


def test_a_rate_inside_the_funnel_is_left_to_chance():
    said = words.progress_title(rule="within", is_above=False, rate=0.41, count=104, low=0.32, high=0.51)
    assert (
        said == "41% of 104 clients reliably improved (95% range 32 to 51%): chance alone could explain the difference"
    )


def test_a_rate_outside_the_funnel_names_its_side_and_how_sure():
    below = words.progress_title(rule="outside_998", is_above=False, rate=0.1, count=50, low=0.05, high=0.2)
    above = words.progress_title(rule="outside_95", is_above=True, rate=0.8, count=50, low=0.7, high=0.9)
    assert below.endswith("below the service, beyond what chance explains")
    assert above.endswith("above the service, probably beyond chance")


def test_progress_behind_expected_is_told_with_its_range_in_the_same_direction():
    said = words.expected_title(certainty="clear", points=-1.0, low=-1.7, high=-0.3)
    assert said == "Clients improve 1.0 points less than clients alike (95% range 0.3 to 1.7)"


def test_a_range_across_nothing_names_both_sides():
    said = words.expected_title(certainty="likely", points=-0.9, low=-2.0, high=0.1)
    assert said.endswith("(95% range 2.0 less to 0.1 more)")
    assert "probably improve" in said


@pytest.mark.parametrize(("outside", "inner"), [(0, 0), (0, 1), (0, 4), (1, 0), (3, 2)])
def test_a_funnels_title_counts_and_never_names(outside, inner):
    said = words.funnel_title(outside=outside, total=19, outcome="PHQ-9", inner=inner)
    assert "19" in said
    assert ("chance alone" in said) == (outside == inner == 0)


def test_a_funnel_of_nobody_says_too_few():
    assert words.funnel_title(outside=0, total=0, outcome="PHQ-9", inner=0).startswith("Too few")


def test_a_steady_service_is_called_steady():
    assert words.service_headline(concerns=[], improvements=[], withheld=False, of="The service").startswith(
        "The service is steady"
    )
    assert "alliance and waits" in words.service_headline(
        concerns=["alliance", "waits"], improvements=[], withheld=False, of="The service"
    )
    assert words.service_headline(concerns=[], improvements=["alliance"], withheld=False, of="The service").startswith(
        "Better than usual"
    )


def test_a_level_is_said_from_its_own_word_for_how_sure():
    def said(certainty, estimate):
        return finding_words.level_sentence(
            level="within_client", certainty=certainty, estimate=estimate, alliance="WAI-SR", outcome="PHQ-9"
        )

    assert "go with a better next PHQ-9" in said("clear", 0.1)
    assert "probably go with a worse next PHQ-9" in said("likely", -0.1)
    assert "cannot tell" in said("cannot_tell", 0.1)
    assert said("too_few", 0.0).startswith("Too few")


@pytest.mark.parametrize("certainty", ["clear", "likely", "cannot_tell", "too_few"])
def test_a_finding_beside_how_sure_claims_a_direction_only_when_there_is_one(certainty):
    said = [
        finding_words.level_finding(certainty, side="higher"),
        finding_words.expected_finding(certainty, side="ahead of"),
        finding_words.change_finding(certainty, direction="up"),
        finding_words.link_finding(certainty, is_positive=True),
        finding_words.apart_finding(certainty, is_stronger=True),
    ]
    is_sure = certainty in {"clear", "likely"}
    assert all(sentence.startswith("Whether") != is_sure for sentence in said)


def test_counts_agree_with_their_nouns_and_verbs():
    assert words.counted(1, "client") == "1 client"
    assert words.counted(1200, "client") == "1,200 clients"
    assert words.dips_title(waiting=1) == "1 open client has an alliance dip not yet repaired"
    assert words.dips_title(waiting=2).startswith("2 open clients have")
    assert words.trajectories_title(behind=0, total=0).startswith("No open client")
    assert "is reliably worse" in words.trajectories_title(behind=1, total=9)
    assert finding_words.looked_at_sentence(shown=3, signs=1, withheld=1).endswith(
        "1 more is not shown because the group is small."
    )
    assert finding_words.looked_at_sentence(shown=3, signs=2, withheld=0).endswith("among so many.")


def test_days_are_written_in_full_and_months_short():
    assert words.day(date(2026, 12, 1)) == "1 December 2026"
    assert words.month(date(2026, 12, 1)) == "Dec 2026"


def test_the_recording_sentence_sets_the_share_beside_its_standard():
    assert words.recording_sentence(0.55, 0.85, what="an alliance score").endswith("below the standard of 85%.")
    assert "at or above" in words.recording_sentence(0.85, 0.85, what="an alliance score")
    assert words.recording_sentence(0.5, None, what="an alliance score").endswith("no standard is set.")
    assert words.recording_sentence(None, 0.85, what="an alliance score").startswith("No session")


@pytest.mark.parametrize(
    ("certainty", "said"),
    [
        ("clear", "A better alliance than usual goes with better progress next session (WAI-SR with PHQ-9): clear."),
        (
            "likely",
            "A better alliance than usual probably goes with better progress next session (WAI-SR with PHQ-9): likely.",
        ),
        (
            "cannot_tell",
            "Cannot tell yet whether a better alliance than usual goes with a better next score (WAI-SR with PHQ-9).",
        ),
        ("too_few", "Too few ratings for an answer yet."),
    ],
)
def test_the_pages_question_is_answered_in_a_line_that_says_how_sure(certainty, said):
    assert finding_words.answer_in_short("WAI-SR with PHQ-9", certainty=certainty, is_positive=True) == said
