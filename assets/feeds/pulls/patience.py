"""How often a system that fails is asked again, and how long it is left alone in between.

Belongs here: patience, with a whole pull as with one page of it. Does not belong here: what is asked, or what a failure
looks like in any one system.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import tenacity

from assets.feeds.pulls.source import PullFailedError
from assets.feeds.wrong_input import WrongInput

TRIES: Final = 4
FIRST_WAIT: Final = 2.0
_LONGEST_WAIT: Final = 60.0
# A system may ask for more than that; beyond this the night says so and the next one tries again.
_LONGEST_WAIT_ASKED_FOR: Final = 900.0
_Answer = TypeVar("_Answer")


def patiently(ask: Callable[[], _Answer], *, name: str, wait: float) -> _Answer:
    """Ask until there is an answer, a few times at most.

    A source that fetches in pages asks for each page through here, so that a cut costs that page and no other.

    Args:
        ask: asks once; may raise PullFailedError.
        name: the pull's, as in `[pulls.<name>]`.
        wait: seconds before the second time, doubled each time after, and more where the system asks for more; 0 waits
            for nothing but what the system asks for.

    Raises:
        WrongInput: where the system failed every time.
    """
    longer = tenacity.wait_exponential_jitter(multiplier=wait, max=_LONGEST_WAIT, jitter=wait)
    patience = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=lambda state: max(longer(state), min(_asked_for(state), _LONGEST_WAIT_ASKED_FOR)),
        retry=tenacity.retry_if_exception_type(PullFailedError),
        reraise=True,
    )
    try:
        return patience(ask)
    except PullFailedError as error:
        raise WrongInput(
            f"{error}, asked {TRIES} times",
            place=f"pulls.{name}",
            mend="see whether that system is up, and its network",
        ) from error


def _asked_for(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait_seconds if isinstance(error, PullFailedError) else 0.0
