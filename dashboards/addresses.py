"""Where each clinician's page lies, and whose page lies at an address: both ways, in one place.

Belongs here: names of files that depend on a clinician's code. Does not belong here: who may open one (the command
line's room).
"""

import re
from typing import Final

CLINICIANS: Final = "clinicians"
_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ADDRESS = re.compile(rf"{CLINICIANS}/((?:[A-Za-z0-9_-]|~[0-9a-f]{{2}})+)\.html")


def clinician_file(code: str) -> str:
    """The file name of a clinician's page: the code itself where it is plain.

    Letters, digits, `-` and `_` stand as they are; every other byte of the code, and the first of a code that is
    `index`, is written as `~` and two hexadecimal digits, so that no code leaves its folder or takes another's place.
    """
    stem = "".join(each if _PLAIN.fullmatch(each) else _escaped(each) for each in code)
    return f"{_escaped('i')}ndex.html" if code == "index" else f"{stem}.html"


def clinician_page(code: str) -> str:
    """A clinician's page, from the site's top."""
    return f"{CLINICIANS}/{clinician_file(code)}"


def clinician_of(address: str) -> str | None:
    """Whose page lies at an address from the site's top; None for every other page, and for an address that no code has."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    parts = re.split(r"~([0-9a-f]{2})", found.group(1))
    raw = b"".join(bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(parts))
    try:
        code = raw.decode()
    except UnicodeDecodeError:
        return None
    return code if clinician_page(code) == address else None


def _escaped(character: str) -> str:
    return "".join(f"~{byte:02x}" for byte in character.encode())
