"""Where pages lie that are about someone or some place, and whose page lies at an address, in one module.

Belongs here: names of files that depend on a clinician's code, a site or a programme. Does not belong here: who may open
one (the command line's room).
"""

import re
from typing import Final

CLINICIANS: Final = "clinicians"
_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ADDRESS = re.compile(rf"{CLINICIANS}/((?:[A-Za-z0-9_-]|~[0-9a-f]{{2}})+)\.html")


def file_stem(name: str) -> str:
    """A file's name for a code or a place, without its ending: the name itself where it is plain.

    Letters, digits, `-` and `_` stand as they are; every other byte, and the first of a name that is `index`, is
    written as `~` and two hexadecimal digits, so that no name leaves its folder or takes another's place.
    """
    stem = "".join(each if _PLAIN.fullmatch(each) else _escaped(each) for each in name)
    return f"{_escaped('i')}ndex" if name == "index" else stem


def clinician_file(code: str) -> str:
    """The file name of a clinician's page."""
    return f"{file_stem(code)}.html"


def area_page(scope: str, name: str) -> str:
    """The page of the service, or of one site or programme, from the site's top."""
    return "index.html" if scope == "service" else f"{scope}s/{file_stem(name)}.html"


def clinician_page(code: str) -> str:
    """A clinician's page, from the site's top."""
    return f"{CLINICIANS}/{clinician_file(code)}"


def client_page(code: str, client: str) -> str:
    """The page of a clinician's client, from the site's top."""
    return f"{CLINICIANS}/{file_stem(code)}/clients/{file_stem(client)}.html"


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
