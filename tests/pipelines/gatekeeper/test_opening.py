import socket

import httpx2
import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper import demonstration, opening
from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.settings import Password, Server
from tests.pipelines.gatekeeper import served
from tests.pipelines.gatekeeper.served import Quiet, browser_of, demo_gate, form_token_in, secret_of, settings_at


def test_a_port_that_somebody_has_is_said_in_one_line(gate):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings_at(taken.getsockname()[1])
        with pytest.raises(WrongInput, match="the port can't be had"):
            opening.listen(settings)


def test_a_certificate_that_can_not_be_used_is_said_in_one_line(home, tmp_path):
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).write_text("no certificate", encoding="utf-8")
    server = Server(public_url="https://127.0.0.1:8443", certificate=tmp_path / "chain.pem", key=tmp_path / "key.pem")
    gate = demo_gate(home)
    gate.settings = gate.settings.model_copy(update={"server": server})
    with pytest.raises(WrongInput, match="certificate"):
        opening.server_of(gate)
    gate.close()


def test_a_roster_that_is_bad_at_the_start_stops_the_start(home, tmp_path):
    (tmp_path / "roster.toml").write_text("[[viewers]]", encoding="utf-8")
    sign_in = Password(method="password", passwords=tmp_path / "passwords.toml")
    settings = settings_at(8080, sign_in=sign_in, roster=tmp_path / "roster.toml")
    with pytest.raises(WrongInput, match=r"viewers\[0\]"):
        opening.open_gate(settings, home=home, log=Quiet())


def test_a_record_that_was_changed_stops_the_start(home):
    demo_gate(home).close()
    file = opening.audit_file(home)
    file.write_bytes(file.read_bytes().replace(b"started", b"stopped"))
    with pytest.raises(WrongInput, match="the audit log was changed: line 1"):
        demo_gate(home)


def test_starts_and_stops_stand_in_the_record(home):
    demo_gate(home).close()
    demo_gate(home).close()
    assert [entry["event"] for entry in verify(opening.audit_file(home)).entries] == [
        "server started",
        "server stopped",
    ] * 2


def test_the_demonstration_has_three_sign_ins_of_roles_and_made_up_codes(home):
    gate = demonstration.open_demonstration(home, port=8080, log=Quiet())
    text = browser_of(gate).get("/sign-in").text
    assert text.count("<form") == 3
    assert "Clinician C-1: their own pages" in text
    shown = {}
    for viewer in gate.sign_in.ready:
        client = browser_of(gate)
        given = {"token": form_token_in(client.get("/sign-in")), "viewer": viewer}
        assert client.post("/sign-in", data=given).status_code == 303
        shown[viewer] = [
            client.get(f"/{path}").status_code
            for path in ("index.html", "clinicians/C-1.html", "clinicians/C-2.html", "data-quality.html")
        ]
    assert shown == {
        "director": [200, 200, 200, 200],
        "clinician": [404, 200, 404, 404],
        "supervisor-analyst": [404, 200, 200, 200],
    }
    gate.close()


def test_the_demonstration_is_for_this_machine_alone(home):
    gate = demonstration.open_demonstration(home, port=8080, log=Quiet())
    assert gate.settings.server.host == "127.0.0.1"
    assert browser_of(gate, "director").get("/", headers={"host": "rapport.clinic.example"}).status_code == 404
    gate.close()


def test_without_a_demonstration_the_mend_is_said(tmp_path):
    with pytest.raises(WrongInput, match="run `python3 -m pipelines demo`"):
        demonstration.open_demonstration(tmp_path, port=8080, log=Quiet())


def test_a_real_server_answers_over_its_port_without_naming_itself(home):
    gate = demo_gate(home, port=served.free_port())
    with served.running(gate) as address, httpx2.Client(base_url=address) as client:
        client.cookies.set(gate.cookies.session, served.session_of(gate, "director"))
        answer = client.get("/")
        assert secret_of("index.html") in answer.text
        assert "server" not in answer.headers
        assert client.get("/health").json()["problems"] in ([], ["no night has ended well lately"])
    gate.close()
