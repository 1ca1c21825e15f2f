"""The house's rules that a machine can read. Which room imports which is import-linter's, in pyproject.toml."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("assets", "quality", "dashboards", "pipelines", "tests")
LONGEST = 350
UNNAMED = re.compile(r"(^|_)(utils?|helpers?|common|misc|shared|stuff)$")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
MACHINE_PATH = re.compile(r"(?<![\w./-])/(?:work|root|home|opt|Users)/")
OUR_OWN = Path(__file__).relative_to(ROOT).as_posix()


def tracked(*patterns):
    """What git keeps, and what it would keep if it were added now, of these kinds."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(name for name in found if (ROOT / name).is_file())


def written():
    """The files that people write, without bundles made elsewhere and the file that names what it looks for."""
    kinds = ("*.py", "*.sql", "*.md", "*.toml", "*.yaml", "*.html", "*.js", "*.css")
    return [name for name in tracked(*kinds) if name != OUR_OWN and not name.endswith((".min.js", ".min.css"))]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def modules():
    return {name: ast.parse(text(name), filename=name) for name in tracked("*.py")}


def imported(node):
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return set()


def wiring():
    """The modules whose annotations Dagster reads while the module is being imported."""
    return [
        name
        for name, tree in modules().items()
        if not name.startswith("tests/") and any("dagster" in imported(node) for node in tree.body)
    ]


def test_the_rooms_import_each_other_only_downwards():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_a_folder_at_the_top():
    assert [room for room in ROOMS if not (ROOT / room).is_dir()] == []


def test_a_package_says_what_it_is_for_and_nothing_else():
    wrong = [
        name
        for name, tree in modules().items()
        if name.endswith("__init__.py") and not (len(tree.body) == 1 and ast.get_docstring(tree))
    ]
    assert wrong == []


def test_every_module_says_what_belongs_there():
    wrong = [name for name, tree in modules().items() if not name.startswith("tests/") and not ast.get_docstring(tree)]
    assert wrong == []


def test_imports_are_absolute():
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


def test_every_room_and_file_is_named_for_a_meaning():
    parts = {part for name in tracked("*.py", "*.sql") for part in Path(name).with_suffix("").parts}
    assert sorted(part for part in parts if UNNAMED.search(part)) == []


def test_wiring_leaves_its_annotations_as_dagster_reads_them():
    wrong = [
        name
        for name in wiring()
        for node in modules()[name].body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    assert wrong == []


def test_no_file_outgrows_its_walls():
    long = {name: text(name).count("\n") for name in tracked("*.py", "*.sql")}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_nothing_is_marked_unfinished():
    assert [name for name in written() if UNFINISHED.search(text(name))] == []


def test_great_expectations_is_imported_in_quality_and_only_when_used():
    # Importing it takes seconds and hundreds of megabytes, which a command that checks nothing should not pay.
    trees = modules()
    importers = {
        name
        for name, tree in trees.items()
        if not name.startswith("tests/") and any("great_expectations" in imported(node) for node in ast.walk(tree))
    }
    assert importers == {"quality/expectations.py", "quality/counted.py"}
    # One of the two is written on top of the library, so that one is imported where it is used, too.
    at_import = {
        name
        for name in set(trees) - {"quality/counted.py"}
        for node in trees[name].body
        if isinstance(node, ast.Import | ast.ImportFrom)
        if "great_expectations" in imported(node) or re.search(r"\bquality(\.| import )counted\b", ast.unparse(node))
    }
    assert at_import == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements.in"])
def test_the_pins_name_no_address_and_no_machine(name):
    assert re.findall(r"\w+://\S+|^\s*-{1,2}[a-z-]*index\S*|@\s*file", text(name), re.MULTILINE) == []
    assert MACHINE_PATH.findall(text(name)) == []


def test_every_pin_is_exact_and_hashed():
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n?", "", text("requirements.lock"), flags=re.MULTILINE).strip())
    assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+", entry) or "--hash=sha256:" not in entry] == []


def test_everything_asked_for_is_in_the_lock():
    def names(name):
        return {
            re.sub(r"[-_.]+", "-", line).lower()
            for line in re.findall(r"^[A-Za-z0-9][\w.-]*(?==|$| )", text(name), re.MULTILINE)
        }

    assert names("requirements.in") - names("requirements.lock") == set()


def test_no_file_names_a_place_on_one_machine():
    assert [name for name in written() if MACHINE_PATH.search(text(name))] == []


def test_no_data_file_is_kept_outside_the_tests():
    kept = tracked("*.csv", "*.tsv", "*.parquet", "*.duckdb", "*.db", "*.xlsx", "*.xls", "*.sav", "*.dta", "*.rds")
    assert [name for name in kept if not name.startswith("tests/")] == []


def test_every_test_file_stands_where_its_module_stands():
    free = ("tests/system/", "tests/conftest.py")
    wrong = [
        name
        for name in tracked("tests/**/test_*.py")
        if not name.startswith(free) and not (ROOT / Path(name).parent.relative_to("tests")).is_dir()
    ]
    assert wrong == []


def test_no_test_is_skipped_or_expected_to_fail():
    mark = re.compile(r"pytest\.(mark\.)?(skip|xfail|importorskip)|skipif")
    assert [name for name in tracked("tests/*.py") if name != OUR_OWN and mark.search(text(name))] == []


def test_ci_runs_the_readmes_test_command():
    assert text(".ci/run").rstrip().splitlines()[-1] == "exec python3 -m pipelines test"
