"""Work done in a process of its own, so that a library that falls over a damaged file takes nothing with it.

Belongs here: that process, its limit of memory and what its end is taken for. Does not belong here: the work.
"""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, TypeVar

MOST_MEMORY: Final = 6 << 30
_Found = TypeVar("_Found")


class FellOverError(Exception):
    """The work did not come to an end of its own, or came to one that no library should."""


def done_apart(work: Callable[..., _Found], **given: Any) -> _Found:
    """What a function gives, called in a new process that may not take more than `MOST_MEMORY`.

    Args:
        work: a function of a module, which is imported anew there.
        given: its arguments, and what it gives, have to survive pickling.

    Raises:
        FellOverError: the process was ended, ran out of memory, or panicked.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=_limit_memory) as pool:
        try:
            return pool.submit(without_panic, work, given).result()
        except (BrokenProcessPool, MemoryError):
            raise FellOverError from None


def without_panic(work: Callable[..., _Found], given: dict[str, Any]) -> _Found:
    """What a function gives, where no library in Rust panics: what it does so with is no Exception, and no pickle.

    Raises:
        FellOverError: it panicked.
    """
    try:
        return work(**given)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise FellOverError from None


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
