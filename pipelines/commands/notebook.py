"""`notebook`: the worked example over the published warehouse, as a Jupyter notebook."""

import json
import re
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.environment import ROOT
from pipelines.state import state_folder

WORKED = ROOT / "pipelines" / "examples" / "worked_notebook.py"
_FILE = 'FILE = "warehouse.duckdb"'
_CELL = re.compile(r"^# %%(?P<words> \[markdown\])?\n", re.MULTILINE)


@click.command(name="notebook")
@click.option(
    "--to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to make, such as a.ipynb."
)
@options.home()
def command(to: Path, home: str | None) -> int:
    """Write a worked Jupyter notebook: what the figures rest on, the service's answer, and one worked out again."""
    if to.exists():
        raise WrongInput("a file is there already", place=f"--to {to}", mend="name another; nothing is written over")
    file = state_folder(home) / "warehouse.duckdb"
    text = WORKED.read_text(encoding="utf-8").replace(_FILE, f"FILE = {str(file)!r}")
    to.write_text(json.dumps(notebook(text), indent=1) + "\n", encoding="utf-8")
    click.echo(to)
    return 0


def notebook(text: str) -> dict[str, object]:
    """A Jupyter notebook (nbformat 4.5) of a script in cells.

    Args:
        text: each cell begins with a line `# %%`, or `# %% [markdown]` where its lines are words behind `# `.
    """
    _, *parts = _CELL.split(text)
    cells = [
        _words(cell, number=number) if is_words else _code(cell, number=number)
        for number, (is_words, cell) in enumerate(zip(parts[::2], parts[1::2], strict=True), start=1)
    ]
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}


def _words(cell: str, *, number: int) -> dict[str, object]:
    text = re.sub(r"^# ?", "", cell.strip(), flags=re.MULTILINE)
    return {"cell_type": "markdown", "id": f"cell-{number}", "metadata": {}, "source": _lines(text)}


def _code(cell: str, *, number: int) -> dict[str, object]:
    written = {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, "source": _lines(cell.strip())}
    return written | {"execution_count": None, "outputs": []}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
