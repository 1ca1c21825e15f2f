"""The clinic's own directory of names: clinicians' codes and what people call them.

It is read by the server alone: names are never in the warehouse, the site or a log. Belongs here: reading the file. Does
not belong here: who may see a name (`policy`) or how it is laid over a page (`overlay`).
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.toml_files import Checked, read_text, read_toml

_COLUMNS = ["code", "name"]


class _Directory(Checked):
    names: dict[str, str]


def read_names(file: Path) -> Mapping[str, str]:
    """What to show for each code: the name, with the code beside it where two people share a name.

    A TOML file has a table `[names]` of codes and names; any other file is a CSV with the columns `code` and `name`.

    Raises:
        WrongInput: where the file can't be used, naming the line.
    """
    named = dict(read_toml(file, model=_Directory).names) if file.suffix == ".toml" else _read_csv(file)
    for code, name in named.items():
        if not code.strip() or not name.strip() or not name.isprintable():
            raise WrongInput("a code or name is empty or not printable", place=str(file), mend="mend that line")
    shared = Counter(named.values())
    return {code: name if shared[name] == 1 else f"{name} ({code})" for code, name in named.items()}


def _read_csv(file: Path) -> dict[str, str]:
    lines = csv.reader(io.StringIO(read_text(file).removeprefix("\ufeff")), strict=True)
    named: dict[str, str] = {}
    try:
        for number, cells in enumerate(lines, start=1):
            if number == 1:
                if [cell.strip() for cell in cells] != _COLUMNS:
                    raise WrongInput("the first line is not code,name", place=str(file), mend="give it that header")
                continue
            if not cells:
                continue
            if len(cells) != len(_COLUMNS):
                raise WrongInput("the line has not two cells", place=f"{file}, line {number}", mend="mend it")
            code, name = (cell.strip() for cell in cells)
            if code in named:
                raise WrongInput("this code stands there twice", place=f"{file}, line {number}", mend="keep one")
            named[code] = name
    except csv.Error as error:
        raise WrongInput("it is not valid CSV", place=str(file), mend="save it as CSV again") from error
    return named
