"""What the README promises is so."""

import re
import subprocess
import sys

import pytest

ROOT_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.fixture(scope="module")
def readme(repository) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def test_every_query_of_the_readme_answers_on_a_nights_warehouse(night, readme):
    queries = re.findall(r"```sql\n(.*?)```", readme, flags=re.DOTALL)
    assert len(queries) == 5
    for query in queries:
        assert night.rows(query) != [], query


def test_the_python_of_the_readme_runs_on_a_nights_warehouse(night, readme):
    (code,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    code = re.sub(r'"[^"]*warehouse\.duckdb"', repr(str(night.home / "warehouse.duckdb")), code)
    found: dict[str, object] = {}
    exec(compile(code + "\ncon.close()\n", "README.md", "exec"), found)  # noqa: S102 -- the README's own words
    assert "con" in found


def test_the_query_of_other_tools_answers(night, readme):
    queries = set(re.findall(r'"(FROM [a-z_.]+)"', readme))
    assert queries
    assert all(night.rows(query) for query in queries)


def test_every_file_that_the_readme_links_to_exists(repository, readme):
    linked = ROOT_LINK.findall(readme)
    assert linked
    assert [name for name in linked if not (repository / name).exists()] == []


def test_every_folder_that_the_readme_names_exists(repository, readme):
    named = re.findall(r"`((?:assets|quality|dashboards|pipelines)/[a-z_/.]*)`", readme)
    assert named
    assert [name for name in named if not (repository / name).exists()] == []


def test_ci_runs_the_readmes_test_command_and_nothing_else(repository, readme):
    (command,) = re.findall(r"^(python3 -m pipelines test)\b", readme, flags=re.MULTILINE)
    lines = (repository / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    done = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert done == [f"exec {command}"]


def test_every_verb_that_the_readme_names_there_is(repository, readme):
    verbs = set(re.findall(r"python3 -m pipelines ([a-z]+)", readme))
    shown = subprocess.run(
        [sys.executable, "-m", "pipelines", "--help"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [verb for verb in verbs if f"\n  {verb} " not in shown] == []
