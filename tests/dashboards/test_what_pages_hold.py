"""What pages say when a clinic is empty, tiny, odd or large, and whom the overview names.

Belongs here: states of a clinic. Does not belong here: what every page must never hold (`test_site`).
"""

import hashlib
import re
from datetime import date
from types import SimpleNamespace

import polars as pl
import pytest

from dashboards.site import build_site
from dashboards.views.recording import is_the_sites_matter
from tests.dashboards import made_up_clinic as frames
from tests.dashboards.frame_reader import reader_of

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
    build_site(reader_of(clinic_tables), folder=folder, settings=frames.settings())
    return folder


def built(tmp_path, tables, **changes):
    report = build_site(reader_of(tables), folder=tmp_path, settings=frames.settings(**changes))
    return report, {
        str(file.relative_to(tmp_path)): file.read_text(encoding="utf-8") for file in tmp_path.rglob("*.html")
    }


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
        pytest.param(frames.empty_clinic, id="empty"),
        pytest.param(lambda: frames.clinic(clinicians=1, clients_each=3), id="one clinician, three clients"),
        pytest.param(lambda: frames.clinic(clinicians=2, clients_each=12), id="two clinicians"),
        pytest.param(
            lambda: frames.clinic(clinicians=5, clients_each=30, sites=("harbour",)), id="one site, another measure"
        ),
    ],
)
def test_every_state_of_a_clinic_can_be_drawn(tmp_path, tables):
    made = tables()
    report, pages = built(tmp_path, made)
    assert report.pages == len(pages) >= made["marts.clinicians"].height + 4
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
    blank = {"estimate", "low", "high", "shrunken_mean", "mean", "bond_mean", "goals_mean", "tasks_mean", "improved_rate", "service_rate", "service_estimate",
             "limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998", "service_mean", "early_mean",
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


def test_a_name_with_markup_in_it_stays_words(tmp_path, clinic_tables):
    _, pages = built(tmp_path, clinic_tables, clinic="<b>Clinic</b> & Co")
    assert "<b>Clinic" not in pages["index.html"]
    assert "&lt;b&gt;Clinic" in pages["index.html"]


def test_shared_files_are_named_by_their_content(site):
    for file in (site / "assets").iterdir():
        if file.suffix in {".css", ".js", ".woff2"}:
            assert hashlib.sha256(file.read_bytes()).hexdigest()[:12] in file.name


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


def test_a_site_that_is_low_as_a_whole_is_named_and_its_people_are_not_marked(tmp_path):
    tables = frames.clinic(clinicians=12, clients_each=30)
    attendance = tables["analysis.clinician_attendance"]
    low = pl.when(pl.col("site") == "north").then(0.4).otherwise(0.97).alias("alliance_recorded")
    tables["analysis.clinician_attendance"] = attendance.with_columns(low, outcome_recorded=pl.lit(0.99))
    _, pages = built(tmp_path, tables)
    text = pages["data-quality.html"]
    assert "below a standard across north: a matter of the site" in text
    assert "Below, as all of north" in text
    assert "Below a standard<" not in text


def test_a_share_whose_range_holds_the_standard_is_not_called_below_it(tmp_path):
    tables = frames.clinic(clinicians=4, clients_each=30)
    attendance = tables["analysis.clinician_attendance"]
    tables["analysis.clinician_attendance"] = attendance.with_columns(
        alliance_recorded=pl.lit(0.84), outcome_recorded=pl.lit(0.99), sessions=pl.lit(60)
    )
    _, pages = built(tmp_path, tables)
    assert "No clinician\u2019s recording is below a standard beyond chance" in pages["data-quality.html"]


def test_a_clinician_of_a_site_that_is_all_below_the_recording_standard_is_not_marked_for_it():
    def service(*shares: float) -> SimpleNamespace:
        rows = {
            f"K{place}": {"site": "north", "sessions": 50, "alliance_recorded": share}
            for place, share in enumerate(shares)
        }
        standards = SimpleNamespace(standards={"alliance_recorded": 0.85}, minimum_sessions=5)
        return SimpleNamespace(settings=standards, shown=list(rows), row=lambda _, code: rows[code])

    one = {"site": "north"}
    assert is_the_sites_matter(service(0.5, 0.6, 0.7), one)
    assert not is_the_sites_matter(service(0.5, 0.6, 0.9), one)
    assert not is_the_sites_matter(service(0.5, 0.6), one)
