"""What the settings of every system that is pulled from are made of.

Belongs here: kinds of setting that several systems share. Does not belong here: any one system's settings.
"""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from assets.feeds.wrong_input import WrongInput

FROZEN: Final = ConfigDict(frozen=True, extra="forbid")
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def _is_closed_to_listeners(url: str) -> str:
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    if (
        not parts.hostname
        or not (parts.scheme == "https" or is_here)
        or parts.username
        or parts.query
        or parts.fragment
    ):
        raise ValueError("write an address that begins with https:// and holds no key and no question")
    return url


# What a pull, a query or an export is called; its files are called the same.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
# An environment variable that holds a secret, which is never a setting itself.
Variable = Annotated[str, Field(min_length=1)]
# Where a system is asked: encrypted, but on this machine.
Address = Annotated[str, AfterValidator(_is_closed_to_listeners)]


def secret(environ: Mapping[str, str], variable: str, *, key: str) -> str:
    """What an environment variable holds.

    Raises:
        WrongInput: where it holds nothing.
    """
    value = environ.get(variable)
    if not value:
        raise WrongInput(f"the environment has no {variable}", place=key, mend="set it where the night is started")
    return value
