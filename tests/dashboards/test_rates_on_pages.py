import re
from html import unescape

import polars as pl
import pytest

from assets.contracts.metrics import caption
from assets.contracts.rates import metric
from dashboards import course_words, rate_words
from dashboards.site import build_site
from dashboards.views.areas import areas
from dashboards.views.change import badge_of
from dashboards.views.rates import DROP_OUT, rate_of, shown_rates
from dashboards.views.service import read_service
from tests.dashboards import made_up_clinic
from tests.dashboards.frame_reader import reader_of


@pytest.fixture(scope="module")
def tables():
    return made_up_clinic.clinic(clinicians=12, clients_each=30)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, tables):
    folder = tmp_path_factory.mktemp("site")
    build_site(reader_of(tables), folder=folder, settings=made_up_clinic.settings())
    return {
        str(file.relative_to(folder)): unescape(file.read_text(encoding="utf-8")) for file in folder.rglob("*.html")
    }


def panel(text, key):
    return re.search(rf'<section class="card panel[^"]*" id="{key}".*?</section>', text, flags=re.DOTALL).group(0)


def service_of(frames):
    return read_service(reader_of(frames), settings=made_up_clinic.settings())


@pytest.mark.parametrize("name", DROP_OUT)
def test_a_rate_is_captioned_by_its_own_declaration(pages, name):
    assert caption(metric(name)) in panel(pages["index.html"], "drop-out")


def test_every_shown_rate_stands_with_its_counts_range_and_completeness(pages, tables):
    service = service_of(tables)
    row = rate_of(shown_rates(service), areas(service)[0], "planned_ending")
    text = panel(pages["index.html"], "drop-out")
    assert rate_words.of_counts(row["numerator"], row["denominator"]) in text
    assert rate_words.measured(row["complete"], row["eligible"]) in text


def test_a_small_sites_rate_is_not_to_be_had_by_subtraction(tables):
    rates = tables["analysis.rates"]
    is_site = (pl.col("scope") == "site") & (pl.col("metric") == "planned_ending")
    names = rates.filter(is_site)["scope_name"].sort().to_list()
    assert len(names) > 2
    small = pl.when(is_site & (pl.col("scope_name") == names[0])).then(4).otherwise(pl.col("cases"))
    frames = tables | {"analysis.rates": rates.with_columns(cases=small.cast(pl.Int64))}
    shown = shown_rates(service_of(frames)).filter(is_site)["scope_name"].to_list()
    assert names[0] not in shown
    assert len(shown) <= len(names) - 2


def test_a_figure_that_rests_on_a_recalled_number_carries_a_mark_and_a_note(pages, tables):
    facts = tables["analysis.instruments"]
    status = dict(facts.filter(pl.col("fact") == "reliable_change").select("instrument", "status").iter_rows())
    assert (status["ORS"], status["PHQ-9"]) == ("recalled", "verified")
    harbour, north = (panel(pages[f"sites/{site}.html"], "change") for site in ("harbour", "north"))
    assert rate_words.RECALLED_MARK in harbour
    assert "The ORS\u2019s reliable change" in harbour
    assert rate_words.RECALLED_MARK not in north


def test_every_number_of_every_measure_stands_on_the_methods_page(pages, tables):
    text = panel(pages["methods.html"], "numbers-of-measures")
    assert text.count("<tr>") == tables["analysis.instruments"].height + 1


def test_the_badge_beside_a_rate_is_the_nights(pages, tables):
    service = service_of(tables)
    badge = badge_of(service, areas(service)[0], "PHQ-9")["JT"]["badge"]
    assert rate_words.BADGES[badge] in panel(pages["index.html"], "change")


def test_the_rule_behind_a_change_is_named_in_words(pages):
    assert re.search(r"The sign: (?:a month outside|seven months|two of three)", pages["clinicians/C-1001.html"])


def test_milestones_are_counts_of_cases_with_a_share_and_its_range(pages):
    shown = [
        panel(text, "milestones")
        for name, text in pages.items()
        if re.search(r"clinicians/C-.*\.html", name) and 'id="milestones"' in text
    ]
    assert shown
    assert all("reached a milestone" in text or "Fewer than 10 cases" in text for text in shown)


@pytest.mark.parametrize("estimate", [-2.0, 2.0])
@pytest.mark.parametrize("certainty", ["clear", "likely"])
@pytest.mark.parametrize(
    "signal", ["adjusted_progress", "alliance_level", "early_alliance", "alliance_growth", "alliance_link", "missed"]
)
def test_a_comparison_says_its_size_its_range_and_how_sure(signal, certainty, estimate):
    said = course_words.compared(
        signal, instrument="PHQ-9", estimate=estimate, low=estimate - 1, high=estimate + 1, certainty=certainty
    )
    assert "95% range" in said
    assert ("probably" in said) == (certainty == "likely")
    assert "\u2212" not in said
    assert not re.search(r"\bcause|\brank|\bworst", said)


def test_a_range_across_nothing_keeps_its_signs():
    said = course_words.compared(
        "adjusted_progress", instrument="ORS", estimate=1.0, low=-0.2, high=2.2, certainty="likely"
    )
    assert "\u22120.2 to 2.2" in said


@pytest.mark.parametrize("badge", list(rate_words.BADGES))
def test_a_title_never_concludes_more_than_its_badge(badge):
    said = rate_words.change_title("PHQ-9", percent=54.0, low=0.51, high=0.57, badge=badge, conclusion="above")
    assert ("whichever rule" in said) == (badge == "holds")
    assert rate_words.rules_title("PHQ-9", badge=badge).startswith("PHQ-9")


def test_titles_of_nothing_say_too_few():
    assert rate_words.official_title(percent=None, low=None, high=None).startswith("Too few")
    assert rate_words.attendance_title(percent=None, low=None, high=None).startswith("Too few")
    assert rate_words.drop_out_title(lowest=None, highest=None).startswith("Too few")
    assert course_words.growth_title(certainty="too_few", difference=None).startswith("Too few")
    assert course_words.parts_title(None).startswith("Too few")
    assert course_words.staying_title(session=5, share=None, low=None, high=None).startswith("Too few")
    assert course_words.tracks_title(well_behind=0, behind=0, total=0).startswith("No open client")
    assert course_words.holding_back_title(asking=0, total=0).startswith("No open client")
