import importlib
from types import SimpleNamespace

import pytest

from pipelines.benchmarks.result import BenchResult
from pipelines.command_line import run
from pipelines.commands import bench


@pytest.fixture
def pace(monkeypatch):
    """A benchmark called `pace` that takes rows and compares them with 10."""

    def measured(*, rows=5):
        return BenchResult(
            rows=[{"rows": rows}], measured=rows / 10, goal=1.0, held=rows <= 10, sentence="Less is better."
        )

    monkeypatch.setattr(bench, "names", lambda: ["pace"])
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(run=measured))


@pytest.mark.parametrize(("rows", "status", "verdict"), [("10", 0, "held"), ("11", 1, "short")])
def test_a_benchmark_ends_with_its_verdict_and_a_status_to_match(pace, rows, status, verdict, capsys):
    assert bench.command.main(["pace", "--rows", rows], standalone_mode=False) == status
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["rows", rows.rjust(4), "Less is better."]
    assert lines[-1] == f"pace: measured {int(rows) / 10:g}, goal 1, {verdict}"


def test_an_option_left_out_is_the_benchmarks_own_choice(pace):
    assert bench.measure("pace", rows=None, replicates=None).measured == 0.5


def test_an_option_that_a_benchmark_does_not_take_is_said(pace):
    with pytest.raises(bench.WrongInput, match="bench pace --replicates: this benchmark takes no such option"):
        bench.measure("pace", rows=None, replicates=3)


def test_a_benchmark_that_does_not_exist_gets_one_line(capsys):
    assert run(["bench", "result"]) == 2
    assert capsys.readouterr().err.startswith("rapport: bench result: there is no such benchmark; ")


def test_every_benchmark_that_is_listed_can_be_run():
    assert [
        name for name in bench.names() if not callable(importlib.import_module(f"pipelines.benchmarks.{name}").run)
    ] == []
