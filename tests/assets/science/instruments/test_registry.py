from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science.change import cut_off_from_norms, reliable_change_criterion
from assets.science.instruments.model import Absent, Instrument, MissingRule, Norm, Range, Scoring, Sourced
from assets.science.instruments.registry import REGISTRY, Registry, plain_name, with_local

EXPECTED = {
    "WAI-SR": (12, 12, 60, "higher_is_better"),
    "WAI-S": (12, 12, 84, "higher_is_better"),
    "SRS": (4, 0, 40, "higher_is_better"),
    "ARM-5": (5, 1, 7, "higher_is_better"),
    "ARM-12": (12, 1, 7, "higher_is_better"),
    "SAI": (6, 0, 5, "higher_is_better"),
    "HAq-II": (19, 1, 6, "higher_is_better"),
    "CALPAS": (24, 1, 7, "higher_is_better"),
    "PHQ-9": (9, 0, 27, "higher_is_worse"),
    "GAD-7": (7, 0, 21, "higher_is_worse"),
    "CORE-10": (10, 0, 40, "higher_is_worse"),
    "CORE-OM": (34, 0, 40, "higher_is_worse"),
    "YP-CORE": (10, 0, 4, "higher_is_worse"),
    "OQ-45.2": (45, 0, 180, "higher_is_worse"),
    "ORS": (4, 0, 40, "higher_is_better"),
    "WSAS": (5, 0, 40, "higher_is_worse"),
    "PCL-5": (20, 0, 80, "higher_is_worse"),
    "K10": (10, 10, 50, "higher_is_worse"),
    "DASS-21": (21, 0, 126, "higher_is_worse"),
    "CSI-4": (4, 0, 21, "higher_is_better"),
    "DAS-7": (7, 0, 36, "higher_is_better"),
    "RDAS": (14, 0, 69, "higher_is_better"),
}
WITH_CUT = [each for each in REGISTRY if each.cut_off is not None]
ADDED = {
    "kind": "outcome",
    "direction": "higher_is_better",
    "n_items": 3,
    "item_low": 0,
    "item_high": 4,
    "aggregate": "sum",
    "source": "Clinic handbook 2025",
}


def phq(**changes):
    given = {each.name: getattr(REGISTRY["PHQ-9"], each.name) for each in fields(Instrument)}
    return Instrument(**(given | changes))


def sourced_in(thing):
    if isinstance(thing, Sourced):
        yield thing
    elif isinstance(thing, tuple):
        for each in thing:
            yield from sourced_in(each)
    elif hasattr(thing, "__dataclass_fields__"):
        for each in fields(thing):
            yield from sourced_in(getattr(thing, each.name))


def test_the_registry_holds_the_measures_services_use():
    assert {each.id for each in REGISTRY} == set(EXPECTED)
    assert len(REGISTRY) == len(EXPECTED)


@pytest.mark.parametrize(("name", "facts"), EXPECTED.items())
def test_items_ranges_and_directions_are_as_published(name, facts):
    it = REGISTRY[name]
    assert (it.n_items.value, it.score_range.low, it.score_range.high, it.direction) == pytest.approx(facts)


@pytest.mark.parametrize("instrument", REGISTRY, ids=lambda each: each.id)
def test_every_number_has_a_source_and_a_status(instrument):
    found = list(sourced_in(instrument))
    assert len(found) >= 4
    assert all(each.source.strip() and each.status in {"verified", "recalled"} for each in found)


@pytest.mark.parametrize(
    "instrument", [each for each in REGISTRY if each.id != "OQ-45.2" and len(each.subscales) > 1], ids=lambda i: i.id
)
def test_parts_share_no_item_and_leave_none_out(instrument):
    items = [item for part in instrument.subscales for item in part.items.value]
    assert sorted(items) == list(instrument.items)


def test_the_three_parts_of_the_oq_hold_25_11_and_9_items():
    assert [len(part.items.value) for part in REGISTRY["OQ-45.2"].subscales] == [25, 11, 9]


@pytest.mark.parametrize("instrument", WITH_CUT, ids=lambda each: each.id)
def test_the_cut_off_itself_is_clinical_when_higher_is_worse_and_functional_when_higher_is_better(instrument):
    cut = instrument.cut_off.value
    worse = instrument.direction == "higher_is_worse"
    assert instrument.is_clinical(cut) is worse
    assert instrument.is_clinical(cut + 0.1) is worse
    assert instrument.is_clinical(cut - 0.1) is not worse


def test_without_a_cut_off_nothing_is_called_clinical():
    assert REGISTRY["WAI-SR"].is_clinical(20) is None


@pytest.mark.parametrize("instrument", REGISTRY, ids=lambda each: each.id)
def test_a_cut_off_reliable_change_or_key_that_is_not_declared_has_its_reason(instrument):
    lacking = {fact for fact in ("cut_off", "reliable_change") if getattr(instrument, fact) is None}
    if not instrument.is_key_declared:
        lacking.add("reversed_items")
    assert {each.fact for each in instrument.absent} == lacking
    assert all(each.why.endswith(".") for each in instrument.absent)


def test_what_a_clinic_states_is_no_longer_absent():
    made = with_local(REGISTRY, {"ARM-12": {"reliable_change": 1.1, "reversed_items": [], "source": "Own copy"}})
    assert [each.fact for each in made["ARM-12"].absent] == ["cut_off"]
    assert made["ARM-12"].is_key_declared


def test_the_threshold_of_the_dass_follows_from_its_published_spread_and_alpha():
    criterion = reliable_change_criterion(sd=2 * 9.66, reliability=REGISTRY["DASS-21"].alpha.value, critical=1.96)
    assert criterion == pytest.approx(14.17, abs=0.005)
    assert 0 <= REGISTRY["DASS-21"].reliable_change.value - criterion < 1


@pytest.mark.parametrize("written", ["PHQ9", "phq-9", " PHQ_9 ", "Patient Health Questionnaire 9"])
def test_an_instrument_is_known_by_its_other_names(written):
    assert REGISTRY[written].id == "PHQ-9"
    assert written in REGISTRY


def test_an_unknown_name_is_answered_with_the_known_ones():
    assert "nothing" not in REGISTRY
    assert 9 not in REGISTRY
    with pytest.raises(KeyError, match="known are: WAI-SR"):
        REGISTRY["nothing"]


@given(st.text())
def test_a_plain_name_is_its_own_plain_name(text):
    assert plain_name(plain_name(text)) == plain_name(text)


def test_measures_are_found_by_kind():
    assert {each.kind for each in REGISTRY.of_kind("alliance")} == {"alliance"}
    assert len(REGISTRY.of_kind("alliance")) + len(REGISTRY.of_kind("outcome")) == len(REGISTRY)


def test_two_instruments_cannot_share_a_name():
    with pytest.raises(ValueError, match="'phq9' belongs to both"):
        Registry((REGISTRY["PHQ-9"], phq(id="Other", aliases=("phq9",))))


def test_an_item_with_its_own_range_keeps_it():
    csi = REGISTRY["CSI-4"]
    assert (csi.range_of_item(1).high, csi.range_of_item(2).high) == (6, 5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "mood"}, "kind 'mood'"),
        ({"direction": "up"}, "direction 'up'"),
        ({"n_items": Sourced(0, "x", "local")}, "no items"),
        ({"reversed_items": Sourced((10,), "x", "local")}, "items it does not have"),
        ({"raters": ("parent",)}, "raters"),
        ({"raters": ()}, "raters"),
        ({"missing": Sourced(MissingRule(9), "x", "local")}, "every item may be missing"),
        ({"item_decimals": -1}, "decimals"),
        ({"reliable_change": Sourced(0.0, "x", "local")}, "reliable change"),
        ({"alpha": Sourced(1.0, "x", "local")}, "reliability"),
        ({"cut_off": Sourced(28.0, "x", "local")}, "cut-off 28.0 lies outside"),
        ({"subscales": REGISTRY["WAI-SR"].subscales[:1] * 2}, "named twice"),
        ({"absent": (Absent("cut_off", "none is published"),)}, "declares what it calls absent"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        phq(**changes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sourced(1, " ", "local"), "needs its source"),
        (lambda: Sourced(1, "x", "guessed"), "Status 'guessed'"),
        (lambda: Range(1, 1), "runs from low to high"),
        (lambda: MissingRule(-1), "fewer than no items"),
        (lambda: Scoring("median", 1), "Scoring 'median'"),
        (lambda: Scoring("sum", 0), "above zero"),
        (lambda: Norm(1, 0), "above zero"),
    ],
)
def test_a_fact_that_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_a_clinics_numbers_lie_over_the_published_ones_and_say_so():
    made = with_local(
        REGISTRY,
        {
            "phq9": {
                "cut_off": 9,
                "reliable_change": 5.5,
                "alpha": 0.87,
                "test_retest": 0.8,
                "clinical_norm": {"mean": 14.2, "sd": 5.9},
                "functional_norm": {"mean": 3, "sd": 3.1},
                "max_missing": 1,
                "name": "PHQ",
                "licence": "as published",
                "aliases": ["Stimmung"],
                "raters": ["client"],
                "source": "Clinic sample 2024",
            }
        },
    )
    it = made["Stimmung"]
    assert it.id == "PHQ-9"
    assert it.cut_off == Sourced(9.0, "Clinic sample 2024", "local")
    assert it.clinical_norm == Sourced(Norm(14.2, 5.9), "Clinic sample 2024", "local")
    assert it.missing.value.max_missing == 1
    assert it.item_range.status == "verified"
    assert REGISTRY["PHQ-9"].cut_off.value == 10


def test_two_sets_of_local_numbers_for_one_instrument_both_hold():
    made = with_local(REGISTRY, {"PHQ-9": {"cut_off": 9, "source": "x"}, "phq9": {"alpha": 0.8, "source": "y"}})
    assert (made["PHQ-9"].cut_off.value, made["PHQ-9"].alpha.source) == (9, "y")


def test_a_clinic_can_declare_a_key_and_parts_where_none_is_known():
    made = with_local(
        REGISTRY, {"CALPAS": {"reversed_items": [1, 2], "subscales": {"goals": [3, 4]}, "source": "Manual held here"}}
    )
    assert made["CALPAS"].is_key_declared
    assert made["CALPAS"].is_reversed(2)
    assert made["CALPAS"].subscale("goals").items.value == (3, 4)


def test_a_clinic_can_add_an_instrument():
    made = with_local(REGISTRY, {"MOOD": ADDED | {"multiplier": 2, "item_decimals": 1, "cut_off": 8}})
    assert made["mood"].score_range == Range(0, 24)
    assert made["mood"].cut_off.status == "local"
    assert len(made) == len(REGISTRY) + 1


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"PHQ-9": {"cut_off": 9}}, "PHQ-9: local numbers need `source`"),
        ({"PHQ-9": {"cut_off": 9, "source": " "}}, "need `source`"),
        ({"PHQ-9": {"cutoff": 9, "source": "x"}}, "cutoff cannot be set here"),
        ({"PHQ-9": {"item_high": 4, "source": "x"}}, "item_high cannot be set here"),
        ({"PHQ-9": {"cut_off": "9", "source": "x"}}, "cut_off must be a number"),
        ({"PHQ-9": {"cut_off": True, "source": "x"}}, "cut_off must be a number"),
        ({"PHQ-9": {"cut_off": 99, "source": "x"}}, "lies outside its scores"),
        ({"PHQ-9": {"max_missing": 1.5, "source": "x"}}, "max_missing must be a whole number"),
        ({"PHQ-9": {"reversed_items": 3, "source": "x"}}, "reversed_items must be a list"),
        ({"PHQ-9": {"clinical_norm": 3, "source": "x"}}, "must give exactly mean and sd"),
        ({"PHQ-9": {"clinical_norm": {"mean": 3}, "source": "x"}}, "must give exactly mean and sd"),
        ({"PHQ-9": {"subscales": [1], "source": "x"}}, "subscales must map"),
        ({"PHQ-9": {"subscales": {"a": []}, "source": "x"}}, "a part has no items"),
        ({"PHQ-9": {"subscales": {"a": [1], "b": [11]}, "source": "x"}}, "items it does not have"),
        ({"NEW": {"source": "x"}}, "to add one aggregate, direction, item_high, item_low, kind, n_items must be given"),
        ({"NEW": ADDED | {"kind": "mood"}}, "kind 'mood'"),
    ],
)
def test_a_local_number_that_cannot_be_is_refused_in_one_sentence(overrides, words):
    with pytest.raises(ValueError, match=words):
        with_local(REGISTRY, overrides)


def test_a_part_that_may_miss_all_its_items_is_refused():
    bond = REGISTRY["SRS"].subscales[0]
    loose = type(bond)(id="bond", name="Bond", items=bond.items, missing=Sourced(MissingRule(1), "x", "local"))
    with pytest.raises(ValueError, match="miss all its items"):
        phq(subscales=(loose,))


def test_a_part_is_found_by_its_id_and_a_wrong_one_is_named():
    assert REGISTRY["WAI-SR"].subscale("goals").items.value == (4, 6, 8, 11)
    with pytest.raises(KeyError, match="it has: bond, goals, tasks"):
        REGISTRY["WAI-SR"].subscale("trust")


@pytest.mark.parametrize(
    "instrument", [each for each in REGISTRY if each.clinical_norm and each.cut_off], ids=lambda each: each.id
)
def test_norms_put_criterion_c_near_the_cut_off_in_use(instrument):
    clinical, functional = instrument.clinical_norm.value, instrument.functional_norm.value
    found = cut_off_from_norms(clinical=clinical, functional=functional, direction=instrument.direction)
    assert found.criterion == "c"
    assert abs(found.value - instrument.cut_off.value) < 0.06 * instrument.score_range.high
