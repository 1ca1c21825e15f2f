import os

from pipelines import machine
from pipelines.machine import Machine


def test_an_installer_that_is_not_there_has_failed_and_not_crashed():
    assert not machine.run_quietly(["no-such-installer"])
    assert not machine.run_quietly(["false"])
    assert machine.run_quietly(["true"])


def test_debian_is_known_by_its_release_file(tmp_path):
    release = tmp_path / "os-release"
    assert not machine._is_debian(release)
    release.write_text('NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n')
    assert not machine._is_debian(release)
    release.write_text('NAME="Debian GNU/Linux"\nID=debian\n')
    assert machine._is_debian(release)


def test_packages_are_installed_only_by_root_on_debian():
    assert Machine(is_root=True, is_debian=True).installs_packages()
    assert not Machine(is_root=False, is_debian=True).installs_packages()
    assert not Machine(is_root=True, is_debian=False).installs_packages()


def test_the_list_of_packages_is_renewed_before_anything_is_installed():
    ran = []
    here = Machine(run=lambda command: ran.append(command) is None)
    assert here.install_packages(["r-cran-lme4"])
    assert [command[1] for command in ran] == ["update", "install"]
    assert ran[-1][-1] == "r-cran-lme4"


def test_this_machine_is_described_as_it_is():
    assert Machine().is_root == (os.geteuid() == 0)
    assert Machine().which("sh") is not None
