import os
import signal
import struct
from pathlib import Path

import pytest

from assets.feeds import apart
from assets.feeds.apart import FellOverError, done_apart
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.test_workbooks import wrong
from tests.assets.feeds.written_files import as_xls


class PanicException(BaseException):
    """As a library in Rust panics."""


def add(*, one: int, other: int) -> int:
    return one + other


def complain() -> None:
    raise WrongInput("is wrong", place="here", mend="mend it")


def end_at_once() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def ask_for_too_much() -> int:
    return len(bytearray(apart.MOST_MEMORY))


def panic() -> None:
    raise PanicException


def test_what_is_found_comes_back_and_so_does_a_complaint():
    assert done_apart(add, one=1, other=2) == 3
    with pytest.raises(WrongInput, match="here: is wrong; mend it"):
        done_apart(complain)


@pytest.mark.parametrize("work", [end_at_once, ask_for_too_much, panic])
def test_a_fall_takes_nothing_with_it(work):
    with pytest.raises(FellOverError):
        done_apart(work)


def test_a_damaged_cell_of_an_old_workbook_does_not_take_all_memory(tmp_path: Path):
    cell = struct.pack("<HHHH", 0x0204, 11, 2, 0)
    content = as_xls({"id": ["a", "b"]})
    assert content.count(cell) == 1
    wrong(content.replace(cell, struct.pack("<HHHH", 0x0204, 11, 0xFFFF, 0xFFFF)), tmp_path)
