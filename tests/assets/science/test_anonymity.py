import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science.anonymity import ANY, anonymous

LADDERS = {
    "age": (pl.col("age").cast(pl.String), pl.format("{}0s", pl.col("age") // 10), pl.lit(ANY)),
    "site": (pl.col("site"), pl.lit(ANY)),
}


def people(*rows):
    return pl.DataFrame(rows, schema={"who": pl.Int64, "age": pl.Int64, "site": pl.String}, orient="row")


def made(rows, *, k=2, most_suppressed=0.0):
    return anonymous(rows, person="who", ladders=LADDERS, k=k, most_suppressed=most_suppressed)


def test_rows_that_are_shared_already_stay_as_they_are():
    found = made(people((1, 31, "n"), (2, 31, "n"), (3, 44, "s"), (4, 44, "s")))
    assert found.levels == {"age": 0, "site": 0}
    assert (found.classes, found.smallest_class, found.suppressed_rows) == (2, 2, 0)
    assert found.rows.columns == ["age", "site"]


def test_what_has_most_values_is_made_coarser_first():
    found = made(people((1, 31, "n"), (2, 33, "n"), (3, 44, "s"), (4, 46, "s")))
    assert found.levels == {"age": 1, "site": 0}
    assert sorted(found.rows["age"].unique()) == ["30s", "40s"]


def test_a_rare_row_is_left_out_where_that_is_allowed():
    rows = people(*((n, 31, "n") for n in range(19)), (99, 80, "s"))
    found = made(rows, most_suppressed=0.05)
    assert found.levels == {"age": 0, "site": 0}
    assert (found.suppressed_rows, found.suppressed_people, found.rows.height) == (1, 1, 19)


def test_many_rows_of_one_person_are_one_person():
    found = made(people((1, 31, "n"), (1, 31, "n"), (1, 31, "n")), k=2)
    assert (found.rows.height, found.classes, found.smallest_class) == (0, 0, 0)


def test_nothing_in_gives_nothing_out():
    assert made(people()).rows.height == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [({"k": 1}, "k is 2 or more"), ({"most_suppressed": 1.5}, "between 0 and 1"), ({"ladders": {}}, "nothing to make")],
)
def test_what_cannot_be_asked_is_refused(more, said):
    asked = {"person": "who", "ladders": LADDERS, "k": 2, "most_suppressed": 0.0, **more}
    with pytest.raises(ValueError, match=said):
        anonymous(people((1, 31, "n")), **asked)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(18, 60), st.sampled_from("nsw")), max_size=60),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.05, 0.5]),
)
def test_every_combination_that_is_left_belongs_to_k_people(rows, k, most_suppressed):
    table = people(*rows)
    found = anonymous(
        table.with_columns(key=pl.col("who")), person="who", ladders=LADDERS, k=k, most_suppressed=most_suppressed
    )
    who: dict[tuple, set] = {}
    for key, age, site in found.rows.select("key", "age", "site").iter_rows():
        who.setdefault((age, site), set()).add(key)
    assert all(len(each) >= k for each in who.values())
    assert found.rows.height + found.suppressed_rows == table.height
    is_coarsest = found.levels == {"age": 2, "site": 1}
    assert found.suppressed_rows <= most_suppressed * table.height or is_coarsest
