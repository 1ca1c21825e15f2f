import pytest

from pipelines import night, night_report
from pipelines.command_line import run
from pipelines.commands import demo


@pytest.fixture
def told(monkeypatch):
    """The verb with a night that is over at once."""
    monkeypatch.setattr(demo, "write_demo_inbox", lambda folder: folder)
    monkeypatch.setattr(demo, "give_demo_secret", lambda _: None)
    monkeypatch.setattr(night_report, "report", lambda *_, **__: "the report")

    def ending(problem):
        end = night.NightEnd(version="v", problem=problem, is_wrong_input=False, findings=(), seconds=1.0)
        monkeypatch.setattr(night, "run_night", lambda **_: end)

    return ending


def test_it_ends_by_offering_to_show_the_pages(told, tmp_path, capsys):
    told(None)
    home = tmp_path / "a folder"
    assert run(["demo", "--home", str(home)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"  python3 -m pipelines serve --demo --home '{home}'"
    assert run(["demo"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  python3 -m pipelines serve --demo"


def test_a_night_that_failed_offers_nothing(told, tmp_path, capsys):
    told("it stopped")
    assert run(["demo", "--home", str(tmp_path)]) == 1
    assert "serve" not in capsys.readouterr().out
