"""One night's pull: every system asked for what is new, each thing kept whole, and remembered only once it is.

Belongs here: the order of things that makes a pull safe to cut off anywhere, and how often a system is asked again. Does
not belong here: any system (`sql`, `objects`), or reading what was fetched (the folder is read as an inbox is).

A file is written beside its place and moved into it; then the mark is written. Cut off between the two, the next night
fetches the same again under the same or another name, and its rows are found to be identical: nothing is lost or doubled.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from assets.feeds.pulls.fhir_settings import FhirPull
from assets.feeds.pulls.patience import FIRST_WAIT, patiently
from assets.feeds.pulls.redcap_settings import RedcapPull
from assets.feeds.pulls.setting_parts import secret
from assets.feeds.pulls.settings import Pull, SqlPull
from assets.feeds.pulls.source import Fetched, Item, Source
from assets.feeds.wrong_input import WrongInput
from assets.whole_files import UNFINISHED, beside, put_in_place, written_whole

MARKS: Final = ".marks.json"
_MODE: Final = 0o640


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """One file that a pull brought.

    Attributes:
        name: relative to the folder of pulled files.
        rows: rows of a query, bytes of an object.
    """

    name: str
    rows: int


def source_of(name: str, settings: Pull, *, environ: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Source:
    """The system that one `[pulls.<name>]` table describes.

    Raises:
        WrongInput: where the environment lacks a secret.
    """
    secrets = {
        key: secret(environ, variable, key=f"pulls.{name}.{key}") for key, variable in settings.variables.items()
    }
    # Their drivers take a while to import, which a service that pulls nothing should not wait for.
    if isinstance(settings, SqlPull):
        from assets.feeds.pulls.sql import Database  # noqa: PLC0415

        return Database(settings=settings, url=secrets["url_variable"], zone=zone, now=now)
    if isinstance(settings, RedcapPull):
        from assets.feeds.pulls.redcap import RedcapProject  # noqa: PLC0415

        return RedcapProject(
            name=name, settings=settings, token=secrets["token_variable"], zone=zone, now=now, wait=FIRST_WAIT
        )
    if isinstance(settings, FhirPull):
        from assets.feeds.pulls.fhir import FhirSearch  # noqa: PLC0415
        from assets.feeds.pulls.fhir_bulk import FhirExport  # noqa: PLC0415
        from assets.feeds.pulls.fhir_sign_in import sign_in_of  # noqa: PLC0415

        tokens = sign_in_of(settings, place=f"pulls.{name}", secrets_by_key=secrets)
        way = FhirExport if settings.way == "bulk" else FhirSearch
        return way(name=name, settings=settings, tokens=tokens, zone=zone, now=now, wait=FIRST_WAIT)
    from assets.feeds.pulls.objects import ObjectFolder  # noqa: PLC0415

    return ObjectFolder(
        settings=settings, secrets={option: secrets[f"secrets.{option}"] for option in settings.secrets}
    )


def pull_everything(
    pulls: Mapping[str, Pull],
    *,
    into: Path,
    environ: Mapping[str, str],
    zone: ZoneInfo,
    now: datetime,
) -> tuple[Pulled, ...]:
    """Fetch what every system of the settings has that is new.

    Raises:
        WrongInput: as `pull` and `source_of` do; what was fetched before stays.
    """
    sources = {name: source_of(name, settings, environ=environ, zone=zone, now=now) for name, settings in pulls.items()}
    return tuple(each for name, source in sources.items() for each in pull(name, source, into=into, wait=FIRST_WAIT))


def pull(name: str, source: Source, *, into: Path, wait: float) -> tuple[Pulled, ...]:
    """Fetch what one system has that is new.

    Args:
        name: the system's, and its folder's.
        source: the system.
        into: the folder of pulled files; the system's own folder in it is made where it is not there.
        wait: seconds before a system is asked a second time, doubled each time after.

    Raises:
        WrongInput: where the system does not let us in, or does not answer however often it is asked. What was fetched
            before stays.
    """
    folder = into / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    for left_over in folder.rglob(f"{UNFINISHED}*"):
        left_over.unlink()
    marks = _read_marks(folder)
    pulled = []
    for item in patiently(lambda: list(source.new_items(marks)), name=name, wait=wait):
        place = folder / _inside(item, name=name)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        unfinished = beside(place)

        def fetch(item: Item = item, unfinished: Path = unfinished) -> Fetched:
            unfinished.unlink(missing_ok=True)
            return source.fetch(item, to=unfinished, last_mark=marks.get(item.subject))

        fetched = patiently(fetch, name=name, wait=wait)
        if fetched.is_empty:
            unfinished.unlink(missing_ok=True)
            continue
        unfinished.chmod(_MODE)
        put_in_place(unfinished, place)
        if fetched.mark is not None:
            marks[item.subject] = fetched.mark
            _write_marks(folder, marks)
        pulled.append(Pulled(name=f"{name}/{item.name}", rows=fetched.rows))
    return tuple(pulled)


def _inside(item: Item, *, name: str) -> PurePosixPath:
    path = PurePosixPath(item.name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise WrongInput(
            "an object's name leads out of its folder", place=f"pulls.{name}", mend="rename it in the store"
        )
    return path


def _read_marks(folder: Path) -> dict[str, str]:
    try:
        marks: dict[str, str] = json.loads((folder / MARKS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return marks


def _write_marks(folder: Path, marks: Mapping[str, str]) -> None:
    with written_whole(folder / MARKS, mode=_MODE) as opened:
        opened.write(json.dumps(marks, indent=1, sort_keys=True).encode())
