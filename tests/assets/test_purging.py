"""Landing copies past their days: removed, and no table changes."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from assets.feeds.landing import landed_files
from assets.feeds.manifest import PURGED
from assets.feeds.wrong_input import WrongInput
from assets.purging import purge
from pipelines.integrity import verify
from tests.assets.staging_harness import SMALL_EXPORT, Clinic, Staged, stage


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    """A service with refused, superseded, blank and held lines, three days after its files came."""
    small = Clinic(tmp_path)
    small.sends_the_small_export()
    booked = SMALL_EXPORT["booked.csv"]
    small.sends("booked.csv", booked + "A5,C1,K9,2026-04-02 10:00:00,attended,50\nA6,C1\n\nA1,C1,K1,2026-03-02 10:00:00,attended,50\n")  # fmt: skip
    small.sends("booked_corrections_2026-11-01.csv", booked.splitlines()[0] + "\nA3,C2,K1,2026-03-10 11:00:00,attended,55\n")  # fmt: skip
    small.sends("people.csv", SMALL_EXPORT["people.csv"].replace("30-39", "jo.bloggs@example.org"))
    return small


def later(clinic: Clinic, *, days: int):
    night = clinic.night()
    return night.model_copy(update={"data_date": (night.as_of + timedelta(days=days)).isoformat()})


def in_order(staged: Staged) -> dict[str, object]:
    """All that staging came to; the rows of a table have no order of their own."""
    rows = {name: sorted(map(str, table)) for name, table in staged.tables.items()}
    return {"tables": rows, "accounts": staged.accounts, "refusals": staged.refusals, "fates": staged.fates}


def copies(clinic: Clinic) -> list[Path]:
    return [path for path in (clinic.folder / "home" / "landing").glob("??/*") if path.is_file()]


def test_the_tables_are_the_same_after_a_purge_and_another_night(clinic):
    before = in_order(clinic.stage())
    done = purge(later(clinic, days=3), older_than=2)
    assert len(done.files) == 9
    assert done.kept_back == {}
    assert copies(clinic) == []
    assert in_order(clinic.stage()) == before
    assert copies(clinic) == []


def test_what_a_correction_sends_after_a_purge_still_corrects(clinic):
    clinic.stage()
    purge(later(clinic, days=3), older_than=2)
    head = SMALL_EXPORT["booked.csv"].splitlines()[0]
    clinic.sends("booked_corrections_2026-11-02.csv", f"{head}\nA3,C2,K1,2026-03-10 11:00:00,late_not_seen,\n")
    assert clinic.stage().row("attendance", appointment_id="A3")["status"] == "late_not_seen"


def test_a_file_stays_for_as_many_days_as_it_was_given(clinic):
    clinic.stage()
    assert purge(later(clinic, days=2), older_than=2).files == ()
    assert len(copies(clinic)) == 9


def test_an_earlier_night_over_purged_files_refuses_the_lines_that_had_not_come_then(clinic):
    head = SMALL_EXPORT["booked.csv"].splitlines()[0]
    clinic.sends("booked_corrections_2026-11-02.csv", f"{head}\nA9,C2,K1,2026-11-19 11:00:00,attended,50\n")
    day_before = later(clinic, days=-2)
    clinic.stage()
    then = in_order(stage(day_before))
    purge(later(clinic, days=3), older_than=2)
    assert copies(clinic) == []
    assert in_order(stage(day_before)) == then


def test_a_file_with_days_to_come_stays_until_they_have_come(clinic):
    head = SMALL_EXPORT["booked.csv"].splitlines()[0]
    clinic.sends("booked_corrections_2026-11-02.csv", f"{head}\nA9,C2,K1,2026-11-28 11:00:00,attended,50\n")
    clinic.stage()
    assert set(purge(later(clinic, days=3), older_than=2).kept_back) == {"booked_corrections_2026-11-02.csv"}
    assert purge(later(clinic, days=9), older_than=2).files == ("booked_corrections_2026-11-02.csv",)


def test_what_is_left_of_a_purged_file_names_nobody(clinic):
    clinic.stage()
    purge(later(clinic, days=3), older_than=2)
    left = clinic.folder / "home" / "landing" / PURGED
    with duckdb.connect() as con:
        said = "".join(str(con.sql(f"FROM '{file}'").fetchall()) for file in sorted(left.rglob("*.parquet")))
    said += "".join(file.read_text(encoding="utf-8") for file in left.rglob("*.json"))
    assert not any(f"'{sent}'" in said for sent in ("C1", "C2", "A1", "S1", "P1", "O1", "E1"))
    assert "bloggs" not in said
    assert "'K1'" in said


def test_what_is_left_of_a_purged_file_is_verified_too(clinic):
    clinic.stage()
    purge(later(clinic, days=3), older_than=2)
    home = clinic.folder / "home"
    home.chmod(0o750)
    assert verify(home).differences == ()
    file = next((home / "landing" / PURGED).rglob("*.parquet"))
    file.chmod(0o640)
    file.write_bytes(file.read_bytes() + b" ")
    file.chmod(0o440)
    assert len(verify(home).differences) == 1


def test_a_mapping_that_came_after_the_purge_is_told_that_the_bytes_are_gone(clinic):
    clinic.stage()
    purge(later(clinic, days=3), older_than=2)
    clinic.config += '\n[[feeds.clinicians]]\nfiles = "people.csv"\ncolumns = { clinician_id = "client" }\n'
    with pytest.raises(WrongInput, match="purged before this mapping"):
        clinic.stage()


def test_a_purge_that_was_killed_half_way_is_begun_afresh(clinic, monkeypatch):
    before = in_order(clinic.stage())
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        purge(later(clinic, days=3), older_than=2)
    monkeypatch.undo()
    files = landed_files(clinic.night().landing, mappings=clinic.night().service.feeds)
    assert sum(file.is_purged for file in files) <= 1
    purge(later(clinic, days=3), older_than=2)
    assert copies(clinic) == []
    assert in_order(clinic.stage()) == before
