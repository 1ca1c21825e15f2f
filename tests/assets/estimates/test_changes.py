import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.contracts.changes import CHANGED_ROWS, TOUCHES, WORTH_TELLING
from assets.contracts.figures import FIGURES, RATE, Figure
from assets.contracts.model import Kind
from assets.contracts.registry import TABLES
from assets.estimates.changes import Data, Touches, figure_changes, no_changes
from assets.estimates.shapes import shaped

LINK = Figure(table="analysis.alliance_link", name="estimate", low="low", high="high")
SIZES = {"scope": pl.String, "scope_name": pl.String, "instrument": pl.String, "rows": pl.Int64, "aged": pl.Int64}


def rates(*rows):
    """Rates by metric, site and measure, each with its value and half interval."""
    return pl.DataFrame(
        [(metric, "site", site, of, value, value - half, value + half) for metric, site, of, value, half in rows],
        schema=dict.fromkeys(("metric", "scope", "scope_name", "instrument"), pl.String)
        | dict.fromkeys(("rate", "low", "high"), pl.Float64),
        orient="row",
    )


def links(**estimates):
    """The link of clinicians by code, each with half an interval of 0.4."""
    rows = [(code, "WAI-SR", "PHQ-9", value, value - 0.4, value + 0.4) for code, value in estimates.items()]
    keys = dict.fromkeys(("clinician_id", "alliance_instrument", "outcome_instrument"), pl.String)
    return pl.DataFrame(rows, schema=keys | dict.fromkeys(("estimate", "low", "high"), pl.Float64), orient="row")


def row(key, reason, **placed):
    return {"table_name": "staging.outcomes", "row_key": key, "reason": reason, **placed}


def data(*, rows=(), sizes=(), definitions=(), has_time_passed=False):
    return Data(
        changed=shaped(
            pl.DataFrame(list(rows), schema_overrides={"row_key": pl.String}, infer_schema_length=None), CHANGED_ROWS
        ),
        sizes=pl.DataFrame(list(sizes), schema=SIZES, orient="row"),
        definitions=pl.DataFrame(
            list(definitions), schema=dict.fromkeys(("kind", "name", "because_of"), pl.String), orient="row"
        ),
        has_time_passed=has_time_passed,
    )


def moved(before, now, *, of=RATE, shown=frozenset(), **changed):
    found = figure_changes(
        [(of, TABLES[of.table])],
        now={of.table: now},
        before={of.table: before},
        data=data(**changed),
        shown={of.table: shown},
    )
    return {each["row_key"]: each for each in found.iter_rows(named=True)}


NORTH = ("recovered", "north", "PHQ-9", 0.4, 0.1)
HIGHER = ("recovered", "north", "PHQ-9", 0.5, 0.1)
KEY = "recovered/site/north/PHQ-9"
SIZE = (("service", "all", None, 1000, 0), ("site", "north", None, 100, 0))


@pytest.mark.parametrize("reason", [each for each in TOUCHES if each != "aged"])
def test_what_changed_of_its_own_group_is_the_reason(reason):
    told = moved(rates(NORTH), rates(HIGHER), rows=[row("r", reason, site="north", instrument="PHQ-9")], sizes=SIZE)[
        KEY
    ]
    assert (told["reason"], told[f"rows_{reason}"], told["rows_changed"]) == (reason, 1, 1)
    assert told["definitions_changed"] is None


def test_rows_that_the_period_left_behind_are_a_reason_too():
    told = moved(rates(NORTH), rates(HIGHER), sizes=[("site", "north", None, 100, 3)], has_time_passed=True)[KEY]
    assert (told["reason"], told["rows_aged"]) == ("aged", 3)


def test_the_kind_with_most_rows_stands_first_and_all_are_counted():
    rows = [row(f"n{n}", "new", site="north") for n in range(2)] + [
        row(f"c{n}", "corrected", site="north") for n in range(3)
    ]
    told = moved(rates(NORTH), rates(HIGHER), rows=rows, sizes=SIZE)[KEY]
    assert (told["reason"], told["rows_new"], told["rows_corrected"], told["rows_changed"]) == ("corrected", 2, 3, 5)
    assert told["sentence"].endswith("rows of its group: 2 new, 3 corrected")


def test_a_row_that_left_the_site_touches_both_sites_once_each_and_the_service_once():
    touches = Touches(
        data(
            rows=[
                row("r", "corrected", site="south", site_before="north"),
                row("s", "new", site="north", site_before="north"),
            ]
        )
    )
    counted = {
        group: touches.of(group, instruments=frozenset()).total
        for group in (("site", "north"), ("site", "south"), ("service", "all"))
    }
    assert counted == {("site", "north"): 2, ("site", "south"): 1, ("service", "all"): 2}


def test_forms_of_another_measure_and_rows_of_another_site_are_not_its_own():
    others = [row("a", "new", site="south"), row("b", "new", site="north", instrument="GAD-7")]
    told = moved(rates(NORTH), rates(HIGHER), rows=others, sizes=SIZE)[KEY]
    assert (told["reason"], told["rows_changed"]) == ("elsewhere", 0)
    assert "others of the service did" in told["sentence"]


def test_a_changed_definition_comes_first_and_is_named():
    definitions = [("rate", "recovered", "registry, marts.episodes"), ("table", "analysis.rates", "everything")]
    told = moved(
        rates(NORTH), rates(HIGHER), rows=[row("r", "new", site="north")], sizes=SIZE, definitions=definitions
    )[KEY]
    assert (told["reason"], told["definitions_changed"], told["rows_new"]) == (
        "definition",
        "registry, marts.episodes",
        1,
    )
    assert "changed definitions: registry, marts.episodes" in told["sentence"]


def test_another_rates_definition_is_no_reason():
    told = moved(rates(NORTH), rates(HIGHER), definitions=[("rate", "improved", "improved")], has_time_passed=True)[KEY]
    assert told["reason"] == "time"


def test_what_moved_without_any_reason_says_so():
    assert moved(rates(NORTH), rates(HIGHER))[KEY]["reason"] == "unexplained"


@pytest.mark.parametrize(("share", "is_worth"), [(WORTH_TELLING - 0.01, False), (WORTH_TELLING, True)])
def test_a_movement_is_worth_telling_from_a_share_of_the_earlier_half_interval_on(share, is_worth):
    now = ("recovered", "north", "PHQ-9", 0.4 - share * 0.1, 0.3)
    assert moved(rates(NORTH), rates(now))[KEY]["is_worth_telling"] is is_worth


def test_so_much_changed_data_explains_the_half_interval_times_the_root_of_twice_its_share():
    rows = [row(f"r{n}", "new", site="north") for n in range(2)]
    sizes = [("service", "all", None, 1000, 0), ("site", "north", None, 100, 0)]
    told = moved(rates(NORTH), rates(HIGHER), rows=rows, sizes=sizes)[KEY]
    assert told["explained"] == pytest.approx(0.1 * (2 * 0.02) ** 0.5)
    assert told["is_beyond_data"]
    little = moved(rates(NORTH), rates(("recovered", "north", "PHQ-9", 0.419, 0.1)), rows=rows, sizes=sizes)[KEY]
    assert not little["is_beyond_data"]


def test_a_steadied_figure_leans_on_changes_of_the_whole_service():
    told = moved(links(k1=0.3), links(k1=0.31), of=LINK, rows=[row("r", "new", clinician_id="k2")], sizes=[("service", "all", None, 200, 0)])["k1/WAI-SR/PHQ-9"]  # fmt: skip
    assert (told["scope"], told["scope_name"], told["reason"]) == ("clinician", "k1", "elsewhere")
    assert told["explained"] == pytest.approx(0.4 * (2 / 200) ** 0.5)
    assert not told["is_beyond_data"]


def test_what_stands_in_one_version_only_came_or_went():
    told = moved(rates(NORTH), rates(("recovered", "south", "PHQ-9", 0.5, 0.1)))
    assert {key: (each["movement"], each["difference"], each["is_worth_telling"]) for key, each in told.items()} == {
        KEY: ("gone", None, True),
        "recovered/site/south/PHQ-9": ("appeared", None, True),
    }


def test_an_interval_that_moved_alone_is_a_movement_of_nothing():
    told = moved(rates(NORTH), rates((*NORTH[:4], 0.2)))[KEY]
    assert (told["movement"], told["difference"], told["is_worth_telling"]) == ("moved", 0.0, False)


def test_only_rows_that_both_nights_pages_may_show_are_for_pages():
    south = [("recovered", "south", "PHQ-9", value, 0.1) for value in (0.2, 0.3)]
    told = moved(rates(NORTH, south[0]), rates(HIGHER, south[1]), shown=frozenset({KEY}))
    assert {key: each["is_on_pages"] for key, each in told.items()} == {KEY: True, "recovered/site/south/PHQ-9": False}


def test_a_table_that_the_last_version_had_not_has_nothing_to_be_compared_with():
    found = figure_changes(
        [(RATE, TABLES[RATE.table])], now={RATE.table: rates(NORTH)}, before={}, data=data(), shown={}
    )
    assert found.equals(no_changes())


def test_every_figure_is_a_number_of_its_table_with_two_ends():
    for each in FIGURES:
        kinds = {TABLES[each.table].column(name).kind for name in (each.name, each.low, each.high)}
        assert kinds == {Kind.NUMBER}


SIDE = st.dictionaries(st.tuples(st.sampled_from(["recovered", "improved"]), st.sampled_from("abc")), st.integers(0, 4))
ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from(TOUCHES[:-1])), max_size=8)


@given(SIDE, SIDE, ROWS)
def test_every_differing_figure_is_listed_once_and_its_kinds_of_rows_add_up(before, now, rows):
    sides = [
        rates(*((metric, site, "PHQ-9", value / 10, 0.1) for (metric, site), value in side.items()))
        for side in (before, now)
    ]
    changed = [row(str(n), reason, site=site, site_before=was) for n, (site, was, reason) in enumerate(rows)]
    found = figure_changes(
        [(RATE, TABLES[RATE.table])],
        now={RATE.table: sides[1]},
        before={RATE.table: sides[0]},
        data=data(rows=changed, sizes=SIZE),
        shown={},
    )
    expected = {
        f"{metric}/site/{site}/PHQ-9"
        for metric, site in before.keys() | now.keys()
        if before.get((metric, site)) != now.get((metric, site))
    }
    assert found["row_key"].to_list() == sorted(expected)
    for told in found.iter_rows(named=True):
        own = [reason for site, was, reason in rows if told["scope_name"] in {site, was}]
        assert told["rows_changed"] == sum(told[f"rows_{name}"] for name in TOUCHES) == len(own)
