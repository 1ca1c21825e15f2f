"""The command line: which verbs there are, how each is found, and how every one of them fails.

A verb's own words and work belong in its module under `commands`. Nothing heavy is imported here: a verb's module is
loaded when the verb is used.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

import click

from assets.feeds.wrong_input import WrongInput

PROGRAM = "python3 -m pipelines"
WRONG_INPUT, INTERRUPTED = 2, 130

# In the order in which a newcomer meets them: module and object, then the line that `--help` shows.
VERBS = {
    "demo": ("pipelines.commands.demo:command", "Run one night on a synthetic clinic and say what it found."),
    "nightly": ("pipelines.commands.nightly:command", "Pull, check, join, estimate and publish what clinics sent."),
    "check": (
        "pipelines.commands.check:command",
        "Propose settings for an export, or try them on it.",
    ),
    "doctor": ("pipelines.commands.doctor:command", "Look whether tonight's run would work, and say the mend."),
    "daemon": ("pipelines.commands.daemon:command", "Keep the nightly schedule, under a service manager."),
    "ui": ("pipelines.commands.ui:command", "Open Dagster's pages on the nightly job."),
    "serve": ("pipelines.commands.serve:command", "Serve the published pages to those who may see them."),
    "password": ("pipelines.commands.password:command", "Make an entry for the server's password file."),
    "audit": ("pipelines.commands.audit:command", "Read and verify the record of who saw what."),
    "query": ("pipelines.commands.query:command", "Ask the published warehouse a question in SQL."),
    "export": ("pipelines.commands.export:command", "Write the published tables as Parquet files."),
    "notebook": ("pipelines.commands.notebook:command", "Write a worked notebook over the published warehouse."),
    "extract": ("pipelines.commands.extract:command", "Write an extract in which nobody can be told apart."),
    "versions": ("pipelines.commands.versions:command", "List the published versions that are kept."),
    "rollback": ("pipelines.commands.rollback:command", "Publish an earlier version again."),
    "rebuild": ("pipelines.commands.rebuild:command", "Make a past night again from what had landed by then."),
    "backup": ("pipelines.commands.backup:command", "Pack what landed and what is published into one file."),
    "restore": ("pipelines.commands.restore:command", "Make a state folder out of a backup."),
    "verify": ("pipelines.commands.verify:command", "Hold what landed and what is published against its hashes."),
    "purge": ("pipelines.commands.purge:command", "Remove landing copies past their days; the tables stay the same."),
    "dictionary": ("pipelines.commands.dictionary:command", "Write DATA_DICTIONARY.md anew from the contracts."),
    "test": ("pipelines.commands.test:command", "Run the linters and every test, those in the browser included."),
    "bench": ("pipelines.commands.bench:command", "Measure one of the project's claims against its goal."),
}


class Verbs(click.Group):
    """A click group that imports a verb's module only when that verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The verbs whose modules exist, in the order of the registry."""
        return [verb for verb, (place, _) in VERBS.items() if importlib.util.find_spec(place.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One verb's click command, or nothing if there is no such verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, name = VERBS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{name} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, from the registry, so that asking for help loads none of them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, VERBS[verb][1]) for verb in self.list_commands(ctx)])


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Rapport: does the working alliance go with clients' progress here, for whom, and how sure are we?"""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one verb.

    Args:
        arguments: The words after the program's name.

    Returns:
        The exit status: what the verb returned (nothing means 0), 2 for wrong input, 130 for Ctrl-C.
    """
    # What a clinic keeps is for its own account and group: files 0640, folders 0750.
    os.umask(0o027)
    # The models' matrices are small: threads would spin on them, and could add up in another order from night to night.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        status = cli.main(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except WrongInput as wrong:
        _complain(str(wrong))
        return WRONG_INPUT
    except click.ClickException as wrong:
        _complain(_one_line(wrong))
        return WRONG_INPUT
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return status if isinstance(status, int) else 0


def _complain(sentence: str) -> None:
    sys.stderr.write(f"rapport: {sentence}\n")


def _one_line(wrong: click.ClickException) -> str:
    said = " ".join(wrong.format_message().split()).rstrip(".")
    if isinstance(wrong, click.UsageError) and wrong.ctx is not None:
        return f"{said}; see `{wrong.ctx.command_path} --help`"
    return said
