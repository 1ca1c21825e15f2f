"""Random damage to slices of the three-site export: either one line that says why, or every line accounted for."""

import random
import shutil
from pathlib import Path

import pytest

from assets.feeds.wrong_input import WrongInput
from assets.resources import Night
from pipelines.benchmarks.corruption import damage
from pipelines.benchmarks.fuzz import cut_slices
from tests.assets.staging_harness import DATA_DATE, Staged, stage

NIGHTS, FILES_A_NIGHT = 10, 4


def night_on(folder: Path, config: Path) -> Night:
    return Night(config_file=str(config), inbox=str(folder / "inbox"), home=str(folder / "home"), data_date=DATA_DATE)


def every_line_is_told(staged: Staged, inbox: Path) -> bool:
    """Whether no file has more lines than its account, where no quoted value may run over several."""
    for file in inbox.rglob("*.csv"):
        data = file.read_bytes()
        lines = len(data.splitlines())
        told = sum(staged.account(file.relative_to(inbox).as_posix()))
        is_told = told in {lines, lines - 1} if b'"' not in data else told <= lines
        if not is_told:
            return False
    return True


def run(folder: Path, *, slices: Path, names: list[str], config: Path, seed: int, how_many: int) -> str | None:
    """Damage a copy of the slices and stage it; the one line it was stopped with, or nothing."""
    shutil.copytree(slices, folder / "inbox")
    chosen = random.Random(seed).sample(names, how_many)  # noqa: S311 -- damage, no secret
    damage(folder / "inbox", chosen, seed=seed)
    try:
        staged = stage(night_on(folder, config))
    except WrongInput as wrong:
        return str(wrong)
    assert every_line_is_told(staged, folder / "inbox")
    return None


@pytest.fixture(scope="module")
def slices(tmp_path_factory: pytest.TempPathFactory, shared_export: Path) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("slices")
    return folder, cut_slices(shared_export, folder)


@pytest.mark.parametrize("seed", range(NIGHTS))
def test_damage_is_told_in_one_line_or_accounted_for_line_by_line(tmp_path, slices, repository, seed):
    folder, names = slices
    config = repository / "pipelines" / "examples" / "three_sites.toml"
    said = run(tmp_path, slices=folder, names=names, config=config, seed=seed, how_many=FILES_A_NIGHT)
    assert said is None or len(said.splitlines()) == 1
