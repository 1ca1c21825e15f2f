import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.gatekeeper.sessions import open_memory
from pipelines.gatekeeper.tries import Allowance, SignInTries


@pytest.fixture
def memory(tmp_path):
    con = open_memory(tmp_path / "memory.sqlite")
    yield con
    con.close()


@pytest.fixture
def tries(memory):
    return SignInTries(memory)


def fail(tries, times, *, viewer="director", address="10.0.0.1", now=0.0):
    return [tries.begin(viewer, address=address, now=now) for _ in range(times)]


def test_five_tries_are_free_and_then_each_wait_is_twice_the_last(tries):
    assert fail(tries, 6) == [0, 0, 0, 0, 0, 60]
    waits = []
    now = 0.0
    for _ in range(8):
        now += tries.begin("director", address="10.0.0.1", now=now)
        assert tries.begin("director", address="10.0.0.1", now=now) == 0
        waits.append(tries.begin("director", address="10.0.0.1", now=now))
    assert waits == [120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_try_while_waiting_does_not_count(tries):
    fail(tries, 5)
    assert set(fail(tries, 20, now=30.0)) == {30.0}
    assert tries.begin("director", address="10.0.0.1", now=60.0) == 0


def test_who_signs_in_is_forgiven(tries):
    fail(tries, 4)
    tries.forgive("director", address="10.0.0.1")
    assert fail(tries, 5) == [0] * 5


def test_a_stranger_elsewhere_does_not_lock_somebody_out_at_once(tries):
    fail(tries, 10, address="192.0.2.7")
    assert tries.begin("director", address="10.0.0.1", now=0.0) == 0


def test_many_places_together_can_not_try_for_ever(tries):
    waits = [tries.begin("director", address=f"192.0.2.{place}", now=0.0) for place in range(30)]
    assert waits[:25] == [0] * 25
    assert min(waits[25:]) > 0


def test_one_place_can_not_try_everybody(tries):
    waits = [tries.begin(f"viewer{place}", address="192.0.2.7", now=0.0) for place in range(60)]
    assert waits[:50] == [0] * 50
    assert min(waits[50:]) > 0


def test_somebody_unknown_waits_as_somebody_known_does(tries):
    assert fail(tries, 7, viewer="known") == fail(tries, 7, viewer="nobody", address="10.0.0.2")


def test_waiting_outlives_a_restart_and_what_was_typed_is_not_kept(tmp_path):
    file = tmp_path / "memory.sqlite"
    con = open_memory(file)
    fail(SignInTries(con), 5, viewer="my-own-password")
    con.close()
    con = open_memory(file)
    assert SignInTries(con).begin("my-own-password", address="10.0.0.1", now=1.0) == 59
    con.close()
    assert b"my-own-password" not in file.read_bytes()


def test_failures_are_forgotten_after_a_day(tries, memory: sqlite3.Connection):
    fail(tries, 5)
    tries.begin("analyst", address="10.0.0.9", now=25 * 3600.0)
    assert memory.execute("SELECT COUNT(*) FROM tries").fetchone() == (3,)


def test_a_code_works_once_and_no_earlier_one_works_after_it(tries):
    assert tries.use_code("director", step=100)
    assert not tries.use_code("director", step=100)
    assert not tries.use_code("director", step=99)
    assert tries.use_code("analyst", step=100)
    assert tries.use_code("director", step=101)


def test_so_many_requests_at_once_and_then_so_many_a_minute():
    allowance = Allowance(per_minute=60)
    assert [allowance.take("a", now=0.0) for _ in range(61)] == [True] * 60 + [False]
    assert allowance.take("b", now=0.0)
    assert [allowance.take("a", now=2.0) for _ in range(3)] == [True, True, False]


@given(st.lists(st.floats(0, 300), min_size=1, max_size=200))
def test_no_minute_has_more_than_twice_the_allowance(moments):
    allowance = Allowance(per_minute=20)
    allowed = [now for now in sorted(moments) if allowance.take("a", now=now)]
    assert all(sum(start <= now < start + 60 for now in allowed) <= 41 for start in allowed)


def test_a_flood_of_strangers_takes_no_more_memory_than_is_set_aside():
    allowance = Allowance(per_minute=60)
    for place in range(12_000):
        allowance.take(f"address {place}", now=0.0)
    assert len(allowance._each) == 10_000
