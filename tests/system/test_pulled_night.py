"""A night that fetches one feed from a database comes to what the same rows in a file come to."""

import adbc_driver_postgresql.dbapi as postgres_driver
import polars as pl
import pytest

from assets.contracts.registry import LAYERS
from tests.assets.feeds.pulls.postgres_server import postgres_server
from tests.system.night_runs import DEMO, Ended, run_nightly

IN_FILES = 'files = "phq9.csv"\n'
IN_THE_DATABASE = 'files = "pulled/ehr/forms.parquet"\nformat = "parquet"\n'
PULL = """
[pulls.ehr]
kind = "sql"
url_variable = "RAPPORT_TEST_EHR"

[[pulls.ehr.queries]]
name = "forms"
sql = "SELECT * FROM forms ORDER BY random()"
"""


@pytest.fixture(scope="module")
def pulled_night(small_inbox, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pulled")
    forms = pl.read_csv(small_inbox / "phq9.csv", infer_schema=False)
    config = folder / "clinic.toml"
    config.write_text(DEMO.read_text().replace(IN_FILES, IN_THE_DATABASE) + PULL)
    with postgres_server() as url, pytest.MonkeyPatch.context() as patch:
        with postgres_driver.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("forms", forms.to_arrow(), mode="create")
        patch.setenv("RAPPORT_TEST_EHR", url)
        return run_nightly(config=config, inbox=small_inbox, home=folder / "home")


@pytest.mark.parametrize("table", [table.full_name for table in LAYERS["marts"]])
def test_what_was_fetched_and_what_was_dropped_come_to_the_same_tables(pulled_night: Ended, small_night: Ended, table):
    assert pulled_night.status == 0, pulled_night.complained
    rows = small_night.rows(f"SELECT * FROM {table} ORDER BY ALL")
    assert rows != []
    assert pulled_night.rows(f"SELECT * FROM {table} ORDER BY ALL") == rows


def test_every_fetched_row_is_accounted_for(pulled_night, small_inbox):
    ((lines, told),) = pulled_night.rows(
        "SELECT lines, accepted + refused + superseded + identical + blank FROM quality.reconciliation "
        "WHERE file = 'pulled/ehr/forms.parquet'"
    )
    assert lines == told == pl.read_csv(small_inbox / "phq9.csv", infer_schema=False).height
