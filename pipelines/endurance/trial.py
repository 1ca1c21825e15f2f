"""One clinic whose nights are harmed, and the tally of what came of it.

Belongs here: doing a harm once, holding the laws, letting the next night heal. Does not belong here: which harms, how many,
or at which moments (`pipelines.benchmarks.kills`).
"""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.benchmarks.result import Cell
from pipelines.endurance import harms, nights
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import answered, done
from pipelines.endurance.law import Account, broken_after_healing, broken_at_rest


@dataclass
class Tally:
    """What came of one kind of harm.

    Attributes:
        harm: what was done.
        nights: how often.
        went_on: how many of them published all the same, before they were hit or because it did not stop them.
        broken: a line for each law that did not hold.
        left_alone: how many nights were left alone afterwards.
        healed: how many of those ran by themselves and came to exactly what was sent.
        endings: how many nights ended by themselves in each way.
    """

    harm: str
    nights: int = 0
    went_on: int = 0
    broken: list[str] = field(default_factory=list)
    left_alone: int = 0
    healed: int = 0
    endings: Counter[str] = field(default_factory=Counter)

    def row(self) -> dict[str, Cell]:
        """The tally as a line of the table."""
        return {
            "harm": self.harm,
            "nights": self.nights,
            "published all the same": self.went_on,
            "laws broken": len(self.broken),
            "left alone after": self.left_alone,
            "healed": self.healed,
        }


@dataclass
class Trial:
    """One clinic whose nights are harmed.

    Attributes:
        clinic: whose nights.
        base: what it had before anything more was sent.
        draw: moments.
        kept: the eve of a publication.
        seconds: what the last night that was left alone used of a processor.
        tallies: what has come of each harm so far.
        begun: the clock when all began, in seconds.
    """

    clinic: SmallClinic
    base: Account
    draw: random.Random
    kept: Path
    seconds: float
    tallies: list[Tally] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def tally(self, harm: str) -> Tally:
        """A tally that counts from now on."""
        self.tallies.append(Tally(harm))
        return self.tallies[-1]

    def expected(self) -> Account:
        """What has been sent by now."""
        return Account(appointments=self.base.appointments + self.clinic.more, forms=self.base.forms + self.clinic.more)

    def harm(self, tally: Tally, act: Callable[[], int]) -> int:
        """Do it once, hold the laws, and note what came of it."""
        before, problem = nights.current(self.clinic), self.clinic.folder / "problem"
        problem.unlink(missing_ok=True)
        status = act()
        tally.nights += 1
        tally.went_on += nights.current(self.clinic) != before
        home = self.clinic.home
        found = answered(lambda: broken_at_rest(home), told=harms.told(self.clinic))
        tally.broken += [f"{tally.harm}: {each}" for each in found]
        if not harms.was_killed(status):
            said = problem.read_text(encoding="utf-8") if problem.exists() else "it published"
            tally.endings[said.partition(";")[0] if status in {0, 1, 2} else f"it crashed with status {status}"] += 1
        self._say(f"{tally.nights} {tally.harm}: ended with {status}, {len(tally.broken)} laws broken")
        return status

    def _say(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        sys.stderr.write(f"{minutes:3d}:{seconds:02d}  {line}\n")
        sys.stderr.flush()

    def heal(self, tally: Tally, *, night: harms.Night, expected: Account) -> None:
        """A night that is left alone must need no help."""
        status, seconds = timed(self.clinic, night=night)
        if night is nights.whole_night:
            self.seconds = seconds
        home = self.clinic.home
        found = answered(lambda: broken_after_healing(home, expected=expected), told=harms.told(self.clinic))
        tally.left_alone += 1
        tally.healed += status == 0 and not found
        tally.broken += [f"{tally.harm}, next night: {each}" for each in found]
        if status != 0:
            tally.broken.append(f"{tally.harm}, next night: it ended with status {status}")
        self._say(f"left alone after {tally.harm}: {status}, {tally.healed} of {tally.left_alone} healed")


def timed(clinic: SmallClinic, *, night: harms.Night) -> tuple[int, float]:
    """How a night that is left alone ends, and what it uses of a processor, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status = done(lambda: night(clinic), told=harms.told(clinic))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return status, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
