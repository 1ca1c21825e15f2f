"""What a FHIR server says beside its resources: where the next page is, how many there are, and what it could not do.

Belongs here: those few words, in whatever shape they come. Does not belong here: resources (`fhir_rows`), or what follows
from the words (`fhir`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

# What a page says beside its entries, which make up nearly all of it and are not read for this.
BESIDE: Final = "['$.resourceType', '$.total', '$.meta.lastUpdated', '$.link', '$.issue']"


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


def page_of(told: Sequence[str | None]) -> Page:
    """A page, from the JSON that stands at the places of `BESIDE`; what has another shape is as if it were not there."""
    kind, total, made_at, links, issues = (None if each is None else orjson.loads(each) for each in told)
    return Page(
        kind=kind if isinstance(kind, str) else None,
        links={link["relation"]: link["url"] for link in _objects(links) if _has_texts(link, "relation", "url")},
        total=total if isinstance(total, int) else None,
        made_at=moment_of(made_at) if isinstance(made_at, str) else None,
        issues=error_codes(issue for issue in _objects(issues) if _has_texts(issue, "severity", "code")),
    )


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
