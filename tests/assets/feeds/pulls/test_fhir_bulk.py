import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from joserfc.jwk import ECKey, KeySet

from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.fhir_pulls import NOW, held_by, hold_appointments, pulled, versions
from tests.assets.feeds.pulls.fhir_resources import NEVER_TO_LAND, appointment, encounter, phq_9
from tests.assets.feeds.pulls.fhir_server import Said, as_json, fhir_server, outcome

KEY = ECKey.generate_key("P-384", parameters={"kid": "ours"})
# Files of ten: three full ones and a short one.
RESOURCES, PART, FILES = 35, 10, 4


@pytest.fixture
def server():
    with fhir_server(part=PART) as server:
        hold_appointments(server, RESOURCES)
        yield server


def exported(server, folder, **words):
    return pulled(server, folder, way="bulk", **words)


def paths(server, method="GET"):
    return [urlsplit(question.path).path for question in server.asked if question.method == method]


def is_file(question):
    """Whether a file of an export was asked for, and not how far it is."""
    return question.path.startswith("/fhir/jobs/") and "." in question.path


def test_every_file_of_an_export_is_read_and_the_server_may_throw_it_away(server, tmp_path):
    server.pending = 2
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    (begun, *polls) = [path for path in paths(server) if "." not in path]
    assert begun == "/fhir/$export"
    assert len(polls) == 3
    assert len([question for question in server.asked if is_file(question)]) == FILES
    assert len(server.thrown_away) == 1


def test_one_export_serves_every_kind_and_a_group_may_be_exported_alone(server, tmp_path):
    server.put(encounter())
    server.put(phq_9())
    kinds = ("Appointment", "Encounter", "QuestionnaireResponse")
    frames = exported(server, tmp_path, resources=kinds, group="g-1", only={"Encounter": {"class": "VR"}})
    assert [frame.height for frame in frames.values()] == [RESOURCES, 1, 9]
    (begun,) = [question for question in server.asked if "$export" in question.path]
    assert begun.path.startswith("/fhir/Group/g-1/$export?")
    assert begun.headers["prefer"] == "respond-async"
    asked = parse_qs(urlsplit(begun.path).query)
    assert asked == {
        "_type": [",".join(kinds)],
        "_outputFormat": ["application/fhir+ndjson"],
        "_typeFilter": ["Encounter?class=VR"],
    }
    every = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [word for word in NEVER_TO_LAND if word.encode() in every] == []


def test_the_next_night_asks_for_what_changed_since_and_learns_what_was_deleted(server, tmp_path):
    (first,) = exported(server, tmp_path).values()
    server.put(appointment("a003", status="noshow"))
    server.remove("Appointment", "a007")
    server.asked.clear()
    (second,) = exported(server, tmp_path, now=NOW + timedelta(days=1)).values()
    assert sorted(second.select("id", "status").rows()) == [("a003", "noshow"), ("a007", "deleted")]
    (begun,) = [question for question in server.asked if "$export" in question.path]
    (moment,) = parse_qs(urlsplit(begun.path).query)["_since"]
    assert datetime.now(UTC) - datetime.fromisoformat(moment) > timedelta(minutes=59)
    known = pl.concat([first, second.filter(pl.col("status") != "deleted")]).sort("updated").unique("id", keep="last")
    assert {**held_by(server)} == {name: moment for name, moment in versions([known]).items() if name != "a007"}


def test_a_kind_that_is_new_in_the_settings_makes_the_export_one_of_everything(server, tmp_path):
    exported(server, tmp_path)
    server.asked.clear()
    server.put(encounter(), at=datetime.now(UTC) - timedelta(days=30))
    frames = exported(server, tmp_path, now=NOW + timedelta(days=1), resources=("Appointment", "Encounter"))
    assert [frame.height for frame in frames.values()] == [RESOURCES, 1]
    assert not any("_since" in question.path for question in server.asked)


@pytest.mark.parametrize("bytes_kept", [0, 1, 3000])
@pytest.mark.parametrize("at", range(1, FILES + 3))
def test_a_connection_cut_in_any_answer_loses_and_doubles_nothing(server, tmp_path, at, bytes_kept):
    def cut(_, number, said):
        return (
            Said(**vars(said) | {"cut_after": min(bytes_kept, len(said.body) - 1)})
            if number == at and said.body
            else said
        )

    server.fault = cut
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    assert len([question for question in server.asked if "$export" in question.path]) == 1


@pytest.mark.parametrize("lines_kept", [0, 1, 9])
def test_a_file_that_ends_well_with_too_few_lines_is_fetched_again(server, tmp_path, lines_kept):
    def shorter(question, number, said):
        if number != 4:
            return said
        return Said(body=b"".join(said.body.splitlines(keepends=True)[:lines_kept]))

    server.fault = shorter
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)


@pytest.mark.parametrize("status", [429, 503, 500])
@pytest.mark.parametrize("at", range(1, FILES + 3))
def test_a_busy_server_is_asked_again_whatever_it_was_asked(server, tmp_path, at, status):
    server.fault = lambda _, number, said: Said(status=status, headers={"Retry-After": "0"}) if number == at else said
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("at", range(3, FILES + 3))
def test_an_export_that_was_thrown_away_is_asked_for_again(server, tmp_path, at, status):
    server.fault = lambda _, number, said: as_json(status, outcome("not-found")) if number == at else said
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    assert len([question for question in server.asked if "$export" in question.path]) == 2


def with_errors(server, *lines, **more):
    """An export that also has a file of errors."""

    def told(manifest):
        return manifest | {"error": [{"type": "OperationOutcome", "url": f"{server.url}/fhir/jobs/errors"}]} | more

    server.manifest = told
    body = "\n".join(json.dumps(line) for line in lines).encode()
    server.fault = lambda question, _, said: Said(body=body) if question.path.endswith("/errors") else said


def test_what_could_not_be_exported_stops_the_pull_unless_it_may_be_lacking(server, tmp_path):
    with_errors(
        server, outcome("exception"), outcome("informational", severity="information"), outcome("x", severity="fatal")
    )
    with pytest.raises(
        WrongInput, match=r"^pulls\.ehr: the server could not export everything; it tells of 2 errors"
    ) as wrong:
        exported(server, tmp_path)
    assert "Baxter" not in str(wrong.value)
    (frame,) = exported(server, tmp_path, may_lack=True).values()
    assert versions([frame]) == held_by(server)


def test_what_an_export_merely_remarks_stops_nothing(server, tmp_path):
    with_errors(server, outcome("informational", severity="warning"))
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)


def test_files_are_fetched_with_our_token_where_the_server_wants_it(tmp_path):
    with fhir_server(part=PART, keys=KeySet([ECKey.import_key(KEY.as_dict(private=False))])) as server:
        hold_appointments(server, RESOURCES)
        server.fault = lambda _, number, said: server.tokens.clear() or said if number == 3 else said
        sign_in = {"kind": "backend_services", "client_id": "rapport", "key_variable": "KEY"}
        secrets_by_key = {"sign_in.key_variable": json.dumps(KEY.as_dict(private=True))}
        (frame,) = exported(server, tmp_path, sign_in=sign_in, secrets_by_key=secrets_by_key).values()
        assert versions([frame]) == held_by(server)
        assert server.refusals == []


def elsewhere(server, store, *, needs_token):
    """An export whose files lie in a store at another address, which takes no tokens."""

    def told(manifest):
        output = [
            each | {"url": each["url"].replace(f"{server.url}/fhir", f"{store.url}/open")}
            for each in manifest["output"]
        ]
        store.jobs |= server.jobs
        return manifest | {"output": output, "requiresAccessToken": needs_token}

    server.manifest = told


def test_files_at_another_address_are_fetched_without_a_token_and_only_where_the_settings_name_it(server, tmp_path):
    with fhir_server(keys=KeySet([])) as store:
        elsewhere(server, store, needs_token=False)
        with pytest.raises(WrongInput, match=r"^pulls\.ehr\.url: the server sends us on to another address"):
            exported(server, tmp_path)
        assert store.asked == []
        (frame,) = exported(server, tmp_path, file_addresses=(store.url,)).values()
        assert versions([frame]) == held_by(server)
        assert not any("authorization" in question.headers for question in store.asked)


def test_a_token_never_goes_to_another_address(server, tmp_path):
    with fhir_server() as store:
        elsewhere(server, store, needs_token=True)
        with pytest.raises(WrongInput, match="sends us on to another address"):
            exported(server, tmp_path, file_addresses=(store.url,))
        assert store.asked == []


@pytest.mark.parametrize("answer", [Said(status=200, body=b"{}"), Said(status=202)])
def test_a_server_that_does_not_export_says_what_to_do_instead(server, tmp_path, answer):
    server.fault = lambda *_: answer
    with pytest.raises(WrongInput, match=r'^pulls\.ehr\.way: the server does not export; write way = "search"'):
        exported(server, tmp_path)


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {},
        {"transactionTime": "yesterday"},
        {"output": {}},
        {"output": [{"url": "x"}]},
        {"output": [5]},
        {"requiresAccessToken": None},
    ],
)
def test_a_list_of_files_that_is_none_ends_in_one_line(server, tmp_path, manifest):
    lacking = isinstance(manifest, dict) and "requiresAccessToken" in manifest
    server.manifest = lambda told: (
        {key: value for key, value in told.items() if key != "requiresAccessToken"}
        if lacking
        else told | manifest
        if manifest
        else manifest
    )
    with pytest.raises(WrongInput, match="list of exported files can't be read"):
        exported(server, tmp_path)


def test_an_export_that_is_never_ready_ends_in_one_line(server, tmp_path, monkeypatch):
    server.pending = 1_000_000
    moments = iter(range(0, 1_000_000, 3600))
    monkeypatch.setattr("assets.feeds.pulls.fhir_bulk.time.monotonic", lambda: next(moments))
    with pytest.raises(
        WrongInput, match=r"^pulls\.ehr\.export_hours: the server did not prepare its export in 12 hours"
    ):
        exported(server, tmp_path)


def test_a_file_with_a_line_that_is_no_json_is_fetched_again_with_all_the_others(server, tmp_path):
    spoilt = []

    def spoils(question, _, said):
        # Only the first time, and in the first file, whose lines are read long after they came.
        if "." not in question.path or spoilt:
            return said
        spoilt.append(question.path)
        return Said(body=said.body.replace(b'"id"', b'"id', 1))

    server.fault = spoils
    (frame,) = exported(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    assert len([question for question in server.asked if is_file(question)]) == 2 * FILES
