"""From a feed's contract to the SQL that holds each line to it.

Belongs here: the rules that follow from a column's declaration, and which of several versions of a row stands. Does not
belong here: how text is read as a value (`text_as_values`), where it came from (`assets.feeds`) or rules that a
clinician wrote (`quality.rules`). The SQL is DuckDB's own, since it reads what only DuckDB has read.

Every line meets one fate: refused (the first rule it breaks names why), superseded (valid, but a newer version of the
same row came), identical (an exact repeat of what stands already), or accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from assets.contracts.model import Column, Feed, Kind
from assets.contracts.text_as_values import (
    Reading,
    local_as,
    number_sql,
    read_as,
    read_columns,
    value_sql,
    whole_number_sql,
)

# Dates of what happened; a clinician's first working day may lie before the service's own.
_EVENT_COLUMNS = ("starts_at", "completed_on", "referred_on")
# What a list of programmes, problems or professions says in a word or a few; a sentence is longer.
LONGEST_LABEL = 80
# Nobody who works or is treated today began before; record systems write 1900-01-01, and year 26, for no date at all.
_BEFORE_ANYBODY = date(1901, 1, 1)
_KIND_OF = {"alliance": "alliance", "outcomes": "outcome"}
_LABELS = {
    "starts_at": "start time",
    "completed_on": "date",
    "duration_minutes": "duration",
    "items": "answers",
    "deprivation_decile": "deprivation decile",
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way for a line to break its contract.

    Attributes:
        name: short and fixed.
        reason: in plain words, without the value.
        is_broken: SQL condition, true where a line breaks it.
    """

    name: str
    reason: str
    is_broken: str


def label(column: Column) -> str:
    """How a reason speaks of a column."""
    return _LABELS.get(column.name, column.name.removesuffix("_id").removesuffix("_on").replace("_", " "))


def column_rules(column: Column, *, reading: Reading) -> list[Rule]:
    """The rules that follow from one column's declaration, in the order in which they are asked.

    Their conditions speak of a line of `judged_lines`, in which each value has been read.
    """
    name, spoken, value = column.name, label(column), read_as(column.name)
    rules = []
    if column.is_required:
        rules.append(Rule(name=f"{name}_missing", reason=f"the {spoken} is missing", is_broken=f"{name} IS NULL"))
    if column.kind is Kind.TEXT:
        rules.append(
            Rule(
                name=f"{name}_is_free_text",
                reason=f"the {spoken} is longer than a label, and free text is not taken",
                is_broken=f"length({name}) > {LONGEST_LABEL}",
            )
        )
    if name == "age_band":
        rules.append(
            Rule(
                name="age_band_unreadable",
                reason="the date of birth can't be read as that of somebody alive",
                is_broken=f"{name} = '?'",
            )
        )
    if column.kind is Kind.WORD:
        allowed = ", ".join(f"'{word}'" for word in column.words)
        rules.append(
            Rule(
                name=f"{name}_unknown_word",
                reason=f"the {spoken} is not one of the words that the configuration maps",
                is_broken=f"{name} NOT IN ({allowed})",
            )
        )
    if column.kind in {Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP}:
        kind = {Kind.INTEGER: "whole number", Kind.NUMBER: "number", Kind.DATE: "date"}.get(
            column.kind, "date and time"
        )
        rules.append(
            Rule(
                name=f"{name}_unreadable",
                reason=f"the {spoken} can't be read as a {kind}",
                is_broken=f"{name} IS NOT NULL AND {value} IS NULL",
            )
        )
    for bound, sign in ((column.minimum, "<"), (column.maximum, ">")):
        if bound is not None and column.kind in {Kind.INTEGER, Kind.NUMBER}:
            rules.append(
                Rule(
                    name=f"{name}_out_of_range",
                    reason=f"the {spoken} is outside {column.minimum:g} to {column.maximum:g}",
                    is_broken=f"{value} {sign} {bound}",
                )
            )
    rules.extend(_day_rules(column, reading=reading))
    return rules


def _day_rules(column: Column, *, reading: Reading) -> list[Rule]:
    if column.kind not in {Kind.DATE, Kind.TIMESTAMP}:
        return []
    day = read_as(column.name) if column.kind is Kind.DATE else f"CAST({local_as(column.name)} AS DATE)"
    spoken = label(column)
    rules = [_to_come(column, day=day, data_date=reading.data_date)]
    is_event = column.name in _EVENT_COLUMNS
    first = reading.first_possible_day if is_event else _BEFORE_ANYBODY
    limit = "the service's first possible day" if is_event else "any possible day"
    rules.append(
        Rule(
            name=f"{column.name}_too_early",
            reason=f"the {spoken} lies before {limit}",
            is_broken=f"{day} < DATE '{first}'",
        )
    )
    return rules


def _to_come(column: Column, *, day: str, data_date: date) -> Rule:
    return Rule(
        name=f"{column.name}_after_data_date",
        reason=f"the {label(column)} lies after the data date",
        is_broken=f"{day} > DATE '{data_date}'",
    )


def days_to_come(feed: Feed, *, data_date: date) -> list[Rule]:
    """The rules that a line already judged and typed breaks where the data date is earlier than when it was judged."""
    days = {Kind.DATE: "{}", Kind.TIMESTAMP: "{}_on"}
    return [
        _to_come(column, day=days[column.kind].format(column.name.removesuffix("_at")), data_date=data_date)
        for column in feed.delivered
        if column.kind in days
    ]


# Rules whose breach may be a sign that the wrong form was given out.
OUT_OF_RANGE = ("answers_out_of_range", "total_out_of_range")

_ITEM = read_as("item_value")
# `line` is a row of text and of what was read of it, with `answers` its items, and `measure` the declared instrument
# beside it (scratch.instruments).
_FORM_RULES = (
    Rule(
        name="instrument_unknown",
        reason="the instrument is not one that this feed's configuration and the registry know",
        is_broken="instrument IS NOT NULL AND measure.id IS NULL",
    ),
    Rule(
        name="rater_not_allowed",
        reason="the instrument has no form for this rater",
        is_broken="NOT list_contains(measure.raters, rater)",
    ),
    Rule(
        name="answers_unreadable",
        reason="an answer can't be read as a number",
        is_broken=f"list_count(items) > list_count(answers) OR (item_value IS NOT NULL AND {_ITEM} IS NULL)",
    ),
    Rule(
        name="answers_out_of_range",
        reason="an answer is not one that the form offers",
        is_broken="list_min(answers) < measure.item_minimum OR list_max(answers) > measure.item_maximum"
        " OR len(list_filter(answers, lambda answer:"
        " ABS(answer * measure.item_scale - ROUND(answer * measure.item_scale)) > 1e-6)) > 0"
        f" OR {_ITEM} NOT BETWEEN measure.item_minimum AND measure.item_maximum"
        f" OR ABS({_ITEM} * measure.item_scale - ROUND({_ITEM} * measure.item_scale)) > 1e-6",
    ),
    Rule(
        name="item_number_unknown",
        reason="the item's number is not one of the form's items",
        is_broken=f"is_long AND COALESCE({read_as('item_number')}, 0) NOT BETWEEN 1 AND measure.n_items",
    ),
    Rule(
        name="total_out_of_range",
        reason="the total is outside what the form can give",
        is_broken=f"{read_as('total')} NOT BETWEEN measure.score_minimum AND measure.score_maximum",
    ),
)


def rules(feed: Feed, *, reading: Reading) -> list[Rule]:
    """Every rule that a line of the feed can break by itself, in the order in which they are asked."""
    found = [
        rule
        for column in feed.delivered
        if column.kind is not Kind.NUMBERS
        for rule in column_rules(column, reading=reading)
    ]
    return [*found, *(_FORM_RULES if feed.is_ratings else ())]


def reference_rules(feed: Feed, *, present: Sequence[str]) -> list[Rule]:
    """The rules that look at tables already staged; `present` lists those that have rows."""
    found = []
    for column in feed.delivered:
        if column.refers_to is None or column.refers_to.rpartition(".")[0] not in present:
            continue
        target, _, key = column.refers_to.rpartition(".")
        found.append(
            Rule(
                name=f"{column.name.removesuffix('_id')}_unknown",
                reason=f"it names {'an' if label(column)[0] in 'aeiou' else 'a'} {label(column)} that no accepted row describes",
                is_broken=f"line.{column.name} IS NOT NULL AND line.{column.name} NOT IN (SELECT {key} FROM {target})",
            )
        )
    if feed.is_ratings and "staging.attendance" in present:
        found += [
            Rule(
                name="appointment_of_another_case",
                reason="the appointment it names belongs to another case",
                is_broken="booked.case_id <> line.case_id",
            ),
            Rule(
                name="appointment_not_attended",
                reason="the appointment it names was not attended",
                is_broken="booked.status <> 'attended'",
            ),
        ]
    return found


def first_broken(found: Sequence[Rule]) -> str:
    """SQL naming the first rule a line breaks; NULL where it breaks none."""
    if not found:
        return "CAST(NULL AS VARCHAR)"
    cases = "\n".join(f"    WHEN {rule.is_broken} THEN '{rule.name}'" for rule in found)
    return f"CASE\n{cases}\n  END"


def judged_lines(feed: Feed, *, source: str, present: Sequence[str], is_long: bool, reading: Reading) -> str:
    """SELECT of a source's lines, each read as its types with the first rule it breaks by itself.

    Args:
        feed: the contract.
        source: a table with `source_line` and text columns under the contract's names.
        present: the columns it has; what the clinic does not send is read as missing.
        is_long: whether each line is one item of a form.
        reading: how its text is to be read.
    """
    texts = {column.name: "VARCHAR[]" if column.kind is Kind.NUMBERS else "VARCHAR" for column in feed.delivered}
    if feed.is_ratings:
        texts |= {"item_number": "VARCHAR", "item_value": "VARCHAR"}
    complete = ", ".join(name if name in present else f"CAST(NULL AS {kind}) AS {name}" for name, kind in texts.items())
    read = read_columns(feed.delivered, reading=reading)
    values = {column.name: read_as(column.name) for column in feed.delivered if read_as(column.name) in read}
    if "starts_on" in feed.derived:
        values["starts_on"] = f"CAST({local_as('starts_at')} AS DATE)"
    join = ""
    if feed.is_ratings:
        read["answers"] = value_sql(feed.table.column("items"), reading=reading)
        read[read_as("item_number")] = whole_number_sql("item_number")
        read[_ITEM] = number_sql("item_value")
        read["is_long"] = str(is_long).upper()
        values |= {"items": "answers", "item_number": read_as("item_number"), "item_value": _ITEM, "is_long": "is_long"}
        join = f"\nLEFT JOIN scratch.instruments AS measure ON measure.id = instrument AND measure.kind = '{_KIND_OF[feed.name]}'"
    names = dict.fromkeys([*(column.name for column in feed.delivered), *values])
    listed = ",\n".join(f"  {values.get(name, name)} AS {name}" for name in names)
    made = "".join(f",\n    {sql} AS {name}" for name, sql in read.items())
    return (
        f"SELECT\n  source_line,\n{listed},\n  {first_broken(rules(feed, reading=reading))} AS broken_rule\n"
        f"FROM (\n  SELECT *{made}\n  FROM (SELECT source_line, {complete} FROM {source}) AS sent\n) AS line{join}"
    )


def repeated_lines(feed: Feed, *, lines: str) -> str:
    """SELECT of the fates of lines whose key occurs more than once among those that break no rule.

    Versions are ordered by `file_number, mapping, source_line`. A version equal to the one before it is identical; of those
    that differ, the last is accepted and the rest are superseded.
    """
    key = [*feed.table.key, *(["item_number"] if feed.is_ratings else [])]
    contents = [column.name for column in feed.delivered if column.name not in key]
    if feed.is_ratings:
        contents.append("item_value")
    keys, row = ", ".join(key), f"ROW({', '.join(contents)})"
    matched = " AND ".join(f"line.{name} IS NOT DISTINCT FROM many.{name}" for name in key)
    return f"""
WITH many AS (
  SELECT {keys} FROM {lines} WHERE broken_rule IS NULL GROUP BY {keys} HAVING COUNT(*) > 1
),
versions AS (
  SELECT line.* FROM {lines} AS line SEMI JOIN many ON {matched} WHERE line.broken_rule IS NULL
),
changes AS (
  SELECT
    *,
    LAG({row}) OVER (PARTITION BY {keys} ORDER BY file_number, mapping, source_line) IS NOT DISTINCT FROM {row}
      AND ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY file_number, mapping, source_line) > 1 AS is_repeat
  FROM versions
),
places AS (
  SELECT
    *,
    SUM(CASE WHEN is_repeat THEN 0 ELSE 1 END) OVER (
      PARTITION BY {keys} ORDER BY file_number DESC, mapping DESC, source_line DESC ROWS UNBOUNDED PRECEDING
    ) AS changes_from_here
  FROM changes
)
SELECT
  file_number,
  mapping,
  source_line,
  CASE WHEN is_repeat THEN 'identical' WHEN changes_from_here = 1 THEN 'accepted' ELSE 'superseded' END AS fate
FROM places"""


def assembled_forms(feed: Feed, *, current: str) -> str:
    """SELECT of a ratings feed's forms from its current lines; the lines of a long form become one row."""
    plain = [column.name for column in feed.delivered if column.name not in {"items", "total"}]
    context = ", ".join(plain)
    return f"""
SELECT {context}, items, total, source_file, source_line
FROM {current} WHERE NOT is_long
UNION ALL
SELECT
  {context},
  list_transform(
    range(1, MAX(n_items) + 1),
    lambda number: map_extract_value(MAP_FROM_ENTRIES(LIST(ROW(item_number, item_value))), number)
  ) AS items,
  MAX(total) AS total,
  MIN(source_file) AS source_file,
  MIN(source_line) AS source_line
FROM (
  SELECT line.*, measure.n_items FROM {current} AS line
  INNER JOIN scratch.instruments AS measure ON measure.id = line.instrument
  WHERE line.is_long
) AS answers
GROUP BY {context}"""
