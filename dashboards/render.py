"""From view models to files: templates, and the parts that every page shares under names that carry their content's hash.

Belongs here: writing markup. Does not belong here: any sentence or figure.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dashboards.page_settings import PageSettings
from dashboards.palette import custom_properties, dark_of_light
from dashboards.views.methods import explanations
from dashboards.views.model import Cell, Clinician, Link, Noted, Page, Spark, Tag

HERE = Path(__file__).parent
STATIC = HERE / "static"
BUNDLE = "plotly-basic-4.1.1.min.js"
BUNDLE_SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
FONT = "inter-latin-wght-normal.woff2"
LICENCES = ("plotly-LICENSE.txt", "inter-LICENSE.txt")


def write_assets(folder: Path) -> dict[str, str]:
    """Write what pages share into `folder`; returns each part's file name, which changes with its content."""
    folder.mkdir(parents=True, exist_ok=True)
    font = _named(folder, "inter.woff2", (STATIC / FONT).read_bytes())
    sheet = custom_properties() + (STATIC / "site.css").read_text(encoding="utf-8").replace("inter.woff2", font)
    for name in LICENCES:
        (folder / name).write_bytes((STATIC / name).read_bytes())
    return {
        "font": font,
        "css": _named(folder, "site.css", sheet.encode()),
        "js": _named(folder, "site.js", (STATIC / "site.js").read_bytes()),
        "bundle": _named(folder, "plotly.js", (STATIC / BUNDLE).read_bytes()),
    }


def write_page(
    path: Path, page: Page, *, template: str, settings: PageSettings, assets: dict[str, str], depth: int
) -> None:
    """Write one page; `depth` is how many folders down it lies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    markup = (
        _environment()
        .get_template(template)
        .render(
            page=page,
            settings=settings,
            assets=assets,
            root="../" * depth,
            explanations=explanations(settings),
            dark=as_data(dark_of_light()),
            has_charts=any(panel.figure for panel in page.every_panel),
        )
    )
    path.write_text(markup, encoding="utf-8")


def write_slices(folder: Path, files: Mapping[str, Any]) -> None:
    """Write what filters choose from, a file a slice."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, held in files.items():
        (folder / name).write_text(str(as_data(held)), encoding="utf-8")


def as_data(value: Any) -> Markup:
    """JSON that may stand inside a script element of type application/json: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for sign, safe in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(sign, safe)
    return Markup(text)  # noqa: S704 -- every sign that could leave the element is written as an escape above


def _named(folder: Path, name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    named = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
    (folder / named).write_bytes(content)
    return named


def _kind(cell: object) -> str:
    return {Tag: "tag", Noted: "noted", Link: "link", Clinician: "clinician", Spark: "spark"}.get(type(cell), "text")


def _row(
    row: Sequence[Cell],
    *,
    columns: tuple[str, ...],
    numeric: frozenset[int],
    is_stacked: bool,
    written: Callable[[Cell], Markup],
) -> Markup:
    """A table's row. Pages are mostly tables of words, and a template takes several times as long over each cell."""
    cells = zip(_frame(columns, numeric=numeric, is_stacked=is_stacked), row, strict=True)
    parts = (
        f"{before}{escape(cell) if isinstance(cell, str) else written(cell)}{after}" for (before, after), cell in cells
    )
    return Markup("".join(parts))  # noqa: S704 -- every cell is escaped above, or by the template that writes it


@lru_cache
def _frame(columns: tuple[str, ...], *, numeric: frozenset[int], is_stacked: bool) -> tuple[tuple[str, str], ...]:
    found = []
    for place, name in enumerate(columns):
        label = f' data-label="{escape(name)}"' if is_stacked and place else ""
        number = ' class="number"' if place in numeric else ""
        found.append((f"<td{label}{number}>", "</td>") if place else (f'<th scope="row"{number}>', "</th>"))
    return tuple(found)


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_data"] = as_data
    environment.filters["as_row"] = _row
    environment.filters["kind"] = _kind
    return environment
