"""`audit`: read the record of who saw what, and verify that nobody has changed it."""

from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder

_COLUMNS = ("at", "event", "viewer", "kind", "clinician", "decision", "reason", "address", "version")


@click.command(name="audit")
@options.home()
@click.option("--file", type=click.Path(path_type=Path), help="A record elsewhere, such as one kept from before.")
@click.option("--viewer", metavar="ID", help="Only what this viewer did.")
@click.option("--clinician", metavar="CODE", help="Only whose pages these were.")
@click.option("--last", type=click.IntRange(min=0), default=20, show_default=True, help="How many lines to show.")
@click.option("--holds", metavar="HASH", help="Also say whether an entry noted earlier, by its hash, is still in it.")
def command(  # noqa: PLR0917 - click gives options by name
    home: str | None, file: Path | None, viewer: str | None, clinician: str | None, last: int, holds: str | None
) -> int:
    """Verify the whole record and show its end; exit 0 sound, 1 changed."""
    from pipelines.benchmarks.result import as_table  # noqa: PLC0415 - --help should wait for nothing
    from pipelines.gatekeeper.audit_log import ChainBroken, matching, verify  # noqa: PLC0415
    from pipelines.gatekeeper.opening import audit_file  # noqa: PLC0415

    found = file or audit_file(state_folder(home))
    if not found.is_file():
        raise WrongInput("there is no audit log", place=str(found), mend="give the --home that `serve` was given")
    try:
        record = verify(found)
    except ChainBroken as broken:
        click.echo(f"{found}: broken at {broken}", err=True)
        return 1
    chosen = list(matching(record.entries, viewer=viewer, clinician=clinician))
    shown = chosen[len(chosen) - min(last, len(chosen)) :]
    if shown:
        click.echo(as_table([{name: str(entry.get(name, "")) for name in _COLUMNS} for entry in shown]))
    if record.is_unfinished:
        click.echo("The last line is unfinished: it is being written, or a stop tore it.")
    click.echo(f"{len(record.entries):,} entries, unbroken; the newest is {record.newest}")
    if holds is not None and holds not in {str(entry["hash"]) for entry in record.entries}:
        click.echo(f"{found}: no entry has the hash {holds}: the end was cut off, or it is another record", err=True)
        return 1
    return 0
