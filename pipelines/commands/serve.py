"""`serve`: the published pages, to those who may see them."""

import os
import signal
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder

DEMO_PORT = 8080
SERVER_VARIABLE = "RAPPORT_SERVER"


@click.command(name="serve")
@click.option(
    "--config", type=click.Path(path_type=Path), help=f"The server's TOML file; {SERVER_VARIABLE} if not given."
)
@options.home()
@click.option("--demo", is_flag=True, help="Serve the demonstration on this machine, with ready sign-ins.")
@click.option("--port", type=click.IntRange(1, 65535), help=f"With --demo: the port; {DEMO_PORT} if not given.")
def command(config: Path | None, home: str | None, demo: bool, port: int | None) -> int:  # noqa: FBT001 - a flag
    """Serve the last good pages until stopped; a night may publish meanwhile."""
    if demo and config is not None:
        raise WrongInput("the demonstration has no configuration", place="serve --demo", mend="leave --config out")
    if not demo and config is None:
        if not os.environ.get(SERVER_VARIABLE):
            raise WrongInput("no configuration is given", place="serve", mend="give --config FILE or --demo")
        config = Path(os.environ[SERVER_VARIABLE])
    if port is not None and not demo:
        raise WrongInput("the port stands in the configuration", place="serve --port", mend="set server.port there")
    # The server's libraries take a second to import, which --help should not wait for.
    from pipelines.gatekeeper import demonstration, opening  # noqa: PLC0415
    from pipelines.gatekeeper.settings import read_settings  # noqa: PLC0415

    log = opening.server_log()
    folder = state_folder(home)
    if config is not None:
        gate = opening.open_gate(read_settings(config), home=folder, log=log)
    else:
        gate = demonstration.open_demonstration(folder / "demo", port=port or DEMO_PORT, log=log)
    server = opening.server_of(gate)
    listening = opening.listen(gate.settings)
    click.echo(f"Serving {folder / 'demo' if demo else folder} at {gate.settings.server.public_url} (Ctrl-C ends it)")
    if demo:
        click.echo("Three sign-ins are ready there, one click each: a director, a clinician, a supervisor and analyst.")
    log.info("audit log continues", entries=gate.audit.count, newest=gate.audit.newest)
    # uvicorn ends politely and then raises the signal again, which would end the process before the record is closed.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run(sockets=[listening])
    finally:
        gate.close()
    return 0
