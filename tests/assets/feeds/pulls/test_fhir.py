import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from assets.feeds.pulls.patience import TRIES
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.fhir_pulls import A_WEEK_AGO, NOW, held_by, hold_appointments, pulled, versions
from tests.assets.feeds.pulls.fhir_resources import NEVER_TO_LAND, appointment, phq_9, total
from tests.assets.feeds.pulls.fhir_server import as_json, fhir_server, outcome
from tests.assets.feeds.pulls.http_server import Said

PAGES = 4
# Three full pages and a short one, then what changed since the search began, which is nothing.
RESOURCES = 35


@pytest.fixture(params=["offset", "cursor"])
def server(request):
    with fhir_server(paging=request.param) as server:
        hold_appointments(server, RESOURCES)
        yield server


def queries(server):
    return [parse_qs(urlsplit(question.path).query) for question in server.asked]


def test_every_page_is_read_and_every_resource_stands_once(server, tmp_path):
    (frame,) = pulled(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    assert len(server.asked) == PAGES + 1
    assert queries(server)[0] == {"_count": ["10"], "_sort": ["-_lastUpdated"]}


def test_the_next_night_asks_only_for_what_changed_since_this_one_began_and_for_the_overlap(server, tmp_path):
    pulled(server, tmp_path)
    server.put(appointment("a003", status="noshow"))
    server.put(appointment("new"))
    server.put(appointment("late"), at=datetime.now(UTC) - timedelta(minutes=59))
    server.put(appointment("too-late"), at=datetime.now(UTC) - timedelta(minutes=62))
    server.asked.clear()
    ((name, frame),) = pulled(server, tmp_path, now=NOW + timedelta(days=1)).items()
    assert name == "Appointment-20261121T023000.parquet"
    assert dict(frame.select("id", "status").rows()) == {"a003": "noshow", "new": "fulfilled", "late": "fulfilled"}
    assert queries(server)[0]["_lastUpdated"][0].startswith("ge")


def test_a_night_with_nothing_new_keeps_no_file(server, tmp_path):
    pulled(server, tmp_path)
    assert pulled(server, tmp_path, now=NOW + timedelta(days=1)) == {}


@pytest.mark.parametrize("bytes_kept", [0, 1, 700])
@pytest.mark.parametrize("at", range(1, PAGES + 2))
def test_a_connection_cut_in_any_page_loses_and_doubles_nothing(server, tmp_path, at, bytes_kept):
    def cut(_, number, said):
        return Said(**vars(said) | {"cut_after": min(bytes_kept, len(said.body) - 1)}) if number == at else said

    server.fault = cut
    (frame,) = pulled(server, tmp_path).values()
    assert versions([frame]) == held_by(server)
    assert len(server.asked) == PAGES + 2


@pytest.mark.parametrize("at", range(1, PAGES + 2))
def test_what_changes_while_pages_are_read_is_neither_lost_nor_doubled(server, tmp_path, at):
    def changes(_, number, said):
        if number == at:
            for name in ("a034", "a020", "a011", "a003", "a000", "new"):
                server.put(appointment(name, status="noshow"))
        return said

    server.fault = changes
    (tonight,) = pulled(server, tmp_path).values()
    told = versions([tonight])
    assert set(told) >= set(held_by(server)) - {"new"}
    if at <= PAGES:
        assert told == held_by(server)
    # What changed after the last page was made comes with the next night.
    server.fault = None
    later = pulled(server, tmp_path, now=NOW + timedelta(days=1))
    newest = pl.concat([tonight, *later.values()]).sort("updated").unique("id", keep="last")
    assert versions([newest]) == held_by(server)


@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("at", range(1, PAGES))
def test_what_slips_when_something_is_deleted_between_pages_is_noticed_and_read_after_all(tmp_path, sorts, at):
    with fhir_server() as server:
        hold_appointments(server, RESOURCES)

        def slips(_, number, said):
            if number == at:
                server.remove("Appointment", "a034" if sorts else "a000")
            return said

        server.fault = slips
        (frame,) = pulled(server, tmp_path, sorts=sorts).values()
        assert set(versions([frame])) >= set(held_by(server))


@pytest.mark.parametrize("status", [410, 404])
@pytest.mark.parametrize("at", range(2, PAGES + 1))
def test_a_search_whose_pages_are_gone_is_taken_up_at_the_oldest_seen(tmp_path, at, status):
    with fhir_server(paging="cursor") as server:
        hold_appointments(server, RESOURCES)

        def forget(_, number, said):
            return as_json(status, outcome("not-found")) if number == at else said

        server.fault = forget
        (frame,) = pulled(server, tmp_path).values()
        assert versions([frame]) == held_by(server)
        (taken_up,) = [
            query for query in queries(server) if any(bound.startswith("le") for bound in query.get("_lastUpdated", ()))
        ]
        assert len(taken_up["_lastUpdated"]) == 1
        # The oldest seen comes again, and what is older; no page is read from the beginning.
        assert len(server.asked) <= PAGES + 3


def test_a_search_without_order_whose_pages_are_gone_begins_again_and_doubles_nothing(tmp_path):
    with fhir_server(paging="cursor") as server:
        hold_appointments(server, RESOURCES)
        server.fault = lambda _, number, said: as_json(410, outcome("not-found")) if number == 3 else said
        (frame,) = pulled(server, tmp_path, sorts=False).values()
        assert versions([frame]) == held_by(server)


def test_pages_that_are_always_gone_end_in_one_line(tmp_path):
    with fhir_server(paging="cursor") as server:
        hold_appointments(server, RESOURCES)
        server.fault = lambda question, _, said: (
            as_json(410, outcome("not-found")) if "cursor" in question.path else said
        )
        with pytest.raises(
            WrongInput, match=r"^pulls\.ehr: the server's pages end before they are read, asked 4 times"
        ):
            pulled(server, tmp_path, page=3)
        assert list(tmp_path.rglob("Appointment*.parquet")) == []


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_is_asked_again_as_late_as_it_wishes(server, tmp_path, status):
    def busy(_, number, said):
        return Said(status=status, headers={"Retry-After": "0"}) if number in {2, 3} else said

    server.fault = busy
    (frame,) = pulled(server, tmp_path).values()
    assert versions([frame]) == held_by(server)


def test_a_server_that_is_never_ready_ends_in_one_line(server, tmp_path):
    server.fault = lambda *_: as_json(503, outcome("transient"))
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: the system can't answer now \(503\), asked 4 times"):
        pulled(server, tmp_path)
    assert len(server.asked) == TRIES


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/fhir?page=2",
        "//elsewhere.example/fhir?page=2",
        "http://127.0.0.1:9/fhir",
        "https://127.0.0.1/fhir",
    ],
)
def test_a_next_page_at_another_address_is_never_asked_for(server, tmp_path, link):
    def astray(_, number, said):
        page = json.loads(said.body)
        page["link"] = [{"relation": "next", "url": link}]
        return as_json(200, page)

    server.fault = astray
    with pytest.raises(WrongInput, match=r"^pulls\.ehr\.url: the server sends us on to another address") as wrong:
        pulled(server, tmp_path)
    assert "elsewhere" not in str(wrong.value)
    assert len(server.asked) == 1


def test_pages_that_lead_round_in_a_circle_end_in_one_line(server, tmp_path):
    def circle(question, _, said):
        page = json.loads(said.body)
        page["link"] = [{"relation": "next", "url": question.path}]
        return as_json(200, page)

    server.fault = circle
    with pytest.raises(WrongInput, match="round in a circle"):
        pulled(server, tmp_path)


@pytest.mark.parametrize(
    ("severity", "is_wrong"), [("error", True), ("fatal", True), ("warning", False), ("information", False)]
)
def test_an_outcome_among_the_resources_counts_by_its_severity(server, tmp_path, severity, is_wrong):
    def with_outcome(_, number, said):
        page = json.loads(said.body)
        page.setdefault("entry", []).append(
            {"resource": outcome("incomplete", severity=severity), "search": {"mode": "outcome"}}
        )
        return as_json(200, page)

    server.fault = with_outcome
    if is_wrong:
        with pytest.raises(
            WrongInput, match=r"^pulls\.ehr: the server could not give every Appointment \(incomplete\)"
        ) as wrong:
            pulled(server, tmp_path)
        assert "Baxter" not in str(wrong.value)
    (frame,) = pulled(server, tmp_path, may_lack=True).values()
    assert versions([frame]) == held_by(server)


def test_an_outcome_instead_of_a_page_is_asked_about_again_and_then_told_by_its_code(server, tmp_path):
    server.fault = lambda *_: as_json(200, outcome("exception"))
    with pytest.raises(WrongInput, match=r"the server answered with no page \(exception\), asked 4 times") as wrong:
        pulled(server, tmp_path)
    assert "Baxter" not in str(wrong.value)


def test_a_question_that_is_not_taken_is_told_by_its_code_and_not_asked_again(server, tmp_path):
    server.fault = lambda *_: as_json(400, outcome("not-supported"))
    with pytest.raises(WrongInput, match=r"the server does not take the question \(400: not-supported\)") as wrong:
        pulled(server, tmp_path)
    assert "Baxter" not in str(wrong.value)
    assert len(server.asked) == 1


def test_pages_that_hold_fewer_than_the_server_counts_are_not_believed(server, tmp_path):
    def fewer(_, number, said):
        page = json.loads(said.body)
        page["total"] = RESOURCES + 1
        return as_json(200, page)

    server.fault = fewer
    with pytest.raises(WrongInput, match="held fewer of Appointment than it counts, asked 4 times"):
        pulled(server, tmp_path)
    (frame,) = pulled(server, tmp_path, may_lack=True).values()
    assert versions([frame]) == held_by(server)


def test_a_server_that_counts_nothing_is_read_to_its_last_page(server, tmp_path):
    server.tells_total = False
    (frame,) = pulled(server, tmp_path).values()
    assert versions([frame]) == held_by(server)


def test_each_kind_has_a_file_of_its_own_and_is_narrowed_down_by_itself(tmp_path):
    with fhir_server() as server:
        server.put(appointment(), at=A_WEEK_AGO)
        server.put(total(), at=A_WEEK_AGO)
        server.put(total("o2", category=[{"coding": [{"code": "laboratory"}]}]), at=A_WEEK_AGO)
        server.put(phq_9(), at=A_WEEK_AGO)
        wanted = ("Appointment", "Observation", "QuestionnaireResponse")
        frames = pulled(server, tmp_path, resources=wanted, only={"Observation": {"category": "survey"}})
        assert {name.partition("-")[0]: frame.height for name, frame in frames.items()} == {
            "Appointment": 1,
            "Observation": 1,
            "QuestionnaireResponse": 9,
        }
        every = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert [word for word in NEVER_TO_LAND if word.encode() in every] == []


def test_a_first_pull_whose_forms_are_all_unknown_says_so(tmp_path):
    with fhir_server() as server:
        server.put(phq_9(questionnaire="https://clinic.example/Questionnaire/mood"))
        with pytest.raises(
            WrongInput, match=r"^pulls\.ehr\.questionnaires: not one QuestionnaireResponse is a form that is known"
        ):
            pulled(server, tmp_path, resources=("QuestionnaireResponse",))


def test_a_server_without_a_resource_gives_a_file_with_its_columns(tmp_path):
    with fhir_server() as server:
        (frame,) = pulled(server, tmp_path).values()
        assert (frame.height, frame.columns[0]) == (0, "id")
