"""A page of a FHIR search taken apart: its resources, unread, and what the server says beside them.

Belongs here: where the next page is, how many resources there are and what the server could not do, in whatever shape they
come. Does not belong here: reading resources (`fhir_rows`), or what follows from the words (`fhir`).

A page is passed over once: of its entries, which make up nearly all of it, only where each resource begins and ends is seen.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import orjson

_NOTHING: Final = msgspec.Raw(b"null")


class NoPageError(Exception):
    """What came is no JSON, or not a page's. Holds nothing of it."""


class _Entry(msgspec.Struct):
    """An entry, whose resource stays as it came."""

    resource: msgspec.Raw = _NOTHING


class _Bundle(msgspec.Struct, rename="camel"):
    """A page, or what came instead of one; what may have any shape stays as it came."""

    resource_type: msgspec.Raw = _NOTHING
    total: msgspec.Raw = _NOTHING
    meta: msgspec.Raw = _NOTHING
    link: msgspec.Raw = _NOTHING
    issue: msgspec.Raw = _NOTHING
    entry: list[_Entry] | None = None


_BUNDLES: Final = msgspec.json.Decoder(_Bundle)


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page of a search says beside its resources.

    Attributes:
        kind: `Bundle`, or what the server answered instead of one.
        links: relation to address, as the server gives them.
        total: how many resources the search has found by the server's count; None where it does not say.
        made_at: when, by the server's clock; None where it does not say.
        issues: where it is no Bundle, the codes of what the server could not do.
    """

    kind: str | None
    links: dict[str, str]
    total: int | None
    made_at: datetime | None
    issues: tuple[str, ...]


def page_of(body: bytes) -> tuple[Page, list[bytes]]:
    """A page and its resources, each as its own JSON; what else has another shape is as if it were not there.

    Raises:
        NoPageError: where it is no JSON, or its entries are none.
    """
    try:
        bundle = _BUNDLES.decode(body)
        told = (bundle.resource_type, bundle.total, bundle.meta, bundle.link, bundle.issue)
        kind, total, meta, links, issues = (orjson.loads(bytes(each)) for each in told)
    except ValueError:
        raise NoPageError from None
    made_at = meta.get("lastUpdated") if isinstance(meta, dict) else None
    page = Page(
        kind=kind if isinstance(kind, str) else None,
        links={link["relation"]: link["url"] for link in _objects(links) if _has_texts(link, "relation", "url")},
        total=total if isinstance(total, int) else None,
        made_at=moment_of(made_at) if isinstance(made_at, str) else None,
        issues=error_codes(issue for issue in _objects(issues) if _has_texts(issue, "severity", "code")),
    )
    return page, [bytes(entry.resource) for entry in bundle.entry or () if entry.resource is not _NOTHING]


def moment_of(text: str | None) -> datetime | None:
    """A FHIR instant; None where it is missing or none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _objects(told: Any) -> list[dict[str, Any]]:
    return [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []


def _has_texts(told: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(told.get(name), str) for name in names)


def error_codes(issues: Iterable[Mapping[str, str | None] | None]) -> tuple[str, ...]:
    """Codes of FHIR's own vocabulary, so that nothing else is ever told."""
    told = [issue for issue in issues if issue and issue["severity"] in {"error", "fatal"}]
    return tuple(
        code if re.fullmatch("[a-z-]{1,40}", code) else "?" for code in (issue["code"] or "?" for issue in told)
    )
