import json
import re
from itertools import combinations

import polars as pl
import pytest

from dashboards.views import slices as module
from dashboards.views.areas import areas
from dashboards.views.service import read_service
from dashboards.views.slices import slices
from tests.dashboards.frame_reader import reader_of


@pytest.fixture(scope="module")
def service(made):
    return read_service(reader_of(made.service()), settings=made.settings())


@pytest.fixture(scope="module")
def made_slices(service):
    return slices(service, areas(service))


def test_every_offered_slice_has_a_file_and_every_file_is_offered(site, made_slices):
    written = {file.name for file in (site / "slices").glob("*.json")}
    offered = json.loads(
        re.search(r'id="slices">(.*?)</script>', (site / "index.html").read_text(encoding="utf-8")).group(1)
    )
    assert written == set(offered) == set(made_slices.files)
    assert "service-all-12.json" in written


def test_no_slice_holds_a_code_or_an_exact_size(frames, site):
    codes = frames["marts.clinicians"]["clinician_id"].to_list()
    for file in (site / "slices").glob("*.json"):
        text = file.read_text(encoding="utf-8")
        assert not [code for code in codes if code in text]
        assert not re.search(r"K\d{5}", text)
        assert all(int(row[4].replace(",", "")) % 5 == 0 for row in json.loads(text)["rows"])


def test_a_group_that_the_night_withholds_or_holds_has_no_slice(made):
    frames = made.service()
    decided = frames["quality.published_slices"]
    is_north = (pl.col("scope") == "site") & (pl.col("scope_name") == "north") & (pl.col("population") == "booked")
    frames["quality.published_slices"] = decided.with_columns(
        status=pl.when(is_north & (pl.col("months") == 6)).then(pl.lit("withheld")).otherwise("status"),
        has_held_figures=pl.when(pl.col("scope_name") == "south")
        .then(pl.lit(value=True))
        .otherwise("has_held_figures"),
    )
    service = read_service(reader_of(frames), settings=made.settings())
    found = slices(service, areas(service)).files
    assert "site-north-6.json" not in found
    assert "site-north-12.json" in found
    assert not [name for name in found if name.startswith("site-south")]


def test_of_two_periods_no_subtraction_tells_of_few(service):
    rates = module._rates(service, module.MONTHS)
    told = module._without_differences(rates, first=12)
    for first, second in combinations(told.values(), 2):
        beside = second.select(*module._KEYS, cases_="cases", denominator_="denominator")
        both = first.join(beside, on=module._KEYS)
        for name in ("cases", "denominator"):
            apart = (both[name] - both[f"{name}_"]).abs()
            assert not apart.is_between(1, 9).any()


def test_a_small_service_has_no_slices(made):
    service = read_service(reader_of(made.service(clinicians=1, clients_each=3)), settings=made.settings())
    assert slices(service, areas(service)) is None
