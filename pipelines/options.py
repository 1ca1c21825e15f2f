"""The options that many verbs share, worded once.

Belongs here: an option that more than one verb takes. Does not belong here: what a verb does with it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from pipelines.state import HOME_VARIABLE

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
CONFIG_VARIABLE, INBOX_VARIABLE = "RAPPORT_CONFIG", "RAPPORT_INBOX"


def home() -> Decorator:
    """`--home`: the state folder, as `pipelines.state.state_folder` takes it."""
    return click.option("--home", metavar="DIR", help=f"Where state is kept; {HOME_VARIABLE} or .rapport if not given.")


def config(*, is_required: bool) -> Decorator:
    """`--config`: the service's settings; the environment's where it is not given."""
    said = f"The service's TOML file; {CONFIG_VARIABLE} if not given."
    kind = click.Path(path_type=Path)
    return click.option("--config", envvar=CONFIG_VARIABLE, required=is_required, type=kind, help=said)


def inbox(*, is_required: bool) -> Decorator:
    """`--inbox`: where the clinic's files arrive; the environment's where it is not given."""
    said = f"The folder that the clinic's files arrive in; {INBOX_VARIABLE} if not given."
    kind = click.Path(path_type=Path)
    return click.option("--inbox", envvar=INBOX_VARIABLE, required=is_required, type=kind, help=said)
