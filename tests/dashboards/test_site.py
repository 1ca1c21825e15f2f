import hashlib
import json
import re

import plotly.graph_objects as go
import plotly.offline
import polars as pl
import pytest

from dashboards import render
from dashboards.site import build_site
from tests.dashboards.frame_reader import reader_of

FIGURE = re.compile(r'<script type="application/json" data-chart="([^"]+)">(.*?)</script>', re.DOTALL)
PAGES = (
    "index.html",
    "sites/north.html",
    "programmes/north~20programme.html",
    "clinicians/T001.html",
    "clinicians/T001/clients/K00001.html",
    "clinicians/index.html",
    "data-quality.html",
    "changes.html",
    "methods.html",
)


def figures(page):
    return {name: json.loads(text) for name, text in FIGURE.findall(page)}


def built(made, frames, folder, **settings):
    return build_site(reader_of(frames), folder=folder, settings=made.settings(**settings))


def test_every_page_of_the_site_is_written(site):
    assert all((site / page).is_file() for page in PAGES)
    assert len(list((site / "clinicians").glob("T*.html"))) == 8


def test_a_report_counts_the_pages_and_says_three_sentences(made, frames, tmp_path):
    report = built(made, frames, tmp_path)
    assert report.pages == 6 + 8 + 4 + 16  # two sites, two programmes, two open clients of each of eight
    assert report.withheld == 0
    assert len(report.findings) == 3
    assert all(sentence.endswith(".") for sentence in report.findings)


def test_two_builds_of_one_night_are_the_same_to_the_byte(made, frames, site, tmp_path):
    built(made, frames, tmp_path)
    for page in site.rglob("*.*"):
        assert page.read_bytes() == (tmp_path / page.relative_to(site)).read_bytes()


def test_a_clinicians_page_holds_no_colleagues_code_and_no_colleagues_client(frames, site):
    codes = frames["marts.clinicians"]["clinician_id"].to_list()
    owner = dict(frames["marts.episodes"].select("case_id", "clinician_id").iter_rows())
    for page in (site / "clinicians").rglob("T*.html"):
        code = page.stem
        found = page.read_text(encoding="utf-8")
        assert not [other for other in codes if other != code and other in found]
        assert not [client for client in set(re.findall(r"K\d{5}", found)) if owner[client] != code]


def test_a_clients_page_holds_no_colleagues_code_and_no_other_client(frames, site):
    codes = frames["marts.clinicians"]["clinician_id"].to_list()
    pages = list((site / "clinicians").glob("*/clients/*.html"))
    assert len(pages) == 16
    for page in pages:
        found = page.read_text(encoding="utf-8")
        code = page.parent.parent.name
        assert set(re.findall(r"[KE]\d{5}", found)) == {page.stem}
        assert code in found
        assert not [other for other in codes if other != code and other in found]


def test_a_clients_page_is_its_own_clinicians_and_of_an_open_course(frames, site):
    episodes = frames["marts.episodes"].filter("is_open")
    expected = {f"{code}/clients/{client}.html" for code, client in episodes.select("clinician_id", "case_id").rows()}
    found = {page.relative_to(site / "clinicians").as_posix() for page in site.glob("clinicians/*/clients/*.html")}
    assert found == expected


def test_a_clinicians_page_leads_to_every_page_of_their_clients(site):
    for page in site.glob("clinicians/*/clients/*.html"):
        above = page.parent.parent
        text = (above.parent / f"{above.name}.html").read_text(encoding="utf-8")
        assert f'href="{above.name}/clients/{page.name}"' in text


def test_every_code_that_a_reader_sees_can_be_laid_over_by_a_name(frames, site):
    codes = frames["marts.clinicians"]["clinician_id"].to_list()
    seen = 0
    for page in site.rglob("*.html"):
        text = re.sub(r"<script.*?</script>|<title>.*?</title>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        marked = re.findall(r'<(a|span) [^>]*data-clinician="([^"]+)">([^<]*)</\1>', text)
        seen += len(marked)
        assert all(code == said and code in codes for _, code, said in marked)
        bare = re.sub(r'<(a|span) [^>]*data-clinician="[^"]+">[^<]*</\1>', "", text)
        assert not [code for code in codes if code in re.sub(r"<[^>]+>", "", bare)]
    assert seen > 2 * len(codes)


def test_no_client_is_named_outside_their_clinicians_page(site):
    for page in (*site.glob("*.html"), site / "clinicians" / "index.html"):
        assert not re.search(r"K\d{5}|E\d{5}", page.read_text(encoding="utf-8"))


def test_a_clinicians_page_names_their_own_open_clients(site):
    assert "K00001" in (site / "clinicians" / "T001.html").read_text(encoding="utf-8")


def test_every_chart_is_one_that_plotly_accepts_and_stands_in_a_box_of_its_own(site):
    count = 0
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for name, figure in figures(text).items():
            assert go.Figure(figure).to_plotly_json()["layout"]["height"] > 0
            assert f'id="{name}"' in text
            count += 1
    assert count > 30


def parts_beside(text):
    """Each panel of a page that draws something, with its own markup."""
    for panel in re.findall(r'<section class="card panel[^>]*>.*?</section>', text, re.DOTALL):
        if 'class="chart' in panel or "<svg" in panel.split("<table")[0]:
            yield re.search(r'id="([^"]+)"', panel).group(1), panel


def test_every_chart_has_its_finding_numbers_downloads_reading_and_method_beside_it(site):
    methods = (site / "methods.html").read_text(encoding="utf-8")
    kinds = set()
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for key, panel in parts_beside(text):
            where = (page.relative_to(site).as_posix(), key)
            title = re.search(r'<h2 id="[^"]+-title">([^<]+)</h2>', panel).group(1)
            assert len(title) > 10, where
            assert f'<table id="{key}-table"' in panel, where
            assert re.search(r"<tbody>\s*<tr>", panel), where
            assert f'class="csv needs-script" data-table="{key}-table"' in panel, where
            assert 'class="png needs-script"' in panel or 'class="rows-png needs-script"' in panel, where
            assert re.search(r'<p class="how"><b>How to read:</b> [^<]{20,}</p>', panel), where
            anchor = re.search(r'methods\.html#([a-z]+)"', panel).group(1)
            assert f'<section id="{anchor}"' in methods, where
            kinds.add(_kind(where[0]))
        assert {name.removesuffix("-chart") for name in figures(text)} <= {key for key, _ in parts_beside(text)}
    assert {"index.html", "sites", "programmes", "clinicians", "client"} <= kinds


def _kind(path):
    return "client" if "/clients/" in path else path.partition("/")[0]


def test_every_download_says_where_it_comes_from(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        said = json.loads(re.search(r'id="provenance">(.*?)</script>', text).group(1))
        assert re.fullmatch(r"Rapport, .+, data to \d{4}-\d\d-\d\d, run \w+\. Confidential\.", said)


def test_pages_run_no_script_of_their_own_and_style_nothing_in_place(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'\sstyle="|\son[a-z]+="|<style|<script>', text)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def test_every_link_and_shared_part_exists(site):
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:src|href)="((?!data:)[^"#]+)', page.read_text(encoding="utf-8")):
            assert (page.parent / target).resolve().is_file(), (page.name, target)


def test_words_that_would_rank_or_blame_people_stand_nowhere(site):
    for page in {*site.rglob("*.html")} - {site / "dictionary.html"}:
        text = re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(
            r"\b(?:worst|best clinician|rank\w*|league|underperform\w*|causes|caused)\b", text, re.IGNORECASE
        )


def test_figures_that_a_reader_could_not_take_in_are_not_printed(site):
    for page in site.rglob("*.html"):
        text = re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\bNone\b(?! of)|\bnan\b|\d\.\d{5,}", re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL))


def test_the_chart_library_is_the_one_that_was_checked_and_of_the_version_that_plotly_validates_for():
    bundle = (render.STATIC / render.BUNDLE).read_bytes()
    assert hashlib.sha256(bundle).hexdigest() == render.BUNDLE_SHA256
    assert render.BUNDLE.split("-")[2].split(".")[0] == plotly.offline.get_plotlyjs_version().split(".")[0]


def test_what_others_licensed_to_us_goes_out_with_its_licence(site):
    assert "MIT" in (site / "assets" / "plotly-LICENSE.txt").read_text(encoding="utf-8")
    assert "Open Font License" in (site / "assets" / "inter-LICENSE.txt").read_text(encoding="utf-8")


def test_an_empty_warehouse_makes_a_site_that_says_so(made, tmp_path):
    report = built(made, made.empty(), tmp_path)
    assert report.pages == 6
    assert "Too few clients" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_one_clinician_with_three_clients_is_withheld_and_so_is_the_service(made, tmp_path):
    report = built(made, made.service(clinicians=1, clients_each=3), tmp_path)
    assert report.withheld == 1
    page = (tmp_path / "clinicians" / "T001.html").read_text(encoding="utf-8")
    assert "Every figure is withheld" in page
    assert not figures(page)
    assert not re.search(r"K\d{5}", page)
    assert not list(tmp_path.glob("clinicians/*/clients/*"))
    assert not figures((tmp_path / "index.html").read_text(encoding="utf-8"))


def test_where_everyone_is_small_no_figure_of_anyone_is_shown(made, tmp_path):
    report = built(made, made.service(clinicians=6, clients_each=4), tmp_path)
    assert report.withheld == 6
    for page in (tmp_path / "clinicians").glob("*.html"):
        assert not figures(page.read_text(encoding="utf-8"))


def test_a_clinician_without_an_appointment_in_the_period_has_a_page_that_says_so(made, tmp_path):
    built(made, made.service(absent="T004"), tmp_path)
    page = (tmp_path / "clinicians" / "T004.html").read_text(encoding="utf-8")
    assert "Every figure is withheld" in page


def test_five_hundred_clinicians_have_five_hundred_pages(made, tmp_path):
    report = built(made, made.service(clinicians=500, clients_each=10), tmp_path)
    assert report.pages == 510 + 1000  # two open clients of each
    assert len(list((tmp_path / "clinicians").glob("T*.html"))) == 500


def test_one_small_clinician_is_not_to_be_had_by_subtraction(made, tmp_path):
    frames = made.service()
    small = pl.when(pl.col("clinician_id") == "T003").then(4).otherwise(pl.col("cases")).alias("cases")
    frames["analysis.clinician_attendance"] = frames["analysis.clinician_attendance"].with_columns(small)
    assert built(made, frames, tmp_path).withheld == 2


@pytest.mark.parametrize("value", ["</script><script>alert(1)</script>", "<!--", "a & b"])
def test_data_in_a_page_cannot_leave_its_element(value):
    text = str(render.as_data({"text": value}))
    assert "<" not in text
    assert json.loads(text) == {"text": value}
