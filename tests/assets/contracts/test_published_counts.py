import pytest

from assets.contracts.model import Kind
from assets.contracts.registry import TABLES
from assets.contracts.slices import NO_COUNTS_OF_CLIENTS

TOLD = [
    table
    for table in TABLES.values()
    if table.layer == "analysis" and {"scope", "scope_name"} <= {column.name for column in table.columns}
]


@pytest.mark.parametrize("table", TOLD, ids=lambda table: table.name)
def test_a_whole_number_that_tells_rows_apart_is_never_rounded_as_a_count(table):
    telling = [column.name for column in table.columns if column.kind is Kind.INTEGER and column.name in table.key]
    assert set(telling) <= set(NO_COUNTS_OF_CLIENTS)
