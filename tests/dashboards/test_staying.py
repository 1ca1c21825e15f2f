"""What pages say of leaving unplanned, where one alliance measure stands beside several outcome measures."""

import polars as pl

from dashboards.views.areas import Area
from dashboards.views.service import read_service
from dashboards.views.staying import leaving_panel, staying_panel
from tests.dashboards.frame_reader import reader_of


def test_an_early_alliance_is_told_with_the_outcome_measure_that_clients_are_compared_on(made, frames):
    pairs = (("WAI-SR", "PHQ-9"), ("WAI-SR", "GAD-7"))
    first = frames["analysis.landmark"]
    both = pl.concat([first, first.with_columns(outcome_instrument=pl.lit("GAD-7"))])
    service = read_service(reader_of(frames | {"analysis.landmark": both}), settings=made.settings(measures=pairs))
    panel = leaving_panel(service, Area(scope="service", name="all", codes=(), pairs=pairs))
    notes = [row[0].note for row in panel.table.rows if row[0].words == "Early alliance"]
    assert notes == ["WAI-SR with PHQ-9, sessions 1 to 3", "WAI-SR with GAD-7, sessions 1 to 3"]


def test_the_curve_ends_where_nobody_is_left(made, frames):
    rows = frames["analysis.retention"].filter(pl.col("scope") == "service")
    in_treatment = rows.filter(pl.col("curve") == "in_treatment")
    last = in_treatment["session_number"].max()
    nobody = (pl.col("curve") == "in_treatment") & (pl.col("session_number") == last)
    emptied = frames["analysis.retention"].with_columns(
        pl.when(nobody).then(0.0).otherwise("share").alias("share"),
        pl.when(nobody).then(0.0).otherwise("share_low").alias("share_low"),
        pl.when(nobody).then(0.25).otherwise("share_high").alias("share_high"),
    )
    service = read_service(reader_of(frames | {"analysis.retention": emptied}), settings=made.settings())
    panel = staying_panel(service, scope="service", name="all")
    assert [row[0] for row in panel.table.rows][-1] == str(last)
    assert max(panel.figure["data"][1]["x"]) == last - 1
