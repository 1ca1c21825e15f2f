"""The environment is made by real calls, in a small clone of its own whose packages are built here: no network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines import __main__ as program
from pipelines import environment

OUTSIDE = getattr(sys, "_base_executable", sys.executable)
SAYS_WHERE_IT_RUNS = '''"""Stands in for the verbs."""
import json, os, sys
from importlib.metadata import distributions

def run(arguments):
    installed = {found.metadata["Name"]: found.version for found in distributions()}
    print(json.dumps({"arguments": arguments, "cwd": os.getcwd(), "prefix": sys.prefix, "installed": installed}))
    return int(arguments[0]) if arguments else 0
'''


class Clone:
    """A clone with the real set-up, a lock of our own and a command line that says where it runs."""

    def __init__(self, folder):
        self.root = folder / "clone"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        rooms = self.root / "pipelines"
        rooms.mkdir(parents=True)
        for name in ("__init__.py", "__main__.py", "environment.py"):
            shutil.copy(Path(environment.__file__).with_name(name), rooms / name)
        (rooms / "command_line.py").write_text(SAYS_WHERE_IT_RUNS)
        self.venv = self.root / ".venv"
        self.log = self.venv / "set-up.log"

    def wheel(self, name, version):
        """A package with nothing in it, and its line in a lock."""
        path = self.wheels / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": "",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
        with zipfile.ZipFile(path, "w") as wheel:
            for file, content in (files | {f"{info}/RECORD": record}).items():
                wheel.writestr(file, content)
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    def lock(self, *lines):
        (self.root / "requirements.lock").write_text("".join(lines))

    def start(self, *arguments, cwd=None, command=("-m", "pipelines")):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "COV_"))}
        inherited |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        return subprocess.Popen(
            [OUTSIDE, *command, *arguments],
            cwd=cwd or self.root,
            env=inherited,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments, **how):
        with self.start(*arguments, **how) as started:
            out, err = started.communicate()
        return started.returncode, json.loads(out) if out else None, err


@pytest.fixture(scope="module")
def pebble(tmp_path_factory):
    """A clone whose first call has made its environment, with pebble 1 and slate 1, and what that call said."""
    clone = Clone(tmp_path_factory.mktemp("bare"))
    clone.lock(clone.wheel("pebble", "1.0"), clone.wheel("slate", "1.0"))
    clone.first = clone.call("3", "--of", "a b")
    return clone


def test_the_first_call_makes_the_environment_and_goes_on_inside_it(pebble):
    status, said, progress = pebble.first
    assert status == 3
    assert said["arguments"] == ["3", "--of", "a b"]
    assert Path(said["prefix"]).resolve() == pebble.venv.resolve()
    assert said["cwd"] == str(pebble.root.resolve())
    assert (said["installed"]["pebble"], said["installed"]["slate"]) == ("1.0", "1.0")
    assert "making .venv" in progress
    assert "the environment is ready" in progress


def test_the_second_call_does_no_set_up_and_starts_no_pip(pebble):
    before = pebble.log.stat().st_mtime_ns
    shutil.move(pebble.wheels, pebble.wheels.with_name("away"))
    try:
        status, said, progress = pebble.call()
    finally:
        shutil.move(pebble.wheels.with_name("away"), pebble.wheels)
    assert (status, progress) == (0, "")
    assert Path(said["prefix"]).resolve() == pebble.venv.resolve()
    assert pebble.log.stat().st_mtime_ns == before


def test_the_program_can_be_started_by_its_path_from_any_directory(pebble, tmp_path):
    (tmp_path / "pipelines.py").write_text("raise SystemExit('the wrong pipelines')")
    status, said, progress = pebble.call("0", cwd=tmp_path, command=[str(pebble.root / "pipelines")])
    assert (status, progress) == (0, "")
    assert said["cwd"] == str(tmp_path.resolve())


def test_a_changed_lock_brings_the_environment_up_to_date_and_removes_what_it_no_longer_names(pebble):
    pebble.lock(pebble.wheel("pebble", "2.0"))
    status, said, progress = pebble.call()
    assert status == 0
    assert said["installed"]["pebble"] == "2.0"
    assert "slate" not in said["installed"]
    assert "requirements.lock has changed" in progress


def test_after_a_set_up_was_killed_one_of_two_calls_at_once_makes_it_anew_and_the_other_waits(pebble):
    pebble.lock(pebble.wheel("pebble", "4.0"))
    before = pebble.log.stat().st_mtime_ns
    with pebble.start() as killed:
        while pebble.log.stat().st_mtime_ns == before:
            assert killed.poll() is None
        killed.kill()
    assert not environment.stamp_of(pebble.venv).exists()
    left_over = pebble.venv / "half-made"
    left_over.touch()
    started = [pebble.start(), pebble.start()]
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert [json.loads(out)["installed"]["pebble"] for out, _ in said] == ["4.0", "4.0"]
    progress = "".join(err for _, err in said)
    assert progress.count("making .venv") == 1
    assert "waiting for it" in progress
    assert not left_over.exists()


def test_a_package_with_another_hash_is_refused_in_one_line_and_the_next_right_lock_mends_it(pebble):
    right = pebble.wheel("pebble", "3.0")
    pebble.lock(right[:-5] + "0000\n")
    status, said, progress = pebble.call()
    assert (status, said) == (2, None)
    assert "pip could not install requirements.lock" in progress.splitlines()[-1]
    assert "run the command again" in progress.splitlines()[-1]
    assert not environment.stamp_of(pebble.venv).exists()


def test_an_environment_is_ready_only_under_the_lock_and_the_python_it_was_made_with(tmp_path):
    lock, folder = tmp_path / "requirements.lock", tmp_path / ".venv"
    lock.write_text("pebble==1.0\n")
    environment.interpreter_of(folder).parent.mkdir(parents=True)
    environment.interpreter_of(folder).touch()
    assert not environment.is_ready(folder, lock)
    environment.stamp_of(folder).write_text(environment.stamp_for(lock))
    assert environment.is_ready(folder, lock)
    environment.stamp_of(folder).write_text(environment.stamp_for(lock).replace("CPython 3.", "CPython 4."))
    assert not environment.is_ready(folder, lock)
    environment.stamp_of(folder).write_text(environment.stamp_for(lock))
    lock.write_text("pebble==2.0\n")
    assert not environment.is_ready(folder, lock)


def test_a_clone_without_a_lock_is_said_to_be_incomplete(tmp_path):
    with pytest.raises(environment.EnvironmentNotReady, match=r"requirements\.lock is missing"):
        environment.prepare(tmp_path / ".venv", tmp_path / "requirements.lock", say=print)


def test_pins_are_read_by_normalised_name(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "Graph.QL_core==3.2.1 \\\n    --hash=sha256:00\n    # via dagster\ntomli==2.0 ; python_version < '3.11'\n"
    )
    assert environment.pins(lock) == {"graph-ql-core": "3.2.1", "tomli": "2.0"}


def test_a_python_too_old_gets_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert program.main() == 2
    assert capsys.readouterr().err == "rapport: Python 3.10.4 is too old; start it with Python 3.11 or newer\n"
