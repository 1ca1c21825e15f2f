"""Reading a TOML file that somebody keeps by hand, and saying in one line what is wrong with it.

Belongs here: from a file to a checked, frozen model. Does not belong here: what any such file says (`settings`, `roster`,
`names`, `passwords`). A value from a file is never repeated: it may be a secret.
"""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from assets.feeds.wrong_input import WrongInput


class Checked(BaseModel):
    """A part of a hand-kept file: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


M = TypeVar("M", bound=Checked)


def read_text(file: Path) -> str:
    """A file's text.

    Raises:
        WrongInput: where it can't be read or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongInput(
            f"the file can't be read ({error.strerror})", place=str(file), mend="correct its path or its permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise WrongInput("the file is not UTF-8", place=str(file), mend="save it as UTF-8") from error


def read_toml(file: Path, *, model: type[M]) -> M:
    """A TOML file as a checked model.

    Raises:
        WrongInput: with the key that is wrong, and never its value.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        # The parser's own message may quote what stands there; the line is enough.
        place = f"{file}{_line_of(str(error))}"
        raise WrongInput("it is not valid TOML", place=place, mend="mend that line") from error
    try:
        return model.model_validate(tables)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _wrong_key(file, fault["type"], fault["msg"], fault["loc"]) from error


def _line_of(message: str) -> str:
    _, found, rest = message.partition("(at line ")
    return f", line {rest.partition(',')[0]}" if found else ""


def _wrong_key(file: Path, kind: str, message: str, location: tuple[int | str, ...]) -> WrongInput:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    place = f"{file}: {key}" if key else str(file)
    if kind == "missing":
        return WrongInput("this setting is missing", place=place, mend="add it")
    if kind == "extra_forbidden":
        return WrongInput("there is no such setting", place=place, mend="remove it or mend its name")
    return WrongInput("this setting can't be used", place=place, mend=message.removeprefix("Value error, "))
