"""One FHIR server as it is spoken to: with a token, at its own address and no other, its refusals told in one line.

Belongs here: what searching and exporting have in common. Does not belong here: either (`fhir`, `fhir_bulk`), or HTTP
itself (`web`).
"""

import re
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import orjson

from assets.feeds.pulls.fhir_settings import FhirPull
from assets.feeds.pulls.fhir_sign_in import Tokens
from assets.feeds.pulls.web import Answer, Web
from assets.feeds.wrong_input import WrongInput

JSON: Final = "application/fhir+json"
_SHUT: Final = 401
# Statuses whose answers say in FHIR's own words why a question is not taken.
_NOT_TAKEN: Final = (400, 405, 412, 422)


@dataclass(frozen=True, kw_only=True)
class FhirServer:
    """A server, while its connections are open.

    Attributes:
        settings: of the pull.
        place: the pull's, as in `pulls.<name>`.
        web: a way to ask.
        tokens: how it lets us in.
    """

    settings: FhirPull
    place: str
    web: Web = field(repr=False)
    tokens: Tokens = field(repr=False)

    @contextmanager
    def asked(  # noqa: PLR0913 - a question of HTTP has as many parts
        self,
        url: str,
        *,
        method: str = "GET",
        accept: str = JSON,
        prefer: str | None = None,
        understood: Container[int] = (),
        with_token: bool = True,
    ) -> Iterator[Answer]:
        """Ask once; with a new token a second time where the server no longer takes the old one.

        Raises:
            PullFailedError, WrongInput: as `Web.asked` does.
        """
        headers = {"accept": accept} | ({"prefer": prefer} if prefer else {})
        for is_last in (False, True):
            token = self.tokens.header(self.web) if with_token else {}
            may_renew = with_token and self.tokens.can_renew and not is_last
            known = _Also(understood, (*_NOT_TAKEN, *((_SHUT,) if may_renew else ())))
            with self.web.asked(method, url, headers=headers | token, understood=known) as answer:
                if answer.status == _SHUT and may_renew:
                    self.tokens.forget()
                    continue
                if answer.status in _NOT_TAKEN and answer.status not in understood:
                    raise self._not_taken(answer)
                yield answer
                return

    def own_address(self, url: str, *, seen_at: str) -> str:
        """A link that the server gave, made whole, once it is seen to lead nowhere else.

        Args:
            url: as the server gave it.
            seen_at: the address of the answer that it stood in.

        Raises:
            WrongInput: where it leads to another address, which is given neither our token nor our questions.
        """
        whole = urljoin(seen_at, url)
        if origin(whole) != origin(self.settings.url):
            raise WrongInput(
                "the server sends us on to another address",
                place=f"{self.place}.url",
                mend="write the address that the server calls itself by, or have its keepers mend its links",
            )
        return whole

    def wrong(self, what: str, *, mend: str, key: str = "") -> WrongInput:
        """A fault that asking again does not mend."""
        return WrongInput(what, place=f"{self.place}{'.' if key else ''}{key}", mend=mend)

    def _not_taken(self, answer: Answer) -> WrongInput:
        codes = ", ".join(dict.fromkeys(_codes(answer.whole()))) or "it does not say why"
        return self.wrong(
            f"the server does not take the question ({answer.status}: {codes})",
            mend="see which resources and parameters it knows; sorts = false asks for less",
        )


@dataclass(frozen=True)
class _Also:
    """Two containers as one."""

    one: Container[int]
    other: Container[int]

    def __contains__(self, status: object) -> bool:
        return status in self.one or status in self.other


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, by which addresses are of one server or not."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"https": 443, "http": 80}.get(parts.scheme)


def _codes(body: bytes) -> Iterator[str]:
    """The codes of an OperationOutcome's issues, which are FHIR's own words."""
    try:
        said: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    issues = said.get("issue") if isinstance(said, dict) else None
    for issue in issues if isinstance(issues, list) else ():
        code = issue.get("code") if isinstance(issue, dict) else None
        if isinstance(code, str) and re.fullmatch("[a-z-]{1,40}", code):
            yield code
