"""`backup`: everything that a service can be brought back from, in one file."""

from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines import options
from pipelines.state import secret_file, state_folder


@click.command(name="backup")
@click.option(
    "--to", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to make (.tar.gz)."
)
@options.home()
@click.option("--with-secret", is_flag=True, help="Pack the clinic's secret too; then whoever has the file has both.")
def command(*, to: Path, home: str | None, with_secret: bool) -> int:
    """Pack what landed and what is published; no night can run meanwhile."""
    from assets import warehouse  # noqa: PLC0415 -- --help should not wait for it
    from pipelines.backup import back_up  # noqa: PLC0415

    folder = state_folder(home)
    secret = secret_file(folder) if with_secret else None
    try:
        with warehouse.hold_night(folder):
            contents = back_up(folder, to=to, secret=secret, now=datetime.now(UTC))
    except warehouse.NightInProgressError as busy:
        raise click.ClickException(str(busy)) from busy
    click.echo(f"{to}: {len(contents.sha256)} files, published version {contents.current or 'none'}")
    if not with_secret:
        click.echo(
            f"The secret is not in it. Keep a copy of {secret_file(folder)} somewhere else: without it "
            "no night can be run on what is restored."
        )
    return 0
