"""Files that are there whole or not at all."""

from pathlib import Path

import pytest

from assets.whole_files import UNFINISHED, beside, put_in_place, written_whole


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path):
    place = tmp_path / "marks.json"
    place.write_bytes(b"old")

    with written_whole(place, mode=0o640) as opened:
        opened.write(b"new")
        opened.flush()
        assert place.read_bytes() == b"old"

    assert place.read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == [place]


def test_a_file_that_was_cut_off_leaves_the_one_before(tmp_path: Path):
    place = tmp_path / "marks.json"
    place.write_bytes(b"old")

    with pytest.raises(TypeError), written_whole(place, mode=0o640) as opened:
        opened.writelines([b"ne", "w"])

    assert place.read_bytes() == b"old"
    with written_whole(place, mode=0o640) as opened:
        opened.write(b"new")
    assert place.read_bytes() == b"new"


def test_a_file_is_closed_to_others_before_it_holds_anything(tmp_path: Path):
    place = tmp_path / "secret"

    with written_whole(place, mode=0o600) as opened:
        assert beside(place).stat().st_mode & 0o777 == 0o600
        opened.write(b"held")

    assert place.stat().st_mode & 0o777 == 0o600


def test_what_is_finished_replaces_what_stood_there(tmp_path: Path):
    unfinished, place = tmp_path / f"{UNFINISHED}elsewhere", tmp_path / "place"
    unfinished.write_bytes(b"new")
    place.write_bytes(b"old")

    put_in_place(unfinished, place)

    assert (place.read_bytes(), unfinished.exists()) == (b"new", False)
