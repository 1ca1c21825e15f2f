from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from assets.feeds.proposal.proposing import Proposal, propose
from assets.science.instruments.registry import REGISTRY
from tests.assets.feeds.proposal.made_up_service import MadeUp


@dataclass(frozen=True)
class Known:
    """An export in an inbox, what is proposed for it, and the true settings."""

    export: MadeUp
    inbox: Path
    proposal: Proposal
    file: Path
    true: Path


def _proposed(inbox: Path, folder: Path) -> tuple[Proposal, Path]:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    found = propose(
        inbox,
        registry=REGISTRY,
        country="GB",
        time_zone="Europe/London",
        today=date(2026, 11, 20),
        scratch=scratch,
        tell=lambda _: None,
    )
    assert list(scratch.iterdir()) == []
    file = folder / "proposed.toml"
    file.write_text(found.text, encoding="utf-8")
    return found, file


@pytest.fixture
def proposed(tmp_path: Path) -> Callable[[Path], tuple[Proposal, Path]]:
    """What is proposed for an inbox, and the file that it is written to."""
    return lambda inbox: _proposed(inbox, tmp_path)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Callable[[], MadeUp]], Known]:
    """An export whose true mapping is known, written out and proposed for once."""

    @cache
    def look(make: Callable[[], MadeUp]) -> Known:
        folder = tmp_path_factory.mktemp(make.__name__)
        export = make()
        true = folder / "true.toml"
        true.write_text(export.truth, encoding="utf-8")
        inbox = export.write(folder / "inbox")
        proposal, file = _proposed(inbox, folder)
        return Known(export=export, inbox=inbox, proposal=proposal, file=file, true=true)

    return look


@pytest.fixture
def text_for(
    proposed: Callable[[Path], tuple[Proposal, Path]], tmp_path: Path
) -> Callable[[dict[str, bytes]], Proposal]:
    """What is proposed for some files."""

    def look(files: dict[str, bytes]) -> Proposal:
        return proposed(MadeUp("", files, "").write(tmp_path / "inbox"))[0]

    return look
