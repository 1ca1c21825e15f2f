import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.benchmarks import serving
from tests.pipelines.gatekeeper import served


@pytest.fixture
def demonstration(tmp_path, monkeypatch):
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path))
    monkeypatch.setattr(serving, "REQUESTS", 20)
    return tmp_path / "demo"


def test_a_first_visit_is_measured_with_all_that_it_asks_for(demonstration):
    served.publish(demonstration)
    result = serving.run()
    assert [row["page"] for row in result.rows] == ["overview", "clinician"]
    site = demonstration / "site"
    for row, path in zip(result.rows, ("index.html", "clinicians/C-1.html"), strict=True):
        whole = (site / path).stat().st_size + sum(file.stat().st_size for file in (site / "assets").glob("*.js"))
        assert 0.3 < row["cold, kB"] < whole / 1000 + 3
        assert row["first byte, median ms"] <= row["95 of 100, ms"]
    assert result.held == (result.measured < result.goal)


def test_it_leaves_the_demonstrations_own_record_alone(demonstration):
    served.publish(demonstration)
    serving.run()
    assert not (demonstration / "gatekeeper").exists()


def test_without_a_demonstration_the_mend_is_said(demonstration):
    with pytest.raises(WrongInput, match="run `python3 -m pipelines demo`"):
        serving.run()
