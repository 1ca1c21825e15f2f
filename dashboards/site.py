"""One night's pages, written whole into a folder.

Belongs here: which pages exist and in which order they are written. Does not belong here: what stands on a page
(`dashboards.views`), its sentences (`dashboards.words`), its charts (`dashboards.figures`) or its markup (templates).
"""

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dashboards.page_settings import PageSettings


@dataclass(frozen=True, kw_only=True)
class SiteReport:
    """What became of a site.

    Attributes:
        pages: Pages written.
        findings: Three sentences in words, as the overview says them.
        withheld: Clinicians whose figures are withheld because their group is small.
    """

    pages: int
    findings: tuple[str, ...]
    withheld: int


def build_site(read: Callable[[str], pl.DataFrame], *, folder: Path, settings: PageSettings) -> SiteReport:
    """Write the pages into `folder`; `read` gives a whole table by its full name."""
    folder.mkdir(parents=True, exist_ok=True)
    clinicians = read("marts.clinicians").height
    title = html.escape(settings.clinic)
    (folder / "index.html").write_text(
        f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><p>{clinicians} clinicians.</p>",
        encoding="utf-8",
    )
    return SiteReport(pages=1, findings=(), withheld=0)
