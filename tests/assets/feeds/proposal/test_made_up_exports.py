"""Proposals for exports whose true mapping is known: every key that is proposed is right, and a night takes the same lines."""

import re
import tempfile
from datetime import date
from pathlib import Path

import pytest

from assets.feeds.synthetic import write_export
from assets.resources import Night
from tests.assets.feeds.proposal import british_exports, later_exports, messy_exports, other_exports
from tests.assets.feeds.proposal.truth import compare
from tests.assets.staging_harness import DATA_DATE, Staged, stage
from tests.system.night_runs import DEMO

EVERY_EXPORT = (*british_exports.ALL, *other_exports.ALL, *messy_exports.ALL, *later_exports.ALL)
STAGED = (
    british_exports.iaptus_like,
    other_exports.openmrs_like,
    other_exports.bare_totals,
    messy_exports.couples_clinic,
)


def names_in(inbox: Path) -> list[str]:
    return [path.relative_to(inbox).as_posix() for path in inbox.rglob("*") if path.is_file()]


def staged(config: Path, inbox: Path, *, as_of: str = DATA_DATE) -> Staged:
    home = tempfile.mkdtemp(dir=config.parent)
    return stage(Night(config_file=str(config), inbox=str(inbox), home=home, data_date=as_of))


def accepted(found: Staged) -> set[tuple[str, int]]:
    return {line for line, fate in found.fates.items() if fate == "accepted"}


def with_columns_allowed(proposed: str) -> tuple[str, str]:
    """The settings once the clinic has let the columns through that hold files back; and what it wrote for that."""
    marked = r"# \[\[privacy.allow\]\]\n# (file = .*)\n# (column = .*)\n# reason = \"\""
    text = re.sub(marked, r'[[privacy.allow]]\n\1\n\2\nreason = "no other way"', proposed)
    return text, "".join(re.findall(r"\[\[privacy\.allow\]\]\n(?:.*\n){3}", text))


@pytest.mark.parametrize("make", EVERY_EXPORT, ids=lambda make: make.__name__)
def test_no_key_of_a_proposal_is_wrong_and_none_is_left_out(make, known):
    each = known(make)
    found = compare(each.file, each.true, names_in(each.inbox))
    assert (found.wrong, found.left) == ([], [])
    assert len(found.right) >= 20


@pytest.mark.parametrize("make", STAGED, ids=lambda make: make.__name__)
def test_a_night_over_a_proposal_comes_to_the_tables_of_the_true_mapping(make, known, tmp_path):
    each = known(make)
    ours, true = tmp_path / "ours.toml", tmp_path / "true.toml"
    text, allowed = with_columns_allowed(each.proposal.text)
    ours.write_text(text, encoding="utf-8")
    true.write_text(each.export.truth.replace("[[measures]]", allowed + "\n[[measures]]", 1), encoding="utf-8")
    by_proposal, by_truth = staged(ours, each.inbox), staged(true, each.inbox)
    assert accepted(by_proposal) == accepted(by_truth) != set()
    for feed, rows in by_truth.tables.items():
        assert sorted(map(str, by_proposal.tables[feed])) == sorted(map(str, rows))


def test_the_three_site_export_is_mapped_as_it_was_by_hand(proposed, shared_export, repository):
    true = repository / "pipelines" / "examples" / "three_sites.toml"
    found = compare(proposed(shared_export)[1], true, names_in(shared_export))
    assert (found.wrong, found.left) == ([], [])
    assert len(found.right) >= 140


def test_the_synthetic_clinic_is_mapped_as_it_was_by_hand_wrong_rows_and_files_sent_twice_and_all(proposed, tmp_path):
    inbox = tmp_path / "inbox"
    write_export(inbox, seed=3, clinicians=6, clients=80, data_on=date(2026, 10, 31))
    found = compare(proposed(inbox)[1], DEMO, names_in(inbox))
    assert (found.wrong, found.left) == ([], [])


@pytest.mark.parametrize("make", EVERY_EXPORT, ids=lambda make: make.__name__)
def test_no_code_name_or_date_of_anybody_stands_in_a_proposal(make, known):
    each = known(make)
    words = set(re.findall(r"[\w/-]{5,}", each.proposal.text))
    cells = {
        cell
        for content in each.export.files.values()
        for line in content.decode("latin-1").splitlines()[1:]
        for cell in re.split(r"[,;\t]", line)
        if re.search(r"\d{3}", cell) or cell in {"Anna Smith", "Example"}
    }
    assert len(cells) > 100
    assert words & cells == set()
