"""`check`: what an export is and what a night would make of it; a first settings file where there is none."""

import shlex
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.command_line import PROGRAM


@click.command(name="check")
@options.inbox(is_required=True)
@options.config(is_required=False)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), help="Propose settings for the export and write them here."
)
@click.option("--as-of", metavar="YYYY-MM-DD", help="The last day that the data speak of; today if not given.")
@click.option(
    "--country", default="GB", show_default=True, help="Whose telephone and social security numbers to look for."
)
def command(*, inbox: Path, config: Path | None, to: Path | None, as_of: str | None, country: str) -> int:
    """Propose settings for a folder of exports, or try those given by --config: read and judge, keep nothing.

    Exit 0 where a night would run, 2 where it would not, with the mend.
    """
    # polars and DuckDB take a second to import; --help should not wait for them.
    from pipelines.preview import preview  # noqa: PLC0415
    from pipelines.preview_report import previewed  # noqa: PLC0415

    if not inbox.is_dir():
        raise WrongInput(
            "there is no such folder", place=f"--inbox {inbox}", mend="give the folder that the export is in"
        )
    if config is not None and to is None:
        click.echo(previewed(preview(config, inbox=inbox, as_of=as_of)))
        return 0
    if to is not None and to.exists():
        raise WrongInput(
            "is there already, and what a person wrote is not written over",
            place=f"--to {to}",
            mend="name another file, or give this one as --config",
        )
    with tempfile.TemporaryDirectory(prefix="rapport-check-") as scratch:
        file = to or Path(scratch) / "proposed.toml"
        _propose(inbox, file=file, kept=to is not None, scratch=Path(scratch), country=country)
        found = preview(file, inbox=inbox, as_of=as_of)
    click.echo(previewed(found))
    asked = f" --inbox {shlex.quote(str(inbox))}"
    if to is None:
        click.echo(f"\nKeep what was proposed:\n  {PROGRAM} check{asked} --to clinic.toml")
    else:
        told = f" --as-of {as_of}" if as_of else ""
        click.echo(f"\nPublish the first pages:\n  {PROGRAM} nightly --config {shlex.quote(str(to))}{asked}{told}")
    return 0


def _propose(inbox: Path, *, file: Path, kept: bool, scratch: Path, country: str) -> None:
    """Write the settings and say what was found out."""
    from assets.feeds.proposal.proposing import propose  # noqa: PLC0415
    from assets.science.instruments.registry import REGISTRY  # noqa: PLC0415
    from pipelines.preview_report import proposed  # noqa: PLC0415

    proposal = propose(
        inbox,
        registry=REGISTRY,
        country=country,
        time_zone=_own_time_zone(),
        today=datetime.now(UTC).date(),
        scratch=scratch,
        tell=lambda name: click.echo(f"Looking at {name} ...", err=True),
    )
    file.write_text(proposal.text, encoding="utf-8")
    said = proposed(proposal)
    if said:
        click.echo(f"{said}\n")
    if kept:
        click.echo(f"Proposed settings: {file}\n")


def _own_time_zone() -> str | None:
    """The IANA name of this machine's clock; None where it has none or keeps to UTC, as servers do."""
    place = Path("/etc/localtime").resolve().parts
    name = "/".join(place[place.index("zoneinfo") + 1 :]) if "zoneinfo" in place else ""
    return name if "/" in name and not name.startswith("Etc/") else None
