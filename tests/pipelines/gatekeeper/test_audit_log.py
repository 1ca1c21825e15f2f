import asyncio
import errno
import hashlib
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.audit_log import START, TORN, AuditLog, ChainBroken, matching, verify


@pytest.fixture
def file(tmp_path):
    return tmp_path / "gatekeeper" / "audit.jsonl"


def note(file, *events):
    """Write events as one run of the server does."""
    log = AuditLog(file)
    for event in events:
        log.write_now(event, viewer="director", kind="overview")
    log.close()


def lines(file):
    return file.read_bytes().splitlines(keepends=True)


def rehashed(line, **changed):
    """A line changed by somebody who knows how hashes are made."""
    entry = json.loads(line) | changed
    del entry["hash"]
    text = json.dumps(entry, separators=(",", ":"))
    entry["hash"] = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def test_each_line_holds_the_hash_of_the_one_before(file):
    note(file, "one", "two", "three")
    entries = verify(file).entries
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert [entry["previous"] for entry in entries] == [START, entries[0]["hash"], entries[1]["hash"]]
    assert verify(file).newest == entries[2]["hash"]


def test_a_chain_goes_on_over_a_restart(file):
    note(file, "one")
    note(file, "two")
    assert [entry["event"] for entry in verify(file).entries] == ["one", "two"]


def test_there_is_nothing_wrong_with_a_record_that_is_not_there_yet(file):
    assert verify(file).entries == ()


def test_only_the_servers_own_user_can_read_it(file):
    note(file, "one")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (lambda rows: [rows[0], rows[1].replace(b"director", b"directar"), rows[2]], 2),
        (lambda rows: [rows[0], rows[2]], 2),
        (lambda rows: [rows[1], rows[2]], 1),
        (lambda rows: [rows[0], rows[2], rows[1]], 2),
        (lambda rows: [*rows, rows[2]], 4),
        (lambda rows: [rows[0], b"not json\n", rows[1], rows[2]], 2),
        (lambda rows: [rows[0], rehashed(rows[1], viewer="nobody"), rows[2]], 3),
        (lambda rows: [rows[0], rows[1].replace(b'":', b'": ', 1), rows[2]], 2),
        (lambda rows: [*rows, b"not json\n"], 4),
        (lambda rows: [*rows, b"\n"], 4),
    ],
)
def test_a_changed_removed_moved_or_added_line_is_found_where_it_is(file, tamper, line):
    note(file, "one", "two", "three")
    file.write_bytes(b"".join(tamper(lines(file))))
    with pytest.raises(ChainBroken) as broken:
        verify(file)
    assert broken.value.line == line


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_torn_by_a_stop_is_set_aside_and_the_next_one_says_so(file, left):
    note(file, "one", "two")
    whole = file.read_bytes()
    start = len(lines(file)[0])
    file.write_bytes(whole[: start + left] if left > 0 else whole[:-1])
    assert verify(file).is_unfinished
    note(file, "three")
    found = verify(file)
    events = [entry["event"] for entry in found.entries]
    assert not found.is_unfinished
    # Where only the line's end was missing, the entry is whole.
    assert events == (["one", TORN, "three"] if left > 0 else ["one", "two", "three"])


def test_two_stops_one_after_the_other_leave_a_sound_record(file):
    note(file, "one")
    with file.open("ab") as stream:
        stream.write(b'{"number":2,"at"')
    note(file)
    torn_entry = lines(file)[-1]
    file.write_bytes(file.read_bytes()[: -len(torn_entry) // 2])
    note(file, "later")
    assert [entry["event"] for entry in verify(file).entries] == ["one", TORN, "later"]


def test_a_torn_line_that_was_changed_afterwards_is_found(file):
    note(file, "one")
    with file.open("ab") as stream:
        stream.write(b'{"number":2,"at"')
    note(file, "two")
    file.write_bytes(file.read_bytes().replace(b'{"number":2,"at"\n', b'{"number":2,"xx"\n'))
    with pytest.raises(ChainBroken, match="line 2"):
        verify(file)


def test_a_server_does_not_go_on_with_a_record_that_was_changed(file):
    note(file, "one", "two")
    file.write_bytes(file.read_bytes().replace(b"director", b"directar", 1))
    with pytest.raises(ChainBroken):
        AuditLog(file)


def test_a_second_server_can_not_write_the_same_record(file):
    first = AuditLog(file)
    with pytest.raises(WrongInput, match="another server"):
        AuditLog(file)
    first.close()
    note(file, "after")
    assert len(verify(file).entries) == 1


def test_many_at_once_share_the_disk_and_keep_their_order(file, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(real(descriptor)))
    log = AuditLog(file)

    async def everybody():
        await asyncio.gather(*(log.note("view", viewer=f"v{place}") for place in range(200)))

    asyncio.run(everybody())
    log.close()
    assert [entry["viewer"] for entry in verify(file).entries] == [f"v{place}" for place in range(200)]
    assert len(synced) < 20


def test_a_line_that_can_not_be_written_is_an_error_and_leaves_the_chain_whole(file, monkeypatch):
    log = AuditLog(file)
    log.write_now("one")

    def full(_):
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="can't be written"):
            asyncio.run(log.note("two"))
        assert log.problem is not None
    asyncio.run(log.note("three"))
    assert log.problem is None
    log.close()
    assert [entry["event"] for entry in verify(file).entries] == ["one", "three"]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.data())
def test_whatever_is_noted_one_changed_byte_is_found(tmp_path_factory, events, data):
    file = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    note(file, *events)
    assert [entry["event"] for entry in verify(file).entries] == events
    raw = bytearray(file.read_bytes())
    # The last line's end alone may be missing: that is a stop, not a change.
    place = data.draw(st.integers(0, len(raw) - 2))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(raw)
    try:
        found = verify(file)
    except ChainBroken:
        return
    assert found.is_unfinished
    assert len(found.entries) < len(events)


def test_entries_are_found_by_viewer_and_by_whose_page_it_was(file):
    log = AuditLog(file)
    for viewer, clinician in (("a", "C-1"), ("a", "C-2"), ("b", "C-1")):
        log.write_now("view", viewer=viewer, clinician=clinician)
    log.close()
    entries = verify(file).entries
    assert [entry["number"] for entry in matching(entries, viewer="a", clinician=None)] == [1, 2]
    assert [entry["number"] for entry in matching(entries, viewer=None, clinician="C-1")] == [1, 3]
    assert [entry["number"] for entry in matching(entries, viewer="b", clinician="C-2")] == []
    assert len(list(matching(entries, viewer=None, clinician=None))) == 3
