"""The files that the README's section on serving shows are files that the server takes."""

import re

import pytest

from pipelines.gatekeeper.policy import Role
from pipelines.gatekeeper.roster import read_roster
from pipelines.gatekeeper.settings import read_settings


@pytest.fixture(scope="module")
def shown(repository) -> list[str]:
    text = (repository / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```toml\n(.*?)```", re.search(r"## Serving\n(.*?)\n## ", text, re.DOTALL).group(1), re.DOTALL)


def test_the_roster_is_one(shown, tmp_path):
    file = tmp_path / "roster.toml"
    file.write_text(shown[0], encoding="utf-8")
    viewers = read_roster(file)
    assert {role for viewer in viewers.values() for role in viewer.roles} == set(Role)


@pytest.mark.parametrize(("place", "method"), [(1, "password"), (2, "oidc"), (3, "proxy")])
def test_each_way_of_signing_in_is_one_that_the_server_takes(shown, tmp_path, place, method):
    base = shown[1].partition("[sign_in]")[0]
    file = tmp_path / "server.toml"
    file.write_text(shown[1] if place == 1 else base + shown[place], encoding="utf-8")
    assert read_settings(file).sign_in.method == method
