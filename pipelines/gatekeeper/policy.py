"""Who may see what: one pure function, which denies whatever it does not know.

Belongs here: roles, and the decision. Does not belong here: who somebody is (`sign_in`, `roster`) or what lies at an
address (`places`).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipelines.gatekeeper.places import Kind, Place


class Role(StrEnum):
    """What somebody is here for."""

    DIRECTOR = "director"
    CLINICIAN = "clinician"
    SUPERVISOR = "supervisor"
    ANALYST = "analyst"


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Somebody on the roster.

    Attributes:
        id: what signing in proves of them.
        roles: at least one; what any of them may see, they may see.
        clinician: the code whose page is their own; None where they treat nobody.
        supervises: the codes of those whom they supervise.
    """

    id: str
    roles: AbstractSet[Role]
    clinician: str | None = None
    supervises: AbstractSet[str] = frozenset()


# What is about nobody: how figures are made, what columns mean, style sheets and scripts.
_EVERYBODYS: Final = frozenset({Kind.METHODS, Kind.DICTIONARY, Kind.SHARED})
_DIRECTORS: Final = frozenset(
    {Kind.OVERVIEW, Kind.CLINICIANS, Kind.CLINICIAN, Kind.PROGRAMME, Kind.SITE, Kind.DATA_QUALITY, Kind.CHANGES}
)


def may_see(viewer: Viewer, place: Place | None, *, directors_see_clients: bool) -> bool:
    """Whether somebody on the roster may see a place.

    Args:
        viewer: who asks.
        place: what they ask for; None is what no line of the table of places knows.
        directors_see_clients: the clinic's own decision, since clients' pages are made for the treating clinician.
    """
    if place is None or not viewer.roles:
        return False
    if place.kind in _EVERYBODYS:
        return True
    return any(_role_may_see(role, viewer, place, directors_see_clients=directors_see_clients) for role in viewer.roles)


def _role_may_see(role: Role, viewer: Viewer, place: Place, *, directors_see_clients: bool) -> bool:
    match role:
        case Role.DIRECTOR:
            return place.kind in _DIRECTORS or (place.kind is Kind.CLIENT and directors_see_clients)
        case Role.CLINICIAN:
            own = place.clinician is not None and place.clinician == viewer.clinician
            return own and place.kind in {Kind.CLINICIAN, Kind.CLIENT}
        case Role.SUPERVISOR:
            return place.kind is Kind.CLINICIAN and place.clinician in viewer.supervises
        case Role.ANALYST:
            return place.kind in {Kind.DATA_QUALITY, Kind.CHANGES}
    return False
