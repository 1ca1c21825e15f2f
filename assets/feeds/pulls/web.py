"""Systems that are asked over HTTP: one question, one answer, read to its very end or not at all.

Belongs here: the client, and what a status, a silence or a cut means to a pull. Does not belong here: what any one system
says (`redcap`, `fhir`), or asking again (`patience`).

No message names an address, a header or a value: an address may hold a client's code, a header the key to everything.
"""

import logging
import ssl
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

import certifi
import httpx

from assets.feeds.pulls.source import PullFailedError
from assets.feeds.wrong_input import WrongInput

# What is held in memory at most; longer answers are asked for in parts, or written to a file as they come.
MOST_BYTES: Final = 512 * 1024 * 1024
_NOT_NOW: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
_SHUT: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_GONE: Final = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a system answered, while it is being read.

    Attributes:
        status: HTTP's.
        headers: by name, in any case.
        pieces: the body as it comes; ends only where the system ended it, else raises PullFailedError.
        place: the pull's, for messages.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    pieces: Iterator[bytes] = field(repr=False)
    place: str

    def whole(self, *, most_bytes: int = MOST_BYTES) -> bytes:
        """The body, in memory.

        Raises:
            PullFailedError: where it was cut off.
            WrongInput: where it is longer than that.
        """
        parts, size = [], 0
        for piece in self.pieces:
            size += len(piece)
            if size > most_bytes:
                raise WrongInput("an answer is too long to be held", place=self.place, mend="ask for less at once")
            parts.append(piece)
        return b"".join(parts)

    def write_to(self, path: Path) -> int:
        """Write the body to a new file; how many bytes it has.

        Raises:
            PullFailedError: where it was cut off; what was written is then worth nothing.
        """
        with path.open("wb") as opened:
            return sum(opened.write(piece) for piece in self.pieces)


@dataclass(frozen=True, kw_only=True)
class Web:
    """A way to ask, with its connections kept; from `open_web`.

    Attributes:
        client: httpx's.
        place: the pull's, as in `pulls.<name>`.
        seconds: how long one answer may take, from the question to its last byte.
    """

    client: httpx.Client = field(repr=False)
    place: str
    seconds: float

    @contextmanager
    def asked(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str | Sequence[str]] | None = None,
        understood: Container[int] = (),
    ) -> Iterator[Answer]:
        """Ask once, and hand the answer over while it comes.

        Args:
            method: HTTP's.
            url: absolute, with its question mark and what follows it.
            headers: to send along.
            form: to send as the fields of a form.
            understood: statuses other than success whose answers the caller reads itself.

        Raises:
            PullFailedError: where the system does not answer, not in time, not to the end, or not now.
            WrongInput: where asking again would not help: it does not let us in, knows nothing there, sends us elsewhere,
                is not who it says it is, or does not say where an answer ends.
        """
        last_moment = time.monotonic() + self.seconds
        with self._told_without_addresses():
            request = self.client.build_request(method, url, headers=headers, data=form)
            answer = self.client.send(request, stream=True)
        try:
            if not answer.is_success and answer.status_code not in understood:
                raise self._refused(answer)
            if not _says_where_it_ends(answer):
                raise WrongInput(
                    "the system does not say where its answers end, so a cut one looks whole",
                    place=self.place,
                    mend="have its web server speak HTTP/1.1, or see the proxy between",
                )
            yield Answer(
                status=answer.status_code,
                headers=answer.headers,
                pieces=self._pieces(answer, last_moment),
                place=self.place,
            )
        finally:
            answer.close()

    def _pieces(self, answer: httpx.Response, last_moment: float) -> Iterator[bytes]:
        with self._told_without_addresses():
            for piece in answer.iter_bytes():
                if time.monotonic() > last_moment:
                    raise PullFailedError("the system did not answer to the end in time")
                yield piece

    def _refused(self, answer: httpx.Response) -> Exception:
        status = answer.status_code
        if status in _NOT_NOW or answer.is_server_error:
            return PullFailedError(
                f"the system can't answer now ({status})", wait_seconds=seconds_to_wait(answer.headers)
            )
        what, mend = f"the system does not take the question ({status})", "see what the settings ask it for"
        if status in _SHUT:
            what, mend = f"the system does not let us in ({status})", "see its key and what it may do"
        elif status in _GONE:
            what, mend = f"the system knows nothing there ({status})", "see the address in the settings"
        elif answer.is_redirect:
            what = f"the system sends us to another address ({status})"
            mend = "name in the settings the address that it leads to, whole and with https"
        return WrongInput(what, place=self.place, mend=mend)

    @contextmanager
    def _told_without_addresses(self) -> Iterator[None]:
        # httpx's own messages may name the address, so none of them is passed on, nor kept as a cause.
        try:
            yield
        except httpx.TimeoutException:
            raise PullFailedError("the system did not answer in time") from None
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError):
            raise PullFailedError("the system's answer was cut off") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise WrongInput(
                "this is not an address", place=self.place, mend="begin it with https:// and the system's name"
            ) from None
        except httpx.TransportError as error:
            if _is_a_stranger(error):
                raise WrongInput(
                    "the system's certificate is not one that this machine trusts",
                    place=self.place,
                    mend="name in SSL_CERT_FILE the file of the authority that signed it",
                ) from None
            raise PullFailedError(f"the system could not be reached ({type(error).__name__})") from None


@contextmanager
def open_web(*, place: str, seconds: float) -> Iterator[Web]:
    """A way to ask that trusts whom this machine trusts, and never follows to another address.

    Args:
        place: the pull's, as in `pulls.<name>`.
        seconds: how long one answer may take, and a connection to begin.
    """
    # Both write every address that they ask, at levels which a service may well keep.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with httpx.Client(verify=_trusted(), timeout=httpx.Timeout(seconds), follow_redirects=False) as client:
        yield Web(client=client, place=place, seconds=seconds)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities of this machine or of SSL_CERT_FILE, and the public ones; read once, which takes a while."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """What `Retry-After` asks for, in seconds from the answer; 0 where it asks for nothing or can't be read."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal():
        return float(told)
    until = _moment(told)
    return 0.0 if until is None else max(0.0, (until - (server_time(headers) or datetime.now(UTC))).total_seconds())


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The moment by the server's own clock, which also stamps what changes there; None where it does not say."""
    return _moment(headers.get("date", ""))


def _moment(told: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _says_where_it_ends(answer: httpx.Response) -> bool:
    is_chunked = "chunked" in answer.headers.get("transfer-encoding", "").lower()
    return is_chunked or "content-length" in answer.headers or answer.status_code == HTTPStatus.NO_CONTENT


def _is_a_stranger(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
