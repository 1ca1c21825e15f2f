"""The demonstration's server: the synthetic clinic of `demo`, on this machine alone, with three ready sign-ins.

Belongs here: who the three are. Does not belong here: making the clinic (`pipelines.commands.demo`). They are codes of the
synthetic clinic and roles, no names of people.
"""

from pathlib import Path
from typing import Any, Final

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from dashboards.addresses import CLINICIANS, clinician_of
from pipelines.gatekeeper.gate import Gate
from pipelines.gatekeeper.opening import open_demo_gate
from pipelines.gatekeeper.policy import Role, Viewer
from pipelines.gatekeeper.releases import SITE
from pipelines.gatekeeper.settings import Demo, Server, Settings

_SUPERVISED: Final = 3


def open_demonstration(home: Path, *, port: int, log: Any) -> Gate:
    """A gate on the demonstration's pages.

    Raises:
        WrongInput: where `demo` has not run.
    """
    codes = _codes(home)
    if not codes:
        raise WrongInput(
            "there is no demonstration yet",
            place=str(home),
            mend="run `python3 -m pipelines demo` with the same --home",
        )
    own, supervised = codes[0], codes[:_SUPERVISED]
    viewers = {
        viewer.id: viewer
        for viewer in (
            Viewer(id="director", roles=frozenset({Role.DIRECTOR})),
            Viewer(id="clinician", roles=frozenset({Role.CLINICIAN}), clinician=own),
            Viewer(
                id="supervisor-analyst",
                roles=frozenset({Role.SUPERVISOR, Role.ANALYST}),
                supervises=frozenset(supervised),
            ),
        )
    }
    ready = {
        "director": "A director: the whole service",
        "clinician": f"Clinician {own}: their own pages",
        "supervisor-analyst": f"A supervisor of {', '.join(supervised)}, who also looks after the data",
    }
    settings = Settings(
        server=Server(public_url=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port),
        sign_in=Demo(),
        roster=home / "no-roster",
    )
    return open_demo_gate(settings, home=home, log=log, viewers=viewers, ready=ready)


def _codes(home: Path) -> list[str]:
    pages = sorted((home / warehouse.CURRENT / SITE / CLINICIANS).glob("*.html"))
    return [code for page in pages if (code := clinician_of(f"{CLINICIANS}/{page.name}")) is not None]
