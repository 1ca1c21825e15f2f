import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.command_line import VERBS

DEPLOY = Path(__file__).resolve().parents[2] / "pipelines" / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
SERVICES = sorted(DEPLOY.glob("*.service"))
SECTIONS = {".service": {"Unit", "Service", "Install"}, ".timer": {"Unit", "Timer", "Install"}}
# What keeps a service from the rest of the machine; `systemd.exec` describes each.
CLOSED = {
    "nonewprivileges": "true",
    "protectsystem": "strict",
    "protecthome": "true",
    "privatetmp": "true",
    "umask": "0027",
    "user": "rapport",
}
# Of logrotate(8).
DIRECTIVES = {"su", "weekly", "rotate", "compress", "delaycompress", "missingok", "notifempty", "copytruncate"}
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "VOLUME", "ENTRYPOINT", "CMD"}


def read(unit):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(unit)
    return parser


def verb_of(command):
    words = command.split()
    assert words[:3] == ["/usr/bin/python3", "-m", "pipelines"]
    return words[3]


def test_there_are_units_for_the_daemon_its_pages_the_gatekeeper_and_a_clinic_with_a_timer_alone():
    assert [unit.name for unit in UNITS] == [
        "rapport-daemon.service",
        "rapport-gatekeeper.service",
        "rapport-night.service",
        "rapport-night.timer",
        "rapport-overdue.service",
        "rapport-overdue.timer",
        "rapport-pages.service",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_has_only_the_sections_of_its_kind_and_says_what_it_is(unit):
    parsed = read(unit)
    assert set(parsed.sections()) <= SECTIONS[unit.suffix]
    assert parsed["Unit"]["Description"].startswith("Rapport: ")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_starts_a_verb_that_exists_closed_off_from_the_rest_of_the_machine(unit):
    service = read(unit)["Service"]
    assert verb_of(service["ExecStart"]) in VERBS
    assert {key: service.get(key) for key in CLOSED} == CLOSED


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_itself_finds_no_fault_where_it_is_there_to_be_asked(unit):
    analyze = shutil.which("systemd-analyze")
    asked = [[analyze, "verify", str(unit)]] if analyze else []
    faults = [subprocess.run(words, capture_output=True, text=True, check=False).stderr for words in asked]
    # It also complains of what this machine lacks: the account, the clone's folder, Python elsewhere.
    ours = [
        line for fault in faults for line in fault.splitlines() if re.search(r"Unknown|Invalid|Failed to parse", line)
    ]
    assert ours == []


def test_a_timer_starts_the_service_of_its_name():
    for timer in DEPLOY.glob("*.timer"):
        assert timer.with_suffix(".service").is_file()
        assert "OnCalendar" in read(timer)["Timer"]


def test_the_container_file_holds_only_instructions_that_exist_and_starts_a_verb():
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    words = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert set(words) <= INSTRUCTIONS
    assert words[0] == "FROM"
    assert re.search(r'^CMD \["(\w+)"\]$', text, re.MULTILINE).group(1) in VERBS
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_the_rotation_of_logs_holds_only_directives_that_exist_and_leaves_the_audit_log_alone():
    text = (DEPLOY / "rapport.logrotate").read_text()
    paths, inside = re.fullmatch(r"(.+) \{\n(.+)\}\n", text, re.DOTALL).groups()
    assert paths == "/var/log/rapport/*.log"
    assert {line.split()[0] for line in inside.splitlines()} <= DIRECTIVES
    asked = (
        [[logrotate, "--debug", str(DEPLOY / "rapport.logrotate")]] if (logrotate := shutil.which("logrotate")) else []
    )
    said = [subprocess.run(words, capture_output=True, text=True, check=False).stderr for words in asked]
    assert [line for each in said for line in each.splitlines() if "unknown option" in line] == []


def test_what_the_readme_names_is_there():
    readme = (DEPLOY / "README.md").read_text()
    for unit in re.findall(r"rapport-[a-z]+(?:\.timer)?", readme):
        assert (DEPLOY / (unit if "." in unit else f"{unit}.service")).exists() or unit == "rapport-state"
    assert (DEPLOY / "rapport.env.example").read_text().splitlines() == [
        "RAPPORT_CONFIG=/etc/rapport/clinic.toml",
        "RAPPORT_INBOX=/srv/exports",
        "RAPPORT_HOME=/var/lib/rapport",
        "RAPPORT_SERVER=/etc/rapport/server.toml",
    ]
