"""What pages say of groups withheld, and of figures that are an earlier night's."""

from datetime import date

import polars as pl
import pytest

from dashboards.site import build_site
from dashboards.views.areas import areas
from dashboards.views.service import read_service
from dashboards.views.withheld import held_notice, withheld_panel
from tests.dashboards.frame_reader import reader_of


@pytest.fixture
def service(made, frames):
    """The made-up night, with tables of it changed."""

    def of(**changed: pl.DataFrame):
        tables = frames | {f"quality.{name}": table for name, table in changed.items()}
        return read_service(reader_of(tables), settings=made.settings())

    return of


def withheld(frames, *found: tuple[str, str, str | None]) -> pl.DataFrame:
    rows = [
        {"slice_id": slice_id, "reason": reason, "against": against, "sentence": f"{slice_id} and {against}."}
        for slice_id, reason, against in found
    ]
    return pl.DataFrame(rows, schema=frames["quality.withheld"].schema)


def test_sites_are_named_and_clinicians_are_only_counted(service, frames):
    named = withheld(
        frames,
        ("booked/clinician/T001/all/12", "few_clients", None),
        ("booked/clinician/T002/all/12", "few_clients", None),
        ("booked/site/north/all/6", "subtraction", "finished/clinician/T003/PHQ-9/0"),
    )
    panel = withheld_panel(service(withheld=named))
    total = frames["quality.published_slices"].height
    assert panel.title == f"3 of {total} groups are withheld tonight"
    assert [(row[0].words, row[1], row[2]) for row in panel.table.rows] == [
        ("Clinicians", "2", "2 clinicians"),
        ("Sites", "1", "north"),
    ]
    assert not [code for code in ("T001", "T002", "T003") if code in repr(panel)]


def test_a_clinician_withheld_twice_is_one_clinician(service, frames):
    ids = frames["quality.published_slices"].filter(
        (pl.col("scope") == "clinician") & (pl.col("scope_name") == "T001") & (pl.col("population") == "booked")
    )["slice_id"]
    panel = withheld_panel(service(withheld=withheld(frames, *((each, "complement", None) for each in ids))))
    assert [row[2] for row in panel.table.rows] == ["1 clinician"]
    assert panel.table.rows[0][3] == "A total less the other groups would give a smaller one away"


def test_a_night_that_withholds_nothing_says_so(service, frames):
    panel = withheld_panel(service(withheld=frames["quality.withheld"].clear()))
    assert panel.title == "No group is withheld tonight"
    assert panel.empty


def held(frames, *, site: str, since: date) -> pl.DataFrame:
    is_it = (pl.col("scope") == "site") & (pl.col("scope_name") == site) & pl.col("figures_since").is_not_null()
    return frames["quality.published_slices"].with_columns(
        has_held_figures=is_it, figures_since=pl.when(is_it).then(pl.lit(since)).otherwise("figures_since")
    )


def test_only_the_page_whose_figures_are_an_earlier_nights_says_of_which_date(service, frames):
    night = service(published_slices=held(frames, site="north", since=date(2026, 10, 17)))
    said = {area.name: held_notice(night, area) for area in areas(night)}
    assert said.pop("north").startswith("Rates and estimates on this page are those of 17 October 2026.")
    assert set(said.values()) == {None}


def test_the_date_stands_on_the_sites_page_and_on_no_other(made, frames, tmp_path):
    tables = frames | {"quality.published_slices": held(frames, site="north", since=date(2026, 10, 17))}
    build_site(reader_of(tables), folder=tmp_path, settings=made.settings())
    with_it = [page.name for page in tmp_path.rglob("*.html") if "17 October 2026" in page.read_text(encoding="utf-8")]
    assert with_it == ["north.html"]
