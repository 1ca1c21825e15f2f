"""The site as files: what is in them, what must not be, and that every state of a clinic can be drawn."""

import hashlib
import json
import re
from datetime import date

import plotly.graph_objects as go
import plotly.io
import plotly.offline
import polars as pl
import pytest
from tests.dashboards import made_up_clinic as frames

from dashboards.render import BUNDLE, BUNDLE_SHA256, STATIC, as_data
from dashboards.site import build_site

CODE = re.compile(r"C-\d{4}")
CLIENT = re.compile(r"P\d{6}")
FIGURE = re.compile(r'<script type="application/json" data-chart="([^"]+)">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def clinic_tables():
    """The tables of a clinic of twenty-four clinicians."""
    return frames.clinic(clinicians=24, clients_each=30)


@pytest.fixture(scope="module")
def site(tmp_path_factory, clinic_tables):
    """That clinic's site."""
    folder = tmp_path_factory.mktemp("site")
    build_site(frames.reader(clinic_tables), folder=folder, settings=frames.settings())
    return folder


def built(tmp_path, tables, **changes):
    report = build_site(frames.reader(tables), folder=tmp_path, settings=frames.settings(**changes))
    return report, {
        str(file.relative_to(tmp_path)): file.read_text(encoding="utf-8") for file in tmp_path.rglob("*.html")
    }


def test_every_clinician_has_a_page_and_the_report_counts_them(tmp_path, clinic_tables):
    report, pages = built(tmp_path, clinic_tables)
    codes = clinic_tables["marts.clinicians"]["clinician_id"].to_list()
    assert {f"clinicians/{code}.html" for code in codes} <= pages.keys()
    assert {"index.html", "clinicians/index.html", "data-quality.html", "methods.html"} <= pages.keys()
    assert report.pages == len(pages)


def test_the_findings_are_three_sentences(tmp_path, clinic_tables):
    report, _ = built(tmp_path, clinic_tables)
    assert len(report.findings) == 3
    for finding in report.findings:
        assert finding[0].isupper()
        assert finding.endswith(".")


def test_the_same_tables_make_the_same_bytes(tmp_path, clinic_tables):
    _, first = built(tmp_path / "first", clinic_tables)
    _, second = built(tmp_path / "second", clinic_tables)
    assert first == second


def test_no_byte_of_a_clinicians_page_is_of_a_colleague(site, clinic_tables):
    owner = dict(clinic_tables["marts.ratings"].select("client_id", "clinician_id").iter_rows())
    for file in (site / "clinicians").glob("C-*.html"):
        text = file.read_text(encoding="utf-8")
        assert set(CODE.findall(text)) <= {file.stem}, file.stem
        assert {owner[client] for client in CLIENT.findall(text) if client in owner} <= {file.stem}, file.stem


def test_client_ids_stand_on_clinicians_pages_alone(site):
    for name in ("index.html", "clinicians/index.html", "data-quality.html", "methods.html"):
        assert not CLIENT.findall((site / name).read_text(encoding="utf-8"))


def test_the_overview_names_a_clinician_for_a_signal_alone(site, clinic_tables):
    named = set(CODE.findall((site / "index.html").read_text(encoding="utf-8")))
    everyone = set(clinic_tables["marts.clinicians"]["clinician_id"])
    assert named
    assert len(named) < len(everyone) / 2


def test_a_small_caseload_is_withheld_wholly(tmp_path):
    tables = frames.clinic(clinicians=1, clients_each=3)
    _, pages = built(tmp_path, tables)
    text = pages["clinicians/C-1001.html"]
    assert "withheld" in text
    assert not FIGURE.findall(text)
    assert not CLIENT.findall(text)
    assert "%" not in re.sub(r"97\.5%|90%|95%", "", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(lambda: frames.empty_clinic(), id="empty"),
        pytest.param(lambda: frames.clinic(clinicians=1, clients_each=3), id="one clinician, three clients"),
        pytest.param(lambda: frames.clinic(clinicians=2, clients_each=12), id="two clinicians"),
        pytest.param(
            lambda: frames.clinic(clinicians=5, clients_each=30, sites=("harbour",)), id="one site, another measure"
        ),
        pytest.param(lambda: frames.clinic(clinicians=500, clients_each=4), id="five hundred clinicians"),
    ],
)
def test_every_state_of_a_clinic_can_be_drawn(tmp_path, tables):
    made = tables()
    report, pages = built(tmp_path, made)
    assert report.pages == made["marts.clinicians"].height + 4
    for text in pages.values():
        assert not re.search(
            r"\b(nan|None(?! of)|inf|null%)\b", re.sub(r"<script.*?</script>|<[^>]+>", " ", text, flags=re.DOTALL)
        )


def test_an_analysis_that_found_nothing_leaves_pages_that_say_so(tmp_path):
    tables = frames.clinic(clinicians=6, clients_each=25)
    empty = {
        name: table.clear() if name.startswith("analysis.") and name != "analysis.clinician_attendance" else table
        for name, table in tables.items()
    }
    _, pages = built(tmp_path, empty)
    assert "too few" in pages["index.html"].lower()


def test_missing_estimates_are_said_to_be_too_few_and_never_drawn_as_nothing(tmp_path):
    tables = frames.clinic(clinicians=6, clients_each=25)
    blank = {"estimate", "low", "high", "shrunken_mean", "mean", "bond_mean", "goals_mean", "tasks_mean", "improved_rate", "service_rate", "service_estimate", "expected_difference",
             "expected_difference_low", "expected_difference_high", "limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998", "service_mean", "early_mean",
             "probability_positive", "probability_above_service", "alliance_recorded", "outcome_recorded"}  # fmt: skip
    for name in [name for name in tables if name.startswith("analysis.")]:
        table = tables[name]
        tables[name] = table.with_columns(
            pl.lit(None, dtype=table.schema[column]).alias(column) for column in table.columns if column in blank
        )
    _, pages = built(tmp_path, tables)
    assert all(
        "None" not in re.sub(r"<script.*?</script>|<[^>]+>", " ", text, flags=re.DOTALL).replace("None of", "")
        for text in pages.values()
    )


def test_every_figure_is_one_that_plotly_accepts(site):
    plotly.io.templates.default = None
    seen = 0
    for file in sorted(site.rglob("*.html"))[:12]:
        for _, text in FIGURE.findall(file.read_text(encoding="utf-8")):
            figure = json.loads(text)
            assert "template" not in figure["layout"]
            go.Figure(figure)
            seen += 1
    assert seen > 20


def test_every_figure_has_a_table_of_its_numbers(site):
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for key, _ in FIGURE.findall(text):
            assert f'id="{key.removesuffix("-chart")}-table"' in text


def test_pages_hold_no_script_style_or_handler_of_their_own(site):
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*(src=|application/json))", text), file.name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), file.name
        assert not re.search(r"(src|href)=\"(https?:)?//", text), file.name


def test_data_in_a_page_cannot_end_its_element():
    assert "</script>" not in as_data({"text": "</script><b>&"})


def test_a_name_with_markup_in_it_stays_words(tmp_path, clinic_tables):
    _, pages = built(tmp_path, clinic_tables, clinic="<b>Clinic</b> & Co")
    assert "<b>Clinic" not in pages["index.html"]
    assert "&lt;b&gt;Clinic" in pages["index.html"]


def test_the_chart_library_is_the_one_that_was_checked_and_matches_plotly():
    assert hashlib.sha256((STATIC / BUNDLE).read_bytes()).hexdigest() == BUNDLE_SHA256
    major = re.search(r"(\d+)\.\d+\.\d+", BUNDLE)
    assert major is not None
    assert major[1] == plotly.offline.get_plotlyjs_version().split(".")[0]


def test_licences_are_shipped_beside_what_they_license(site):
    texts = [file.read_text(encoding="utf-8") for file in (site / "assets").glob("*.txt")]
    assert any("MIT License" in text for text in texts)
    assert any("SIL" in text for text in texts)


def test_shared_files_are_named_by_their_content(site):
    for file in (site / "assets").iterdir():
        if file.suffix in {".css", ".js", ".woff2"}:
            assert hashlib.sha256(file.read_bytes()).hexdigest()[:12] in file.name


@pytest.mark.parametrize("word", ["rank", "ranking of", "worst", "best clinician", "underperform", "league", "causes"])
def test_pages_never_rank_and_never_claim_a_cause(site, word):
    for file in site.rglob("*.html"):
        text = re.sub(r"<script.*?</script>|<[^>]+>", " ", file.read_text(encoding="utf-8"), flags=re.DOTALL).lower()
        for found in re.finditer(rf"\b{word}", text):
            around = text[max(0, found.start() - 60) : found.end()]
            assert re.search(r"\b(not|no|never|nor)\b", around), (file.name, around)


def test_the_list_of_clinicians_is_in_order_of_code(site):
    codes = re.findall(r'href="(C-\d{4})\.html"', (site / "clinicians" / "index.html").read_text(encoding="utf-8"))
    assert codes == sorted(codes)


def test_a_file_name_with_a_formula_stays_text(tmp_path):
    tables = frames.clinic(clinicians=3, clients_each=20)
    tables["quality.reconciliation"] = tables["quality.reconciliation"].with_columns(file=pl.lit("=cmd()"))
    _, pages = built(tmp_path, tables)
    assert "=cmd()" in pages["data-quality.html"]


def test_an_older_data_date_is_said(tmp_path, clinic_tables):
    _, pages = built(tmp_path, clinic_tables, data_date=date(2026, 10, 31))
    assert "31 October 2026" in pages["index.html"]
