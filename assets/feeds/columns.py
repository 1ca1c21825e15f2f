"""A mapping as SQL: the contract's columns out of a file's columns, all of them text.

Belongs here: trimming, joining, cutting out, translating words, decimal marks. Does not belong here: how identifiers leave
as codes (`codes`), and casting, ranges and missing values, which the staging models judge.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from assets.contracts.model import Column, Feed, Kind
from assets.feeds.mapping import FeedMapping

UNKNOWN_WORD = "?"
_LETTERS_OF_DAYS = ("%d", "%-d", "%m", "%-m", "%y", "%Y", "%j", "%b", "%B", "%x", "%c")
_NUMBERS = (Kind.INTEGER, Kind.NUMBER)
# Tab, no-break space, figure space, narrow no-break space and ideographic space, which exports pad values with.
_ODD_SPACES = " \t\u00a0\u2007\u202f\u3000"


def text_sql(column: str, *, kind: str = "VARCHAR", form: str | None = None, has_odd_spaces: bool = True) -> str:
    """A file's column as text: trimmed, blank as NULL.

    Args:
        column: its name in the query, a plain word.
        kind: its DuckDB type. A moment with a zone is written in UTC and ends in `+00`; whole numbers have no point.
        form: how the mapping writes what the column holds, where that is a day, a moment or a part of one; ISO elsewhere.
        has_odd_spaces: whether blanks other than spaces may stand around values; without them trimming is quicker.
    """
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({column} AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S+00')"
    if form is not None and (kind == "DATE" or kind.startswith("TIME")):
        is_clock = not kind.startswith(("DATE", "TIMESTAMP"))
        if form == "%Y-%m-%d" and not is_clock:
            return f"CAST(CAST({column} AS DATE) AS VARCHAR)"
        moment = f"(DATE '0001-01-01' + CAST({column} AS TIME))" if is_clock else column
        return f"strftime({moment}, {_text(form)})"
    if kind in {"DOUBLE", "FLOAT"}:
        is_whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {is_whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    if kind != "VARCHAR":
        return f"CAST({column} AS VARCHAR)"
    return f"nullif(trim({column}, '{_ODD_SPACES}'), '')" if has_odd_spaces else f"nullif(trim({column}), '')"


def cell_sql(text: str, moment: str, *, form: str | None) -> str:
    """A column of cells as text.

    Args:
        text: the SQL of what its cells say in text.
        moment: the name of the column with the moments of those cells that hold one; a time of day is of year 1.
        form: as for `text_sql`. A time of day is no day, so that no form with a day reads it.
    """
    if form is not None:
        asks_for_days = any(letter in form for letter in _LETTERS_OF_DAYS)
        # A moment of cells is a whole second, which the cast writes as this form does, in less time.
        is_iso = form == "%Y-%m-%d %H:%M:%S"
        written = f"CAST({moment} AS VARCHAR)" if is_iso else f"strftime({moment}, {_text(form)})"
        return f"coalesce({f'CASE WHEN year({moment}) > 1 THEN {written} END' if asks_for_days else written}, {text})"
    is_midnight = f"CAST({moment} AS TIME) = TIME '00:00:00'"
    iso = f"CASE WHEN {is_midnight} THEN CAST(CAST({moment} AS DATE) AS VARCHAR) ELSE CAST({moment} AS VARCHAR) END"
    return f"coalesce({text}, {iso})"


def forms_of_moments(mapping: FeedMapping, feed: Feed) -> dict[str, str]:
    """The form in which the mapping writes each source column that holds a day, a moment or a part of one."""
    forms: dict[str, str] = {}
    for column in feed.delivered:
        sources = mapping.columns.get(column.name, ())
        if column.kind is Kind.TIMESTAMP:
            parts = [mapping.datetime_format] if len(sources) == 1 else mapping.datetime_format.split(" ")
            forms |= dict(zip(sources, parts, strict=True)) if len(parts) == len(sources) else {}
    for column in feed.delivered:
        if column.kind is Kind.DATE:
            forms |= dict.fromkeys(mapping.columns.get(column.name, ()), mapping.date_format)
    return forms if mapping.born_on is None else {**forms, mapping.born_on: mapping.date_format}


def columns_sql(mapping: FeedMapping, feed: Feed, texts: Mapping[str, str], *, seen_on: date) -> dict[str, str]:
    """The SQL of each mapped contract column, in the contract's order, then those that only ratings have.

    Args:
        mapping: what is mapped.
        feed: the contract.
        texts: the SQL of each source column's text.
        seen_on: the day the file landed, on which ages are counted.

    Returns:
        Column name to SQL, each VARCHAR but `items`, which is VARCHAR[]; identifiers as they were sent.
    """
    made = {}
    for column in feed.delivered:
        sql = _column_sql(column, mapping, texts)
        if sql is not None:
            made[column.name] = sql
    if mapping.born_on is not None:
        made["age_band"] = _age_band_sql(texts[mapping.born_on], mapping.date_format, seen_on=seen_on)
    if mapping.item_columns:
        answers = ", ".join(_with_point(texts[source], mapping) for source in mapping.item_columns)
        made["items"] = f"[{answers}]"
    if mapping.item_number is not None:
        made["item_number"] = texts[mapping.item_number]
    for name, source in (("item_value", mapping.item_value), ("total", mapping.total)):
        if source is not None:
            made[name] = _with_point(texts[source], mapping)
    return made


def repeating_columns(mapping: FeedMapping, feed: Feed) -> set[str]:
    """The contract's columns that say the same of many lines: what a line is about, not which it is."""
    names = {column.name for column in feed.delivered} - set(feed.table.key)
    if not feed.is_ratings:
        return names
    # A form has a line and a session of its own, unless each of its answers has a line.
    return names | {"rating_id"} if mapping.layout == "long" else names - {"appointment_id"}


def _age_band_sql(born_on: str, date_format: str, *, seen_on: date) -> str:
    """Ten years of age as `30-39`, `90+` for the few who are older; an unknown word where nobody was born that day."""
    birth = f"CAST(TRY_STRPTIME({born_on}, {_text(date_format)}) AS DATE)"
    years = f"datesub('year', {birth}, DATE '{seen_on}')"
    decade = f"({years} // 10 * 10)"
    return (
        f"CASE WHEN ({born_on}) IS NULL THEN NULL WHEN {birth} IS NULL OR {birth} > DATE '{seen_on}' OR {years} > 120"
        f" THEN '{UNKNOWN_WORD}' WHEN {years} >= 90 THEN '90+' ELSE {decade} || '-' || ({decade} + 9) END"
    )


def only_sql(mapping: FeedMapping, others: Sequence[FeedMapping], texts: Mapping[str, str]) -> str:
    """The WHERE clause that leaves a mapping its own lines; empty where it takes all.

    Args:
        mapping: what it takes.
        others: the file's other mappings where this one also takes what none of them does; else none.
        texts: the SQL of each source column's text.
    """
    if not mapping.only:
        return ""
    ours = _takes(mapping, texts)
    if others and all(other.only for other in others):
        theirs = " OR ".join(_takes(other, texts) for other in others)
        return f" WHERE {ours} OR NOT ({theirs})"
    return f" WHERE {ours}"


def _takes(mapping: FeedMapping, texts: Mapping[str, str]) -> str:
    each = [f"coalesce({texts[source]}, '') IN ({_list_sql(values)})" for source, values in mapping.only.items()]
    return f"({' AND '.join(each)})"


def _column_sql(column: Column, mapping: FeedMapping, texts: Mapping[str, str]) -> str | None:
    if column.name in mapping.constants:
        return _text(mapping.constants[column.name])
    if column.name in mapping.patterns:
        pattern = mapping.patterns[column.name]
        sql = f"nullif(regexp_extract({texts[pattern.source]}, {_text(pattern.regex)}, 1), '')"
    elif column.name in mapping.columns:
        # A part that is missing makes the whole missing, as with the time of a date and a time.
        sql = " || ' ' || ".join(texts[source] for source in mapping.columns[column.name])
    else:
        return None
    if column.kind in _NUMBERS:
        sql = _with_point(sql, mapping)
    return _translated(sql, column, mapping.words.get(column.name, {}))


def _translated(sql: str, column: Column, words: Mapping[str, str]) -> str:
    """Source words as contract words; elsewhere than in a vocabulary, a word that is not translated stays as it is."""
    if column.kind is not Kind.WORD and not words:
        return sql
    cases = [f"WHEN ({sql}) IS NULL THEN NULL"]
    cases += [f"WHEN ({sql}) = {_text(said)} THEN {_text(meant)}" for said, meant in words.items()]
    if column.kind is Kind.WORD:
        cases.append(f"WHEN ({sql}) IN ({_list_sql(column.words)}) THEN ({sql}) ELSE '{UNKNOWN_WORD}'")
    else:
        cases.append(f"ELSE ({sql})")
    return f"CASE {' '.join(cases)} END"


def _with_point(sql: str, mapping: FeedMapping) -> str:
    return f"replace({sql}, ',', '.')" if mapping.decimal == "," else sql


def _list_sql(texts: Iterable[str]) -> str:
    return ", ".join(_text(text) for text in texts)


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
