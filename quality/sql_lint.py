"""Holds SQL models to the subset that gives the same rows on DuckDB and, translated, on Spark.

Belongs here: one finding for each construct that was seen to differ between engines, and the translation itself. Does
not belong here: what a model means (`assets/sql`).

Each rule comes from a difference that was measured: integer sums become HUGEINT on DuckDB and DOUBLE in Parquet; a
division by zero is infinite on DuckDB and an error on Spark; ties in a window are broken as each engine pleases; a
star over a USING join loses columns; and an exact percentile is translated to an approximate one without a word.
"""

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp

# These give each row another answer when rows that tie change places.
_BROKEN_BY_TIES = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
_NEED_AN_ORDER = (*_BROKEN_BY_TIES, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)
_ANY_ROWS_VALUE = (exp.AnyValue, exp.First, exp.Last, exp.ArgMax, exp.ArgMin, exp.Mode)
_IN_ORDER = (exp.ArrayAgg, exp.GroupConcat, exp.List)
_APPROXIMATE = (exp.ApproxQuantile, exp.ApproxDistinct, exp.ApproxTopK)
# DuckDB's QUANTILE and QUANTILE_DISC take a row's own value; Spark has no exact word for them.
_DISCRETE = (exp.Quantile, exp.PercentileDisc)
_WHOLE_NUMBERS = (exp.Sum, exp.RowNumber, exp.Ntile, exp.Rank, exp.DenseRank)
# A number may pass through these on its way to the CAST that gives it its type.
_TRANSPARENT = (exp.Window, exp.Filter, exp.Paren, exp.Coalesce, exp.Case, exp.If, exp.Neg, exp.Add, exp.Sub, exp.Mul)
_SPEAKS_OF_TIES = "unique"


def findings(sql: str) -> list[str]:
    """What in a model would not travel, one sentence each; empty where nothing is found.

    Args:
        sql: a whole model in DuckDB's dialect.

    Raises:
        sqlglot.errors.ParseError: it is not SQL.
    """
    statements = [each for each in sqlglot.parse(sql, read="duckdb") if each is not None]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return ["a model is exactly one SELECT"]
    return [finding for rule in _RULES for finding in rule(statements[0])]


def to_spark(sql: str) -> str:
    """A model in Spark's dialect.

    Raises:
        sqlglot.errors.UnsupportedError: it has no exact translation.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    if without := [*_approximations(tree)]:
        raise sqlglot.errors.UnsupportedError("; ".join(without))
    tree = tree.transform(_exact_percentile)
    return tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE, comments=False)


def _exact_percentile(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
        column = node.expression.expressions[0].this
        return exp.Anonymous(this="percentile", expressions=[column, node.this.this])
    if isinstance(node, exp.PercentileCont) and (share := node.args.get("expression")):
        return exp.Anonymous(this="percentile", expressions=[node.this, share])
    return node


def _stars(tree: exp.Expression) -> Iterator[str]:
    for star in tree.find_all(exp.Star):
        if not isinstance(star.parent, exp.Count):
            yield "a star: name the columns, since engines expand it differently"


def _grouping(tree: exp.Expression) -> Iterator[str]:
    for group in tree.find_all(exp.Group):
        if group.args.get("all"):
            yield "GROUP BY ALL: name the columns"
    for order in tree.find_all(exp.Order):
        if any(key.name.upper() == "ALL" for key in order.expressions):
            yield "ORDER BY ALL: name the columns"


def _qualify(tree: exp.Expression) -> Iterator[str]:
    if tree.find(exp.Qualify):
        yield "QUALIFY: filter a numbered subquery"


def _divisions(tree: exp.Expression) -> Iterator[str]:
    for division in tree.find_all(exp.Div, exp.IntDiv, exp.Mod):
        by = division.expression.unnest()
        is_safe = isinstance(by, exp.Nullif) or (isinstance(by, exp.Literal) and by.is_number and float(by.name) != 0)
        if not is_safe:
            yield f"a division not guarded by NULLIF: {_shown(division)}"
    for logarithm in tree.find_all(exp.Ln, exp.Log):
        if not isinstance((logarithm.expression or logarithm.this).unnest(), exp.Nullif | exp.Literal):
            yield f"a logarithm not guarded by NULLIF: {_shown(logarithm)}"


def _whole_numbers(tree: exp.Expression) -> Iterator[str]:
    counts = [each.this for each in tree.find_all(exp.Window) if isinstance(each.this, exp.Count)]
    for number in (*tree.find_all(*_WHOLE_NUMBERS), *counts):
        place = number.parent
        while isinstance(place, _TRANSPARENT):
            place = place.parent
        if not isinstance(place, exp.Cast | exp.Div | exp.Predicate):
            yield f"a number without CAST, whose type differs between engines: {_shown(number)}"


def _windows(tree: exp.Expression) -> Iterator[str]:
    for window in tree.find_all(exp.Window):
        if isinstance(window.parent, exp.Select) and window.arg_key == "windows":
            continue
        function, spec = _bare(window.this), _specification(window)
        order, frame = spec.args.get("order"), spec.args.get("spec")
        is_by_row = frame is not None and frame.args.get("kind") == "ROWS"
        if order is None:
            if isinstance(function, _NEED_AN_ORDER) or is_by_row:
                yield f"a window without ORDER BY: {_shown(window)}"
        elif (isinstance(function, _BROKEN_BY_TIES) or is_by_row) and not _is_total(order, spec):
            yield f"a window whose ORDER BY may tie (add an id, or a comment saying why it is unique): {_shown(window)}"


def _bare(function: exp.Expression) -> exp.Expression:
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls | exp.Filter):
        function = function.this
    return function


def _specification(window: exp.Window) -> exp.Window:
    select = window.find_ancestor(exp.Select)
    named = {each.name: each for each in (select.args.get("windows") or [])} if select else {}
    return named.get(window.alias, window)


def _is_total(order: exp.Expression, window: exp.Window) -> bool:
    parts = {column.name for part in window.args.get("partition_by") or [] for column in part.find_all(exp.Column)}
    keys = {column.name for column in order.find_all(exp.Column)} - parts
    around = window.find_ancestor(exp.Select) or window
    comments = [comment for node in around.walk() for comment in node.comments or []]
    return any(key.endswith("_id") for key in keys) or any(_SPEAKS_OF_TIES in comment for comment in comments)


def _order_of_rows(tree: exp.Expression) -> Iterator[str]:
    for function in tree.find_all(*_ANY_ROWS_VALUE):
        yield f"a function that takes any row's value: {_shown(function)}"
    for function in tree.find_all(*_IN_ORDER):
        if not function.find(exp.Order) and not isinstance(function.parent, exp.WithinGroup):
            yield f"a list without ORDER BY: {_shown(function)}"
    for select in tree.find_all(exp.Select):
        if select.args.get("limit") and not select.args.get("order"):
            yield "LIMIT without ORDER BY"
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            yield "DISTINCT ON: number the rows and keep the first"


def _approximations(tree: exp.Expression) -> Iterator[str]:
    for function in tree.find_all(*_APPROXIMATE):
        yield f"an approximate function: {_shown(function)}"
    for function in tree.find_all(*_DISCRETE):
        if not isinstance(function, _APPROXIMATE):
            yield f"a discrete quantile, use QUANTILE_CONT: {_shown(function)}"
    for function in tree.find_all(exp.Anonymous):
        if function.name.lower().startswith(("approx", "reservoir")):
            yield f"an approximate function: {_shown(function)}"
    for group in tree.find_all(exp.WithinGroup):
        if any(key.args.get("desc") for key in group.find_all(exp.Ordered)):
            yield f"a quantile of a descending order: {_shown(group)}"
    if tree.find(exp.TableSample):
        yield "a sample of rows"


def _shown(node: exp.Expression) -> str:
    text = node.sql(dialect="duckdb", comments=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


_RULES: tuple[Callable[[exp.Expression], Iterator[str]], ...] = (
    _stars,
    _grouping,
    _qualify,
    _divisions,
    _whole_numbers,
    _windows,
    _order_of_rows,
    _approximations,
)
