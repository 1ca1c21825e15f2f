"""The roster: who may sign in and as what, kept by the clinic in one TOML file.

Belongs here: reading it. Does not belong here: how somebody proves who they are (`sign_in`), or what a role may see
(`policy`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.policy import Role, Viewer
from pipelines.gatekeeper.toml_files import Checked, read_toml

# Printable and without spaces, so that an id is one word in a log and can't be mistaken for another at a glance.
ViewerId = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
_Code = Annotated[str, Field(min_length=1, max_length=200)]


class _Line(Checked):
    id: ViewerId
    roles: tuple[Role, ...] = Field(min_length=1)
    clinician: _Code | None = None
    supervises: tuple[_Code, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> "_Line":
        if (Role.CLINICIAN in self.roles) != (self.clinician is not None):
            raise ValueError("give `clinician` to those with the role clinician, and to no others")
        if (Role.SUPERVISOR in self.roles) != bool(self.supervises):
            raise ValueError("give `supervises` to those with the role supervisor, and to no others")
        return self


class _Roster(Checked):
    viewers: tuple[_Line, ...] = Field(min_length=1)


def read_roster(file: Path) -> Mapping[str, Viewer]:
    """Everybody on the roster, by id.

    Raises:
        WrongInput: where the file can't be used, naming the key.
    """
    found: dict[str, Viewer] = {}
    for place, line in enumerate(read_toml(file, model=_Roster).viewers):
        if line.id in found:
            raise WrongInput("this id stands there twice", place=f"{file}: viewers[{place}].id", mend="keep one")
        found[line.id] = Viewer(
            id=line.id,
            roles=frozenset(line.roles),
            clinician=line.clinician,
            supervises=frozenset(line.supervises),
        )
    return found
