"""Files of text made plain: UTF-8, line feeds, no byte order mark, without a change to what they say.

Belongs here: encodings, line ends and what a first look over the bytes shows. Does not belong here: where a record ends
(`records`) and what its fields mean (`reading`).
"""

import codecs
import io
from dataclasses import dataclass
from pathlib import Path

from assets.feeds.wrong_input import WrongInput

_BLOCK = 1 << 20
_UTF_8 = "utf-8"


@dataclass(frozen=True, kw_only=True)
class PlainText:
    """A file of UTF-8 text whose lines end in line feeds.

    Attributes:
        path: the file as it came where it was plain already, else a plain copy.
        lines: physical lines, the last one counted whether or not it is ended.
        is_plain_table: no quote, no NUL and no empty line, so that every line is one record.
        has_odd_spaces: tabs or characters outside ASCII, so that a value may have blanks around it that are not spaces.
    """

    path: Path
    lines: int
    is_plain_table: bool
    has_odd_spaces: bool


class _Look:
    """What a look over the bytes, block by block, shows."""

    def __init__(self) -> None:
        self.line_feeds = 0
        self.size = 0
        self.is_plain_table = True
        self.has_odd_spaces = False
        self._last = b"\n"

    def over(self, block: bytes) -> None:
        if not block:
            return
        self.line_feeds += block.count(b"\n")
        self.size += len(block)
        if self.is_plain_table:
            self.is_plain_table = not (
                b'"' in block or b"\0" in block or b"\n\n" in block or (self._last == b"\n" and block.startswith(b"\n"))
            )
        if not self.has_odd_spaces:
            self.has_odd_spaces = not block.isascii() or b"\t" in block
        self._last = block[-1:]

    def as_text(self, path: Path) -> PlainText:
        lines = self.line_feeds + (self.size > 0 and self._last != b"\n")
        return PlainText(path=path, lines=lines, is_plain_table=self.is_plain_table, has_odd_spaces=self.has_odd_spaces)


def make_plain(path: Path, *, encoding: str, name: str, key: str, copy: Path) -> PlainText:
    """A file as plain text, read in blocks; copied only where something has to change.

    Args:
        path: the landed file, which is never changed.
        encoding: as the settings declare it; decoded strictly.
        name: what the clinic calls the file.
        key: the key of the settings that declares the encoding.
        copy: where a plain copy goes.

    Returns:
        The file, or its plain copy: without a byte order mark, every CR LF and lone CR turned into LF.

    Raises:
        WrongInput: naming the key, the file and the line, where the bytes are not of that encoding.
    """
    codec = codecs.lookup(encoding).name
    if codec in {_UTF_8, "utf-8-sig", "ascii"}:
        found = _look_at_utf8(path, name=name, key=key, encoding=codec)
        if found is not None:
            return found
    codec = "utf-8-sig" if codec == _UTF_8 else codec
    return _copy_plain(path, codec=codec, name=name, key=key, copy=copy)


def _look_at_utf8(path: Path, *, name: str, key: str, encoding: str) -> PlainText | None:
    """The file itself where it is plain already; None at the first sign that it is not."""
    look, decoder = _Look(), codecs.getincrementaldecoder(encoding)(errors="strict")
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            return None
        file.seek(0)
        while block := file.read(_BLOCK):
            if b"\r" in block:
                return None
            if not block.isascii() or decoder.getstate()[0]:
                _decode(decoder, block, lines_before=look.line_feeds, name=name, key=key, encoding=encoding)
            look.over(block)
    _decode(decoder, b"", lines_before=look.line_feeds, name=name, key=key, encoding=encoding)
    return look.as_text(path)


def _copy_plain(path: Path, *, codec: str, name: str, key: str, copy: Path) -> PlainText:
    look, decoder = _Look(), codecs.getincrementaldecoder(codec)(errors="strict")
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    with path.open("rb") as file, copy.open("wb") as plain:
        while True:
            block = file.read(_BLOCK)
            text = _decode(decoder, block, lines_before=look.line_feeds, name=name, key=key, encoding=codec)
            written = newlines.decode(text, final=not block).encode(_UTF_8)
            look.over(written)
            plain.write(written)
            if not block:
                return look.as_text(copy)


def _decode(
    decoder: codecs.IncrementalDecoder, block: bytes, *, lines_before: int, name: str, key: str, encoding: str
) -> str:
    try:
        return decoder.decode(block, final=not block)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding.removesuffix("-sig"), errors="ignore")
        line = (
            lines_before
            + 1
            + len(before.replace("\r\n", "\n").replace("\r", "\n"))
            - len(before.replace("\r\n", "\n").replace("\r", "\n").replace("\n", ""))
        )
        likely = _likely_encoding(error.object) if line == 1 else "cp1252"
    except UnicodeError:
        line, likely = lines_before + 1, "utf-8"
    raise WrongInput(
        f"{name}, line {line}, is not {encoding} text", place=key, mend=f'write the encoding it has, perhaps "{likely}"'
    )


def _likely_encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "cp1252"
