from pathlib import Path

import pytest

from quality.sql_lint import findings, to_spark

SQL = Path(__file__).resolve().parents[2] / "assets" / "sql"
MODELS = sorted(SQL.rglob("*.sql"))


def named(model: Path) -> str:
    return str(model.relative_to(SQL))


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_a_model_stays_in_the_subset_that_travels(model):
    assert findings(model.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_a_model_can_be_told_to_spark_exactly(model):
    assert to_spark(model.read_text(encoding="utf-8"))


def test_there_are_models_to_hold():
    assert MODELS
