"""How often somebody may try: waits that double after failed sign-ins, codes that work once, and requests a minute.

Belongs here: counting. Does not belong here: whether a password is right (`passwords`).
"""

import hashlib
import sqlite3
from collections import OrderedDict
from typing import Final

_FIRST_WAIT: Final = 60.0
_LONGEST_WAIT: Final = 3600.0
_FORGOTTEN_AFTER: Final = 24 * 3600.0
# One person from one place, one person from everywhere, and one place for everybody. The second is wider, so that a
# stranger who fails on purpose does not easily lock somebody out.
_FREE: Final = {"both": 5, "viewer": 25, "address": 50}
_MOST_BUCKETS: Final = 10_000


class SignInTries:
    """Failed sign-ins, remembered across restarts.

    A try counts as failed when it begins and is forgiven when it succeeds, so that many at once are counted too.

    Args:
        con: from `sessions.open_memory`.
    """

    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con

    def begin(self, viewer: str, *, address: str, now: float) -> float:
        """Count a try; the seconds that must pass first where there were too many, and then nothing is counted.

        Unknown ids are counted as known ones are, so that waiting tells nobody who is on the roster.
        """
        keys = _keys(viewer, address)
        wait = max(self._wait(key, free=_FREE[scope], now=now) for scope, key in keys.items())
        if wait > 0:
            return wait
        self._con.execute("DELETE FROM tries WHERE last_at < ?", (now - _FORGOTTEN_AFTER,))
        for key in keys.values():
            self._con.execute(
                "INSERT INTO tries VALUES (?, 1, ?) "
                "ON CONFLICT (what) DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
                (key, now),
            )
        return 0.0

    def forgive(self, viewer: str, *, address: str) -> None:
        """Forget the failures of somebody who has signed in; those of the place lose the one just counted."""
        keys = _keys(viewer, address)
        self._con.execute("DELETE FROM tries WHERE what IN (?, ?)", (keys["both"], keys["viewer"]))
        self._con.execute("UPDATE tries SET failures = failures - 1 WHERE what = ?", (keys["address"],))

    def use_code(self, viewer: str, *, step: int) -> bool:
        """Whether a code's time step is later than any that this viewer used; if so it is used now."""
        done = self._con.execute(
            "INSERT INTO used_codes VALUES (?, ?) ON CONFLICT (viewer) DO UPDATE SET step = excluded.step "
            "WHERE excluded.step > used_codes.step",
            (viewer, step),
        )
        return done.rowcount == 1

    def _wait(self, key: str, *, free: int, now: float) -> float:
        found = self._con.execute("SELECT failures, last_at FROM tries WHERE what = ?", (key,)).fetchone()
        if found is None or found[0] < free:
            return 0.0
        # Beyond 2 ** 10 the longest wait stands anyhow.
        failures, last_at = int(found[0]), float(found[1])
        wait = min(_FIRST_WAIT * 2.0 ** min(failures - free, 10), _LONGEST_WAIT)
        return max(0.0, last_at + wait - now)


class Allowance:
    """So many requests a minute for each key, with as many at once; kept in memory.

    Args:
        per_minute: how many.
    """

    def __init__(self, *, per_minute: int) -> None:
        self._most = float(per_minute)
        self._each: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, *, now: float) -> bool:
        """Whether one more request is allowed now."""
        left, at = self._each.pop(key, (self._most, now))
        left = min(self._most, left + (now - at) * self._most / 60)
        is_allowed = left >= 1
        self._each[key] = (left - 1 if is_allowed else left, now)
        if len(self._each) > _MOST_BUCKETS:
            self._each.popitem(last=False)
        return is_allowed


def _keys(viewer: str, address: str) -> dict[str, str]:
    # What was typed as an id may be anybody's password, so that only its hash is kept.
    who = hashlib.sha256(viewer.encode()).hexdigest()
    return {"both": f"both:{who}:{address}", "viewer": f"viewer:{who}", "address": f"address:{address}"}
