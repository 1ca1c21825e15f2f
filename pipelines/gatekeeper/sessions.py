"""Who is signed in: sessions that the server keeps, so that any of them can be ended at once.

A browser holds a random token; the file holds its hash, so that reading the file lets nobody in. Belongs here: beginning,
finding and ending sessions. Does not belong here: how somebody proves who they are (`sign_in`).
"""

import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SEEN_EVERY: Final = 60.0
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY, viewer TEXT NOT NULL, proof TEXT NOT NULL, begun_at REAL NOT NULL, seen_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sessions_viewer ON sessions (viewer);
CREATE TABLE IF NOT EXISTS tries (what TEXT PRIMARY KEY, failures INTEGER NOT NULL, last_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS used_codes (viewer TEXT PRIMARY KEY, step INTEGER NOT NULL);
"""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody signed in.

    Attributes:
        viewer: their id.
        proof: what the session stands on: a digest of the password's entry, or the method's name; when that changes the
            session is over.
        begun_at: seconds since 1970.
    """

    viewer: str
    proof: str
    begun_at: float


def open_memory(file: Path) -> sqlite3.Connection:
    """What the server remembers across restarts: sessions, failed tries, used codes; readable by its own user only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    con = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA synchronous = NORMAL")
    con.executescript(_TABLES)
    return con


def random_token() -> str:
    """A token of 256 bits that nobody can guess."""
    return secrets.token_urlsafe(32)


def form_token(token: str) -> str:
    """What a form must carry to be from the browser that holds `token`; it tells nothing of the token."""
    return hashlib.sha256(b"form:" + token.encode()).hexdigest()


def is_from(token: str | None, given: object) -> bool:
    """Whether a form carries what belongs to the browser's token."""
    return token is not None and isinstance(given, str) and hmac.compare_digest(form_token(token), given)


class Sessions:
    """The sessions of one server.

    Args:
        con: from `open_memory`.
        longest: seconds after which a session is over, however much it is used.
        idle: seconds without a request after which it is over.
    """

    def __init__(self, con: sqlite3.Connection, *, longest: float, idle: float) -> None:
        self._con = con
        self._longest = longest
        self._idle = idle

    def begin(self, viewer: str, *, proof: str, now: float) -> str:
        """A new session's token; sessions that are over are forgotten on the way."""
        token = random_token()
        self._con.execute(
            "DELETE FROM sessions WHERE begun_at < ? OR seen_at < ?", (now - self._longest, now - self._idle)
        )
        self._con.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (_hash(token), viewer, proof, now, now))
        return token

    def find(self, token: str | None, *, now: float) -> Session | None:
        """The session that a token opens, if it is not over."""
        if token is None:
            return None
        found = self._con.execute(
            "SELECT viewer, proof, begun_at, seen_at FROM sessions WHERE token_hash = ?", (_hash(token),)
        ).fetchone()
        if found is None:
            return None
        viewer, proof, begun_at, seen_at = found
        if now - begun_at > self._longest or now - seen_at > self._idle:
            self.end(token)
            return None
        if now - seen_at > _SEEN_EVERY:
            self._con.execute("UPDATE sessions SET seen_at = ? WHERE token_hash = ?", (now, _hash(token)))
        return Session(viewer=viewer, proof=proof, begun_at=begun_at)

    def end(self, token: str) -> None:
        """End one session."""
        self._con.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))

    def end_all(self, viewer: str) -> int:
        """End every session of one viewer, on every device; how many there were."""
        return self._con.execute("DELETE FROM sessions WHERE viewer = ?", (viewer,)).rowcount

    def close(self) -> None:
        """Let go of the file."""
        self._con.close()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
