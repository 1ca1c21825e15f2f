import pytest

from assets.service import read_service
from pipelines.command_line import run
from tests.assets.feeds.proposal.british_exports import core_net_like, iaptus_like
from tests.assets.staging_harness import Clinic

AS_OF = ["--as-of", "2026-11-20"]


@pytest.fixture
def inbox(tmp_path):
    return core_net_like().write(tmp_path / "inbox")


def test_an_export_without_settings_is_proposed_for_and_tried_in_one_go(inbox, tmp_path, capsys):
    file = tmp_path / "clinic.toml"
    assert run(["check", "--inbox", str(inbox), "--to", str(file), *AS_OF]) == 0
    said = capsys.readouterr().out
    assert set(read_service(file).feeds) == {"attendance", "alliance", "outcomes"}
    assert 'name = "Our service": what pages call the service' in said
    assert "Columns that no mapping asks for" in said
    assert "CORE10_Total" in said
    assert f"nightly --config {file} --inbox {inbox} --as-of 2026-11-20" in said


def test_nothing_is_written_but_the_settings(inbox, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert run(["check", "--inbox", str(inbox), *AS_OF]) == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert "--to clinic.toml" in capsys.readouterr().out
    assert run(["check", "--inbox", str(inbox), "--to", str(tmp_path / "clinic.toml"), *AS_OF]) == 0
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "clinic.toml"])


def test_what_a_person_wrote_is_not_written_over(inbox, tmp_path, capsys):
    file = tmp_path / "clinic.toml"
    file.write_text("mine")
    assert run(["check", "--inbox", str(inbox), "--to", str(file)]) == 2
    assert file.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err


def test_columns_with_direct_identifiers_are_named_and_their_file_is_held(tmp_path, capsys):
    inbox = iaptus_like().write(tmp_path / "inbox")
    assert run(["check", "--inbox", str(inbox), *AS_OF]) == 2
    said = capsys.readouterr()
    assert "iaptus_contacts.csv NHS Number NHS numbers" in " ".join(said.out.split())
    assert "943" not in said.out + said.err
    assert "is held" in said.err


def test_given_settings_are_tried_line_by_line_without_a_value(tmp_path, capsys):
    clinic = Clinic(tmp_path)
    clinic.sends_the_small_export()
    clinic.sends(
        "booked.csv", (clinic.inbox / "booked.csv").read_bytes() + b"A9,C1,K1,2026-03-23 10:00:00,vanished,50\n"
    )
    clinic.sends("letters.csv", "a,b\n1,2\n")
    clinic.night()
    arguments = ["check", "--config", str(tmp_path / "clinic.toml"), "--inbox", str(clinic.inbox), *AS_OF]
    assert run(arguments) == 0
    said = capsys.readouterr().out
    assert "attendance  booked.csv        1  6            the status is not one of the words" in said
    assert "vanished" not in said
    assert "Files that no mapping asks for: letters.csv" in said
    assert "north           1      0        2" in said


def test_what_would_stop_the_night_is_said_in_one_line(tmp_path, capsys):
    clinic = Clinic(tmp_path)
    clinic.sends_the_small_export()
    clinic.sends("phq9.csv", "form,client,booked,on,measure,rater,total\nP1,C1,A1,2026-03-02,PHQ-8,client,15\n")
    clinic.sends("long.csv", "form,client,booked,on,measure,item,answer\n")
    clinic.sends_parquet("totals.parquet", "SELECT 'T1' AS form, 'C1' AS client, 'A9' AS booked, DATE '2026-03-02' AS \"on\", 'CSI-4' AS measure, 1 AS total")  # fmt: skip
    clinic.night()
    assert run(["check", "--config", str(tmp_path / "clinic.toml"), "--inbox", str(clinic.inbox), *AS_OF]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("rapport: feeds.outcomes: not one line of the outcomes feed is accepted")


def test_an_inbox_without_appointments_says_what_is_missing(tmp_path, capsys):
    (tmp_path / "inbox").mkdir()
    assert run(["check", "--inbox", str(tmp_path / "inbox")]) == 2
    said = capsys.readouterr()
    assert "no file is taken for the attendance feed" in said.out
    assert len(said.err.splitlines()) == 1


def test_there_must_be_a_folder(tmp_path, capsys):
    assert run(["check", "--inbox", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
