import polars as pl

from assets.estimates.instrument_facts import instrument_facts
from assets.science.instruments.registry import REGISTRY, with_local


def test_every_measure_shows_its_numbers_with_source_and_status():
    table = instrument_facts(REGISTRY)
    assert set(table["instrument"]) == {each.id for each in REGISTRY}
    assert set(table["status"]) == {"verified", "recalled", "absent"}
    assert table["source"].str.len_chars().min() > 0
    assert not table.select("instrument", "fact").is_duplicated().any()


def test_a_clinics_own_number_is_told_as_its_own():
    local = with_local(REGISTRY, {"PHQ-9": {"cut_off": 11, "source": "our 2025 sample"}})
    row = instrument_facts(local).filter((pl.col("instrument") == "PHQ-9") & (pl.col("fact") == "cut_off")).to_dicts()
    assert [(each["value"], each["status"], each["source"], each["direction"]) for each in row] == [
        ("11", "local", "our 2025 sample", "higher_is_worse")
    ]
