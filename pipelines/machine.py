"""The machine that a command runs on, and what it lets us install: Debian's packages, where we are root.

Belongs here: asking and installing. Does not belong here: what is wanted and why (the browser's own module, a
benchmark). Tests put a machine of their own in its place.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


def run_quietly(command: list[str]) -> bool:
    """Run an installer's command, keeping its words to ourselves; whether it went well."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _is_debian(os_release: Path) -> bool:
    return os_release.is_file() and "ID=debian" in os_release.read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True)
class Machine:
    """What may be looked at and done here."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    which: Callable[[str], str | None] = shutil.which
    run: Callable[[list[str]], bool] = run_quietly
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    is_debian: bool = field(default_factory=lambda: _is_debian(Path("/etc/os-release")))

    def installs_packages(self) -> bool:
        """Whether Debian's packages can be installed: on Ubuntu some names are stubs for another kind of package."""
        return self.is_root and self.is_debian

    def install_packages(self, names: Sequence[str]) -> bool:
        """Install Debian's packages; whether it went well."""
        self.run(["apt-get", "update"])
        return self.run(["apt-get", "install", "-y", "--no-install-recommends", *names])
