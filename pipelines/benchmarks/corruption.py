"""Random damage to an export's files, each kind as something does it: a cut, a flipped bit, a lost line, a spreadsheet."""

import random
from collections.abc import Callable
from pathlib import Path

Damage = Callable[[bytes, random.Random], bytes]
SPECIAL = (
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xe2\x80\x94",
    b"=",
    b"'",
    b"\t",
    b" ",
    b"-",
    b"e",
    b"NaN",
    b"inf",
    b"\xef\xbb\xbf",
)


def _place(data: bytes, draw: random.Random) -> int:
    return draw.randrange(len(data) + 1)


def _lines(data: bytes, change: Callable[[list[bytes]], None]) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 2:
        change(lines)
    return b"".join(lines)


def cut_off(data: bytes, draw: random.Random) -> bytes:
    """The file ends early."""
    return data[: _place(data, draw)]


def flip_bits(data: bytes, draw: random.Random) -> bytes:
    """A few bits are wrong."""
    spoilt = bytearray(data)
    for _ in range(draw.choice((1, 3, 30)) if data else 0):
        spoilt[draw.randrange(len(spoilt))] ^= 1 << draw.randrange(8)
    return bytes(spoilt)


def insert_bytes(data: bytes, draw: random.Random) -> bytes:
    """Something stands where nothing belongs."""
    for _ in range(draw.choice((1, 5))):
        at = _place(data, draw)
        data = data[:at] + draw.choice(SPECIAL) * draw.choice((1, 1, 2, 50)) + data[at:]
    return data


def remove_bytes(data: bytes, draw: random.Random) -> bytes:
    """A stretch is missing."""
    at = _place(data, draw)
    return data[:at] + data[at + draw.choice((1, 2, 10, 500)) :]


def repeat_lines(data: bytes, draw: random.Random) -> bytes:
    """Five lines stand twice."""
    return _lines(data, lambda lines: lines.extend(draw.choices(lines, k=5)))


def shuffle_lines(data: bytes, draw: random.Random) -> bytes:
    """The lines stand in another order."""

    def shuffle(lines: list[bytes]) -> None:
        rest = lines[1:]
        draw.shuffle(rest)
        lines[1:] = rest

    return _lines(data, shuffle)


def swap_values(data: bytes, draw: random.Random) -> bytes:
    """Two values of a few lines change places."""
    mark = b";" if data[:200].count(b";") > data[:200].count(b",") else b","

    def swap(lines: list[bytes]) -> None:
        for _ in range(5):
            at = draw.randrange(1, len(lines))
            values = lines[at].rstrip(b"\r\n").split(mark)
            one, other = draw.randrange(len(values)), draw.randrange(len(values))
            values[one], values[other] = values[other], values[one]
            lines[at] = mark.join(values) + b"\n"

    return _lines(data, swap)


def change_values(data: bytes, draw: random.Random) -> bytes:
    """A value of a few lines becomes one that no clinic means."""
    mark = b";" if data[:200].count(b";") > data[:200].count(b",") else b","
    odd = (
        b"",
        b"-1",
        b"99999999999999999999",
        b"1e400",
        b"nan",
        b"2026-02-30",
        b"infinity",
        b"=1+1",
        b'"',
        b"x" * 5000,
        b"\xc3\xa9",
        b"0",
    )

    def change(lines: list[bytes]) -> None:
        for _ in range(5):
            at = draw.randrange(1, len(lines))
            values = lines[at].rstrip(b"\r\n").split(mark)
            values[draw.randrange(len(values))] = draw.choice(odd)
            lines[at] = mark.join(values) + b"\n"

    return _lines(data, change)


def drop_a_column(data: bytes, draw: random.Random) -> bytes:
    """One column is missing from every line."""
    mark = b";" if data[:200].count(b";") > data[:200].count(b",") else b","
    which = draw.randrange(8)
    return b"\n".join(mark.join(v for n, v in enumerate(line.split(mark)) if n != which) for line in data.split(b"\n"))


def change_line_ends(data: bytes, draw: random.Random) -> bytes:
    """Lines end as another system's do."""
    return data.replace(b"\n", draw.choice((b"\r\n", b"\r", b"\n\n", b" \n")))


def append_itself(data: bytes, draw: random.Random) -> bytes:  # noqa: ARG001 -- as all damages are called
    """The whole file stands twice, header and all."""
    return data + data


def empty(data: bytes, draw: random.Random) -> bytes:  # noqa: ARG001 -- as all damages are called
    """Nothing is left."""
    return b""


DAMAGES: tuple[Damage, ...] = (
    cut_off, flip_bits, insert_bytes, remove_bytes, repeat_lines, shuffle_lines, swap_values, change_values,
    drop_a_column, change_line_ends, append_itself, empty,
)  # fmt: skip


def damage(inbox: Path, names: list[str], *, seed: int) -> list[tuple[str, str]]:
    """Damage as many files as `names` has, each in one way; says which and how."""
    draw = random.Random(seed)  # noqa: S311 -- damage, no secret
    done = []
    for name in names:
        way = draw.choice(DAMAGES)
        file = inbox / name
        file.write_bytes(way(file.read_bytes(), draw))
        done.append((name, way.__name__))
    return done
