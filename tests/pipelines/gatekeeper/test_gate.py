import pytest

from pipelines.gatekeeper import answers
from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.names import read_names
from pipelines.gatekeeper.opening import audit_file
from pipelines.gatekeeper.reread import Reread
from tests.pipelines.gatekeeper import served
from tests.pipelines.gatekeeper.served import browser_of, demo_gate, secret_of

DAY = 24 * 3600
PUBLISHED = 1763604000.0 + 365 * DAY  # 2026-11-20 02:00 UTC


def seen(answer):
    """All of an answer that a viewer could compare."""
    return answer.status_code, sorted(answer.headers.items()), answer.content


def audited(home):
    return [dict(entry) for entry in verify(audit_file(home)).entries]


def test_a_director_sees_the_overview_at_the_top(gate):
    answer = browser_of(gate, "director").get("/")
    assert answer.status_code == 200
    assert secret_of("index.html") in answer.text


@pytest.mark.parametrize(
    ("viewer", "start"),
    [("clinician", "/clinicians/C-1.html"), ("supervisor", "/account"), ("analyst", "/data-quality.html")],
)
def test_others_begin_at_their_own_page(gate, viewer, start):
    answer = browser_of(gate, viewer).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, start)
    assert browser_of(gate, viewer).get(start).status_code == 200


def test_whoever_is_not_signed_in_is_sent_to_sign_in_whatever_they_ask_for(gate):
    client = browser_of(gate)
    answers_to = {path: client.get(path) for path in ("/clinicians/C-1.html", "/clinicians/C-99.html")}
    assert {answer.status_code for answer in answers_to.values()} == {303}
    assert answers_to["/clinicians/C-99.html"].headers["location"] == "/sign-in?then=/clinicians/C-99.html"
    assert client.get("/nowhere").headers["location"] == client.get("/").headers["location"] == "/sign-in"
    assert {answer.content for answer in answers_to.values()} == {b""}


def test_forbidden_and_missing_are_the_same_to_the_byte(gate):
    client = browser_of(gate, "clinician")
    paths = ("/clinicians/C-2.html", "/clinicians/C-99.html", "/index.html", "/manifest.json", "/nowhere", "/a%2fb",
             "/at/20261120T020000000000Z/clinicians/C-2/caseload.csv", "/at/none/clinicians/C-1/missing.csv/x")  # fmt: skip
    assert len({str(seen(client.get(path))) for path in paths}) == 1
    assert len({str(seen(client.head(path))) for path in paths}) == 1
    own = browser_of(gate, "director").get("/clinicians/C-99.html")
    assert seen(own) == seen(client.get("/clinicians/C-2.html"))


@pytest.mark.parametrize("path", ["/", "/nowhere", "/sign-in", "/account", "/health", "/slices/six-months.json"])
def test_every_answer_carries_the_content_policy_and_says_nothing_of_the_server(gate, path):
    for client in (browser_of(gate), browser_of(gate, "director")):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == answers.POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "private, no-store"
        assert "server" not in headers


def test_the_policy_allows_no_inline_script_no_eval_and_nothing_from_elsewhere():
    rules = dict(rule.strip().split(" ", 1) for rule in answers.POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["font-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert "unsafe-eval" not in answers.POLICY
    assert "http" not in answers.POLICY


def test_a_head_has_the_headers_of_its_page_and_no_body(gate):
    client = browser_of(gate, "director")
    got, head = client.get("/methods.html"), client.head("/methods.html")
    assert head.content == b""
    assert head.headers == got.headers


def test_a_page_is_compressed_for_a_browser_that_takes_it(gate):
    client = browser_of(gate, "director")
    plain = client.get("/index.html", headers={"accept-encoding": "identity"})
    packed = client.get("/index.html", headers={"accept-encoding": "br, gzip"})
    refused = client.get("/index.html", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content


def test_a_shared_part_may_be_kept_for_good_and_is_asked_for_once(gate, home):
    client = browser_of(gate, "director")
    name = next((home / "site" / "assets").glob("*.js")).name
    got = client.get(f"/assets/{name}", headers={"accept-encoding": "gzip"})
    assert got.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert (got.headers["content-encoding"], got.headers["content-type"]) == ("gzip", "text/javascript; charset=utf-8")
    again = client.get(f"/assets/{name}", headers={"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/assets/plotly-LICENSE.txt").headers["cache-control"] == "private, no-store"
    assert browser_of(gate).get(f"/assets/{name}").status_code == 303


def test_a_download_is_what_its_ending_says(gate):
    client = browser_of(gate, "director")
    assert client.get("/slices/areas/north.csv").headers["content-type"] == "text/csv; charset=utf-8"
    assert client.get("/slices/six-months.json").headers["content-type"] == "application/json"


def test_a_page_is_always_the_newest_and_its_parts_are_its_own(gate, home):
    client = browser_of(gate, "director")
    before = client.get("/").text
    served.publish(home, version=served.later(1))
    part = client.get(f"/at/{served.FIRST}/slices/six-months.json")
    assert part.json()["version"] == served.FIRST
    assert f"/at/{served.FIRST}/slices/" in before
    assert f"/at/{served.later(1)}/slices/" in client.get("/").text
    moved = client.get(f"/at/{served.FIRST}/index.html")
    assert (moved.status_code, moved.headers["location"]) == (303, "/index.html")


def test_a_part_of_a_version_that_is_gone_asks_for_the_page_again_and_a_download_gives_the_newest(gate):
    client = browser_of(gate, "director")
    gone = client.get("/at/20200101T000000000000Z/slices/six-months.json")
    assert (gone.status_code, gone.json()) == (410, {"gone": "reload the page"})
    link = client.get("/at/20200101T000000000000Z/slices/areas/north.csv", headers={"sec-fetch-mode": "navigate"})
    assert (link.status_code, link.headers["location"]) == (303, "/slices/areas/north.csv")
    # Whoever may not see it learns nothing of versions.
    other = browser_of(gate, "clinician").get("/at/20200101T000000000000Z/slices/six-months.json")
    assert other.status_code == 404


def test_a_page_whose_view_can_not_be_recorded_does_not_leave(gate, monkeypatch):
    def full(_):
        raise OSError(28, "no space left")

    client = browser_of(gate, "director")
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        answer = client.get("/")
        assert answer.status_code == 503
        assert secret_of("index.html") not in answer.text
        assert client.get("/health").json()["problems"][0] == "audit log"
        assert client.get("/health").status_code == 503
    assert client.get("/").status_code == 200


def test_what_is_seen_and_what_is_refused_stand_in_the_record_without_any_content(gate, home):
    client = browser_of(gate, "clinician")
    for path in (
        "/clinicians/C-1.html",
        "/clinicians/C-2.html",
        "/nowhere?x=secret-word",
        "/clinicians/C-1/clients/K-1.html",
    ):
        client.get(path)
    views = [entry for entry in audited(home) if entry["event"] == "view"]
    assert [(entry["kind"], entry["decision"], entry.get("clinician")) for entry in views] == [
        ("clinician", "allowed", "C-1"),
        ("clinician", "denied", None),
        ("unknown", "denied", None),
        ("client", "allowed", "C-1"),
    ]
    assert {entry["viewer"] for entry in views} == {"clinician"}
    text = audit_file(home).read_text(encoding="utf-8")
    assert not any(word in text for word in ("K-1", "secret-word", "C-2", secret_of("clinicians/C-1.html")))


def test_a_name_is_laid_over_for_those_entitled_and_is_nowhere_on_the_disk(tmp_path, home):
    file = tmp_path / "names.csv"
    file.write_text("code,name\nC-1,First Clinician\nC-2,Second Clinician\n", encoding="utf-8")
    gate = demo_gate(home)
    gate.names = Reread(file, read=read_names, say=lambda *_: None)
    assert "First Clinician" in browser_of(gate, "director").get("/").text
    own = browser_of(gate, "clinician").get("/clinicians/C-1.html").text
    assert "First Clinician" in own
    assert "Second Clinician" not in own
    assert "Clinician</a>" not in browser_of(gate, "analyst").get("/data-quality.html").text
    assert "First Clinician" in browser_of(gate, "supervisor").get("/account").text
    gate.close()
    kept = b"".join(each.read_bytes() for each in home.rglob("*") if each.is_file() and each != file)
    assert b"First Clinician" not in kept


def test_whoever_leaves_the_roster_is_out_at_once_everywhere(home):
    viewers = dict(served.VIEWERS)
    gate = demo_gate(home, viewers=viewers)
    clients = [browser_of(gate, "director"), browser_of(gate, "director")]
    assert [client.get("/index.html").status_code for client in clients] == [200, 200]
    gone = viewers.pop("director")
    assert [client.get("/index.html").status_code for client in clients] == [303, 303]
    viewers["director"] = gone
    assert [client.get("/index.html").status_code for client in clients] == [303, 303]
    gate.close()
    ended = [entry for entry in audited(home) if entry["event"] == "sessions ended"]
    assert [(entry["viewer"], entry["reason"]) for entry in ended] == [("director", "no longer on the roster")]


def test_a_changed_role_counts_from_the_next_request(home):
    viewers = dict(served.VIEWERS)
    gate = demo_gate(home, viewers=viewers)
    client = browser_of(gate, "director")
    assert client.get("/index.html").status_code == 200
    viewers["director"] = served.VIEWERS["analyst"]
    assert client.get("/index.html").status_code == 404
    gate.close()


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1", "127.0.0.1:9999", "", "127.0.0.1:8080.elsewhere.example"]
)
def test_a_request_for_another_host_gets_nothing(gate, host):
    client = browser_of(gate, "director")
    assert client.get("/", headers={"host": host}).status_code == 404
    assert client.get("/sign-in", headers={"host": host}).status_code == 404


def test_too_many_requests_are_told_to_wait(home):
    gate = demo_gate(home, server={"requests_per_minute": 10})
    client = browser_of(gate, "director")
    statuses = [client.get("/methods.html").status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert browser_of(gate, "analyst").get("/methods.html").status_code == 200
    gate.close()


def test_before_the_first_night_the_pages_are_said_not_to_be_there_yet(tmp_path):
    gate = demo_gate(tmp_path)
    answer = browser_of(gate, "director").get("/")
    assert answer.status_code == 503
    assert "No pages are published yet" in answer.text
    health = browser_of(gate).get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "nothing published")
    gate.close()


def test_health_says_how_old_the_data_are_and_nothing_else(home):
    gate = demo_gate(home, clock=lambda: PUBLISHED + 5.5 * 3600)
    answer = browser_of(gate).get("/health", headers={"host": "probe"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "published_hours_ago": 5.5, "data_age_days": 1, "problems": []}
    late = health_at(gate, PUBLISHED + 2 * DAY)
    assert (late["status"], late["problems"]) == ("degraded", ["no night has ended well lately"])
    gate.close()


def health_at(gate, moment):
    """What the gate's health says at another moment."""
    gate.clock = lambda: moment
    return browser_of(gate).get("/health").json()


def test_bytes_are_the_same_for_everybody_who_sees_a_page_with_the_same_eyes(gate):
    first, second = browser_of(gate, "director"), browser_of(gate, "director")
    assert first.get("/").content == second.get("/").content
