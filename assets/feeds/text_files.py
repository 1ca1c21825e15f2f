"""Files of text made plain: UTF-8, line feeds, no byte order mark, without a change to what they say.

Belongs here: encodings, line ends, what a first look over the bytes shows, and how DuckDB is told to read what is plain. Does not belong here: where a record ends
(`records`) and what its fields mean (`reading`).
"""

import codecs
import io
from dataclasses import dataclass
from functools import lru_cache
from glob import escape
from pathlib import Path

import numpy as np

from assets.feeds.wrong_input import WrongInput

_BLOCK = 1 << 20
_UTF_8 = "utf-8"


@dataclass(frozen=True, kw_only=True)
class PlainText:
    """A file of UTF-8 text whose lines end in line feeds.

    Attributes:
        path: the file as it came where it was plain already, else a plain copy.
        lines: physical lines, the last one counted whether or not it is ended.
        has_quotes: whether a value may hold delimiters and line ends.
        has_gaps: an empty line or a NUL, so that not every line is a record.
        has_loose_quotes: a space beside a quote, so that a quote may not stand right beside a delimiter.
        has_odd_spaces: tabs or characters outside ASCII, so that a value may have blanks around it that are not spaces.
    """

    path: Path
    lines: int
    has_quotes: bool
    has_gaps: bool
    has_loose_quotes: bool
    has_odd_spaces: bool


class _Look:
    """What a look over the bytes, block by block, shows."""

    def __init__(self) -> None:
        self.line_feeds = 0
        self._has_quotes = False
        self._has_gaps = False
        self._has_loose_quotes = False
        self._has_odd_spaces = False
        self._last = b"\n"

    def over(self, block: bytes) -> None:
        """Look at the next block."""
        if not block:
            return
        # Two letters side by side are looked for a tenth as fast as one: numpy's comparison is the quicker for line ends.
        ends = np.frombuffer(block, dtype=np.uint8) == ord("\n")
        self.line_feeds += int(np.count_nonzero(ends))
        begins_empty = self._last == b"\n" and block.startswith(b"\n")
        self._has_gaps = self._has_gaps or begins_empty or bool((ends[1:] & ends[:-1]).any()) or b"\0" in block
        edge = self._last + block[:1]
        has_quotes = b'"' in block
        is_loose = edge in {b' "', b'" '} or (has_quotes and (b' "' in block or b'" ' in block))
        self._has_quotes = self._has_quotes or has_quotes
        self._has_loose_quotes = self._has_loose_quotes or is_loose
        self._has_odd_spaces = self._has_odd_spaces or b"\t" in block or not block.isascii()
        self._last = block[-1:]

    def as_text(self, path: Path) -> PlainText:
        """All that was seen."""
        return PlainText(
            path=path,
            lines=self.line_feeds + (self._last != b"\n"),
            has_quotes=self._has_quotes,
            has_gaps=self._has_gaps,
            has_loose_quotes=self._has_loose_quotes,
            has_odd_spaces=self._has_odd_spaces,
        )


class _StrictDecoder:
    """Bytes of one declared encoding as text, or the file, line and key where they are not."""

    def __init__(self, encoding: str, *, name: str, key: str) -> None:
        self._encoding, self._name, self._key = encoding, name, key
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="strict")

    def decode(self, block: bytes, *, lines_before: int) -> str:
        """The next block's text; an empty block ends the file."""
        try:
            return self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # A byte order mark is gone from the decoder's own account of what it had before it.
            before = error.object[: error.start].decode(self._encoding, errors="ignore")
            line = lines_before + 1 + _line_ends(before)
            perhaps = "utf-16" if error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "cp1252"
        except UnicodeError:
            line, perhaps = lines_before + 1, "utf-8"
        raise WrongInput(
            f"{self._name}, line {line}, is not {self._encoding} text",
            place=self._key,
            mend=f'write the encoding that the file has, perhaps "{perhaps}"',
        )


def _line_ends(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


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
        state = path.stat()
        found = _look_at_utf8(path, codec, name, key, changed=(state.st_size, state.st_mtime_ns))
        if found is not None:
            return found
    # The signature is taken off where there is one; to plain UTF-8 it would be a character of the first column's name.
    codec = "utf-8-sig" if codec == _UTF_8 else codec
    return _copy_plain(path, _StrictDecoder(codec, name=name, key=key), copy)


def count_lines(path: Path, *, encoding: str) -> int:
    """How many lines a file of text has, whatever in it is not of that encoding."""
    look, newlines = _Look(), io.IncrementalNewlineDecoder(None, translate=True)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            look.over(newlines.decode(decoder.decode(block, final=not block), final=not block).encode(_UTF_8))
            if not block:
                return look.as_text(path).lines


# A night looks through a file for identifiers, then reads it; what stands in it is found out once.
@lru_cache(maxsize=8)
def _look_at_utf8(path: Path, codec: str, name: str, key: str, *, changed: tuple[int, int]) -> PlainText | None:  # noqa: ARG001 -- tells a file from another under its name
    """The file itself where it is plain already; None at the first sign that it is not."""
    look, decoder = _Look(), _StrictDecoder(codec, name=name, key=key)
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
            return None
        file.seek(0)
        while block := file.read(_BLOCK):
            if b"\r" in block:
                return None
            decoder.decode(block, lines_before=look.line_feeds)
            look.over(block)
    decoder.decode(b"", lines_before=look.line_feeds)
    return look.as_text(path)


def _copy_plain(path: Path, decoder: _StrictDecoder, copy: Path) -> PlainText:
    look, newlines = _Look(), io.IncrementalNewlineDecoder(None, translate=True)
    with path.open("rb") as file, copy.open("wb") as plain:
        while True:
            block = file.read(_BLOCK)
            text = decoder.decode(block, lines_before=look.line_feeds)
            written = newlines.decode(text, final=not block).encode(_UTF_8)
            look.over(written)
            plain.write(written)
            if not block:
                return look.as_text(copy)


def csv_sql(path: Path, fields: int, *, delimiter: str, skip: int, has_quotes: bool) -> str:
    """The call that reads every column of plain text as text, `c0` on; parallel reading can lose rows, so it is off."""
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(fields))
    quote = '"' if has_quotes else ""
    return (
        f"read_csv({path_sql(path)}, auto_detect = false, columns = {{{columns}}},"
        f" delim = '{_quoted(delimiter)}', quote = '{quote}', escape = '{quote}', header = false,"
        f" skip = {skip}, new_line = '\\n', nullstr = '', parallel = false, strict_mode = true)"
    )


def path_sql(path: Path) -> str:
    """A path as SQL's readers of files take it: in quotes, and nothing in it a wildcard."""
    return f"'{_quoted(escape(str(path)))}'"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
