"""The benchmark of pages on a small made-up clinic: what it counts and how it judges. No figure of time is asserted."""

import json

import polars as pl
import pytest

from assets import warehouse
from dashboards.site import build_site
from pipelines.benchmarks import pages
from pipelines.gatekeeper.releases import MANIFEST
from tests.dashboards import made_up_clinic
from tests.dashboards.frame_reader import reader_of
from tests.pipelines.gatekeeper import served


@pytest.fixture(scope="module")
def tables():
    return made_up_clinic.clinic(clinicians=6, clients_each=30)


@pytest.fixture(scope="module")
def home(tmp_path_factory, tables):
    """A made-up clinic's site, published as a night publishes."""
    home = tmp_path_factory.mktemp("demonstration")
    staged = home / "staged"
    build_site(reader_of(tables), folder=staged / "site", settings=made_up_clinic.settings())
    (staged / warehouse.WAREHOUSE_FILE).write_bytes(b"")
    (staged / MANIFEST).write_text(json.dumps({"data_date": "2026-11-20"}), encoding="utf-8")
    warehouse.publish(staged, home=home, version=served.FIRST, keep=7)
    return home


@pytest.fixture(scope="module")
def seen(home):
    return {row["what"]: row for row in pages.seen_by_a_browser(home, times=2)}


def test_every_promise_of_pages_has_a_line(seen):
    promised = {name for name, row in seen.items() if row["goal"] != ""}
    assert promised == {
        *(
            f"{page}: {what}"
            for page in ("overview", "clinician")
            for what in ("first paint", "charts in view drawn", "sent, cold", "sent beside the bundle")
        ),
        "overview: filter to redraw",
    }
    assert all(row["times"] == 2 and 0 < row["median"] <= row["worst"] for row in seen.values())


def test_what_is_sent_counts_the_page_with_all_that_it_asks_for_and_the_bundle_once(home, seen):
    site = home / warehouse.CURRENT / "site"
    bundle = next(site.glob("assets/plotly.*.js")).stat().st_size / 1000
    for page in ("overview", "clinician"):
        cold, beside = seen[f"{page}: sent, cold"]["median"], seen[f"{page}: sent beside the bundle"]["median"]
        assert 0.2 * bundle < cold - beside < 0.5 * bundle
        assert beside > next(site.glob("assets/inter.*.woff2")).stat().st_size / 1000


def test_nothing_of_the_benchmark_stands_in_the_record_of_the_home_that_it_reads(home, seen):
    assert seen
    assert not (home / "gatekeeper").exists()


def test_the_largest_clinicians_page_is_measured_and_never_their_list(home):
    site = home / warehouse.CURRENT / "site"
    sizes = {file.name: file.stat().st_size for file in site.glob("clinicians/C-*.html")}
    assert sizes[pages.largest_page(site)] == max(sizes.values())


def test_a_large_service_is_the_same_clinicians_under_other_codes(tables):
    shown = tables["analysis.clinician_attendance"].filter(pl.col("cases") >= 10)["clinician_id"]
    many = pages.many_times_over(tables, clinicians=20)
    codes = many["marts.clinicians"]["clinician_id"]
    assert codes.n_unique() == len(codes) >= 20
    assert len(codes) % len(shown) == 0
    for name, frame in many.items():
        if "clinician_id" in frame.columns and frame.height:
            assert set(frame["clinician_id"].drop_nulls()) <= set(codes), name
    assert many["marts.episodes"]["episode_id"].is_unique().all()
    assert many["quality.checks"].equals(tables["quality.checks"])


@pytest.mark.parametrize(("values", "held"), [([1.0, 2.0, 9.0], "yes"), ([1.0, 3.0, 3.5], "no")])
def test_the_median_holds_a_promise_and_the_worst_is_said(values, held):
    row = pages.line("first paint", values, goal=3.0, unit="ms")
    assert (row["held"], row["worst"], row["times"]) == (held, max(values), 3)


def test_a_line_without_a_promise_is_held_against_nothing():
    row = pages.line("first byte", [1.0], goal=None, unit="ms")
    assert (row["goal"], row["held"]) == ("", "")
