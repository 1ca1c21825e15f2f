import polars as pl
import pytest

from assets.feeds.clinic_process import ClinicParameters
from pipelines.benchmarks import recovery


def found(*, error=0.0, covered=0.95, slopes=0.95, apart=0.0):
    return pl.DataFrame(
        {
            "within_error": [error - 0.01, error + 0.01],
            "naive_error": [-0.5, -0.5],
            "within_covered": [covered, covered],
            "slopes_covered": [slopes, slopes],
            "is_anyone_apart": [apart, apart],
        }
    )


def test_a_setting_keeps_its_promises_or_says_how_many_it_broke():
    setting = next(s for s in recovery.settings() if s.name == "realistic")
    line, promises = recovery.summary(setting, found())
    assert promises == [True, True, True]
    assert line["kept"] == "3 of 3"
    assert recovery.summary(setting, found(error=0.06))[1] == [True, False, True]
    assert recovery.summary(setting, found(covered=0.99, slopes=0.9))[1] == [False, True, False]


def test_nights_with_a_clinician_set_apart_are_counted_where_all_are_alike():
    setting = next(s for s in recovery.settings() if s.is_alike)
    assert recovery.summary(setting, found(apart=0.04))[1] == [True]
    line, promises = recovery.summary(setting, found(apart=0.5))
    assert promises == [False]
    assert line["wrongly apart %"] == 50.0


def test_one_service_is_drawn_estimated_and_compared():
    parameters = ClinicParameters(clinicians=6, clients=150)
    plain = recovery.Setting(name="plain", parameters=parameters, within=(0.0, 1.0))
    asked = recovery.Setting(name="asked", parameters=parameters, is_alike=True)
    measured, full = (recovery.measure_one(setting, seed=1) for setting in (plain, asked))
    assert measured == recovery.measure_one(plain, seed=1)
    assert abs(measured["within_error"]) < 2.0
    assert measured["slopes_covered"] is None
    assert measured["is_anyone_apart"] is None
    assert 0.0 <= full["slopes_covered"] <= 1.0
    assert full["is_anyone_apart"] in {0.0, 1.0}
    assert full["within_error"] == measured["within_error"]


def test_a_run_has_a_line_a_setting(monkeypatch):
    small = recovery.Setting(name="small", parameters=ClinicParameters(clinicians=6, clients=120), slopes=(0.0, 1.0))
    monkeypatch.setattr(recovery, "settings", lambda: (small,))
    result = recovery.run(replicates=2)
    assert [row["setting"] for row in result.rows] == ["small"]
    assert result.held
    assert result.measured == pytest.approx(1.0)
