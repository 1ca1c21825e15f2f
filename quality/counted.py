"""Great Expectations' own expectations, told what to count: one pass over a table answers all that its contract says.

Belongs here: which numbers each expectation asks for. What it means, whether it holds and how its page is drawn stay the
library's. Does not belong here: rules (`quality.suites`, `quality.rules`) or running them (`quality.expectations`).
Importing this module imports Great Expectations, which takes seconds: it is imported where it is used.

The library's expectations of a column ask for failing values, their places and a query that finds them, too, a question
each, and describe themselves anew at every look. These ask for numbers of rows alone, as aggregates that the library's
engine gathers into one SELECT a table, and describe themselves once. They take the library's names in its registry, so
that suites, results and pages say what the library's would.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import great_expectations.expectations as gxe
import sqlalchemy as sa
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROW_COUNT = "table.row_count"
_QUERY_COUNT = "unexpected_rows_query.row_count"
# A metric of the library's by its name, and what it is asked with.
_Asked = tuple[str, dict[str, Any]]


class RowsWhere(TableMetricProvider):
    """How many rows of a table meet a condition in SQL; none of an empty table."""

    metric_name = "table.rows_where"
    value_keys = ("condition",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(cls, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:  # noqa: N805 -- the library calls it with the class
        condition = sa.literal_column(metric_value_kwargs["condition"], sa.Boolean)
        return sa.func.count().filter(condition), metric_domain_kwargs, {}


class _Described(BatchExpectation, ABC):
    """Describes itself once, and names its metrics without looking for them."""

    _description: Any = PrivateAttr(default=None)

    @property
    def configuration(self) -> Any:
        """What a result says it is the result of."""
        if self._description is None:
            self._description = super().configuration
        return self._description

    @abstractmethod
    def _asked(self) -> Mapping[str, _Asked]:
        """The metrics by the names under which the library's expectation looks for them."""

    def get_validation_dependencies(
        self,
        execution_engine: Any = None,  # noqa: ARG002 -- its parent's signature
        runtime_configuration: Any = None,
    ) -> ValidationDependencies:
        """The metrics to resolve before this can be judged."""
        return ValidationDependencies(
            metric_configurations={
                name: MetricConfiguration(metric, {"batch_id": self.batch_id}, given)
                for name, (metric, given) in self._asked().items()
            },
            result_format=runtime_configuration["result_format"],
        )


class _OfColumn(_Described, ABC):
    """Holds unless a row of its column is one that fails."""

    def _asked(self) -> Mapping[str, _Asked]:
        column = '"' + self.column.replace('"', '""') + '"'
        missing = f"{column} IS NULL"
        return {
            _ROW_COUNT: (_ROW_COUNT, {}),
            "column_values.nonnull.unexpected_count": (RowsWhere.metric_name, {"condition": missing}),
            f"{self.map_metric}.unexpected_count": (
                RowsWhere.metric_name,
                {"condition": self._failing(column) or missing},
            ),
        }

    def _failing(self, column: str) -> str | None:  # noqa: ARG002 -- for those below
        """The SQL of a row that fails, where that is not a missing one."""
        return None


class ExpectColumnValuesToNotBeNull(_OfColumn, gxe.ExpectColumnValuesToNotBeNull):
    """No value is missing."""


class ExpectColumnValuesToBeBetween(_OfColumn, gxe.ExpectColumnValuesToBeBetween):
    """No value lies beyond an end that is given."""

    def _failing(self, column: str) -> str:
        ends = ((">=", self.min_value), ("<=", self.max_value))
        return f"NOT ({' AND '.join(f'{column} {sign} {end!r}' for sign, end in ends if end is not None)})"


class ExpectColumnValuesToBeInSet(_OfColumn, gxe.ExpectColumnValuesToBeInSet):
    """No value is another than the words given."""

    def _failing(self, column: str) -> str:
        words = ", ".join("'" + word.replace("'", "''") + "'" for word in self.value_set)
        return f"{column} NOT IN ({words})"


class ExpectColumnValuesToBeOfType(_Described, gxe.ExpectColumnValuesToBeOfType):
    """The column is of a type."""

    def _asked(self) -> Mapping[str, _Asked]:
        return {"table.column_types": ("table.column_types", {"include_nested": True})}


class ExpectTableColumnsToMatchOrderedList(_Described, gxe.ExpectTableColumnsToMatchOrderedList):
    """The table has these columns and no others, in this order."""

    def _asked(self) -> Mapping[str, _Asked]:
        return {"table.columns": ("table.columns", {})}


class ExpectNoFailingRows(_Described, gxe.UnexpectedRowsExpectation):
    """No row fails a query; they are counted where they are, and its parent would also fetch some."""

    def _asked(self) -> Mapping[str, _Asked]:
        return {_QUERY_COUNT: (_QUERY_COUNT, {"unexpected_rows_query": self.unexpected_rows_query})}

    def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:  # noqa: ARG002 -- its parent's signature
        count = metrics[_QUERY_COUNT]
        return {"success": count == 0, "result": {"observed_value": count}}
