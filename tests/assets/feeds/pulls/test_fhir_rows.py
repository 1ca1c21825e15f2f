import json
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from assets.feeds.pulls.fhir_columns import COLUMNS, DELETED
from assets.feeds.pulls.fhir_forms import known_forms
from assets.feeds.pulls.fhir_rows import ResourceFile
from assets.feeds.pulls.fhir_settings import RESOURCES
from assets.feeds.pulls.source import PullFailedError
from tests.assets.feeds.pulls.fhir_flattened import UPDATED, at, flattened, lines, written
from tests.assets.feeds.pulls.fhir_resources import (
    NEVER_TO_LAND,
    appointment,
    coded,
    encounter,
    episode,
    phq_9,
    reference,
    total,
)

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
        file.add_deleted(lines({"resourceType": "Bundle", "type": "transaction", "entry": entries}), earlier=[])
    frame = pl.read_parquet(tmp_path / "a")
    assert sorted(frame.select("id", "status").rows()) == [("a1", "fulfilled"), ("a8", DELETED), ("a9", DELETED)]
    assert frame["client"].null_count() == 2


@pytest.mark.parametrize(
    ("given", "clinician"),
    [
        (["xPractitioner/d1", "Practitioner/d2"], "d2"),
        (["Practitioner/", "https://records.example.org/fhir/Practitioner/d2/_history/4"], "d2"),
        (["PractitionerRole/r1", "Practitioner/d2", "Practitioner/d3"], "d2"),
        (["#Practitioner", "PractitionerRole/r1"], "r1"),
        (["Practitioner/d,1", None, "Practitioner/ü"], None),
    ],
)
def test_the_first_reference_of_a_kind_is_found_behind_what_only_looks_like_one(tmp_path, given, clinician):
    taking_part = [{"actor": reference(each) if each else {}} for each in given]
    (row,) = flattened(appointment(participant=taking_part), folder=tmp_path)
    assert row["clinician"] == clinician


def test_what_was_deleted_comes_as_it_last_was_and_its_answers_are_taken_back(tmp_path):
    older, newer = tmp_path / "QuestionnaireResponse-1.parquet", tmp_path / "QuestionnaireResponse-2.parquet"
    written(older, lines(phq_9(), phq_9("q2")), kind="QuestionnaireResponse")
    written(newer, lines(phq_9(authored="2026-03-09")), kind="QuestionnaireResponse")
    entries = [{"request": {"method": "DELETE", "url": "QuestionnaireResponse/q1"}}]
    given = {"resource": "QuestionnaireResponse", "forms": known_forms((), totals={}), "zone": ZoneInfo("UTC")}
    with ResourceFile(tmp_path / "a", is_paged=False, **given) as file:
        # Told twice, as after a cut.
        for _ in range(2):
            file.add_deleted(lines({"resourceType": "Bundle", "entry": entries}), earlier=[older, newer])
    frame = pl.read_parquet(tmp_path / "a")
    assert frame["item_number"].sort().to_list() == [str(number) for number in range(1, 10)]
    assert frame.select("id", "status", "client", "authored", "value", "updated").unique().rows() == [
        ("q1", DELETED, "p1", "2026-03-09", None, None)
    ]


def test_what_is_there_again_is_not_deleted(tmp_path):
    entries = [{"request": {"method": "DELETE", "url": "Appointment/a1"}}]
    given = {"resource": "Appointment", "forms": known_forms((), totals={}), "zone": ZoneInfo("UTC")}
    with ResourceFile(tmp_path / "a", is_paged=False, **given) as file:
        file.add_lines(lines(at("2026-03-01T08:00:00Z", appointment())))
        file.add_deleted(lines({"resourceType": "Bundle", "entry": entries}), earlier=[])
    assert pl.read_parquet(tmp_path / "a")["status"].to_list() == ["fulfilled"]
