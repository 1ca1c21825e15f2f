"""A page as one viewer gets it: names over codes for those entitled, no links to what they may not see, parts pinned.

Belongs here: what changes between a page's file and what leaves the server. Does not belong here: who may see what
(`policy`). The site's templates are ours, so that its markup is known: attributes in double quotes, no link within a link,
and a clinician's code as the whole text of an element with the attribute `data-clinician`.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dashboards.addresses import clinician_page
from pipelines.gatekeeper.places import Kind, Place, linked, place_of

PINNED: Final = "at"
ACCOUNT: Final = '<a href="/account">Account</a>\n'
_PART_FOLDERS: Final = ("slices/",)
# Data inside script elements is never touched.
_SCRIPTS: Final = re.compile(r"(<script\b.*?</script>)", re.DOTALL)
_REFERENCES: Final = re.compile(r'(\s(?:href|src|data-[a-z-]+)=")([^"#?]*/[^"]*|[^"/]+\.(?:csv|json))(")')
_LINKS: Final = re.compile(r'<a\b([^>]*?)\shref="([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
_NAMED: Final = re.compile(r'<([a-z][a-z0-9]*)(\b[^>]*?\sdata-clinician="([^"]*)"[^>]*)>([^<]*)</\1>')
_CODE: Final = re.compile(r'\sdata-clinician="[^"]*"')


@dataclass(frozen=True, kw_only=True)
class Eyes:
    """What one viewer may see, and the names that there are.

    Attributes:
        may_see: the policy, for this viewer.
        names: what to show for each code; may be empty.
    """

    may_see: Callable[[Place | None], bool]
    names: Mapping[str, str]

    def name_of(self, code: str) -> str | None:
        """A clinician's name, for those who may see that clinician's page."""
        name = self.names.get(code)
        if name is None:
            return None
        return name if self.may_see(place_of(clinician_page(code))) else None


def laid_over(markup: str, *, page: str, version: str, eyes: Eyes) -> str:
    """A page's markup for one viewer.

    Args:
        markup: the page as its file has it.
        page: its path from the site's top.
        version: the version that its parts are to come from.
        eyes: what the viewer may see.
    """
    pieces = _SCRIPTS.split(markup)
    # Every second piece is a script element.
    pieces[::2] = [_seen(piece, page=page, version=version, eyes=eyes) for piece in pieces[::2]]
    return "".join(pieces)


def pinned(path: str, *, version: str) -> str:
    """The address of a part of one version."""
    return f"/{PINNED}/{version}/{path}"


def _seen(piece: str, *, page: str, version: str, eyes: Eyes) -> str:
    def reference(found: re.Match[str]) -> str:
        before, target, after = found.groups()
        path = linked(html.unescape(target), page=page)
        if path is None or not _is_pinned(path):
            return found.group(0)
        return f"{before}{pinned(path, version=version)}{after}"

    def link(found: re.Match[str]) -> str:
        before, target, after, text = found.groups()
        path = linked(html.unescape(target), page=page)
        if path is None or _may_follow(path, eyes=eyes):
            return found.group(0)
        code = _CODE.search(before + after)
        # A code is said even where its page is not theirs; any other link's words make no sense without it.
        return f"<span{code.group(0)}>{text}</span>" if code else ""

    def name(found: re.Match[str]) -> str:
        element, attributes, code, _ = found.groups()
        shown = eyes.name_of(html.unescape(code))
        if shown is None:
            return found.group(0)
        return f'<{element}{attributes} title="{code}">{html.escape(shown)}</{element}>'

    piece = _LINKS.sub(link, piece)
    piece = _REFERENCES.sub(reference, piece)
    if eyes.names:
        piece = _NAMED.sub(name, piece)
    return piece.replace("</nav>", f"{ACCOUNT}</nav>", 1)


def _is_pinned(path: str) -> bool:
    place = place_of(path)
    if place is None:
        return path in _PART_FOLDERS
    return place.is_part and place.kind is not Kind.SHARED


def _may_follow(path: str, *, eyes: Eyes) -> bool:
    # A link to the top or to a folder of slices is decided when it is asked for.
    place = place_of(path)
    return place is None or eyes.may_see(place)
