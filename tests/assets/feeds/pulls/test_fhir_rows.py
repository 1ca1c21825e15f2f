import json
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from assets.feeds.pulls.fhir_columns import COLUMNS, DELETED
from assets.feeds.pulls.fhir_forms import known_forms
from assets.feeds.pulls.fhir_rows import ResourceFile
from assets.feeds.pulls.fhir_settings import RESOURCES, Questionnaire
from assets.feeds.pulls.source import PullFailedError
from tests.assets.feeds.pulls.fhir_resources import (
    GAD_7_CODES,
    NEVER_TO_LAND,
    answered,
    appointment,
    coded,
    encounter,
    episode,
    loinc_answer,
    phq_9,
    reference,
    total,
)

OWN = {"meta": {"versionId": "1", "lastUpdated": "2026-03-03T01:02:03.004Z"}}
UPDATED = "2026-03-03T01:02:03.004000Z"


def flattened(*resources, folder, zone="Europe/London", questionnaires=(), totals=None, kind=None, is_paged=False):
    """The rows of some resources of one kind."""
    kind = kind or resources[0]["resourceType"]
    given = {"resource": kind, "forms": known_forms(questionnaires, totals=totals or {}), "zone": ZoneInfo(zone)}
    told = [OWN | each for each in resources]
    with ResourceFile(folder / "rows.parquet", is_paged=is_paged, **given) as file:
        if is_paged:
            entries = [{"fullUrl": "x", "resource": each, "search": {"mode": "match"}} for each in told]
            file.add_page(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
        else:
            file.add_lines(lines(*told))
    frame = pl.read_parquet(folder / "rows.parquet").sort(pl.all())
    assert frame.columns == [column.name for column in COLUMNS[kind]]
    assert set(frame.dtypes) == {pl.String}
    return frame.to_dicts()


def lines(*resources):
    return "".join(json.dumps(each) + "\n" for each in resources).encode()


ONE_OF_EACH = [appointment(), encounter(), episode(), phq_9(), total()]


@pytest.mark.parametrize("resource", ONE_OF_EACH, ids=lambda each: each["resourceType"])
def test_pages_give_the_rows_that_lines_give(tmp_path, resource):
    another = resource | {"id": "another"}
    rows = flattened(resource, another, folder=tmp_path)
    assert {row["id"] for row in rows} == {resource["id"], "another"}
    assert flattened(resource, another, folder=tmp_path, is_paged=True) == rows


def test_an_appointment_keeps_who_when_and_what_became_of_it(tmp_path):
    (row,) = flattened(appointment(), folder=tmp_path)
    assert row == {
        "id": "a1",
        "updated": UPDATED,
        "status": "fulfilled",
        "start": "2026-03-02 10:00:00",
        "end": "2026-03-02 10:50:00",
        "minutes": "50",
        "client": "p1",
        "clients": "p1",
        "clinician": "d1",
        "location": "1",
        "service": "52",
        "type": "FOLLOWUP",
        "class": None,
        "appointment": "a1",
        "episode": None,
        "outcome": "fulfilled",
    }


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("pat", "cancelled pat"),
        ("pat-cpp", "cancelled pat"),
        ("prov-pers", "cancelled prov"),
        ("maint", "cancelled maint"),
    ],
)
@pytest.mark.parametrize("key", ["cancelationReason", "cancellationReason"])
def test_who_cancelled_is_the_first_part_of_the_reason(tmp_path, key, code, outcome):
    (row,) = flattened(appointment(status="cancelled", **{key: coded(code)}), folder=tmp_path)
    assert (row["status"], row["outcome"]) == ("cancelled", outcome)


def test_an_appointment_of_a_couple_names_both_whoever_comes_first(tmp_path):
    couple = [{"actor": reference(f"Patient/{name}")} for name in ("p2", "p1", "p2")]
    (row,) = flattened(appointment(participant=couple), folder=tmp_path)
    assert (row["client"], row["clients"], row["clinician"]) == ("p2", "p1 p2", None)


@pytest.mark.parametrize(
    ("given", "client"),
    [
        ("https://records.example.org/fhir/Patient/p-1.x", "p-1.x"),
        ("Patient/p1/_history/3", "p1"),
        ("#p1", None),
        ("urn:uuid:2e1d", None),
        ("RelatedPerson/p1", None),
        ("Patient/", None),
    ],
)
def test_a_reference_is_read_in_any_of_its_forms_and_one_within_the_resource_is_none(tmp_path, given, client):
    (row,) = flattened(encounter(subject=reference(given)), folder=tmp_path)
    assert row["client"] == client
    (row,) = flattened(appointment(participant=[{"actor": reference(given)}]), folder=tmp_path)
    assert row["client"] == client


def test_a_clinician_of_a_role_is_taken_where_there_is_none_by_name(tmp_path):
    role, person = ({"individual": reference(f"{kind}/d9")} for kind in ("PractitionerRole", "Practitioner"))
    assert flattened(encounter(participant=[role]), folder=tmp_path)[0]["clinician"] == "d9"
    person["individual"]["reference"] = "Practitioner/d7"
    assert flattened(encounter(participant=[role, person]), folder=tmp_path)[0]["clinician"] == "d7"


def test_an_encounter_has_the_same_columns_as_an_appointment_and_moments_in_the_clinics_zone(tmp_path):
    (row,) = flattened(encounter(), folder=tmp_path, zone="Europe/Berlin")
    assert row == {
        "id": "e1",
        "updated": UPDATED,
        "status": "finished",
        "start": "2026-07-02 11:00:00",
        "end": "2026-07-02 11:50:00",
        "minutes": "50",
        "client": "p1",
        "clients": "p1",
        "clinician": "d1",
        "location": "1",
        "service": None,
        "type": "185349003",
        "class": "VR",
        "appointment": "a1",
        "episode": "c1",
        "outcome": "finished",
    }
    assert [column.name for column in COLUMNS["Encounter"]] == [column.name for column in COLUMNS["Appointment"]]


def test_an_episode_keeps_its_days_and_how_it_ended(tmp_path):
    ended, running = flattened(
        episode(),
        episode("c2", status="active", period={"start": "2026-02-20T23:30:00Z"}),
        folder=tmp_path,
        zone="Europe/Berlin",
    )
    assert ended == {
        "id": "c1",
        "updated": UPDATED,
        "status": "finished",
        "client": "p1",
        "clinician": "d1",
        "programme": "hacc",
        "team": None,
        "organisation": "o1",
        "referred": "2026-02-01",
        "started": "2026-02-20",
        "ended": "2026-06-01",
        "ended_as": "finished",
    }
    assert (running["started"], running["ended"], running["ended_as"]) == ("2026-02-21", None, None)


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


@pytest.mark.parametrize("resource", ONE_OF_EACH, ids=lambda each: each["resourceType"])
def test_nothing_that_names_or_tells_of_a_person_lands(tmp_path, resource):
    rows = flattened(resource, folder=tmp_path)
    text = json.dumps(rows)
    assert rows
    assert [word for word in NEVER_TO_LAND if word in text] == []
    landed = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [word for word in NEVER_TO_LAND if word.encode() in landed] == []


@pytest.mark.parametrize("kind", RESOURCES)
def test_a_file_without_resources_has_its_columns(tmp_path, kind):
    assert flattened(folder=tmp_path, kind=kind) == []


def test_shapes_that_are_not_fhirs_are_as_if_they_were_not_there(tmp_path):
    odd = appointment() | {"start": 5}
    odd |= {
        "participant": {"actor": "Patient/p1"},
        "end": ["x"],
        "serviceType": "x",
        "appointmentType": [1],
        "status": {"a": 1},
    }
    (row,) = flattened(odd, folder=tmp_path)
    assert (row["client"], row["service"], row["type"], row["minutes"]) == (None, None, None, None)
    assert row["start"] == "?"
    assert flattened(phq_9(item={"linkId": "/44250-9"}), folder=tmp_path) == []
    assert len(flattened({"resourceType": "Appointment", "id": "bare"}, folder=tmp_path)) == 1


def written(path, *parts, kind="Appointment"):
    with ResourceFile(
        path, resource=kind, is_paged=False, forms=known_forms((), totals={}), zone=ZoneInfo("UTC")
    ) as file:
        for part in parts:
            file.add_lines(part)
    return file


def at(moment, resource):
    return resource | {"meta": {"lastUpdated": moment}}


def test_what_came_twice_stands_once_in_its_newest_version_whichever_came_first(tmp_path):
    old, new = at("2026-03-01T10:00:00+01:00", appointment()), at("2026-03-01T09:30:00Z", appointment(status="noshow"))
    other = at("2026-03-01T08:00:00Z", appointment("a2"))
    for order in ([old, new, other, new], [new, other, old], [new, new, other]):
        file = written(tmp_path / "a", *(lines(each) for each in order))
        frame = pl.read_parquet(tmp_path / "a").sort("id")
        assert (file.rows, frame["id"].to_list(), frame["status"].to_list()) == (
            2,
            ["a1", "a2"],
            ["noshow", "fulfilled"],
        )
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_form_that_came_twice_stands_once_item_by_item(tmp_path):
    old = at("2026-03-01T10:00:00Z", phq_9())
    new = at("2026-03-01T11:00:00Z", phq_9(counts=(1,) * 9))
    written(tmp_path / "a", lines(new), lines(old), kind="QuestionnaireResponse")
    assert counts(pl.read_parquet(tmp_path / "a").to_dicts()) == dict.fromkeys(range(1, 10), "1")


@pytest.mark.parametrize("text", [b"{", b'{"resourceType": "Appoint', b"\xff\xfe\n", b'{"a": "\xff"}\n'])
def test_what_is_no_json_has_failed_without_a_word_of_it(tmp_path, text):
    with pytest.raises(PullFailedError, match=r"^the system's answer is not JSON$") as failed:
        written(tmp_path / "a", lines(appointment()), text)
    assert failed.value.__cause__ is None


def test_deleted_resources_are_told_by_their_id_alone(tmp_path):
    entries = [
        {"request": {"method": "DELETE", "url": url}} for url in ("Appointment/a9", "Patient/p1", "Appointment/a8")
    ]
    given = {"resource": "Appointment", "forms": known_forms((), totals={}), "zone": ZoneInfo("UTC")}
    with ResourceFile(tmp_path / "a", is_paged=False, **given) as file:
        file.add_lines(lines(appointment()))
        file.add_deleted(lines({"resourceType": "Bundle", "type": "transaction", "entry": entries}))
    frame = pl.read_parquet(tmp_path / "a")
    assert sorted(frame.select("id", "status").rows()) == [("a1", "fulfilled"), ("a8", DELETED), ("a9", DELETED)]
    assert frame["client"].null_count() == 2
