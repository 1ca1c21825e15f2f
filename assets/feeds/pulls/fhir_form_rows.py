"""Forms as rows: a response's items and an observation's total, as the measures that they are.

Belongs here: the SQL that finds a form's items however deep they are nested, and what each answer counts. Does not belong
here: which forms are known (`fhir_forms`), or the columns of a row (`fhir_columns`).

A response has one row an item of each measure that it holds, empty where the item was not answered, so that a newer version
takes back what an older one said. Calculated totals, free text and items of no measure have none. An item that was answered
in two ways at once is `?`, as is an answer that counts nothing.
"""

from typing import Final

import duckdb

from assets.feeds.pulls.fhir_columns import HAS_VALUE, ITEM, OBSERVED, WITHDRAWN, count_of, plain_code
from assets.feeds.pulls.fhir_forms import Forms
from assets.feeds.pulls.fhir_settings import Resource

_WITHDRAWN = ", ".join(f"'{status}'" for status in WITHDRAWN)

# A response is a form only where it has one of the form's items: an address alone may be another form's.
_ANSWERS: Final = f"""
WITH response AS MATERIALIZED (
  SELECT n, r, canonical AS form, coalesce(exact.form, panel.form) AS known, items
  FROM (
    SELECT row_number() OVER () AS n, r, regexp_extract(r.questionnaire, '^[^|]*') AS canonical,
      list_concat(json_extract(r.item, '$[*]'), json_extract(r.item, '$..item[*]')) AS items
    FROM ({{resources}})
  )
  LEFT JOIN forms AS exact ON exact.form = canonical
  LEFT JOIN forms AS panel ON panel.form = regexp_extract(canonical, '[^/]+$')
  WHERE coalesce(exact.form, panel.form) IS NOT NULL
),
item AS (
  SELECT n, known, json_transform(unnest(items), '{ITEM}') AS item FROM response
),
linked AS MATERIALIZED (
  SELECT n, item.known, coalesce(own.instrument, loinc.instrument) AS instrument,
    coalesce(own.item_number, loinc.item_number) AS item_number, item.answer AS answers
  FROM item
  LEFT JOIN wanted AS own ON own.form = item.known AND own.link = item.item.linkId AND NOT own.is_loinc
  LEFT JOIN wanted AS loinc
    ON loinc.form = item.known AND loinc.link = regexp_extract(item.item.linkId, '[^/]+$') AND loinc.is_loinc
  WHERE coalesce(own.instrument, loinc.instrument) IS NOT NULL
),
answered AS (
  SELECT n, instrument, item_number, {count_of("answer", by_code="counted.count")} AS value
  FROM (SELECT n, known, instrument, item_number, unnest(answers) AS answer FROM linked)
  LEFT JOIN counted ON counted.form = known AND counted.code = {plain_code("answer")}
),
told AS (
  SELECT n, instrument, item_number, CASE WHEN min(value) = max(value) THEN min(value) ELSE '?' END AS value
  FROM answered GROUP BY n, instrument, item_number
)
SELECT r, response.form, wanted.instrument, wanted.link, wanted.item_number,
  CASE WHEN r.status IN ({_WITHDRAWN}) THEN NULL ELSE told.value END AS value
FROM response
INNER JOIN wanted ON wanted.form = response.known
LEFT JOIN told
  ON told.n = response.n AND told.instrument = wanted.instrument AND told.item_number = wanted.item_number
WHERE r.status IN ({_WITHDRAWN}) OR EXISTS (
  SELECT 1 FROM linked WHERE linked.n = response.n AND linked.instrument = wanted.instrument
)
"""
# A panel's score may be its own value or one of its components'.
_TOTALS: Final = f"""
SELECT r, code, instrument, CASE WHEN r.status IN ({_WITHDRAWN}) THEN NULL ELSE value END AS value
FROM (
  SELECT n, any_value(r) AS r, instrument, arg_max(code, value IS NOT NULL) AS code, any_value(value) AS value
  FROM (
    SELECT n, r, totals.code, totals.instrument,
      CASE WHEN {HAS_VALUE.format("part")} THEN {count_of("part", by_code="NULL")} END AS value
    FROM (
      SELECT n, r, part, unnest(list_transform(part.code.coding, lambda c: c.code)) AS code
      FROM (
        SELECT n, r, unnest(list_concat([{OBSERVED}], r.component)) AS part
        FROM (SELECT row_number() OVER () AS n, r FROM ({{resources}}))
      )
    ) AS coded
    INNER JOIN totals ON totals.code = coded.code
  )
  GROUP BY n, instrument
)
"""
FORM_ROWS: Final[dict[Resource, str]] = {"QuestionnaireResponse": _ANSWERS, "Observation": _TOTALS}
"""SELECT of a resource's rows, each with the resource `r`, where `{resources}` stands for the SELECT of the resources."""


def register_forms(con: duckdb.DuckDBPyConnection, forms: Forms) -> None:
    """The tables of what is known, with which every form is joined."""
    con.execute(
        "CREATE TABLE wanted (form VARCHAR, link VARCHAR, is_loinc BOOLEAN, instrument VARCHAR, item_number VARCHAR)"
    )
    con.execute("CREATE TABLE counted (form VARCHAR, code VARCHAR, count VARCHAR)")
    con.execute("CREATE TABLE totals (code VARCHAR, instrument VARCHAR)")
    items = [(each.form, each.link, each.is_loinc, each.instrument, str(each.number)) for each in forms.items]
    answers = [(form, code, count) for (form, code), count in forms.answers.items()]
    for table, rows in (("wanted", items), ("counted", answers), ("totals", list(forms.totals.items()))):
        if rows:
            con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    con.execute("CREATE TABLE forms AS SELECT DISTINCT form FROM wanted")
