"""Great Expectations' Data Docs as pages that stand alone: nothing loaded, no script, no value from the data.

Belongs here: cleaning the pages and writing them with an index. Does not belong here: running rules
(`quality.expectations`) or the pages that directors read (`dashboards`).

Pages are rebuilt from a list of elements and attributes known to be harmless, so that what a later version of the
library adds is left out until someone looks at it. They are the same, byte for byte, for the same results.
"""

import base64
import hashlib
import html
import re
from collections.abc import Iterable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

from quality.expectations import Outcome, drawn
from quality.model import Severity, Verdict

_STYLE = (Path(__file__).parent / "data_docs.css").read_text(encoding="utf-8")
_KEPT = frozenset(
    {"a", "b", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "nav", "ol", "p", "pre"}
    | {"span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)
_KEPT_ATTRIBUTES = frozenset({"class", "id", "colspan", "rowspan"})
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
_LEFT_OUT = frozenset({"script", "style", "label", "button", "form", "footer", "iframe", "object", "svg", "title"})
# The bar with the library's logo, the filter buttons, and what it says of itself with the time of the run.
_LEFT_OUT_CLASSES = ("navbar navbar-expand", "card mb-3")
_LEFT_OUT_TARGETS = "collapse"
_MARKS = {"fa-check-circle": "passed", "fa-times": "failed", "fa-exclamation-triangle": "could not run"}


def write_page(outcome: Outcome, *, folder: Path) -> Path:
    """Writes the page of one table's suite and returns where it stands.

    Args:
        outcome: of one suite.
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{outcome.suite.table}.html"
    body = f'<p class="up"><a href="index.html">All tables</a></p>\n{cleaned(drawn(outcome))}'
    page.write_text(_page(title=outcome.suite.table, body=body), encoding="utf-8")
    return page


def write_index(verdicts: Iterable[Verdict], *, folder: Path, data_date: date) -> Path:
    """Writes the page that lists every table with what its rules found, and returns where it stands.

    Args:
        verdicts: of all suites whose pages stand in the folder.
        folder: made where it is missing.
        data_date: the last day that the data speak of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_table: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_table.setdefault(verdict.table, []).append(verdict)
    rows = "\n".join(_row(table, found) for table, found in by_table.items())
    body = (
        "<h1>What must be true</h1>\n"
        f"<p>Every rule of every table, and what broke it, for data up to {data_date.isoformat()}.\n"
        "An error stops the night; a warning is for a person to look at.</p>\n"
        "<table>\n<thead><tr><th>Table</th><th>Rules</th><th>Errors</th><th>Warnings</th></tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )
    index = folder / "index.html"
    index.write_text(_page(title="What must be true", body=body), encoding="utf-8")
    return index


def cleaned(page: str) -> str:
    """The body of a drawn page with harmless elements only, and words in place of its icons."""
    cleaner = _Cleaner()
    cleaner.feed(page)
    cleaner.close()
    text = re.sub(r"\s*\n\s*", "\n", "".join(cleaner.parts)).strip()
    # The overview writes its verdict beside its icon, which is a word already.
    return re.sub(r"</i>\s+(Failed|Succeeded)", "</i>", text)


def _row(table: str, verdicts: list[Verdict]) -> str:
    broken = [verdict.severity for verdict in verdicts if not verdict.is_passed]
    counts = (len(verdicts), broken.count(Severity.ERROR), broken.count(Severity.WARN))
    marks = ("", " failed" if counts[1] else "", " warned" if counts[2] else "")
    cells = "".join(f'<td class="number{mark}">{count}</td>' for count, mark in zip(counts, marks, strict=True))
    name = html.escape(table)
    return f'<tr><td><a href="{name}.html">{name}</a></td>{cells}</tr>'


def _page(*, title: str, body: str) -> str:
    # Only this very style sheet may be used, and nothing at all be loaded.
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


class _Cleaner(HTMLParser):
    """Rebuilds the body of a page from the elements that are kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._is_in_body = False
        self._open_left_out: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "body":
            self._is_in_body = True
        elif self._open_left_out:
            if tag not in _VOID:
                self._open_left_out.append(tag)
        elif self._is_in_body and _is_left_out(tag, given):
            self._open_left_out.append(tag)
        elif self._is_in_body and tag in _KEPT:
            self._keep(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "body":
            self._is_in_body = False
        elif self._open_left_out:
            self._close_left_out(tag)
        elif self._is_in_body and tag in self._open:
            while (last := self._open.pop()) != tag:
                self.parts.append(f"</{last}>")
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._is_in_body and not self._open_left_out:
            self.parts.append(re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(data, quote=False)))

    def _keep(self, tag: str, given: dict[str, str]) -> None:
        mark = next((word for icon, word in _MARKS.items() if icon in given.get("class", "").split()), None)
        if mark is not None:
            given["class"] = mark.replace(" ", "-")
        kept = {name: value for name, value in given.items() if name in _KEPT_ATTRIBUTES}
        if tag == "a" and given.get("href", "").startswith("#"):
            kept["href"] = given["href"]
        attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in sorted(kept.items()))
        self.parts.append(f"<{tag}{attributes}>{mark or ''}")
        if tag not in _VOID:
            self._open.append(tag)

    def _close_left_out(self, tag: str) -> None:
        if tag in self._open_left_out:
            while self._open_left_out.pop() != tag:
                pass


def _is_left_out(tag: str, given: dict[str, str]) -> bool:
    classes, target = given.get("class", ""), given.get("id", "") + given.get("href", "")
    return tag in _LEFT_OUT or _LEFT_OUT_TARGETS in target or classes.startswith(_LEFT_OUT_CLASSES)
