"""`password`: an entry for the server's password file."""

import click


@click.command(name="password")
@click.argument("viewer")
def command(viewer: str) -> int:
    """Make an entry for VIEWER, an id on the roster: asks for a password, prints its hash and a secret for codes."""
    from pipelines.gatekeeper.passwords import new_entry  # noqa: PLC0415 - --help should not wait for a hash

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    entry, address = new_entry(viewer, password)
    click.echo(entry)
    click.echo(f"For the authenticator app, once and over a safe channel:\n{address}", err=True)
    return 0
