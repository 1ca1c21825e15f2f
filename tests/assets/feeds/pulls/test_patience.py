import pytest

from assets.feeds.pulls.patience import TRIES, patiently
from assets.feeds.pulls.source import PullFailedError
from assets.feeds.wrong_input import WrongInput


class Moody:
    """Fails as often as it is told to, then answers."""

    def __init__(self, failures, *, wait_seconds=0.0):
        self.failures, self.wait_seconds, self.asked = failures, wait_seconds, 0

    def __call__(self):
        self.asked += 1
        if self.asked <= self.failures:
            raise PullFailedError("it is busy", wait_seconds=self.wait_seconds)
        return "answer"


@pytest.fixture
def waits(monkeypatch):
    """How long each wait would have been."""
    waited = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    return waited


def test_who_fails_is_asked_again_until_there_is_an_answer(waits):
    ask = Moody(TRIES - 1)
    assert patiently(ask, name="ehr", wait=2) == "answer"
    assert ask.asked == TRIES


def test_who_always_fails_gets_one_line(waits):
    ask = Moody(TRIES)
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: it is busy, asked 4 times; see whether that system is up"):
        patiently(ask, name="ehr", wait=0)
    assert ask.asked == TRIES


def test_each_wait_is_longer_than_the_one_before(waits):
    patiently(Moody(TRIES - 1), name="ehr", wait=2)
    assert [2 * 2**at <= each <= 2 * 2**at + 2 for at, each in enumerate(waits)] == [True] * (TRIES - 1)


def test_a_system_that_asks_for_more_time_gets_it_but_not_the_whole_night(waits):
    patiently(Moody(1, wait_seconds=120), name="ehr", wait=0)
    patiently(Moody(1, wait_seconds=86_400), name="ehr", wait=0)
    assert waits == [120, 900]


def test_what_is_wrong_for_good_is_asked_once():
    asked = []

    def ask():
        asked.append(1)
        raise WrongInput("the key is wrong", place="pulls.ehr", mend="bring another")

    with pytest.raises(WrongInput, match="the key is wrong"):
        patiently(ask, name="ehr", wait=0)
    assert asked == [1]
