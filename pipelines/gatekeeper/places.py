"""What lies at an address: the one table from the paths of a published site to kinds of places.

Belongs here: reading an address strictly, and the kind and the owner of what lies there. Does not belong here: who may see
which kind (`policy`). An address that the table doesn't know is no place, and nobody may see it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin

from dashboards.addresses import CLINICIANS, clinician_of


class Kind(StrEnum):
    """What a page is about, which decides who may see it and stands in the audit log."""

    OVERVIEW = "overview"
    CLINICIANS = "list of clinicians"
    CLINICIAN = "clinician"
    CLIENT = "client"
    PROGRAMME = "programme"
    SITE = "site"
    DATA_QUALITY = "data quality"
    CHANGES = "night to night"
    METHODS = "methods"
    DICTIONARY = "dictionary"
    SHARED = "shared part"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One file of a published site.

    Attributes:
        kind: what it is about; a download or a slice has the kind of the page that it belongs to.
        path: from the site's top.
        clinician: whose it is, by code; None where it is nobody's own.
        is_part: whether a page asks for it (a slice, a download) rather than a person for itself.
    """

    kind: Kind
    path: str
    clinician: str | None
    is_part: bool


# The name of a file or folder that may stand in an address: what `dashboards.addresses` writes, and nothing else.
_NAME: Final = r"(?:[A-Za-z0-9_-]|~[0-9a-f]{2})+"
_DATA: Final = rf"{_NAME}(?:\.{_NAME})?\.(?:csv|json)"

# The first line that fits decides. Whatever lies in a clinician's own folder is theirs.
_KINDS: Final = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"index\.html", Kind.OVERVIEW),
        (rf"slices/(?:{_NAME}/)?{_DATA}", Kind.OVERVIEW),
        (rf"{CLINICIANS}/index\.html", Kind.CLINICIANS),
        (rf"{CLINICIANS}/{_NAME}\.html", Kind.CLINICIAN),
        (rf"{CLINICIANS}/{_NAME}/{_DATA}", Kind.CLINICIAN),
        (rf"{CLINICIANS}/{_NAME}/clients/{_NAME}\.html", Kind.CLIENT),
        (rf"{CLINICIANS}/{_NAME}/clients/{_DATA}", Kind.CLIENT),
        (rf"programmes/{_NAME}\.html", Kind.PROGRAMME),
        (rf"programmes/{_NAME}/{_DATA}", Kind.PROGRAMME),
        (rf"sites/{_NAME}\.html", Kind.SITE),
        (rf"sites/{_NAME}/{_DATA}", Kind.SITE),
        (r"data-quality\.html", Kind.DATA_QUALITY),
        (rf"data-quality/{_DATA}", Kind.DATA_QUALITY),
        (r"changes\.html", Kind.CHANGES),
        (rf"changes/{_DATA}", Kind.CHANGES),
        (r"methods\.html", Kind.METHODS),
        (r"dictionary\.html", Kind.DICTIONARY),
        (rf"assets/{_NAME}(?:\.{_NAME})?\.(?:css|js|woff2|txt)", Kind.SHARED),
    )
)
_OWNED: Final = frozenset({Kind.CLINICIAN, Kind.CLIENT})
_STRICT: Final = re.compile(r"/[A-Za-z0-9_~./-]*")
_HASHED: Final = re.compile(rf"assets/{_NAME}\.[0-9a-f]{{12}}\.(?:css|js|woff2)")

MEDIA_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}


def strict_path(raw: bytes) -> str | None:
    """A request's path as it was sent, without its first slash; None where it is not written in the plain way.

    No page needs a per cent sign, a backslash, an empty or dotted step or a letter outside ASCII in its address, so that
    an address has one spelling and nothing is ever decoded.
    """
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return None
    if _STRICT.fullmatch(text) is None:
        return None
    path = text[1:]
    steps = path.split("/")
    if any(step in {"", ".", ".."} for step in (steps[:-1] if path == "" or path.endswith("/") else steps)):
        return None
    return path


@lru_cache(maxsize=16_384)
def place_of(path: str) -> Place | None:
    """What lies at a path from the site's top; None for what the table does not know."""
    for pattern, kind in _KINDS:
        if pattern.fullmatch(path) is None:
            continue
        clinician = None
        if kind in _OWNED:
            stem = path.split("/")[1].removesuffix(".html")
            clinician = clinician_of(f"{CLINICIANS}/{stem}.html")
            if clinician is None:
                return None
        return Place(kind=kind, path=path, clinician=clinician, is_part=not path.endswith(".html"))
    return None


def is_named_by_content(path: str) -> bool:
    """Whether a shared part's name changes with its content, so that a browser may keep it for good."""
    return _HASHED.fullmatch(path) is not None


@lru_cache(maxsize=16_384)
def linked(href: str, *, page: str) -> str | None:
    """The path from the site's top that a link on the page at `page` leads to; None where it leads elsewhere."""
    target = href.partition("#")[0].partition("?")[0]
    if not target or "//" in target or ":" in target:
        return None
    return strict_path(urljoin(f"/{page}", target).encode("ascii", "replace"))


def media_type(path: str) -> str:
    """What a browser is told that a file is."""
    return MEDIA_TYPES[path.rpartition(".")[2]]
