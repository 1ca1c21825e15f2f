"""The keys that say what a file is, each where it belongs or refused in one line."""

import pytest

from assets.contracts.staging import FEEDS
from assets.feeds.mapping import FeedMapping, place_in_order
from assets.feeds.mapping_checks import read_mappings
from assets.feeds.wrong_input import WrongInput

INSTRUMENTS = {"PHQ-9": 9, "SRS": 4}
CLINICIANS = {"files": ["staff.*", "sent.zip"], "columns": {"clinician_id": "who", "site": "place"}}
FORMS = {
    "columns": {"rating_id": "form", "client_id": "client", "completed_on": "on"},
    "constants": {"rater": "client"},
    "total": "total",
}
NEEDED = {
    "attendance": [
        {
            "files": "a.csv",
            "columns": {name: name for name in ("appointment_id", "case_id", "clinician_id", "starts_at", "status")},
        }
    ],
    "alliance": [{**FORMS, "files": "b.csv", "constants": {"rater": "client", "instrument": "SRS"}}],
    "outcomes": [{**FORMS, "files": "c.csv", "constants": {"rater": "client", "instrument": "PHQ-9"}}],
}


def read(**keys: object) -> FeedMapping:
    section = {**NEEDED, "clinicians": [{**CLINICIANS, **keys}]}
    return read_mappings(section, feeds=FEEDS, instruments=INSTRUMENTS)["clinicians"][0]


def test_a_tsv_file_has_tabs():
    assert read(format="tsv").delimiter == "\t"
    assert read(format="tsv", delimiter="\t").is_text


def test_members_may_be_one_glob_and_are_all_where_none_is_given():
    assert read(members="a/*.csv").members == ("a/*.csv",)
    assert read().claims("sent.zip", member="any/thing.csv")
    assert not read(members="a/*.csv").claims("sent.zip", member="b/x.csv")
    assert read(members="a/*.csv").claims("sent.zip")


def test_a_file_without_a_date_counts_by_the_date_of_what_it_came_in():
    mapping = read()
    assert place_in_order("x_2026-11-02.zip/a.csv", [mapping], sent_as="x_2026-11-02.zip")[0].day == 2
    assert place_in_order("x_2026-11-02.zip/a_20261103.csv", [mapping], sent_as="x_2026-11-02.zip")[0].day == 3


@pytest.mark.parametrize(
    ("keys", "place", "mend"),
    [
        ({"format": "xlsx"}, "format", "input should be 'csv', 'tsv', 'parquet', 'excel', 'spss' or 'stata'"),
        ({"sheet": "A"}, "sheet", 'take it out, or write format = "excel"'),
        ({"header_row": 3, "format": "spss"}, "header_row", 'take it out, or write format = "excel"'),
        ({"header_row": 0, "format": "excel"}, "header_row", "input should be greater than or equal to 1"),
        ({"labels": ["place"], "format": "excel"}, "labels", 'take it out, or write format = "spss"'),
        ({"labels": ["plaec"], "format": "stata"}, "labels", 'did you mean "place"?'),
        ({"format": "tsv", "delimiter": ";"}, "delimiter", 'take it out, or write format = "csv"'),
        ({"members": ""}, "members", "write a glob, or take it out"),
        ({"members": "a*", "files": "staff.csv"}, "members", "take it out"),
    ],
)
def test_a_key_that_does_not_go_with_the_format_is_said(keys: dict[str, object], place: str, mend: str):
    with pytest.raises(WrongInput) as caught:
        read(**keys)
    assert caught.value.place == f"feeds.clinicians[0].{place}"
    assert caught.value.mend == mend
