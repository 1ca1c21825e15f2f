import codecs
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.feeds import text_files
from assets.feeds.text_files import PlainText, make_plain
from assets.feeds.wrong_input import WrongInput

KEY = "feeds.clinicians[0].encoding"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-32"]


def plain(folder: Path, content: bytes, *, encoding: str = "utf-8") -> PlainText:
    landed = folder / "landed"
    landed.write_bytes(content)
    return make_plain(landed, encoding=encoding, name="staff.csv", key=KEY, copy=folder / "copy")


def test_a_file_that_is_plain_already_is_read_where_it_is(tmp_path: Path):
    found = plain(tmp_path, "id,name\n1,é\n".encode())
    assert found == PlainText(
        path=tmp_path / "landed", lines=2, has_quotes=False, has_gaps=False, has_loose_quotes=False, has_odd_spaces=True
    )
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("content", [b"a\r\nb\r\nc", b"a\rb\rc", b"a\nb\r\nc\r", b"a\rb\nc\n"])
def test_every_kind_of_line_end_becomes_a_line_feed(tmp_path: Path, content: bytes):
    found = plain(tmp_path, content)
    assert found.path.read_bytes().rstrip(b"\n") == b"a\nb\nc"
    assert found.lines == 3


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet='aé";\n\r\t', max_size=20), block=st.integers(1, 7))
def test_decoding_block_by_block_is_decoding_at_once(tmp_path: Path, encoding: str, text: str, block: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "_BLOCK", block)
        found = plain(tmp_path, text.encode(encoding), encoding=encoding)
    at_once = text.replace("\r\n", "\n").replace("\r", "\n")
    assert found.path.read_bytes().decode() == at_once
    assert found.lines == at_once.removesuffix("\n").count("\n") + (at_once != "")
    assert found.has_quotes == ('"' in text)
    assert found.has_gaps == ("\n\n" in at_once or at_once.startswith("\n"))
    assert found.has_odd_spaces == ("\t" in text or "é" in text)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path):
    assert plain(tmp_path, codecs.BOM_UTF8 + b"id\n1\n").path.read_bytes() == b"id\n1\n"


def test_a_nul_is_a_gap(tmp_path: Path):
    assert plain(tmp_path, b"id\n\0\n").has_gaps


def test_an_empty_file_has_no_lines(tmp_path: Path):
    assert plain(tmp_path, b"").lines == 0


def complaint(folder: Path, content: bytes, *, encoding: str) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        plain(folder, content, encoding=encoding)
    return caught.value


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_bytes_of_another_encoding_are_said_with_the_key_and_the_line_and_never_shown(tmp_path: Path, end: bytes):
    wrong = complaint(tmp_path, end.join([b"id", b"1", b"", b"secret caf\xe9 name", b"2"]), encoding="utf-8")
    assert wrong.place == KEY
    assert "staff.csv, line 4," in wrong.what
    assert "cp1252" in wrong.mend
    assert "secret" not in str(wrong)


def test_the_line_is_right_far_into_a_file(tmp_path: Path):
    content = b"x" * 99 + b"\n"
    wrong = complaint(tmp_path, content * 30_000 + b"\xff\n", encoding="utf-8")
    assert "line 30001," in wrong.what


def test_utf_16_declared_as_utf_8_is_recognised(tmp_path: Path):
    assert "utf-16" in complaint(tmp_path, "id\n1\n".encode("utf-16"), encoding="utf-8").mend


def test_a_character_cut_off_at_the_end_is_said(tmp_path: Path):
    assert "line 2," in complaint(tmp_path, "id\né".encode()[:-1], encoding="utf-8").what


def test_utf_16_without_its_mark_is_said(tmp_path: Path):
    wrong = complaint(tmp_path, "id\n1\n".encode("utf-16-le"), encoding="utf-16")
    assert wrong.place == KEY


def test_utf_16_cut_off_within_a_character_is_said(tmp_path: Path):
    wrong = complaint(tmp_path, b"\xff\xfeo\x00d\x00d", encoding="utf-16")
    assert "line 1," in wrong.what


def test_characters_that_windows_1252_has_not_are_said(tmp_path: Path):
    assert "line 2," in complaint(tmp_path, b"id\n\x81\n", encoding="cp1252").what
