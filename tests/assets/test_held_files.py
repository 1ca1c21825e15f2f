"""Files in which a direct identifier was found: held whole, told by file and column, and let go."""

import duckdb
import pytest

from assets.contracts.staging import FEEDS
from assets.feeds import identifier_search
from assets.feeds.landing import landed_files
from assets.feeds.reading import read_into
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.test_direct_identifiers import TELLING
from tests.assets.staging_harness import SMALL_EXPORT, SMALL_TOTALS, Clinic

STAFF = "who,site,since,{header}\nK1,north,2019-05-01,{value}\n"


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    small = Clinic(tmp_path)
    small.sends_the_small_export()
    return small


def reasons(staged, file: str) -> set[str]:
    return {refusal.reason for refusal in staged.refusals if refusal.file == file and refusal.rule == "file_held"}


def with_notes(notes: str) -> str:
    head, *lines = SMALL_EXPORT["episodes.csv"].splitlines()
    return "\n".join([f"{head},remarks", *(f'{line},"{notes}"' for line in lines)]) + "\n"


@pytest.mark.parametrize("value", TELLING)
def test_an_identifier_in_a_column_that_nobody_asks_for_holds_the_file(clinic, value):
    clinic.sends("episodes.csv", with_notes(value))
    staged = clinic.stage()
    (reason,) = reasons(staged, "episodes.csv")
    assert 'column "remarks"' in reason
    assert value not in reason
    assert staged.account("episodes.csv") == (0, 2, 0, 0, 0)
    assert staged.account("booked.csv") == (4, 0, 0, 0, 0)


@pytest.mark.parametrize("value", ["jo.bloggs@example.org", "Sarah Jones"])
def test_an_identifier_in_a_column_that_is_asked_for_holds_the_file(clinic, value):
    clinic.sends("people.csv", f"client,age,gender,decile\nC1,30-39,{value},4\n")
    staged = clinic.stage()
    assert 'column "gender"' in next(iter(reasons(staged, "people.csv")))
    assert staged.tables["people"] == []


def test_a_client_id_that_is_an_nhs_number_leaves_as_a_code_and_holds_nothing(clinic):
    clinic.sends("people.csv", "client,age,gender,decile\n943 476 5919,30-39,female,4\n")
    staged = clinic.stage()
    assert staged.account("people.csv") == (1, 0, 0, 0, 0)
    assert "943 476 5919" not in str(staged.tables)


def test_a_column_called_surname_holds_the_file_whatever_it_holds(clinic):
    clinic.sends("clinicians.csv", STAFF.format(header="Surname", value="x"))
    assert 'column "Surname" seems to hold personal names' in next(iter(reasons(clinic.stage(), "clinicians.csv")))


def test_a_parquet_file_is_looked_through_and_held(clinic):
    clinic.sends_parquet("totals.parquet", f"SELECT *, 'lives at SW1A 1AA' AS remark FROM ({SMALL_TOTALS})")
    staged = clinic.stage()
    assert 'column "remark"' in next(iter(reasons(staged, "totals.parquet")))
    assert staged.account("totals.parquet") == (0, 1, 0, 0, 0)


def test_a_name_of_a_column_that_tells_somebody_is_not_repeated(clinic):
    clinic.sends("clinicians.csv", STAFF.format(header="jo.bloggs@example.org", value="jo.bloggs@example.org"))
    assert 'column "number 4"' in next(iter(reasons(clinic.stage(), "clinicians.csv")))


def test_one_identifier_among_ten_thousand_lines_is_found(clinic):
    lines = [f"E{number},C1,K1,2026-02-01,2026-03-02,,,fine {number}" for number in range(10_000)]
    lines[7_777] = "E7777,C1,K1,2026-02-01,2026-03-02,,,rang 07700 900123"
    head = "id,client,who,referred,started,ended,why,remarks\n"
    clinic.sends("episodes.csv", head + "\n".join(lines) + "\n")
    assert clinic.stage().account("episodes.csv") == (0, 10_000, 0, 0, 0)


def test_a_file_that_was_mended_is_read_and_the_old_one_stays_held(clinic):
    clinic.sends("episodes.csv", with_notes("jo.bloggs@example.org"))
    assert clinic.stage().tables["episodes"] == []
    clinic.sends("episodes.csv", with_notes("fine"))
    staged = clinic.stage()
    assert len(staged.tables["episodes"]) == 2
    assert staged.account("episodes.csv") == (2, 2, 0, 0, 0)


def test_a_column_that_the_clinic_allows_holds_nothing_and_is_still_not_read(clinic):
    clinic.sends("episodes.csv", with_notes("jo.bloggs@example.org"))
    clinic.config = (
        '[[privacy.allow]]\nfile = "ep*.csv"\ncolumn = "remarks"\nreason = "the system adds them"\n' + clinic.config
    )
    staged = clinic.stage()
    assert staged.account("episodes.csv") == (2, 0, 0, 0, 0)
    assert "bloggs" not in str(staged.tables)


def test_with_every_file_of_a_feed_that_is_needed_held_the_night_stops_in_one_line(clinic):
    clinic.sends("booked.csv", SMALL_EXPORT["booked.csv"].replace("minutes", "minutes,email").replace(",50\n", ",50,a.b@example.org\n").replace(",45\n", ",45,\n").replace("did_not_attend,\n", "did_not_attend,,\n"))  # fmt: skip
    with pytest.raises(WrongInput) as caught:
        clinic.stage()
    assert 'column "email"' in str(caught.value)
    assert "a.b@example.org" not in str(caught.value)


def test_the_same_bytes_are_looked_through_once(clinic, monkeypatch):
    clinic.sends("episodes.csv", with_notes("jo.bloggs@example.org"))
    first = clinic.stage()
    monkeypatch.setattr(identifier_search._Looker, "look", lambda *_: pytest.fail("looked again"))
    again = clinic.stage()
    assert again.refusals == first.refusals
    memory = (clinic.folder / "home" / "landing" / identifier_search.MEMORY).read_text(encoding="utf-8")
    assert "remarks" in memory
    assert "bloggs" not in memory


def test_only_what_is_mapped_is_in_the_tables_that_the_night_reads_into(clinic):
    """Whatever else a file has, it is in no table of the build, scratch or warehouse."""
    clinic.sends("episodes.csv", with_notes("unmistakable marker"))
    clinic.stage()
    seen = []
    with duckdb.connect() as con:
        night = clinic.night()
        files = landed_files(night.landing, mappings=night.service.feeds)
        for file in files:
            for claim in file.claims:
                feed = next(each for each in FEEDS if each.name == claim.feed)
                read_into(con, file, claim, feed=feed, codes=night.codes, table="read", scratch=night.work)
                names = {row[0] for row in con.sql("DESCRIBE read").fetchall()}
                promised = {column.name for column in feed.delivered} | {"source_line", "item_number", "item_value"}
                assert names <= promised
                seen.append(str(con.sql("FROM read").fetchall()))
    assert len(seen) == len(files)
    assert not any("unmistakable" in each or "'C1'" in each for each in seen)


PEOPLE = 'columns = { client_id = "client", age_band = "age", gender'
BORN = 'born_on = "dob"\ncolumns = { client_id = "client", gender'


@pytest.mark.parametrize(
    ("born", "band"),
    [("1986-11-20", "40-49"), ("1986-11-21", "30-39"), ("1936-11-20", "90+"), ("2026-11-20", "0-9"), ("", None)],
)
def test_a_date_of_birth_enters_as_ten_years_of_age_on_the_day_the_file_landed(clinic, born, band):
    assert PEOPLE in clinic.config
    clinic.config = clinic.config.replace(PEOPLE, BORN)
    clinic.sends("people.csv", f"client,dob,gender,decile\nC1,{born},female,4\n")
    assert clinic.stage().row("people", client_id="C1")["age_band"] == band


@pytest.mark.parametrize("born", ["1880-01-01", "2026-11-21", "20.11.1986", "unknown"])
def test_a_date_on_which_nobody_alive_was_born_is_refused_without_being_said(clinic, born):
    clinic.config = clinic.config.replace(PEOPLE, BORN)
    clinic.sends("people.csv", f"client,dob,gender,decile\nC1,{born},female,4\n")
    staged = clinic.stage()
    assert staged.rules("people.csv") == [(2, "age_band_unreadable")]
    assert born not in str(staged)


def test_free_text_where_a_label_belongs_is_refused(clinic):
    told = "she has lived alone since the spring and would rather not come in on mornings at all"
    clinic.sends("people.csv", f"client,age,gender,decile\nC1,30-39,{told},4\nC2,30-39,female,4\n")
    staged = clinic.stage()
    assert staged.rules("people.csv") == [(2, "gender_is_free_text")]
    assert told not in str(staged)
