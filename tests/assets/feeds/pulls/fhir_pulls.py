"""A pull from the tests' FHIR server, and what it left, held against what the server has."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from assets.feeds.pulls.fhir import FhirSearch
from assets.feeds.pulls.fhir_bulk import FhirExport
from assets.feeds.pulls.fhir_settings import FhirPull
from assets.feeds.pulls.fhir_sign_in import sign_in_of
from assets.feeds.pulls.pulling import pull
from tests.assets.feeds.pulls.fhir_resources import appointment

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
A_WEEK_AGO = datetime.now(UTC) - timedelta(days=7)


def hold_appointments(server, number):
    """So many appointments, a second apart, all changed a week ago."""
    for each in range(number):
        server.put(appointment(f"a{each:03d}"), at=A_WEEK_AGO + timedelta(seconds=each))


def source_for(server, *, now=NOW, secrets_by_key=None, **words):
    """What pulls appointments from a server, unless the settings say otherwise."""
    settings = FhirPull(kind="fhir", url=f"{server.url}/fhir", **{"resources": ("Appointment",), "page": 10} | words)
    way = FhirExport if settings.way == "bulk" else FhirSearch
    tokens = sign_in_of(settings, place="pulls.ehr", secrets_by_key=secrets_by_key or {})
    return way(name="ehr", settings=settings, tokens=tokens, zone=ZoneInfo("Europe/London"), now=now, wait=0)


def pulled(server, folder, **words):
    """One night's pull into a folder; the rows that it brought, by file."""
    brought = pull("ehr", source_for(server, **words), into=folder, wait=0)
    return {each.name.removeprefix("ehr/"): pl.read_parquet(folder / each.name) for each in brought}


def versions(frames):
    """The newest version of each resource in some files, with how often each version stands there."""
    every = pl.concat(frames).group_by("id", "updated").len()
    assert every["len"].max() == 1, "a version stands twice"
    return dict(every.group_by("id").agg(pl.col("updated").max()).rows())


def held_by(server, kind="Appointment"):
    """The newest version of each resource that the server holds."""
    return {each["id"]: each["meta"]["lastUpdated"].replace("Z", "000Z") for each in server.of_kind(kind)}
