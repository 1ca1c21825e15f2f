import tomllib
from pathlib import Path

import pytest

from assets.contracts.staging import FEEDS
from assets.feeds.mapping import FeedMapping, glob_to_regex
from assets.feeds.mapping_checks import read_mappings
from assets.feeds.wrong_input import WrongInput

INSTRUMENTS = {"WAI-SR": 12, "PHQ-9": 9, "GAD-7": 7, "SRS": 4, "ORS": 4, "CSI-4": 4}
ATTENDANCE = {
    "files": "appointments.csv",
    "columns": {
        "appointment_id": "Appt",
        "case_id": "Client",
        "clinician_id": "Staff",
        "starts_at": ["Date", "Time"],
        "status": "Outcome",
    },
    "words": {"status": {"Came": "attended"}},
}
ALLIANCE = {
    "files": "srs.csv",
    "columns": {"rating_id": "Form", "client_id": "Client", "completed_on": "Date"},
    "constants": {"instrument": "SRS", "rater": "client"},
    "items": "srs_{n}",
}
OUTCOMES = {
    "files": "phq9.csv",
    "columns": {"rating_id": "Form", "client_id": "Client", "completed_on": "Date"},
    "constants": {"instrument": "PHQ-9", "rater": "client"},
    "total": "Total",
}


def read(**feeds: object) -> dict[str, tuple[FeedMapping, ...]]:
    section = {"attendance": [ATTENDANCE], "alliance": [ALLIANCE], "outcomes": [OUTCOMES], **feeds}
    return read_mappings(section, feeds=FEEDS, instruments=INSTRUMENTS)


def test_the_three_site_example_maps_every_feed(repository: Path):
    written = tomllib.loads((repository / "pipelines/examples/three_sites.toml").read_text(encoding="utf-8"))
    mappings = read_mappings(written["feeds"], feeds=FEEDS, instruments=INSTRUMENTS)
    assert {name: len(each) for name, each in mappings.items()} == {
        "clinicians": 1,
        "people": 1,
        "episodes": 1,
        "attendance": 4,
        "alliance": 3,
        "outcomes": 4,
    }
    assert [mapping.place for mapping in mappings["alliance"]] == [
        "feeds.alliance[0]",
        "feeds.alliance[1]",
        "feeds.alliance[2]",
    ]


def test_a_pattern_of_items_is_written_out_to_as_many_as_the_instrument_has():
    assert read()["alliance"][0].item_columns == ("srs_1", "srs_2", "srs_3", "srs_4")


def test_a_case_is_the_client_where_nothing_else_is_said():
    assert read()["outcomes"][0].columns["case_id"] == ("Client",)


def test_a_case_that_is_cut_out_of_the_clients_id_is_left_as_it_is():
    cut = {"case_id": {"from": "Client", "regex": "^(.+)-[ab]$"}}
    (mapping,) = read(outcomes=[{**OUTCOMES, "patterns": cut}])["outcomes"]
    assert "case_id" not in mapping.columns
    assert mapping.patterns["case_id"].source == "Client"


def test_a_single_table_stands_for_a_list_of_one():
    assert read(attendance=ATTENDANCE) == read()


def test_a_feed_that_may_be_missing_is_left_out():
    assert "people" not in read()


def changed(table: dict[str, object], **keys: object) -> list[dict[str, object]]:
    """A list of the one table with keys replaced, or taken out where they are None."""
    merged = {**table, **keys}
    return [{key: value for key, value in merged.items() if value is not None}]


def columns(table: dict[str, object], **keys: object) -> list[dict[str, object]]:
    return changed(table, columns=changed(table["columns"], **keys)[0])


WRONG = {
    "an unknown feed": ({"atendance": []}, "feeds.atendance", 'did you mean "attendance"?'),
    "a required feed without a mapping": ({"outcomes": []}, "feeds.outcomes", "add a [[feeds.outcomes]] table"),
    "a feed that is no table": ({"outcomes": "phq9.csv"}, "feeds.outcomes", "write [[feeds.outcomes]]"),
    "a mapping that is no table": ({"outcomes": ["phq9.csv"]}, "feeds.outcomes[0]", "write [[feeds.outcomes]]"),
    "a misspelt key": (
        {"attendance": changed(ATTENDANCE, encodign="utf-8")},
        "feeds.attendance[0].encodign",
        'did you mean "encoding"?',
    ),
    "a key that is ours": ({"attendance": changed(ATTENDANCE, index=3)}, "feeds.attendance[0].index", "take it out"),
    "no files": ({"attendance": changed(ATTENDANCE, files=None)}, "feeds.attendance[0].files", "add it"),
    "a format that is not read": (
        {"attendance": changed(ATTENDANCE, format="xlsx")},
        "feeds.attendance[0].format",
        "'parquet', 'excel'",
    ),
    "an unknown contract column": (
        {"attendance": columns(ATTENDANCE, stauts="X")},
        "feeds.attendance[0].columns.stauts",
        'did you mean "status"?',
    ),
    "a missing contract column": (
        {"attendance": columns(ATTENDANCE, status=None, appointment_id=None)},
        "feeds.attendance[0].columns.appointment_id",
        "name the file's column",
    ),
    "a column given twice": (
        {"attendance": changed(ATTENDANCE, constants={"status": "attended"})},
        "feeds.attendance[0].constants.status",
        "keep one of the two",
    ),
    "a column of no name": (
        {"attendance": columns(ATTENDANCE, status="")},
        "feeds.attendance[0].columns.status",
        "name the file's column",
    ),
    "a word that is none of the vocabulary": (
        {"attendance": changed(ATTENDANCE, words={"status": {"Came": "atended"}})},
        "feeds.attendance[0].words.status.Came",
        'did you mean "attended"?',
    ),
    "words of a column that is not mapped": (
        {"attendance": changed(ATTENDANCE, words={"modality": {"v": "video"}})},
        "feeds.attendance[0].words.modality",
        "add feeds.attendance[0].columns.modality",
    ),
    "a word with blanks around it": (
        {"attendance": changed(ATTENDANCE, words={"status": {"Came ": "attended"}})},
        "feeds.attendance[0].words.status",
        "write the word alone",
    ),
    "a constant that is none of the vocabulary": (
        {"alliance": changed(ALLIANCE, constants={"instrument": "SRS", "rater": "myself"})},
        "feeds.alliance[0].constants.rater",
        "words are: client, clinician, observer",
    ),
    "a blank constant": (
        {"attendance": changed(ATTENDANCE, constants={"site": " "})},
        "feeds.attendance[0].constants.site",
        "write a word",
    ),
    "an unknown encoding": (
        {"attendance": changed(ATTENDANCE, encoding="utf-9")},
        "feeds.attendance[0].encoding",
        'write "utf-8"',
    ),
    "an encoding that is none of text": (
        {"attendance": changed(ATTENDANCE, encoding="base64")},
        "feeds.attendance[0].encoding",
        'write "utf-8"',
    ),
    "a bad date format": (
        {"outcomes": changed(OUTCOMES, date_format="dd/mm/yyyy")},
        "feeds.outcomes[0].date_format",
        "%d/%m/%Y",
    ),
    "a date format without a year": (
        {"outcomes": changed(OUTCOMES, date_format="%d/%m")},
        "feeds.outcomes[0].date_format",
        "%d/%m/%Y",
    ),
    "a date format with a quote in it": (
        {"outcomes": changed(OUTCOMES, date_format="%d'%m'%Y")},
        "feeds.outcomes[0].date_format",
        "%d/%m/%Y",
    ),
    "a moment without a time": (
        {"attendance": changed(ATTENDANCE, datetime_format="%Y-%m-%d")},
        "feeds.attendance[0].datetime_format",
        "%H:%M",
    ),
    "a delimiter of two characters": (
        {"attendance": changed(ATTENDANCE, delimiter="||")},
        "feeds.attendance[0].delimiter",
        'write ","',
    ),
    "a decimal mark that is the delimiter": (
        {"attendance": changed(ATTENDANCE, decimal=",")},
        "feeds.attendance[0].decimal",
        "another delimiter",
    ),
    "a pattern that is no regular expression": (
        {"outcomes": changed(OUTCOMES, patterns={"case_id": {"from": "Client", "regex": "(.+"}})},
        "feeds.outcomes[0].patterns.case_id.regex",
        "^(.+)-[ab]$",
    ),
    "a pattern that DuckDB has no words for": (
        {"outcomes": changed(OUTCOMES, patterns={"case_id": {"from": "Client", "regex": "(.+)(?=-)"}})},
        "feeds.outcomes[0].patterns.case_id.regex",
        "^(.+)-[ab]$",
    ),
    "a pattern of two groups": (
        {"outcomes": changed(OUTCOMES, patterns={"case_id": {"from": "Client", "regex": "(.+)-(.)"}})},
        "feeds.outcomes[0].patterns.case_id.regex",
        "the one part wanted",
    ),
    "a filter for no value": (
        {"outcomes": changed(OUTCOMES, only={"Measure": []})},
        "feeds.outcomes[0].only.Measure",
        "list the values",
    ),
    "items of a feed without forms": (
        {"attendance": changed(ATTENDANCE, items="x{n}")},
        "feeds.attendance[0].items",
        "take it out",
    ),
    "no answers": ({"outcomes": changed(OUTCOMES, total=None)}, "feeds.outcomes[0].items", "add items or total"),
    "a pattern without a place for the number": (
        {"alliance": changed(ALLIANCE, items="srs")},
        "feeds.alliance[0].items",
        'write "phq9_{n}"',
    ),
    "an item given twice": (
        {"alliance": changed(ALLIANCE, items=["a", "b", "c", "a"])},
        "feeds.alliance[0].items",
        "list each item once",
    ),
    "too few items": (
        {"alliance": changed(ALLIANCE, items=["a", "b", "c"])},
        "feeds.alliance[0].items",
        "list every item once",
    ),
    "a pattern of items of an unknown instrument": (
        {
            "alliance": changed(
                ALLIANCE, constants={"rater": "client"}, columns={**ALLIANCE["columns"], "instrument": "Measure"}
            )
        },
        "feeds.alliance[0].items",
        "add feeds.alliance[0].constants.instrument",
    ),
    "an unknown instrument": (
        {"outcomes": changed(OUTCOMES, constants={"instrument": "PHQ9", "rater": "client"})},
        "feeds.outcomes[0].constants.instrument",
        'did you mean "PHQ-9"?',
    ),
    "a word for an unknown instrument": (
        {
            "outcomes": changed(
                OUTCOMES,
                constants={"rater": "client"},
                columns={**OUTCOMES["columns"], "instrument": "Measure"},
                words={"instrument": {"P9": "PHQ9"}},
            )
        },
        "feeds.outcomes[0].words.instrument.P9",
        'did you mean "PHQ-9"?',
    ),
    "items of no name": (
        {"outcomes": changed(OUTCOMES, items=[])},
        "feeds.outcomes[0].items",
        "name the file's column",
    ),
    "a long layout without its columns": (
        {"outcomes": changed(OUTCOMES, layout="long", total=None, item_number="Item")},
        "feeds.outcomes[0].item_value",
        "add it",
    ),
    "a long layout with a total": (
        {"outcomes": changed(OUTCOMES, layout="long", item_number="Item", item_value="Value")},
        "feeds.outcomes[0].total",
        "take it out",
    ),
    "a wide layout with item numbers": (
        {"outcomes": changed(OUTCOMES, item_number="Item")},
        "feeds.outcomes[0].item_number",
        "layout",
    ),
    "items among the columns": (
        {"outcomes": columns(OUTCOMES, total="Total")},
        "feeds.outcomes[0].columns.total",
        "write feeds.outcomes[0].total instead",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_mapping_is_one_line_with_the_key_and_the_mend(case: str):
    feeds, place, mend = WRONG[case]
    with pytest.raises(WrongInput) as caught:
        read(**feeds)
    said = str(caught.value)
    assert caught.value.place == place
    assert said.startswith(f"{place}: ")
    assert mend in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("glob", "names", "others"),
    [
        ("north/*.csv", ["north/a.csv"], ["north/b/a.csv", "north/a.CSV", "a.csv"]),
        ("**/a?.csv", ["a1.csv", "x/a1.csv", "x/y/a2.csv"], ["a.csv", "ba1.csv"]),
        ("./a.csv", ["a.csv"], ["aXcsv"]),
        ("x/**", ["x/a", "x/y/b"], ["xa"]),
    ],
)
def test_a_glob_stays_within_its_folder_unless_it_has_two_stars(glob: str, names: list[str], others: list[str]):
    assert all(glob_to_regex(glob).fullmatch(name) for name in names)
    assert not any(glob_to_regex(glob).fullmatch(name) for name in others)


@pytest.mark.parametrize(
    ("feed", "columns", "said"),
    [
        ("people", {"client_id": "id", "age_band": "age"}, "another key"),
        ("clinicians", {"clinician_id": "id"}, "has no ages"),
    ],
)
def test_a_date_of_birth_gives_an_age_band_where_there_is_one_to_give(feed, columns, said):
    with pytest.raises(WrongInput, match=said):
        read(**{feed: [{"files": "a.csv", "born_on": "dob", "columns": columns}]})
