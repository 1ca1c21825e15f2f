import json

import pytest

from pipelines.command_line import run
from pipelines.gatekeeper.audit_log import AuditLog, verify
from pipelines.gatekeeper.opening import audit_file


@pytest.fixture
def home(tmp_path):
    log = AuditLog(audit_file(tmp_path))
    for viewer, clinician in (("director", "C-1"), ("director", "C-2"), ("clinician", "C-1")):
        log.write_now("view", viewer=viewer, kind="clinician", clinician=clinician, decision="allowed")
    log.close()
    return tmp_path


def audit(home, *words):
    return run(["audit", "--home", str(home), *words])


def test_a_sound_record_is_shown_and_said_to_be_unbroken(home, capsys):
    assert audit(home) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:3] == ["at", "event", "viewer"]
    assert len(said) == 1 + 3 + 1
    assert said[-1] == f"3 entries, unbroken; the newest is {verify(audit_file(home)).newest}"


@pytest.mark.parametrize(
    ("words", "shown"),
    [(("--viewer", "director"), 2), (("--clinician", "C-1"), 2), (("--clinician", "C-1", "--viewer", "director"), 1),
     (("--last", "1"), 1), (("--last", "0"), 0), (("--viewer", "nobody"), 0)],
)  # fmt: skip
def test_it_can_be_asked_for_one_viewer_or_whose_page_it_was(home, capsys, words, shown):
    assert audit(home, *words) == 0
    assert sum("allowed" in line for line in capsys.readouterr().out.splitlines()) == shown


def test_a_broken_chain_is_said_where_it_breaks_with_status_1(home, capsys):
    file = audit_file(home)
    file.write_bytes(file.read_bytes().replace(b'"viewer":"clinician"', b'"viewer":"clinicial"'))
    assert audit(home) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"{file}: broken at line 3: it was changed\n"


def test_an_end_that_was_cut_off_is_found_by_a_hash_noted_before(home, capsys):
    file = audit_file(home)
    newest = verify(file).newest
    assert audit(home, "--holds", newest) == 0
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert audit(home) == 0
    assert audit(home, "--holds", newest) == 1
    assert "cut off" in capsys.readouterr().err


def test_an_unfinished_line_is_said_and_is_no_break(home, capsys):
    with audit_file(home).open("ab") as stream:
        stream.write(json.dumps({"number": 4}).encode())
    assert audit(home) == 0
    assert "unfinished" in capsys.readouterr().out


def test_a_record_elsewhere_can_be_verified_too(home, tmp_path_factory, capsys):
    kept = tmp_path_factory.mktemp("kept") / "before.jsonl"
    kept.write_bytes(audit_file(home).read_bytes())
    assert run(["audit", "--file", str(kept)]) == 0
    assert "3 entries" in capsys.readouterr().out


def test_no_record_is_wrong_input(tmp_path, capsys):
    assert audit(tmp_path) == 2
    assert "there is no audit log" in capsys.readouterr().err
