import polars as pl
import pytest

from assets.feeds.pulls.fhir_settings import Questionnaire
from tests.assets.feeds.pulls.fhir_flattened import UPDATED, at, flattened, lines, written
from tests.assets.feeds.pulls.fhir_resources import (
    GAD_7_CODES,
    answered,
    coded,
    loinc_answer,
    phq_9,
    reference,
    total,
)


def counts(rows):
    return {int(row["item_number"]): row["value"] for row in rows}


def test_a_response_has_a_row_an_item_and_none_for_its_total_or_its_words(tmp_path):
    rows = flattened(phq_9(), folder=tmp_path)
    assert counts(rows) == dict(enumerate("012301231", start=1))
    assert rows[0] == {
        "id": "q1",
        "updated": UPDATED,
        "status": "completed",
        "questionnaire": "http://loinc.org/q/44249-1",
        "instrument": "PHQ-9",
        "client": "p1",
        "author": "p1",
        "rater": "client",
        "authored": "2026-03-02",
        "encounter": "e1",
        "link_id": "44250-9",
        "item_number": "1",
        "value": "0",
    }


def test_items_are_found_however_deep_they_are_nested_and_whoever_groups_them(tmp_path):
    links = [f"i{number}" for number in range(1, 10)]
    nested = [
        answered("intro", {"valueBoolean": True, "item": None}),
        {
            "linkId": "group",
            "item": [{"linkId": "part", "item": [answered(link, {"valueInteger": 1}) for link in links[:4]]}],
        },
        answered("yes", {"valueBoolean": True, "item": [answered(link, {"valueInteger": 2}) for link in links[4:]]}),
    ]
    own = Questionnaire(url="https://clinic.example/Questionnaire/mood", instrument="PHQ-9", items=tuple(links))
    response = phq_9(items=nested, questionnaire="https://clinic.example/Questionnaire/mood|3")
    assert counts(flattened(response, folder=tmp_path, questionnaires=(own,))) == dict(enumerate("111122222", start=1))


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ([{"valueInteger": 3}], "3"),
        ([{"valueDecimal": 2.5}], "2.5"),
        ([{"valueQuantity": {"value": 2}}], "2"),
        ([{"valueString": "2"}], "2"),
        ([{"valueCoding": {"code": "2"}}], "2"),
        ([{"valueCoding": {"code": "often"}}], "3"),
        (
            [
                {
                    "valueCoding": {
                        "code": "x",
                        "extension": [
                            {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 1}
                        ],
                    }
                }
            ],
            "1",
        ),
        (
            [
                {
                    "valueCoding": {
                        "code": "x",
                        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 1}],
                    }
                }
            ],
            "1",
        ),
        ([{"valueCoding": {"code": "x", "extension": [{"url": "https://elsewhere.example", "valueDecimal": 1}]}}], "?"),
        ([{"valueString": "I wept"}], "?"),
        ([{"valueCoding": {"display": "Not at all"}}], "?"),
        ([loinc_answer(2), {"valueInteger": 2}], "2"),
        ([loinc_answer(1), loinc_answer(2)], "?"),
        ([], None),
        (None, None),
    ],
)
def test_an_answer_counts_what_its_number_its_code_or_its_ordinal_says(tmp_path, answers, value):
    own = Questionnaire(url="http://loinc.org/q/44249-1", instrument="PHQ-9", answers={"often": 3})
    item = {"linkId": "/44250-9"} | ({} if answers is None else {"answer": answers})
    rows = flattened(phq_9(items=[item]), folder=tmp_path, questionnaires=(own,))
    assert counts(rows) == {1: value} | dict.fromkeys(range(2, 10))


def test_an_item_that_is_answered_twice_over_in_two_ways_is_unreadable(tmp_path):
    items = [answered("/44250-9", loinc_answer(1)), {"linkId": "g", "item": [answered("/44250-9", loinc_answer(2))]}]
    assert counts(flattened(phq_9(items=items), folder=tmp_path))[1] == "?"


def test_a_questionnaire_of_two_measures_gives_a_form_of_each(tmp_path):
    both = [answered(code, loinc_answer(1)) for code in (*GAD_7_CODES, "44250-9")]
    rows = flattened(phq_9(items=both, questionnaire="Questionnaire/69729-2"), folder=tmp_path)
    told = {name: [row["value"] for row in rows if row["instrument"] == name] for name in ("GAD-7", "PHQ-9")}
    assert told["GAD-7"] == ["1"] * 7
    assert sorted(told["PHQ-9"], key=str) == ["1"] + [None] * 8


@pytest.mark.parametrize(
    "response",
    [
        phq_9(questionnaire="http://loinc.org/q/55757-9"),
        phq_9(questionnaire=None),
        phq_9(items=[answered("14363", loinc_answer(1))]),
    ],
)
def test_a_form_that_is_not_known_gives_no_row(tmp_path, response):
    assert flattened(response, folder=tmp_path) == []


def test_a_form_entered_in_error_stands_empty(tmp_path):
    assert counts(flattened(phq_9(status="entered-in-error"), folder=tmp_path)) == dict.fromkeys(range(1, 10))
    assert counts(flattened(phq_9(status="entered-in-error", item=[]), folder=tmp_path)) == dict.fromkeys(range(1, 10))


@pytest.mark.parametrize(
    ("author", "source", "rater"),
    [
        ("Patient/p1", None, "client"),
        ("Practitioner/d1", None, "clinician"),
        ("Practitioner/d1", "Patient/p1", "client"),
        ("Device/x", None, None),
    ],
)
def test_who_answered_is_the_rater(tmp_path, author, source, rater):
    more = {} if source is None else {"source": reference(source)}
    assert {row["rater"] for row in flattened(phq_9(author=reference(author), **more), folder=tmp_path)} == {rater}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"valueQuantity": {"value": 12}}, "12"),
        ({"valueInteger": 7}, "7"),
        ({"valueString": "14"}, "14"),
        ({"valueString": "wept"}, "?"),
        ({"valueCodeableConcept": coded("LA6571-9")}, None),
        (
            {
                "component": [
                    {"code": coded("44260-8"), "valueInteger": 1},
                    {"code": coded("44261-6"), "valueInteger": 9},
                ]
            },
            "9",
        ),
    ],
)
@pytest.mark.parametrize("code", ["44261-6", "44249-1"])
def test_a_total_is_the_observations_own_value_or_its_components(tmp_path, code, value, told):
    (row,) = flattened(total(code=code, **value), folder=tmp_path)
    assert (row["instrument"], row["total"], row["client"], row["clinician"]) == ("PHQ-9", told, "p1", "d1")
    assert (row["effective"], row["encounter"]) == ("2026-03-03", "e1")


def test_totals_are_known_by_loinc_and_by_the_settings_and_others_are_left(tmp_path):
    given = [
        total("o1", code="70274-6"),
        total("o2", code="720433000"),
        total("o3", code="8302-2"),
        total("o4", code="44260-8"),
    ]
    rows = flattened(*given, folder=tmp_path, totals={"720433000": "PHQ-9"})
    assert [(row["id"], row["instrument"], row["code"]) for row in rows] == [
        ("o1", "GAD-7", "70274-6"),
        ("o2", "PHQ-9", "720433000"),
    ]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_total_that_was_taken_back_stands_empty(tmp_path, status):
    (row,) = flattened(total(status=status), folder=tmp_path)
    assert (row["status"], row["total"]) == (status, None)


def test_a_form_that_came_twice_stands_once_item_by_item(tmp_path):
    old = at("2026-03-01T10:00:00Z", phq_9())
    new = at("2026-03-01T11:00:00Z", phq_9(counts=(1,) * 9))
    written(tmp_path / "a", lines(new), lines(old), kind="QuestionnaireResponse")
    assert counts(pl.read_parquet(tmp_path / "a").to_dicts()) == dict.fromkeys(range(1, 10), "1")
