"""The gatekeeper's own pages: signing in, and the account.

Belongs here: their markup and words. Does not belong here: any figure, or what happens when a form is sent (`gate`).
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.palette import custom_properties

_PAGES: Final = Path(__file__).parent / "pages"

WRONG: Final = "That did not work. Check the name, the password and the code, and try again with a new code."
NOT_ADMITTED: Final = "You are known, but not on this service's list. Ask whoever keeps the list to add you."
FAILED: Final = "Signing in did not work. Please try again."
NOTHING_YET: Final = "No pages are published yet. They appear when a night has ended well."
UNAVAILABLE: Final = "The pages can't be shown at the moment. Please tell whoever looks after the server."


def too_many(seconds: float) -> str:
    """How long to wait, said the same to everybody."""
    minutes = max(1, round(seconds / 60))
    return f"Too many tries. Wait {minutes} minute{'' if minutes == 1 else 's'}, then try again."


def sign_in_page(*, method: str, token: str, then: str, message: str | None, ready: Sequence[tuple[str, str]]) -> str:
    """The page to sign in on.

    Args:
        method: `password`, `oidc` or `demo`.
        token: what the form carries back.
        then: the path to go on to.
        message: what happened before; None for nothing.
        ready: the demonstration's sign-ins: id and words.
    """
    return _page("sign_in.html", title="Sign in", method=method, token=token, then=then, message=message, ready=ready)


def account_page(
    *, viewer: str, roles: Sequence[str], links: Sequence[tuple[str, str]], token: str | None, sign_out_url: str | None
) -> str:
    """Who is signed in, where they may go, and the way out.

    Args:
        viewer: their id.
        roles: their roles, in words.
        links: address and words of each page that is theirs.
        token: what the forms carry back; None where a proxy holds the session.
        sign_out_url: where the proxy's session is ended, if it has said so.
    """
    return _page(
        "account.html",
        title="Account",
        viewer=viewer,
        roles=roles,
        links=links,
        token=token,
        sign_out_url=sign_out_url,
    )


@lru_cache(maxsize=1)
def not_here_page() -> str:
    """What is said of the missing and of the forbidden; it names neither what was asked for nor who asked."""
    return _page("not_here.html", title="Not here")


def message_page(message: str) -> str:
    """A page that says one sentence."""
    return _page("message.html", title="Rapport", message=message)


@lru_cache(maxsize=1)
def style_sheet() -> tuple[str, bytes]:
    """The style sheet's path, which changes with its content, and its bytes."""
    sheet = (custom_properties() + (_PAGES / "gatekeeper.css").read_text(encoding="utf-8")).encode()
    return f"gatekeeper.{hashlib.sha256(sheet).hexdigest()[:12]}.css", sheet


def _page(template: str, **given: object) -> str:
    return _environment().get_template(template).render(style=style_sheet()[0], **given)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
