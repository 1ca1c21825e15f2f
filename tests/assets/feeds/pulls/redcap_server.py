"""A REDCap project for tests: answers over real HTTP as the API's documentation says, and fails as it is told to.

What it keeps to: flat export with repeating instruments and events, whose columns appear only where something repeats; codes
or labels; boxes as `field___code`; forms never begun as `0`; groups and survey times on demand; record, event, field and form
filters; `dateRangeBegin` in the server's own zone, by record; complaints as JSON, XML or CSV; and PHP's thousand fields a form.
"""

import csv
import io
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from tests.assets.feeds.pulls.http_server import Said, http_server

TOKEN = "9A81268476645C4E5F03428B8AC3AA7B"  # noqa: S105 - the documentation's own example
MOST_FIELDS = 1000
LOGIC = r'\[(\w+)\] = "([^"]*)"'
NO_RIGHTS = "You do not have permissions to use the API"


@dataclass
class Box:
    """A field with boxes to tick: code to label."""

    choices: dict[str, str]


@dataclass
class Row:
    """What one form, or all forms that do not repeat, hold of a record in an event."""

    record: str
    values: dict[str, object]
    event: str = ""
    form: str = ""
    instance: int | None = None


@dataclass
class Project:
    """The project and what is to go wrong.

    Attributes:
        forms: form to its fields: None is text, a dict is a choice, a Box is boxes; the first field names records.
        repeating: forms that repeat by themselves.
        labels: form to the label it is shown with.
        rows: what was filled in.
        changed: when a record was changed, in the server's zone; records that are not here were changed long ago.
        groups: record to its data access group.
        reports: number to the fields that it shows.
        wrong: the number of a question, from 1, to what becomes of its answer.
        asked: the questions so far.
    """

    forms: dict[str, dict[str, object]]
    repeating: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    changed: dict[str, datetime] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    reports: dict[int, list[str]] = field(default_factory=dict)
    wrong: dict[int, object] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    events: tuple[str, ...] = ()

    @property
    def record_field(self):
        return next(iter(next(iter(self.forms.values()))))

    def answer(self, question):
        """One answer, spoilt where it is to be."""
        sent = parse_qsl(question.body.decode(), keep_blank_values=True)[:MOST_FIELDS]
        form = dict(sent)
        self.asked.append(form)
        spoil = self.wrong.get(len(self.asked), lambda said: said)
        return spoil(self._answer(form))

    def _answer(self, form):
        if form.get("token") != TOKEN:
            return complaint(403, NO_RIGHTS, form)
        if form.get("content") == "report":
            number = int(form.get("report_id", 0))
            if number not in self.reports:
                return complaint(400, 'The value of the parameter "report_id" is not valid', form)
            return self._export(form, fields=self.reports[number])
        if form.get("content") != "record":
            return complaint(400, 'The value of the parameter "content" is not valid', form)
        return self._unknown(form) or self._export(form, fields=self._wanted_fields(form))

    def _unknown(self, form):
        known = {"fields": self._every_field(), "forms": self.forms, "events": self.events}
        for name, there in known.items():
            unknown = ", ".join(repr(each) for each in many(form, name) if each not in there)
            if unknown:
                return complaint(400, f'The following values in the parameter "{name}" are not valid: {unknown}', form)
        if "filterLogic" in form and not re.fullmatch(LOGIC, form["filterLogic"]):
            return complaint(400, "The filter logic contains incorrect syntax", form)
        return None

    def _every_field(self):
        return {name: about for of_form in self.forms.values() for name, about in of_form.items()}

    def _wanted_fields(self, form):
        of_forms = [name for each in many(form, "forms") for name in (*self.forms[each], f"{each}_complete")]
        return list(dict.fromkeys(many(form, "fields") + of_forms)) or list(self._every_field())

    def _export(self, form, *, fields):
        columns, rows = [], self._wanted_rows(form, fields)
        is_repeating = any(row.instance is not None for row in rows)
        columns += [self.record_field] if self.record_field in fields else []
        columns += ["redcap_event_name"] if self.events else []
        columns += ["redcap_repeat_instrument", "redcap_repeat_instance"] if is_repeating else []
        columns += ["redcap_data_access_group"] if form.get("exportDataAccessGroups") == "true" and self.groups else []
        for name, of_form in self.forms.items():
            if form.get("exportSurveyFields") == "true" and any(each in fields for each in of_form):
                columns.append(f"{name}_timestamp")
            for each, about in of_form.items():
                if each in fields and each not in columns:
                    columns += [f"{each}___{code}" for code in about.choices] if isinstance(about, Box) else [each]
            columns += [f"{name}_complete"] if f"{name}_complete" in fields else []
        cells = [[self._cell(row, column, form) for column in columns] for row in rows]
        if not rows:
            return Said(body=b"[]" if form.get("format") == "json" else b"\n", ending="chunked")
        if form.get("format") == "json":
            body = json.dumps([dict(zip(columns, each, strict=True)) for each in cells])
        else:
            written = io.StringIO()
            csv.writer(written, lineterminator="\n").writerows([columns, *cells])
            body = written.getvalue()
        return Said(body=body.encode(), ending="chunked")

    def _wanted_rows(self, form, fields):
        records, events = many(form, "records"), many(form, "events")
        since = datetime.fromisoformat(form["dateRangeBegin"]) if "dateRangeBegin" in form else datetime.min  # noqa: DTZ901
        logic = re.fullmatch(LOGIC, form.get("filterLogic", ""))
        asked_forms = {name for name, of_form in self.forms.items() if set(of_form) & set(fields) - {self.record_field}}
        if logic:
            fitting = {row.record for row in self.rows if str(row.values.get(logic[1], "")) == logic[2]}
        return [
            row
            for row in self.rows
            if (not records or row.record in records)
            and (not events or row.event in events)
            and (since == datetime.min or self.changed.get(row.record, datetime.min) > since)  # noqa: DTZ901
            and (not logic or row.record in fitting)
            and (not row.form or row.form in asked_forms)
        ]

    def _cell(self, row, column, form):
        is_label = form.get("rawOrLabel") == "label"
        system = {
            self.record_field: row.record,
            "redcap_event_name": row.event,
            "redcap_repeat_instrument": self.labels.get(row.form, row.form) if is_label else row.form,
            "redcap_repeat_instance": row.instance,
            "redcap_data_access_group": self.groups.get(row.record, ""),
        }
        if column in system:
            return system[column]
        of_form = next(
            name for name, each in self.forms.items() if column.split("___")[0] in each or column.startswith(f"{name}_")
        )
        is_of_row = row.form == of_form or (not row.form and of_form not in self.repeating)
        if not is_of_row:
            return ""
        if column == f"{of_form}_complete":
            code = str(row.values.get(column, "0"))
            return {"0": "Incomplete", "1": "Unverified", "2": "Complete"}[code] if is_label else code
        name, _, code = column.partition("___")
        about, value = self.forms[of_form].get(name), row.values.get(name, "")
        if isinstance(about, Box):
            is_ticked = code in (value or ())
            if is_label and form.get("exportCheckboxLabel") == "true":
                return about.choices[code] if is_ticked else ""
            return ("Unchecked", "Checked")[is_ticked] if is_label else str(int(is_ticked))
        return about.get(value, value) if is_label and isinstance(about, dict) else value


def many(form, name):
    """What an array of the form holds, in its order."""
    return [value for key, value in form.items() if re.fullmatch(rf"{name}\[\d+\]", key)]


def complaint(status, text, form):
    """An error in the form that was asked for: XML where none was."""
    shape = form.get("returnFormat", form.get("format", "xml"))
    body = {
        "json": json.dumps({"error": text}),
        "csv": f"ERROR: {text}",
        "xml": f'<?xml version="1.0" encoding="UTF-8" ?><hash><error><![CDATA[{text}]]></error></hash>',
    }[shape]
    return Said(status=status, body=body.encode(), ending="chunked")


@contextmanager
def redcap_server(project):
    """The API's address."""
    with http_server(project.answer) as url:
        yield f"{url}/api/"
