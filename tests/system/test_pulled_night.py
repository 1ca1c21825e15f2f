"""A night that fetches feeds from a database and by an API comes to what the same rows in files come to."""

import adbc_driver_postgresql.dbapi as postgres_driver
import polars as pl
import pytest

from assets.contracts.registry import LAYERS
from pipelines.database_server import database_server
from tests.assets.feeds.pulls.redcap_server import TOKEN, Project, Row, redcap_server
from tests.system.night_runs import DEMO, Ended, run_nightly

IN_FILES = 'files = "phq9.csv"\n'
IN_THE_DATABASE = 'files = "pulled/ehr/forms.parquet"\nformat = "parquet"\n'
ALLIANCE_IN_FILES = 'files = ["wai_sr.csv", "wai_sr_resent.csv"]\n'
PULLED_ALLIANCE = """
[[feeds.alliance]]
files = "pulled/redcap/wai-*.parquet"
format = "parquet"
columns = { rating_id = "rating_id", client_id = "client_code", clinician_id = "clinician_id", appointment_id = "appointment_id", completed_on = "completed_on" }
constants = { instrument = "WAI-SR", rater = "client" }
items = "item_{n}"
"""
PULLS = """
[pulls.ehr]
kind = "sql"
url_variable = "RAPPORT_TEST_EHR"

[[pulls.ehr.queries]]
name = "forms"
sql = "SELECT * FROM forms ORDER BY random()"

[pulls.redcap]
kind = "redcap"
url = "{redcap}"
token_variable = "RAPPORT_TEST_REDCAP"
records_at_once = 20

[[pulls.redcap.exports]]
name = "wai"
form = "wai_sr"
fields = ["client_code"]
"""


def redcap_project(forms):
    """The forms as a project in which each client is a record, known by a number of its own."""
    rows = []
    for number, of_client in enumerate(forms.partition_by("client_id", maintain_order=True), start=1):
        rows.append(Row(str(number), {"client_code": of_client["client_id"][0]}))
        rows += [
            Row(str(number), {**filled, "wai_sr_complete": "2"}, form="wai_sr", instance=at)
            for at, filled in enumerate(of_client.drop("client_id").fill_null("").iter_rows(named=True), start=1)
        ]
    fields = dict.fromkeys(name for name in forms.columns if name != "client_id")
    about = {"record_id": None, "client_code": None}
    return Project(forms={"about": about, "wai_sr": fields}, repeating={"wai_sr"}, rows=rows)


@pytest.fixture(scope="module")
def pulled_night(small_inbox, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pulled")
    forms, alliance = (pl.read_csv(small_inbox / name, infer_schema=False) for name in ("phq9.csv", "wai_sr.csv"))
    config = folder / "clinic.toml"
    told = DEMO.read_text().replace(IN_FILES, IN_THE_DATABASE)
    told = told.replace(ALLIANCE_IN_FILES, 'files = "wai_sr_resent.csv"\n')
    with (
        database_server() as url,
        redcap_server(redcap_project(alliance)) as redcap,
        pytest.MonkeyPatch.context() as patch,
    ):
        config.write_text(told + PULLED_ALLIANCE + PULLS.replace("{redcap}", redcap))
        with postgres_driver.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("forms", forms.to_arrow(), mode="create")
        patch.setenv("RAPPORT_TEST_EHR", url)
        patch.setenv("RAPPORT_TEST_REDCAP", TOKEN)
        return run_nightly(config=config, inbox=small_inbox, home=folder / "home")


@pytest.mark.parametrize("table", [table.full_name for table in LAYERS["marts"]])
def test_what_was_fetched_and_what_was_dropped_come_to_the_same_tables(pulled_night: Ended, small_night: Ended, table):
    assert pulled_night.status == 0, pulled_night.complained
    rows = small_night.rows(f"SELECT * FROM {table} ORDER BY ALL")
    assert rows != []
    assert pulled_night.rows(f"SELECT * FROM {table} ORDER BY ALL") == rows


@pytest.mark.parametrize(("pulled", "sent"), [("pulled/ehr/forms", "phq9.csv"), ("pulled/redcap/wai", "wai_sr.csv")])
def test_every_fetched_row_is_accounted_for(pulled_night, small_inbox, pulled, sent):
    ((lines, told),) = pulled_night.rows(
        "SELECT lines, accepted + refused + superseded + identical + blank FROM quality.reconciliation "
        f"WHERE starts_with(file, '{pulled}')"
    )
    assert lines == told == pl.read_csv(small_inbox / sent, infer_schema=False).height


def test_the_token_is_in_nothing_that_the_night_said_or_kept(pulled_night):
    kept = [path for path in pulled_night.home.rglob("*") if path.is_file() and not path.is_symlink()]
    assert kept != []
    assert [path for path in kept if TOKEN.encode() in path.read_bytes()] == []
    assert TOKEN not in pulled_night.said + pulled_night.complained
