"""The server as an operator starts and stops it: the commands, in processes of their own."""

import json
import re
import signal
import ssl
import subprocess
import time
from contextlib import contextmanager

import httpx2
import pyotp

from pipelines.gatekeeper.passwords import new_entry
from tests.certificates import certificate
from tests.pipelines.gatekeeper import served
from tests.system.night_runs import ROOT, command_line, quiet, run_verb

WHO, PASSWORD = "director@clinic.example", "a few random words"


@contextmanager
def serving(*words, home, address, verify=True):
    """The verb in a process of its own, from its first answer to a polite end; yields a browser, and its log's file."""
    log = home / "said.txt"
    with log.open("w", encoding="utf-8") as said:
        started = subprocess.Popen(
            command_line("serve", *words, home=home), cwd=ROOT, env=quiet(), stdout=subprocess.DEVNULL, stderr=said
        )
    try:
        with httpx2.Client(base_url=address, verify=verify) as client:
            while True:
                assert started.poll() is None, log.read_text(encoding="utf-8")
                try:
                    client.get("/health")
                    break
                except httpx2.ConnectError:
                    time.sleep(0.1)
            yield client, log
    finally:
        started.send_signal(signal.SIGTERM)
        status = started.wait(timeout=20)
    assert status == 0


def form_token(client):
    return re.search(r'name="token" value="(\w+)"', client.get("/sign-in").text).group(1)


def test_the_demonstration_is_served_and_its_record_is_sound(tmp_path):
    served.publish(tmp_path / "demo")
    port = served.free_port()
    with serving("--demo", "--port", str(port), home=tmp_path, address=f"http://127.0.0.1:{port}") as (client, _):
        token = form_token(client)
        answer = client.post(
            "/sign-in", data={"token": token, "viewer": "director", "then": "/"}, follow_redirects=True
        )
        assert served.secret_of("index.html") in answer.text
    read = run_verb("audit", home=tmp_path / "demo")
    assert read.status == 0
    assert "server stopped" in read.said
    assert re.search(r"view +director +overview", read.said)
    assert re.search(r"\d+ entries, unbroken", read.said)


def test_a_password_a_code_and_tls_from_files(tmp_path):
    chain, key = certificate(tmp_path)
    served.publish(tmp_path)
    port = served.free_port()
    entry, address = new_entry(WHO, PASSWORD)
    (tmp_path / "passwords.toml").write_text(entry, encoding="utf-8")
    (tmp_path / "passwords.toml").chmod(0o600)
    (tmp_path / "roster.toml").write_text(f'[[viewers]]\nid = "{WHO}"\nroles = ["director"]\n', encoding="utf-8")
    (tmp_path / "names.csv").write_text("code,name\nC-1,First Clinician\n", encoding="utf-8")
    (tmp_path / "server.toml").write_text(
        f'roster = "roster.toml"\nnames = "names.csv"\n[server]\npublic_url = "https://127.0.0.1:{port}"\nport = {port}\n'
        f'certificate = "{chain.name}"\nkey = "{key.name}"\n[sign_in]\nmethod = "password"\npasswords = "passwords.toml"\n',
        encoding="utf-8",
    )
    trusting = ssl.create_default_context(cafile=str(chain))
    with serving(
        "--config", str(tmp_path / "server.toml"), home=tmp_path, address=f"https://127.0.0.1:{port}", verify=trusting
    ) as (client, log):
        given = {
            "token": form_token(client),
            "viewer": WHO,
            "password": PASSWORD,
            "code": pyotp.parse_uri(address).now(),
        }
        answer = client.post("/sign-in", data=given)
        assert answer.status_code == 303
        assert all(name.startswith("__Host-") for name in client.cookies)
        page = client.get("/")
        assert "First Clinician" in page.text
        assert page.headers["strict-transport-security"]
    said = log.read_text(encoding="utf-8")
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["audit log continues"]
    assert PASSWORD not in said


def test_a_second_server_on_the_same_record_is_told_in_one_line(tmp_path):
    served.publish(tmp_path / "demo")
    port, other = served.free_port(), served.free_port()
    with serving("--demo", "--port", str(port), home=tmp_path, address=f"http://127.0.0.1:{port}"):
        second = run_verb("serve", "--demo", "--port", str(other), home=tmp_path)
    assert second.status == 2
    assert "another server writes this audit log" in second.complained
    assert second.complained.count("\n") == 1
