import subprocess

import pytest

from pipelines.benchmarks import multilevel


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "pairs.parquet"
    multilevel.simulated_pairs(12_000).write_parquet(path)
    return path


def test_what_was_drawn_is_found_again(table):
    fitted = multilevel.fitted_from(multilevel.aggregated(table))
    assert fitted.beta[1:5] == pytest.approx([0.4, 0.3, -1.5, -1.0], abs=0.35)
    assert fitted.client_variance == pytest.approx(1.9**2, rel=0.2)


def test_a_run_says_that_nothing_was_compared_where_r_is_missing(monkeypatch):
    monkeypatch.setattr(multilevel.shutil, "which", lambda _: None)
    result = multilevel.run(rows=2_000)
    assert "not compared" in result.sentence
    assert result.held == (result.measured <= 1.0)


def test_a_run_compares_where_r_is_there(monkeypatch):
    monkeypatch.setattr(multilevel.shutil, "which", lambda _: "/usr/bin/Rscript")
    answer = subprocess.CompletedProcess([], returncode=0, stdout="1000000 12.5 \n")
    monkeypatch.setattr(multilevel.subprocess, "run", lambda *_, **__: answer)
    result = multilevel.run(rows=2_000)
    assert "times our CPU" in result.sentence
    assert result.rows[-1]["figure"] > multilevel.LME4_TIMES


def test_an_r_without_lme4_is_as_good_as_none(monkeypatch, tmp_path):
    monkeypatch.setattr(multilevel.shutil, "which", lambda _: "/usr/bin/Rscript")
    monkeypatch.setattr(
        multilevel.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], returncode=1, stdout="")
    )
    assert multilevel.lme4_seconds(multilevel.simulated_pairs(500), tmp_path) is None
