"""`dictionary`: write DATA_DICTIONARY.md anew from the contracts."""

import click

from pipelines.environment import ROOT


@click.command(name="dictionary")
def command() -> int:
    """Write DATA_DICTIONARY.md from the contracts; a test keeps it current."""
    from assets.contracts.dictionary import render  # noqa: PLC0415 - --help should not wait for every contract

    file = ROOT / "DATA_DICTIONARY.md"
    file.write_text(render(), encoding="utf-8")
    click.echo(f"{file} is current")
    return 0
