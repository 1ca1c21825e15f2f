import itertools

import pytest

from pipelines.gatekeeper.places import Kind, Place, place_of
from pipelines.gatekeeper.policy import Role, Viewer, may_see
from tests.pipelines.gatekeeper.served import PAGES, PARTS, VIEWERS

EVERYBODYS = {"methods.html", "dictionary.html"}
# Written out by hand, so that a slip in the policy's sets can't repeat itself here.
MAY = {
    "director": {
        "index.html", "slices/six-months.json", "slices/areas/north.csv", "clinicians/index.html",
        "clinicians/C-1.html", "clinicians/C-2.html", "clinicians/C-3.html",
        "clinicians/C-1/caseload.csv", "clinicians/C-2/caseload.csv",
        "programmes/anxiety.html", "programmes/anxiety/waits.csv", "sites/north.html", "sites/north/waits.json",
        "data-quality.html", "data-quality/recording.csv", "changes.html",
    },
    "clinician": {"clinicians/C-1.html", "clinicians/C-1/caseload.csv", "clinicians/C-1/clients/K-1.html", "clinicians/C-1/clients/K-1.csv"},
    "colleague": {"clinicians/C-2.html", "clinicians/C-2/caseload.csv", "clinicians/C-2/clients/K-2.html"},
    "supervisor": {"clinicians/C-1.html", "clinicians/C-3.html", "clinicians/C-1/caseload.csv"},
    "analyst": {"data-quality.html", "data-quality/recording.csv", "changes.html"},
}  # fmt: skip
CLIENTS = {path for path in (*PAGES, *PARTS) if "/clients/" in path}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("directors_see_clients", [False, True])
def test_each_role_sees_its_own_pages_and_no_other(role, directors_see_clients):
    seen = {
        path
        for path in (*PAGES, *PARTS)
        if may_see(VIEWERS[role], place_of(path), directors_see_clients=directors_see_clients)
    }
    more = CLIENTS if directors_see_clients and role == "director" else set()
    assert seen == MAY[role] | EVERYBODYS | more


def test_what_is_no_place_is_seen_by_nobody():
    assert not any(may_see(viewer, None, directors_see_clients=True) for viewer in VIEWERS.values())


def test_a_viewer_without_a_role_sees_nothing():
    nobody = Viewer(id="nobody", roles=frozenset(), clinician="C-1", supervises=frozenset({"C-1"}))
    assert not any(may_see(nobody, place_of(path), directors_see_clients=True) for path in (*PAGES, *PARTS))


def test_two_roles_see_what_either_sees_and_no_more():
    both = Viewer(
        id="both", roles=frozenset({Role.SUPERVISOR, Role.ANALYST}), supervises=VIEWERS["supervisor"].supervises
    )
    seen = {path for path in (*PAGES, *PARTS) if may_see(both, place_of(path), directors_see_clients=False)}
    assert seen == MAY["supervisor"] | MAY["analyst"] | EVERYBODYS


def test_a_place_without_an_owner_is_nobodys_own_even_to_a_viewer_without_a_code():
    unowned = [Place(kind=kind, path="x", clinician=None, is_part=False) for kind in (Kind.CLINICIAN, Kind.CLIENT)]
    for role, place in itertools.product((Role.CLINICIAN, Role.SUPERVISOR), unowned):
        assert not may_see(Viewer(id="x", roles=frozenset({role})), place, directors_see_clients=True)
