import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.cross_products import pack
from assets.science.sufficient_statistics import (
    centred_sql,
    client_sums_sql,
    compressed_from_patterns,
    compressed_products,
    patterns_sql,
    unit_products,
)


def rows(seed):
    draw = np.random.default_rng(seed)
    client = np.repeat(np.arange(12), draw.integers(1, 5, 12))
    frame = pl.DataFrame({"who": client // 4, "client": client, "x": draw.normal(size=len(client))})
    return frame.with_columns(y=pl.Series(draw.normal(size=len(client))))


def in_database(query, frame):
    with duckdb.connect() as connection:
        connection.register("pairs", frame.to_arrow())
        return connection.sql(query).pl()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_compressed_statistics_are_sums_over_clients_with_as_many_rows(seed):
    frame = rows(seed)
    design = np.column_stack([np.ones(frame.height), frame["x"], frame["y"]])
    found = compressed_products(design, clinician=frame["who"].to_numpy(), client=frame["client"].to_numpy())
    assert found.rows == frame.height
    for place, (unit, n) in enumerate(zip(found.pattern_unit, found.pattern_rows, strict=True)):
        alike = [
            part.select(pl.lit(1.0).alias("one"), "x", "y").to_numpy()
            for (who, _), part in frame.group_by("who", "client")
            if who == unit and part.height == n
        ]
        expected = sum(np.outer(part.sum(axis=0), part.sum(axis=0)) for part in alike)
        assert found.pattern_clients[place] == len(alike)
        assert found.pattern_sums[place] == pytest.approx(pack(expected))
    for unit, products in enumerate(found.products):
        mine = design[frame["who"].to_numpy() == unit]
        assert products == pytest.approx(mine.T @ mine)


def test_the_database_gives_the_same_statistics_as_numpy():
    frame = rows(5).with_columns(who=pl.lit("K") + pl.col("who").cast(pl.String))
    query = patterns_sql(relation="pairs", clinician="who", client="client", columns=["x - 1", "y"])
    statistics, clinicians = compressed_from_patterns(
        in_database(query, frame).sample(fraction=1.0, shuffle=True), columns=2
    )
    design = np.column_stack([np.ones(frame.height), frame["x"] - 1, frame["y"]])
    expected = compressed_products(design, clinician=frame["who"].to_numpy(), client=frame["client"].to_numpy())
    assert clinicians.to_list() == ["K0", "K1", "K2"]
    assert statistics.rows == expected.rows
    for part in ("products", "pattern_sums", "pattern_rows", "pattern_clients", "pattern_unit"):
        assert getattr(statistics, part) == pytest.approx(getattr(expected, part))


def test_client_sums_have_one_row_a_client_of_a_clinician():
    frame = rows(6).with_columns(client=pl.col("client") % 4)
    query = client_sums_sql(relation="pairs", clinician="who", client="client", columns=["x", "y"])
    sums = in_database(query, frame)
    assert sums.height == 12
    assert sums["row_count"].sum() == frame.height
    assert sums["q1_2"].sum() == pytest.approx((frame["x"] * frame["y"]).sum())


def test_a_client_of_two_clinicians_counts_as_two():
    frame = rows(7).with_columns(client=pl.lit(1)).sort("who")
    design = np.column_stack([np.ones(frame.height), frame["x"], frame["y"]])
    found = compressed_products(design, clinician=frame["who"].to_numpy(), client=frame["client"].to_numpy())
    assert found.pattern_clients.tolist() == [1.0, 1.0, 1.0]


def test_centring_takes_the_mean_off_and_bears_an_empty_table():
    frame = rows(8)
    centred = in_database(f"SELECT {centred_sql('x', relation='pairs')} AS x FROM pairs", frame)
    assert centred["x"].mean() == pytest.approx(0.0, abs=1e-12)
    assert in_database(f"SELECT {centred_sql('x', relation='pairs')} AS x FROM pairs", frame.clear()).height == 0


def test_unit_products_say_where_units_begin():
    design = np.arange(12.0).reshape(6, 2)
    found, starts = unit_products(design, unit=["a", "a", "b", "b", "b", "c"])
    assert starts.tolist() == [0, 2, 5]
    assert found.products[2] == pytest.approx(np.outer(design[5], design[5]))
