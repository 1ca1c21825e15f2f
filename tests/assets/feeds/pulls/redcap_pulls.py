"""A clinic's REDCap project and a pull from it, for the tests of both what comes and what goes wrong."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from assets.feeds.pulls.redcap import RedcapProject
from assets.feeds.pulls.settings import read_pulls
from tests.assets.feeds.pulls.redcap_server import TOKEN, Box, Project, Row

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
HTTP_DATE = "Fri, 20 Nov 2026 02:30:00 GMT"
FORMS = {
    "about": {"record_id": None, "code": None, "gender": {"1": "Woman", "2": "Man"}},
    "phq9": {"phq9_on": None, "phq9_1": None, "note": None, "why": Box({"a": "Sleep", "b": "Mood"})},
    "wai": {"wai_on": None, "wai_1": None},
}


def clinic(records=3, **words):
    """Each record has one `about`, as many `phq9` as its number, and a `wai` if its number is odd."""
    rows = []
    for number in range(1, records + 1):
        name = str(number)
        once = {"code": f"C-{number}", "gender": "1", "about_complete": "2"}
        if number % 2:
            once |= {"wai_on": "2026-03-01", "wai_1": "5", "wai_complete": "2"}
        rows.append(Row(name, once))
        rows += [
            Row(
                name,
                {"phq9_on": f"2026-01-{at:02d}", "phq9_1": str(at % 4), "why": ("b",), "phq9_complete": "2"},
                form="phq9",
                instance=at,
            )
            for at in range(1, number + 1)
        ]
    return Project(forms=FORMS, repeating={"phq9"}, labels={"phq9": "PHQ-9"}, rows=rows, **words)


PHQ9 = {"name": "phq9", "form": "phq9", "fields": ["code"]}


def project(url, *exports, name="forms", now=NOW, token=TOKEN, zone="Europe/London", **settings):
    table = {"kind": "redcap", "url": url, "token_variable": "TOKEN", "exports": list(exports or [PHQ9]), **settings}
    return RedcapProject(
        name=name, settings=read_pulls({name: table})[name], token=token, zone=ZoneInfo(zone), now=now, wait=0
    )


def fetched(source, folder, *, last_mark=None):
    """The first export's rows as one night has them, and what is told of them."""
    item = next(iter(source.new_items({})))
    told = source.fetch(item, to=folder / item.name, last_mark=last_mark)
    return told, pl.read_parquet(folder / item.name) if told.rows else None
