import json
import subprocess
from pathlib import Path

import pytest

from pipelines import audits

LOCK = Path("requirements.lock")


@pytest.fixture
def answers(monkeypatch):
    """Lets the tools answer with given words."""

    def say(out: str, *, status: int = 0) -> None:
        done = subprocess.CompletedProcess([], status, out, "")
        monkeypatch.setattr(audits.subprocess, "run", lambda *_, **__: done)

    return say


def packages(*each: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(each)})


SOUND = {"name": "a", "version": "1", "vulns": []}
WEAK = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


def test_packages_without_a_known_weakness_are_clean(answers):
    answers(packages(SOUND))
    assert audits.audit_packages(LOCK) == audits.Audit(sentence="pip-audit: clean", is_clean=True)


def test_a_weak_package_is_named_with_its_advisory(answers):
    answers(packages(SOUND, WEAK), status=1)
    found = audits.audit_packages(LOCK)
    assert (found.is_clean, found.found) == (False, ("b 2: PYSEC-1",))


def test_packages_that_the_service_does_not_know_are_counted_and_not_passed_over(answers):
    answers(packages(SOUND, UNKNOWN))
    found = audits.audit_packages(LOCK)
    assert found.is_clean
    assert "1 of 2 packages NOT AUDITED" in found.sentence


@pytest.mark.parametrize("said", ["", "Traceback", "{}"])
def test_a_service_that_cannot_be_reached_is_said(answers, said):
    answers(said, status=1)
    assert "NOT AUDITED" in audits.audit_packages(LOCK).sentence


def test_a_key_in_a_file_under_git_is_found_by_its_place(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    # Written in two parts, or this file would be found.
    (tmp_path / "keys.py").write_text("-----BEGIN RSA PRIVATE " + "KEY-----\n", encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert audits.search_for_secrets(tmp_path).found == ("keys.py:1: Private Key",)


def test_a_clone_without_a_key_is_clean(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert audits.search_for_secrets(tmp_path).is_clean
