"""The version of every definition, as a table of the night: made from code and settings, never typed.

Belongs here: what a table's version is made of, and what of it changed since the version that readers have. Does not belong
here: following code (`assets.code_behind`), or what a change moved (`assets.changes`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import polars as pl
from pydantic import BaseModel

from assets import marts, staging
from assets.analysis import layer as analysis
from assets.code_behind import code_behind
from assets.contracts.changes import DEFINITIONS
from assets.contracts.metrics import counting_select
from assets.contracts.rates import METRICS
from assets.contracts.registry import TABLES
from assets.estimates.rates import rates as published_rates
from assets.estimates.shapes import empty
from assets.service import Service
from assets.tables import SETTINGS

_RATES = "analysis.rates"
_LONGEST_VALUE = 60


@dataclass(frozen=True, kw_only=True)
class Made:
    """How one table or rate is made.

    Attributes:
        kind: `table` or `rate`.
        name: `schema.table`, or the rate's id.
        code: the version of its own code.
        settings: what it asks of the service, as its code writes it.
        reads: the tables that it is made from.
    """

    kind: str
    name: str
    code: str
    settings: tuple[str, ...]
    reads: tuple[str, ...]


def made_tables() -> tuple[Made, ...]:
    """Every promised table of staging, marts and analysis as its asset says it is made, and every rate."""
    found: dict[str, Made] = {}
    for assets in (*staging.ASSETS, *marts.ASSETS, *analysis.ASSETS):
        for spec in assets.specs:
            name = ".".join(spec.key.path)
            reads = sorted(".".join(dep.asset_key.path) for dep in spec.deps)
            found[name] = Made(
                kind="table",
                name=name,
                code=str(spec.code_version),
                settings=tuple(spec.metadata[SETTINGS]),
                reads=tuple(each for each in reads if each in TABLES and not each.startswith("quality.")),
            )
    counted = code_behind(counting_select, published_rates)
    of_rates = found[_RATES].settings
    rates = (
        Made(
            kind="rate",
            name=metric.id,
            code=_hash(f"{plain(metric)}\n{counted}"),
            settings=of_rates,
            reads=tuple(sorted(metric.population.reads)),
        )
        for metric in METRICS
    )
    return (*found.values(), *rates)


def setting(service: Service, asked: str) -> tuple[str, Any]:
    """A setting's name and value for what code asks of the service: `registry.of_kind` is about `registry`."""
    first, _, second = asked.partition(".")
    value = getattr(service, first)
    if isinstance(value, Mapping) and second in value:
        return asked, value[second]
    if second and hasattr(value, second) and not callable(getattr(value, second)):
        return asked, getattr(value, second)
    return first, value


def definitions(made: Iterable[Made], *, service: Service, last: pl.DataFrame | None) -> pl.DataFrame:
    """`quality.definitions`.

    Args:
        made: how every table and rate is made; what a table reads is among them.
        service: tonight's settings.
        last: the table of the version that readers have; None where there is none.
    """
    of_kind = {(each.kind, each.name): each for each in made}
    asked = {each for one in of_kind.values() for each in one.settings if hasattr(service, each.partition(".")[0])}
    values = dict(setting(service, each) for each in sorted(asked))
    own = {("setting", name): _hash(plain(value)) for name, value in values.items()}
    own |= {place: one.code for place, one in of_kind.items()}
    below = {place: _below(one, service=service) for place, one in of_kind.items()} | dict.fromkeys(
        (place for place in own if place[0] == "setting"), ()
    )
    reached: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}

    def reach(place: tuple[str, str]) -> frozenset[tuple[str, str]]:
        if place not in reached:
            reached[place] = frozenset({place}).union(*(reach(each) for each in below[place] if each in own))
        return reached[place]

    before = {} if last is None else {(row["kind"], row["name"]): row for row in last.iter_rows(named=True)}
    itself = {place: before.get(place, {}).get("own_version") != version for place, version in own.items()}
    rows = []
    for place in sorted(own):
        version = _hash([f"{each}={own[each]}" for each in sorted(reach(place))])
        changed = sorted(name for kind, name in reach(place) if itself[kind, name])
        value = _told(values[place[1]]) if place[0] == "setting" else None
        rows.append(
            (
                *place,
                own[place],
                version,
                ", ".join(name for _, name in below[place]) or None,
                value,
                before.get(place, {}).get("value"),
                None if last is None else itself[place],
                None if last is None else before.get(place, {}).get("version") != version,
                None if last is None or not changed else ", ".join(changed),
            )
        )
    return pl.DataFrame(rows, schema=empty(DEFINITIONS).schema, orient="row")


def _below(one: Made, *, service: Service) -> tuple[tuple[str, str], ...]:
    asked = sorted({setting(service, each)[0] for each in one.settings if hasattr(service, each.partition(".")[0])})
    return (*(("setting", name) for name in asked), *(("table", name) for name in one.reads))


def plain(value: Any) -> Any:
    """A setting or a declaration as JSON can write it, the same on every run."""
    if isinstance(value, BaseModel):
        told: Any = plain(value.model_dump())
    elif isinstance(value, Mapping):
        told = {str(key): plain(value[key]) for key in sorted(value, key=str)}
    elif is_dataclass(value):
        told = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    elif isinstance(value, set | frozenset):
        told = sorted(json.dumps(plain(each), sort_keys=True) for each in value)
    elif isinstance(value, list | tuple):
        told = [plain(each) for each in value]
    else:
        told = value if value is None or isinstance(value, str | int | float) else str(value)
    return told


def _told(value: Any) -> str | None:
    told = json.dumps(plain(value), sort_keys=True)
    return told if len(told) <= _LONGEST_VALUE else None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
