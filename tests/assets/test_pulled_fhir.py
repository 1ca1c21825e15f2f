"""What a FHIR server holds comes to accepted rows: attendance, episodes, forms and totals, and their corrections."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from joserfc.jwk import ECKey, KeySet

from assets.feeds.pulls.pulling import pull_everything
from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from tests.assets.feeds.pulls.fhir_resources import answered, appointment, coded, episode, phq_9, total
from tests.assets.feeds.pulls.fhir_server import fhir_server
from tests.assets.staging_harness import CODES, Clinic
from tests.system.night_runs import ROOT

CONFIG = (ROOT / "pipelines" / "examples" / "fhir.toml").read_text(encoding="utf-8")
URL = "https://records.clinic.example/fhir"
KEY = ECKey.generate_key("P-384")
OWN = ECKey.import_key({**KEY.as_dict(private=False), "kid": "rapport-2026"})


@pytest.fixture
def server():
    with fhir_server(part=2, keys=KeySet([OWN])) as server:
        server.put(appointment("a1"))
        server.put(appointment("a2", status="noshow", start="2026-07-09T10:00:00+02:00"))
        server.put(appointment("a3", status="cancelled", cancelationReason=coded("pat-cpp")))
        server.put(appointment("a4", status="booked", start="2027-03-02T10:00:00Z"))
        server.put(episode())
        server.put(episode("c2", client="p2", status="active", period={"start": "2026-03-01"}))
        server.put(phq_9())
        server.put(
            phq_9(
                "q2",
                questionnaire="https://records.clinic.example/Questionnaire/mood|2",
                items=[
                    {
                        "linkId": "group",
                        "item": [
                            {"linkId": f"m{number}", "answer": [{"valueCoding": {"code": "often"}}]}
                            for number in range(1, 9)
                        ],
                    },
                ],
            )
        )
        session = [answered(link, {"valueDecimal": 8.5}) for link in ("relationship", "goals", "approach", "overall")]
        server.put(phq_9("s1", questionnaire="https://records.clinic.example/Questionnaire/session", items=session))
        server.put(total("o1", code="720433000", client="p2"))
        yield server


@pytest.fixture
def clinic(tmp_path):
    return Clinic(tmp_path / "clinic")


def staged(server, clinic, *, now, way):
    """Tonight's pull, and what staging makes of all there is."""
    clinic.config = CONFIG.replace(URL, f"{server.url}/fhir").replace('way = "search"', f'way = "{way}"')
    environ, zone = {"RAPPORT_FHIR_KEY": json.dumps(KEY.as_dict(private=True))}, ZoneInfo("Europe/London")
    pull_everything(clinic.night().service.pulls, into=clinic.inbox / "pulled", environ=environ, zone=zone, now=now)
    return clinic.stage()


@pytest.mark.parametrize("way", ["search", "bulk"])
def test_appointments_episodes_forms_and_totals_are_accepted(server, clinic, way):
    found = staged(server, clinic, now=datetime.now(UTC), way=way)
    assert found.refusals == ()
    statuses = {name: found.row("attendance", appointment_id=name) for name in ("a1", "a2", "a3", "a4")}
    assert {name: row and row["status"] for name, row in statuses.items()} == {
        "a1": "attended",
        "a2": "did_not_attend",
        "a3": "cancelled_by_client",
        "a4": None,
    }
    assert statuses["a2"]["starts_at"] == datetime(2026, 7, 9, 8, tzinfo=UTC).replace(
        tzinfo=statuses["a2"]["starts_at"].tzinfo
    )
    assert statuses["a1"]["duration_minutes"] == 50
    ended, running = (found.row("episodes", episode_id=name) for name in ("c1", "c2"))
    assert (ended["referred_on"], ended["ended_on"], ended["end_reason"]) == (
        date(2026, 2, 1),
        date(2026, 6, 1),
        "planned",
    )
    assert (running["started_on"], running["ended_on"], running["end_reason"]) == (date(2026, 3, 1), None, None)
    assert found.row("outcomes", rating_id="q1")["items"] == [0, 1, 2, 3, 0, 1, 2, 3, 1]
    assert found.row("outcomes", rating_id="q2")["items"] == [3] * 8 + [None]
    assert (found.row("outcomes", rating_id="o1")["total"], found.row("outcomes", rating_id="o1")["instrument"]) == (
        12,
        "PHQ-9",
    )
    assert found.row("alliance", rating_id="s1")["items"] == [8.5] * 4
    assert found.row("outcomes", rating_id="q1")["client_id"] == CODES.code("client_id", "p1")


@pytest.mark.parametrize("way", ["search", "bulk"])
def test_a_later_version_takes_back_what_an_earlier_one_said(server, clinic, way):
    now = datetime.now(UTC)
    staged(server, clinic, now=now, way=way)
    server.put(appointment("a1", status="entered-in-error"))
    server.put(phq_9(status="entered-in-error"))
    server.put(phq_9("q2", status="amended", counts=(1,) * 9))
    found = staged(server, clinic, now=now + timedelta(days=1), way=way)
    assert found.row("attendance", appointment_id="a1")["status"] == "cancelled_by_clinic"
    assert found.row("outcomes", rating_id="q1")["items"] == [None] * 9
    assert found.row("outcomes", rating_id="q2")["items"] == [1] * 9


def test_what_an_export_tells_was_deleted_counts_no_more(server, clinic):
    now = datetime.now(UTC)
    staged(server, clinic, now=now, way="bulk")
    for kind, name in (("Appointment", "a1"), ("QuestionnaireResponse", "q1"), ("Observation", "o1")):
        server.remove(kind, name)
    found = staged(server, clinic, now=now + timedelta(days=1), way="bulk")
    assert found.refusals == ()
    assert found.row("attendance", appointment_id="a1")["status"] == "cancelled_by_clinic"
    assert found.row("outcomes", rating_id="q1")["items"] == [None] * 9
    assert found.row("outcomes", rating_id="o1")["total"] is None
    assert found.row("outcomes", rating_id="q2")["items"] == [3] * 8 + [None]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            'instrument = "PHQ-9"\nitems',
            'instrument = "PHQ-99"\nitems',
            "pulls.ehr.questionnaires.0.instrument: no instrument is known as this",
        ),
        ('"720433000" = "PHQ-9"', '"720433000" = "mood"', "pulls.ehr.totals.720433000: no instrument is known as this"),
        ('"m8", "m9"]', '"m8"]', "pulls.ehr.questionnaires.0.items: lists 8 items and PHQ-9 has 9"),
        (
            '"m8", "m9"]',
            '"m8", "m8"]',
            "pulls.ehr.questionnaires.0: this setting can't be used; an item is listed twice",
        ),
        (
            'instrument = "PHQ-9"\nitems = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"]',
            'instrument = "PCL-5"',
            "pulls.ehr.questionnaires.0.items: is missing, and LOINC's codes",
        ),
        (
            'key_variable = "RAPPORT_FHIR_KEY"',
            "",
            "pulls.ehr.sign_in: this setting can't be used; backend services need key_file or key_variable",
        ),
        (
            'client_id = "rapport"\n',
            "",
            "pulls.ehr.sign_in: this setting can't be used; backend services need client_id",
        ),
        ('kind = "fhir"', 'kind = "fhir"\ngroup = "g"', "pulls.ehr: this setting can't be used; a group goes with"),
        (
            '"Appointment", "EpisodeOfCare"',
            '"Appointment", "Patient"',
            "pulls.ehr.resources.1: this setting can't be used",
        ),
        (
            URL,
            "http://records.example",
            "pulls.ehr.url: this setting can't be used; write an address that begins with https://",
        ),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(tmp_path, before, after, line):
    assert before in CONFIG
    file = tmp_path / "clinic.toml"
    file.write_text(CONFIG.replace(before, after))
    with pytest.raises(WrongInput) as wrong:
        read_service(file)
    assert str(wrong.value).startswith(line)
    assert "\n" not in str(wrong.value)
