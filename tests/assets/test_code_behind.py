import importlib.util
import sys
from types import SimpleNamespace

import pytest

from assets import code_behind as module
from assets.analysis import measures
from assets.code_behind import code_behind, settings_named


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A room of modules made of texts, which code is followed through as through ours; returns the code behind a function."""
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    module._read.cache_clear()
    module._is_module.cache_clear()

    def behind(function="made", **texts):
        module._read.cache_clear()
        module._is_module.cache_clear()
        folder = tmp_path / "assets"
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return code_behind(SimpleNamespace(__module__="assets.top", __qualname__=function))

    yield behind
    module._read.cache_clear()
    module._is_module.cache_clear()


TOP = "from assets import low\nfrom assets.low import rate as counted\n\ndef made(x):\n    return counted(x) + low.LIMIT\n\ndef other():\n    return 1\n"
LOW = "LIMIT = 3\nUNUSED = 4\n\ndef rate(x):\n    return _half(x)\n\ndef _half(x):\n    return x / 2\n"


def test_everything_that_a_function_reaches_is_behind_it_and_nothing_else(room):
    behind = room(top=TOP, low=LOW)
    assert [line for line in behind.splitlines() if line.startswith("assets.")] == [
        "assets.low.LIMIT",
        "assets.low._half",
        "assets.low.rate",
        "assets.top.made",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        LOW.replace("UNUSED = 4", "UNUSED = 5"),
        LOW.replace("    return x / 2", '    """Half of it."""\n    # Halved.\n    return x/2'),
        LOW.replace("def rate(x):", "def rate(x: float) -> float:"),
    ],
)
def test_what_it_does_not_reach_and_how_it_is_written_change_nothing(room, changed):
    assert room(top=TOP, low=changed) == room(top=TOP, low=LOW)


@pytest.mark.parametrize("changed", [LOW.replace("x / 2", "x / 3"), LOW.replace("LIMIT = 3", "LIMIT = 2.5")])
def test_a_changed_number_however_deep_changes_it(room, changed):
    assert room(top=TOP, low=changed) != room(top=TOP, low=LOW)


def test_functions_that_name_each_other_come_to_an_end(room):
    assert "assets.top.again" in room(top="def made():\n    return again()\n\ndef again():\n    return made()\n")


def test_the_code_behind_a_published_table_reaches_its_formula_and_its_declaration():
    behind = code_behind(measures._rates)
    assert "assets.science.funnel.wilson_interval" in behind
    assert "assets.contracts.rates.METRICS" in behind
    assert "assets.warehouse" not in behind


def test_following_names_reads_files_and_imports_nothing(room):
    before = set(sys.modules)
    room(top=TOP, low=LOW)
    assert {name for name in set(sys.modules) - before if name.startswith("assets.")} == set()
    assert importlib.util.find_spec("assets.top") is None


def test_settings_are_named_by_the_service_or_by_a_column_of_the_run():
    code = "x = service.ruptures.falls_by_sd\ny = night.service.registry.of_kind('alliance')\nWHERE run.episode_gap_days > 3 AND run.data_date"
    assert settings_named(code) == ("episodes.gap_days", "registry.of_kind", "ruptures.falls_by_sd")
