"""FHIR resources of a test as rows: flattened by one file of a pull."""

import json
from zoneinfo import ZoneInfo

import polars as pl

from assets.feeds.pulls.fhir_columns import COLUMNS
from assets.feeds.pulls.fhir_forms import known_forms
from assets.feeds.pulls.fhir_rows import ResourceFile

OWN = {"meta": {"versionId": "1", "lastUpdated": "2026-03-03T01:02:03.004Z"}}
UPDATED = "2026-03-03T01:02:03.004000Z"


def flattened(*resources, folder, zone="Europe/London", questionnaires=(), totals=None, kind=None, is_paged=False):
    """The rows of some resources of one kind."""
    kind = kind or resources[0]["resourceType"]
    given = {"resource": kind, "forms": known_forms(questionnaires, totals=totals or {}), "zone": ZoneInfo(zone)}
    told = [OWN | each for each in resources]
    with ResourceFile(folder / "rows.parquet", is_paged=is_paged, **given) as file:
        if is_paged:
            entries = [{"fullUrl": "x", "resource": each, "search": {"mode": "match"}} for each in told]
            file.add_page(json.dumps({"resourceType": "Bundle", "entry": entries}).encode())
        else:
            file.add_lines(lines(*told))
    frame = pl.read_parquet(folder / "rows.parquet").sort(pl.all())
    assert frame.columns == [column.name for column in COLUMNS[kind]]
    assert set(frame.dtypes) == {pl.String}
    return frame.to_dicts()


def lines(*resources):
    return "".join(json.dumps(each) + "\n" for each in resources).encode()


def written(path, *parts, kind="Appointment"):
    with ResourceFile(
        path, resource=kind, is_paged=False, forms=known_forms((), totals={}), zone=ZoneInfo("UTC")
    ) as file:
        for part in parts:
            file.add_lines(part)
    return file


def at(moment, resource):
    return resource | {"meta": {"lastUpdated": moment}}
