from pathlib import Path

import pytest

from pipelines.benchmarks import night
from pipelines.benchmarks.night import Compared, Spent


def compared(*, appointments, floor, cpu, mebibytes=900.0):
    return Compared(
        appointments=appointments,
        floor=Spent(cpu=floor, wall=floor, mebibytes=300.0),
        night=Spent(cpu=cpu, wall=cpu, mebibytes=mebibytes),
    )


@pytest.mark.parametrize(
    ("many", "held"),
    [
        (compared(appointments=1000, floor=10.0, cpu=30.0), True),
        (compared(appointments=1000, floor=10.0, cpu=31.0), False),
        (compared(appointments=1000, floor=20.0, cpu=37.0), False),
        (compared(appointments=1000, floor=10.0, cpu=30.0, mebibytes=4097.0), False),
    ],
)
def test_a_night_keeps_its_promise_where_ratio_growth_and_memory_do(monkeypatch, many, held):
    of_rows = {100: compared(appointments=100, floor=1.0, cpu=3.0), 1000: many}
    monkeypatch.setattr(night, "_measured", of_rows.__getitem__)
    result = night.run(1000)
    assert result.held is held
    assert result.measured == many.night.cpu / many.floor.cpu
    assert [row["CPU us a row"] for row in result.rows][1::2] == [30_000.0, many.night.cpu * 1000]


def test_a_command_that_fails_is_no_measurement():
    with pytest.raises(RuntimeError, match="status"):
        night.spent_on(["python3", "-c", "raise SystemExit(3)"])
    assert night.spent_on(["python3", "-c", ""]).cpu > 0


def test_a_night_is_asked_for_as_people_ask(tmp_path):
    command = night.night_command(config=Path("a.toml"), inbox=tmp_path, home=tmp_path, as_of=night.DATA_DATE)
    assert command[1:4] == ["-m", "pipelines", "nightly"]
    assert command[-2:] == ["--as-of", "2026-10-31"]
