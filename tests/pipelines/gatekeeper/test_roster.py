import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.policy import Role
from pipelines.gatekeeper.roster import read_roster

GOOD = """
[[viewers]]
id = "director@clinic.example"
roles = ["director"]

[[viewers]]
id = "lead@clinic.example"
roles = ["clinician", "supervisor"]
clinician = "C-1"
supervises = ["C-2", "C-3"]
"""


def written(tmp_path, text):
    file = tmp_path / "roster.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_roster_says_who_may_sign_in_and_as_what(tmp_path):
    found = read_roster(written(tmp_path, GOOD))
    assert set(found) == {"director@clinic.example", "lead@clinic.example"}
    lead = found["lead@clinic.example"]
    assert lead.roles == {Role.CLINICIAN, Role.SUPERVISOR}
    assert (lead.clinician, lead.supervises) == ("C-1", {"C-2", "C-3"})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "viewers"),
        ("viewers = []", "viewers"),
        ("[[viewers]]\nid = 'a'", "viewers[0].roles"),
        ("[[viewers]]\nid = 'a'\nroles = []", "viewers[0].roles"),
        ("[[viewers]]\nid = 'a'\nroles = ['owner']", "viewers[0].roles[0]"),
        ("[[viewers]]\nid = 'a b'\nroles = ['analyst']", "viewers[0].id"),
        ("[[viewers]]\nid = 'a'\nroles = ['clinician']", "viewers[0]"),
        ("[[viewers]]\nid = 'a'\nroles = ['director']\nclinician = 'C-1'", "viewers[0]"),
        ("[[viewers]]\nid = 'a'\nroles = ['supervisor']", "viewers[0]"),
        ("[[viewers]]\nid = 'a'\nroles = ['analyst']\nsupervises = ['C-1']", "viewers[0]"),
        ("[[viewers]]\nid = 'a'\nroles = ['analyst']\nadmin = true", "viewers[0].admin"),
        (GOOD + "[[viewers]]\nid = 'director@clinic.example'\nroles = ['analyst']", "viewers[2].id"),
        ("[[viewers]\nid = 'a'", "line 1"),
    ],
)
def test_a_wrong_roster_is_told_by_its_key_and_never_by_its_values(tmp_path, text, place):
    with pytest.raises(WrongInput) as wrong:
        read_roster(written(tmp_path, text))
    assert place in wrong.value.place
    assert "\n" not in str(wrong.value)
    assert not any(value in str(wrong.value) for value in ("owner", "a b", "C-1", "clinic.example"))


def test_a_roster_that_is_missing_or_no_text_is_told(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for name in ("none.toml", "bytes.toml"):
        with pytest.raises(WrongInput, match=name):
            read_roster(tmp_path / name)
