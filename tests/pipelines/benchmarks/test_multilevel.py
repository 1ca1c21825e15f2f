import subprocess

import pytest

from pipelines.benchmarks import multilevel
from pipelines.machine import Machine


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "pairs.parquet"
    multilevel.simulated_pairs(12_000).write_parquet(path)
    return path


def test_what_was_drawn_is_found_again(table):
    fitted = multilevel.fitted_from(multilevel.aggregated(table))
    assert fitted.beta[1:5] == pytest.approx([0.4, 0.3, -1.5, -1.0], abs=0.35)
    assert fitted.client_variance == pytest.approx(1.9**2, rel=0.2)


def machine_with(*, on_path=(), brings=(), is_root=True):
    """A machine of the test's own, whose package manager brings what it is told to."""
    here = set(on_path)

    def install(command):
        here.update(brings if "install" in command else ())
        return True

    return Machine(
        which=lambda name: f"/usr/bin/{name}" if name in here else None, run=install, is_root=is_root, is_debian=True
    )


def answering(monkeypatch, *, returncode, stdout):
    answer = subprocess.CompletedProcess([], returncode=returncode, stdout=stdout)
    monkeypatch.setattr(multilevel.subprocess, "run", lambda *_, **__: answer)


def test_a_run_says_that_nothing_was_compared_where_r_cannot_be_had(monkeypatch):
    monkeypatch.setattr(multilevel, "Machine", machine_with)
    result = multilevel.run(rows=2_000)
    assert "not compared" in result.sentence
    assert result.held == (result.measured <= 1.0)


def test_a_run_compares_where_r_is_there(monkeypatch):
    monkeypatch.setattr(multilevel, "Machine", lambda: machine_with(on_path=["Rscript"]))
    answering(monkeypatch, returncode=0, stdout="1000000 12.5 \n")
    result = multilevel.run(rows=2_000)
    assert "times our CPU" in result.sentence
    assert result.rows[-1]["figure"] > multilevel.LME4_TIMES


def test_r_is_installed_where_it_is_missing_and_may_be(monkeypatch, tmp_path):
    answering(monkeypatch, returncode=0, stdout="7.5 12.5 \n")
    rows = multilevel.simulated_pairs(500)
    brought = machine_with(brings=["Rscript"])
    assert multilevel.lme4_seconds(rows, tmp_path, machine=brought) == 7.5
    forbidden = machine_with(brings=["Rscript"], is_root=False)
    assert multilevel.lme4_seconds(rows, tmp_path, machine=forbidden) is None


def test_an_r_without_lme4_is_as_good_as_none(monkeypatch, tmp_path):
    answering(monkeypatch, returncode=1, stdout="")
    there = machine_with(on_path=["Rscript"])
    assert multilevel.lme4_seconds(multilevel.simulated_pairs(500), tmp_path, machine=there) is None
