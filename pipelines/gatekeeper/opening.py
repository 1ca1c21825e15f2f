"""Opening a server: from its configuration to a gate, and from a gate to a port.

Belongs here: reading the files once, binding the port, TLS. Does not belong here: answering a request (`gate`).
"""

import logging
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.audit_log import AuditLog, ChainBroken
from pipelines.gatekeeper.entrance import RETURN
from pipelines.gatekeeper.gate import Gate, Kept
from pipelines.gatekeeper.names import read_names
from pipelines.gatekeeper.oidc import IdentityProvider
from pipelines.gatekeeper.passwords import read_passwords
from pipelines.gatekeeper.policy import Viewer
from pipelines.gatekeeper.releases import Releases
from pipelines.gatekeeper.reread import Fixed, Reread
from pipelines.gatekeeper.roster import read_roster
from pipelines.gatekeeper.sessions import Sessions, open_memory
from pipelines.gatekeeper.settings import Demo, Oidc, Password, Proxy, Settings, read_secret
from pipelines.gatekeeper.sign_in import DemoSignIn, OidcSignIn, PasswordSignIn, ProxySignIn, SignIn
from pipelines.gatekeeper.tries import SignInTries
from pipelines.log_lines import PROCESSORS

FOLDER: Final = "gatekeeper"
AUDIT_FILE: Final = "audit.jsonl"
_MEMORY_FILE: Final = "memory.sqlite"
_MOST_AT_ONCE: Final = 2000
_LARGEST_HEAD: Final = 16_384


def audit_file(home: Path) -> Path:
    """Where a state folder's audit log is."""
    return home / FOLDER / AUDIT_FILE


def server_log() -> Any:
    """The server's own log: one JSON object a line on standard error."""
    structlog.configure(
        processors=list(PROCESSORS),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    # Libraries speak up about what is wrong, and never repeat a request: an address may carry a sign-in's code.
    logging.getLogger("uvicorn.access").disabled = True
    return structlog.get_logger()


def open_gate(settings: Settings, *, home: Path, log: Any, clock: Callable[[], float] = time.time) -> Gate:
    """A gate with its files read and its audit log open.

    Args:
        settings: the server's configuration, not a demonstration's.
        home: the state folder with the published versions.
        log: told of every file that is read again.
        clock: seconds since 1970.

    Raises:
        WrongInput: where a file can't be used or the audit log is not as it was written.
    """
    roster = Reread(settings.roster, read=read_roster, say=_teller(log, "roster"))
    nobody: Mapping[str, str] = {}
    names: Kept = Fixed(nobody)
    if settings.names is not None:
        names = Reread(settings.names, read=read_names, say=_teller(log, "names"))
    return _assembled(settings, home=home, log=log, clock=clock, roster=roster, names=names, ready={})


def open_demo_gate(
    settings: Settings,
    *,
    home: Path,
    log: Any,
    viewers: Mapping[str, Viewer],
    ready: Mapping[str, str],
    clock: Callable[[], float] = time.time,
) -> Gate:
    """A gate for a synthetic clinic, with ready sign-ins instead of files.

    Args:
        settings: a demonstration's.
        home: the demonstration's state folder.
        log: the server's log.
        viewers: the ready sign-ins, by id.
        ready: what each one's button says.
        clock: seconds since 1970.
    """
    roster: Kept = Fixed(viewers)
    nobody: Mapping[str, str] = {}
    return _assembled(settings, home=home, log=log, clock=clock, roster=roster, names=Fixed(nobody), ready=ready)


def listen(settings: Settings) -> socket.socket:
    """The port, bound.

    Raises:
        WrongInput: where it can't be had.
    """
    server = settings.server
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((server.host, server.port))
    except OSError as error:
        found.close()
        raise WrongInput(
            f"the port can't be had ({error.strerror})",
            place=f"{server.host}:{server.port}",
            mend="stop what listens there, or choose another port",
        ) from error
    return found


def server_of(gate: Gate) -> uvicorn.Server:
    """The gate behind uvicorn; `run(sockets=[...])` serves until it is stopped.

    Raises:
        WrongInput: where the certificate and its key can't be used.
    """
    server = gate.settings.server
    if server.certificate is not None and server.key is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(server.certificate, server.key)
        except (OSError, ssl.SSLError) as error:
            raise WrongInput(
                "the certificate or its key can't be used",
                place=str(server.certificate),
                mend="give a PEM chain and key",
            ) from error
    return uvicorn.Server(
        uvicorn.Config(
            gate,
            http="h11",  # it bounds the size of a request's head
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_MOST_AT_ONCE,
            h11_max_incomplete_event_size=_LARGEST_HEAD,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=5,
            ssl_certfile=server.certificate,
            ssl_keyfile=server.key,
        )
    )


def _assembled(
    settings: Settings,
    *,
    home: Path,
    log: Any,
    clock: Callable[[], float],
    roster: Kept,
    names: Kept,
    ready: Mapping[str, str],
) -> Gate:
    memory = open_memory(home / FOLDER / _MEMORY_FILE)
    file = audit_file(home)
    sign_in = _sign_in(settings, log=log, tries=SignInTries(memory), ready=ready)
    try:
        audit = AuditLog(file)
    except ChainBroken as broken:
        raise WrongInput(
            f"the audit log was changed: {broken}",
            place=str(file),
            mend="keep it for whoever answers for it, and move it away to begin another",
        ) from broken
    audit.write_now("server started", reason=f"{sign_in.method}; the record holds {audit.count} lines")
    return Gate(
        settings=settings,
        releases=Releases(home),
        roster=roster,
        names=names,
        sign_in=sign_in,
        sessions=Sessions(memory, longest=settings.session_hours * 3600, idle=settings.idle_minutes * 60),
        audit=audit,
        log=log,
        clock=clock,
    )


def _sign_in(settings: Settings, *, log: Any, tries: SignInTries, ready: Mapping[str, str]) -> SignIn:
    match settings.sign_in:
        case Password() as chosen:
            secrets = Reread(chosen.passwords, read=read_passwords, say=_teller(log, "passwords"))
            return PasswordSignIn(secrets, tries=tries)
        case Oidc() as chosen:
            provider = IdentityProvider(
                chosen,
                secret=read_secret(chosen.client_secret_file),
                redirect_uri=f"{settings.server.public_url}/{RETURN}",
            )
            return OidcSignIn(provider)
        case Proxy() as chosen:
            return ProxySignIn(read_secret(chosen.secret_file))
        case Demo():
            return DemoSignIn(ready)


def _teller(log: Any, what: str) -> Callable[[str, str | None], None]:
    def tell(happened: str, problem: str | None) -> None:
        if problem is None:
            log.info(happened, file=what)
        else:
            log.warning(happened, file=what, problem=problem)

    return tell
