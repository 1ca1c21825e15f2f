from datetime import date

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contracts.extract import EXTRACT, QUASI_IDENTIFIERS
from assets.estimates.extract import extract

SCHEMA = {
    "client_id": pl.String,
    "site": pl.String,
    "programme": pl.String,
    "instrument": pl.String,
    "is_open": pl.Boolean,
    "first_score": pl.Float64,
    "last_score": pl.Float64,
    "change": pl.Float64,
    "category": pl.String,
    "problem": pl.String,
    "sessions": pl.Int64,
    "end_reason": pl.String,
    "started_on": pl.Date,
    "age_band": pl.String,
    "gender": pl.String,
    "deprivation_decile": pl.Int64,
}
NAMES = [column.name for column in QUASI_IDENTIFIERS]
optional = st.sampled_from
courses = st.fixed_dictionaries(
    {
        "client_id": st.integers(0, 40).map(lambda n: f"client {n}"),
        "site": st.sampled_from(["north", "south", None]),
        "programme": st.sampled_from(["CBT", "Couples"]),
        "instrument": st.sampled_from(["PHQ-9", "ORS"]),
        "is_open": st.booleans(),
        "first_score": st.floats(0, 27),
        "last_score": st.none(),
        "change": st.none(),
        "category": st.just("not_evaluable"),
        "problem": st.sampled_from(["depression", "ptsd", None]),
        "sessions": st.integers(0, 30),
        "end_reason": st.none(),
        "started_on": st.one_of(st.none(), st.dates(date(2024, 1, 1), date(2026, 6, 1))),
        "age_band": st.sampled_from(["10-19", "20-29", "30-39", "70-79", None]),
        "gender": st.sampled_from(["female", "male", "other"]),
        "deprivation_decile": st.one_of(st.none(), st.integers(1, 10)),
    }
)


def made(rows, *, k):
    return extract(pl.DataFrame(rows, schema=SCHEMA), k=k, data_date=date(2026, 6, 30))


def course(client, **changes):
    row = dict.fromkeys(SCHEMA) | {"client_id": f"c{client}", "instrument": "PHQ-9", "is_open": False}
    return row | {"category": "unchanged", "sessions": 8, "started_on": date(2026, 1, 5), **changes}


@settings(max_examples=40)
@given(st.lists(courses, max_size=80), st.integers(2, 5))
def test_every_combination_belongs_to_k_clients_and_no_row_says_whose_it_is(rows, k):
    # A first score that is different in every row finds each row's client again, in the test alone.
    for number, row in enumerate(rows):
        row["first_score"] = float(number)
    found = made(rows, k=k).rows
    assert found.columns == [column.name for column in EXTRACT.columns]
    who: dict[tuple, set] = {}
    for row in found.iter_rows(named=True):
        who.setdefault(tuple(row[name] for name in NAMES), set()).add(rows[int(row["first_score"])]["client_id"])
    assert all(len(clients) >= k for clients in who.values())


def test_nothing_is_made_coarser_than_it_must_be():
    found = made([course(n, site="north", deprivation_decile=3, age_band="30-39") for n in range(10)], k=10)
    row = found.rows.row(0, named=True)
    assert (row["started"], row["deprivation"], row["age_band"], row["sessions"]) == (
        "2026-01",
        "tenth 3",
        "30-39",
        "6 to 10",
    )
    assert found.summary == (
        "10 rows in 1 combination of at least 10 clients; made coarser: nothing; left out: 0 of 10 rows (0.0%)"
    )


def test_months_become_quarters_before_anything_else_is_lost():
    rows = [course(n, site="north", started_on=date(2026, 1 + n % 3, 1)) for n in range(12)]
    found = made(rows, k=10)
    assert found.rows["started"].unique().to_list() == ["2026 quarter 1"]
    assert "| `started` | VARCHAR | quarter |" in found.dictionary
    assert "made coarser: started to quarter" in found.summary


def test_a_measure_that_few_have_is_left_out_and_said_so():
    rows = [course(n) for n in range(60)] + [course(100 + n, instrument="ORS") for n in range(3)]
    found = made(rows, k=10)
    assert found.rows["instrument"].unique().to_list() == ["PHQ-9"]
    assert "3 of 63 rows" in found.summary


def test_the_dictionary_describes_every_column_and_says_what_it_cannot_promise():
    said = made([course(n) for n in range(10)], k=10).dictionary
    assert all(f"| `{column.name}` |" in said for column in EXTRACT.columns)
    assert "at least 10 clients" in said
    assert "Do not join two extracts" in said
