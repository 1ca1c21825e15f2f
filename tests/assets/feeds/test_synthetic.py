import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.feeds.synthetic import spread_over_items, write_export

DATA_ON = dt.date(2026, 11, 20)
HEADERS = {
    "appointments.csv": "appointment_id,episode_id,client_id,clinician_id,starts_at,status,duration_minutes,modality",
    "wai_sr.csv": "rating_id,client_id,clinician_id,appointment_id,completed_on,"
    + ",".join(f"item_{i}" for i in range(1, 13)),
    "phq9.csv": "rating_id,client_id,appointment_id,completed_on," + ",".join(f"item_{i}" for i in range(1, 10)),
    "episodes.csv": "episode_id,case_id,clinician_id,programme,problem,referred_on,started_on,ended_on,end_reason",
    "people.csv": "client_id,age_band,gender,deprivation_decile",
    "clinicians.csv": "clinician_id,site,profession,started_on",
}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return write_export(tmp_path_factory.mktemp("clinic"), seed=4, clinicians=8, clients=150, data_on=DATA_ON)


@pytest.fixture(scope="module")
def faultless(tmp_path_factory):
    return write_export(
        tmp_path_factory.mktemp("clinic"), seed=4, clinicians=8, clients=150, data_on=DATA_ON, has_wrong_rows=False
    )


def read(export, name):
    return pl.read_csv(export.folder / name, try_parse_dates=True)


@pytest.mark.parametrize(("name", "header"), HEADERS.items())
def test_each_file_has_its_header_and_as_many_rows_as_reported(export, name, header):
    lines = (export.folder / name).read_text(encoding="utf-8").splitlines()
    assert lines[0] == header
    assert len(lines) - 1 == export.rows[name]


def test_the_same_seed_writes_the_same_bytes(export, tmp_path):
    again = write_export(tmp_path, seed=4, clinicians=8, clients=150, data_on=DATA_ON)
    assert [(tmp_path / n).read_bytes() for n in HEADERS] == [(export.folder / n).read_bytes() for n in HEADERS]
    assert again.rows == export.rows


def test_one_file_is_sent_twice(export):
    assert (export.folder / export.sent_twice).read_bytes() == (export.folder / "wai_sr.csv").read_bytes()


def test_a_few_rows_are_wrong_unless_they_are_unwanted(export, faultless):
    assert sum(export.wrong_rows.values()) == 17
    assert sum(faultless.wrong_rows.values()) == 0
    assert export.rows["phq9.csv"] - faultless.rows["phq9.csv"] == export.wrong_rows["phq9.csv"]


def test_every_key_in_a_faultless_export_finds_its_row(faultless):
    appointments, episodes, people, staff = (
        read(faultless, f"{n}.csv") for n in ("appointments", "episodes", "people", "clinicians")
    )
    assert appointments["appointment_id"].is_unique().all()
    assert set(appointments["episode_id"]) == set(episodes["episode_id"])
    assert set(episodes["case_id"]) <= set(people["client_id"])
    assert set(appointments["clinician_id"]) <= set(staff["clinician_id"])
    for name in ("wai_sr.csv", "phq9.csv"):
        forms = read(faultless, name).join(
            appointments.filter(pl.col("status") == "attended"), on=["appointment_id", "client_id"], how="left"
        )
        assert forms["status"].null_count() == 0


def test_nothing_happens_after_the_data_date_and_some_episodes_are_open(faultless):
    appointments, episodes = read(faultless, "appointments.csv"), read(faultless, "episodes.csv")
    assert appointments["starts_at"].max().date() <= DATA_ON
    ended = episodes.drop_nulls("ended_on")
    assert 0 < ended.height < episodes.height
    assert (ended["referred_on"] < ended["started_on"]).all()
    assert (ended["started_on"] <= ended["ended_on"]).all()
    assert episodes.filter(pl.col("ended_on").is_null())["end_reason"].null_count() == episodes.height - ended.height


def test_forms_add_up_to_the_scores_that_were_simulated(tmp_path):
    parameters = ClinicParameters(outcome_missing=0.0, alliance_missing=0.0, severe_missing=0.0, missed_probability=0.0)
    export = write_export(
        tmp_path,
        seed=9,
        clinicians=3,
        clients=40,
        data_on=DATA_ON,
        sites=1,
        has_wrong_rows=False,
        parameters=parameters,
    )
    sized = ClinicParameters(**{**vars(parameters), "sites": 1, "clinicians": 3, "clients": 40})
    truth = simulate(sized, seed=9).sessions.with_columns(
        client_id=pl.lit("C") + (pl.col("client") + 1).cast(pl.String).str.zfill(6),
        place=pl.col("session"),
    )
    for name, items, score in (("phq9.csv", 9, "outcome"), ("wai_sr.csv", 12, "alliance")):
        columns = [f"item_{i + 1}" for i in range(items)]
        forms = (
            read(export, name)
            .sort("client_id", "completed_on")
            .with_columns(place=pl.int_range(pl.len()).over("client_id"))
        )
        both = forms.drop_nulls(columns).join(truth, on=["client_id", "place"], how="inner")
        wanted = both[score] * (12 if score == "alliance" else 1)
        assert both.height > 50
        assert np.allclose(both.select(pl.sum_horizontal(columns)).to_series(), wanted)


@given(st.integers(1, 12), st.integers(0, 1), st.integers(1, 5), st.integers(0, 2**31))
def test_items_keep_to_their_scale_and_to_their_total(items, low, span, seed):
    draw = np.random.default_rng(seed)
    high = low + span
    total = draw.integers(low * items, high * items + 1, 20)
    answers = spread_over_items(total, leaning=np.zeros((20, items)), low=low, high=high, draw=draw)
    assert (answers.sum(axis=1) == total).all()
    assert answers.min() >= low
    assert answers.max() <= high
