import gzip
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.feeds.pulls.pulling import pull
from assets.feeds.pulls.redcap import RedcapProject
from assets.feeds.pulls.settings import read_pulls
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.http_server import Said
from tests.assets.feeds.pulls.redcap_server import TOKEN, Box, Project, Row, redcap_server

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
HTTP_DATE = "Fri, 20 Nov 2026 02:30:00 GMT"
FORMS = {
    "about": {"record_id": None, "code": None, "gender": {"1": "Woman", "2": "Man"}},
    "phq9": {"phq9_on": None, "phq9_1": None, "note": None, "why": Box({"a": "Sleep", "b": "Mood"})},
    "wai": {"wai_on": None, "wai_1": None},
}


def clinic(records=3, **words):
    """Each record has one `about`, as many `phq9` as its number, and a `wai` if its number is odd."""
    rows = []
    for number in range(1, records + 1):
        name = str(number)
        once = {"code": f"C-{number}", "gender": "1", "about_complete": "2"}
        if number % 2:
            once |= {"wai_on": "2026-03-01", "wai_1": "5", "wai_complete": "2"}
        rows.append(Row(name, once))
        rows += [
            Row(
                name,
                {"phq9_on": f"2026-01-{at:02d}", "phq9_1": str(at % 4), "why": ("b",), "phq9_complete": "2"},
                form="phq9",
                instance=at,
            )
            for at in range(1, number + 1)
        ]
    return Project(forms=FORMS, repeating={"phq9"}, labels={"phq9": "PHQ-9"}, rows=rows, **words)


PHQ9 = {"name": "phq9", "form": "phq9", "fields": ["code"]}


def project(url, *exports, name="forms", now=NOW, token=TOKEN, zone="Europe/London", **settings):
    table = {"kind": "redcap", "url": url, "token_variable": "TOKEN", "exports": list(exports or [PHQ9]), **settings}
    return RedcapProject(
        name=name, settings=read_pulls({name: table})[name], token=token, zone=ZoneInfo(zone), now=now, wait=0
    )


def fetched(source, folder, *, last_mark=None):
    """The first export's rows as one night has them, and what is told of them."""
    item = next(iter(source.new_items({})))
    told = source.fetch(item, to=folder / item.name, last_mark=last_mark)
    return told, pl.read_parquet(folder / item.name) if told.rows else None


def test_a_form_that_repeats_is_one_file_row_a_time_it_was_filled_and_carries_what_it_is_asked_to(tmp_path):
    with redcap_server(clinic()) as url:
        told, frame = fetched(project(url), tmp_path)
    assert told.rows == 6
    columns = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "code", "phq9_on"]
    assert frame.select(columns).rows() == [
        (str(number), "phq9", str(at), f"C-{number}", f"2026-01-{at:02d}")
        for number in (1, 2, 3)
        for at in range(1, number + 1)
    ]
    assert set(frame.dtypes) == {pl.String}


def test_a_form_that_stands_once_is_one_file_row_a_record_that_has_begun_it(tmp_path):
    with redcap_server(clinic()) as url:
        _, frame = fetched(project(url, {"name": "wai", "form": "wai"}), tmp_path)
    assert frame.rows(named=True) == [
        {
            "record_id": number,
            "redcap_event_name": None,
            "redcap_repeat_instrument": None,
            "redcap_repeat_instance": None,
            "wai_on": "2026-03-01",
            "wai_1": "5",
            "wai_complete": "2",
        }
        for number in ("1", "3")
    ]


def test_fields_alone_are_one_file_row_where_one_of_them_is_filled(tmp_path):
    given = clinic()
    given.rows[0].values.pop("code")
    with redcap_server(given) as url:
        _, frame = fetched(project(url, {"name": "codes", "fields": ["code"]}), tmp_path)
    assert frame.select("record_id", "code").rows() == [("2", "C-2"), ("3", "C-3")]


def test_a_form_of_every_event_keeps_its_event_and_carries_the_value_of_its_own(tmp_path):
    rows = [
        Row("1", {"code": "C-1", "wai_on": "2026-01-01"}, event="intake_arm_1"),
        Row("1", {"wai_on": "2026-02-01"}, event="week_4_arm_1"),
        Row("2", {"code": "C-2"}, event="intake_arm_1"),
        Row("2", {"code": "C-2b", "wai_on": "2026-02-02"}, event="week_4_arm_1"),
        Row("2", {"wai_on": "2026-03-02"}, event="week_8_arm_1"),
    ]
    events = ("intake_arm_1", "week_4_arm_1", "week_8_arm_1")
    given = Project(forms=FORMS, rows=rows, events=events)
    wai = {"name": "wai", "form": "wai", "fields": ["code"]}
    with redcap_server(given) as url:
        _, frame = fetched(project(url, wai), tmp_path)
        _, later = fetched(project(url, wai | {"events": events[1:]}), tmp_path)
    columns = ["record_id", "redcap_event_name", "code", "wai_on"]
    assert frame.select(columns).rows() == [
        ("1", "intake_arm_1", "C-1", "2026-01-01"),
        ("1", "week_4_arm_1", "C-1", "2026-02-01"),
        ("2", "week_4_arm_1", "C-2b", "2026-02-02"),
        ("2", "week_8_arm_1", None, "2026-03-02"),
    ]
    assert later["redcap_event_name"].to_list() == ["week_4_arm_1", "week_4_arm_1", "week_8_arm_1"]


def test_a_report_is_one_answer_and_may_be_narrowed_to_a_form_that_repeats(tmp_path):
    given = clinic(reports={77: ["record_id", "code", "phq9_on"]})
    with redcap_server(given) as url:
        told, frame = fetched(project(url, {"name": "all", "report": 77}), tmp_path)
        _, narrowed = fetched(project(url, {"name": "phq9", "report": 77, "repeats": "phq9"}), tmp_path)
    assert (frame.height, told.mark) == (9, None)
    assert narrowed["phq9_on"].null_count() == 0
    assert narrowed.height == 6
    assert given.asked[0]["content"] == "report"


def test_codes_or_words_and_boxes_come_as_the_settings_say(tmp_path):
    about, why = {"name": "about", "form": "about"}, {"name": "phq9", "form": "phq9"}
    words = {"values": "label"}
    with redcap_server(clinic()) as url:
        frames = [
            fetched(project(url, export), tmp_path)[1].row(0, named=True)
            for export in (about, about | words, why, why | words, why | words | {"checkbox_labels": True})
        ]
    assert [frames[0]["gender"], frames[1]["gender"]] == ["1", "Woman"]
    assert [(each["why___a"], each["why___b"]) for each in frames[2:]] == [
        ("0", "1"),
        ("Unchecked", "Checked"),
        (None, "Mood"),
    ]
    assert frames[3]["redcap_repeat_instrument"] == "PHQ-9"


def test_codes_of_what_is_missing_become_blank_but_never_a_records_name(tmp_path):
    given = clinic(2)
    given.rows[0].values |= {"code": "UNK", "gender": "2"}
    given.rows[2].record = given.rows[3].record = given.rows[4].record = "-99"
    given.rows[2].values["gender"] = "-99"
    about = {"name": "about", "form": "about", "missing_codes": ["UNK", "-99"]}
    with redcap_server(given) as url:
        _, frame = fetched(project(url, about), tmp_path)
    assert frame.select("record_id", "code", "gender").rows() == [("1", None, "2"), ("-99", "C-2", None)]


def test_groups_and_the_times_of_surveys_come_where_they_are_asked_for(tmp_path):
    given = clinic(1, groups={"1": "north"})
    given.rows[1].values["phq9_timestamp"] = "2026-01-01 10:00:00"
    with redcap_server(given) as url:
        _, frame = fetched(project(url, data_access_groups=True, survey_fields=True), tmp_path)
    row = frame.row(0, named=True)
    assert (row["redcap_data_access_group"], row["phq9_timestamp"]) == ("north", "2026-01-01 10:00:00")


def test_a_text_of_several_lines_with_quotes_and_letters_of_any_kind_stays_as_it_is(tmp_path):
    given = clinic(1)
    given.rows[1].values["note"] = 'first "line",\r\nthen\nÅse, żółć, 心'
    with redcap_server(given) as url:
        _, frame = fetched(project(url), tmp_path)
    assert frame["note"].to_list() == ['first "line",\r\nthen\nÅse, żółć, 心']


def test_a_filter_of_redcaps_own_is_passed_on(tmp_path):
    with redcap_server(clinic()) as url:
        _, frame = fetched(project(url, PHQ9 | {"filter_logic": '[code] = "C-2"'}), tmp_path)
    assert frame["record_id"].to_list() == ["2", "2"]


def test_every_file_has_the_columns_that_repeating_adds_even_where_a_batch_has_none(tmp_path):
    given = clinic(3)
    given.rows = [row for row in given.rows if not (row.record == "1" and row.form)]
    given.rows[0].values |= {"phq9_on": "2026-05-05", "phq9_complete": "2"}
    given.repeating = set()
    with redcap_server(given) as url:
        _, frame = fetched(project(url, records_at_once=1), tmp_path)
    assert frame.select("record_id", "redcap_repeat_instance").rows()[:2] == [("1", None), ("2", "1")]


def test_the_first_night_asks_for_everything_and_the_next_for_what_has_changed(tmp_path):
    given = clinic()
    given.wrong = {1: lambda said: replace(said, headers={"Date": HTTP_DATE})}
    with redcap_server(given) as url:
        told, _ = fetched(project(url), tmp_path)
        given.changed = {"2": datetime(2026, 11, 20, 12)}  # noqa: DTZ001 - the server's own zone
        later = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
        _, frame = fetched(project(url, now=later), tmp_path, last_mark=told.mark)
    assert set(frame["record_id"]) == {"2"}
    assert "dateRangeBegin" not in given.asked[0]


def test_the_overlap_and_the_servers_zone_say_since_when_and_its_clock_what_tonight_was(tmp_path):
    given = clinic()
    given.wrong = {1: lambda said: replace(said, headers={"Date": HTTP_DATE})}
    asked = {"New York": {"time_zone": "America/New_York"}, "here": {}}
    with redcap_server(given) as url:
        told, _ = fetched(project(url, now=datetime(2031, 1, 1, tzinfo=UTC)), tmp_path)
        assert told.mark == "2026-11-20T02:30:00+00:00 2026-11-20T02:30:00+00:00"
        for zone in asked.values():
            fetched(project(url, PHQ9 | {"overlap_hours": 3}, **zone), tmp_path, last_mark=told.mark)
        fetched(project(url), tmp_path, last_mark=told.mark)
    begun = [form["dateRangeBegin"] for form in given.asked if "dateRangeBegin" in form]
    assert begun == ["2026-11-19 18:30:00", "2026-11-19 23:30:00", "2026-11-18 02:30:00"]


def test_the_default_overlap_is_wider_than_any_two_zones_are_apart():
    settings = read_pulls({"r": {"kind": "redcap", "url": "https://x/api/", "token_variable": "T", "exports": [PHQ9]}})
    assert settings["r"].exports[0].overlap_hours > 14 + 12


def test_everything_is_asked_for_again_as_often_as_the_settings_say_and_each_night_where_they_say_so(tmp_path):
    given = clinic()
    week_ago = "2026-11-19T02:30:00+00:00 2026-11-13T02:30:00+00:00"
    days_ago = "2026-11-19T02:30:00+00:00 2026-11-14T02:30:00+00:00"
    with redcap_server(given) as url:
        for mark in (week_ago, days_ago):
            fetched(project(url), tmp_path, last_mark=mark)
        always = project(url, PHQ9 | {"full_every_days": 0})
        told, _ = fetched(always, tmp_path, last_mark=days_ago)
        names = [next(iter(each.new_items({}))).name for each in (project(url), always)]
    lists = [form for form in given.asked if "forms[0]" not in form]
    assert ["dateRangeBegin" in form for form in lists] == [False, True, False]
    assert names == ["phq9-20261120T023000.parquet", "phq9.parquet"]
    assert told.rows == 6


def test_a_night_in_which_nothing_changed_makes_no_file_and_the_next_asks_from_where_it_was(tmp_path):
    given = clinic()
    with redcap_server(given) as url:
        pull("forms", project(url), into=tmp_path, wait=0)
        marks = (tmp_path / "forms" / ".marks.json").read_text()
        assert pull("forms", project(url), into=tmp_path, wait=0) == ()
    assert (tmp_path / "forms" / ".marks.json").read_text() == marks
    assert [path.name for path in (tmp_path / "forms").glob("*.parquet")] == ["phq9-20261120T023000.parquet"]


def test_no_question_has_more_fields_than_php_takes_and_none_it_drops_is_lost(tmp_path):
    given = Project(forms=FORMS, rows=[Row(str(at), {"code": str(at), "about_complete": "2"}) for at in range(1, 1996)])
    about = {"name": "about", "form": "about"}
    with redcap_server(given) as url:
        _, frame = fetched(project(url, about, records_at_once=900), tmp_path)
        assert max(map(len, given.asked)) < 1000
        assert frame["record_id"].to_list() == [str(at) for at in range(1, 1996)]
        given.asked.clear()
        source = project(url, about)
        wider = source.settings.model_copy(update={"records_at_once": 1100})
        _, frame = fetched(replace(source, settings=wider), tmp_path)
    assert max(map(len, given.asked)) == 1000
    assert set(frame["record_id"]) == {str(at) for at in range(1, 1996)}
    assert frame["record_id"].is_unique().all()


def test_an_answer_that_ends_properly_too_early_is_completed(tmp_path):
    given = clinic(6)

    def half(said):
        return replace(said, body=b"".join(said.body.splitlines(keepends=True)[:4]))

    given.wrong = {2: half}
    with redcap_server(given) as url:
        _, frame = fetched(project(url, {"name": "about", "form": "about"}), tmp_path)
    assert sorted(frame["record_id"]) == ["1", "2", "3", "4", "5", "6"]


def cut(said, *, share=0.5):
    return replace(said, cut_after=int(len(said.body) * share))


@pytest.mark.parametrize("share", [0.5, 1])
@pytest.mark.parametrize("question", range(1, 7))
def test_a_connection_cut_at_any_page_loses_and_doubles_nothing_and_costs_one_page(tmp_path, question, share):
    given = clinic(10)
    with redcap_server(given) as url:
        pull("whole", project(url, name="whole", records_at_once=2), into=tmp_path, wait=0)
        given.asked.clear()
        given.wrong = {question: lambda said: cut(said, share=share)}
        pull("cut", project(url, name="cut", records_at_once=2), into=tmp_path, wait=0)
    assert len(given.asked) == 7
    whole, mended = (pl.read_parquet(tmp_path / name / "phq9-20261120T023000.parquet") for name in ("whole", "cut"))
    assert mended.equals(whole)
    assert whole.height == 55


@pytest.mark.parametrize("question", range(1, 7))
def test_a_pull_that_dies_at_any_page_leaves_nothing_half_and_the_next_night_has_it_all(tmp_path, question):
    given = clinic(10)
    given.wrong = dict.fromkeys(range(question, question + 4), cut)
    with redcap_server(given) as url:
        with pytest.raises(WrongInput, match=r"^pulls\.forms: the system's answer was cut off, asked 4 times; "):
            pull("forms", project(url, records_at_once=2), into=tmp_path, wait=0)
        assert list((tmp_path / "forms").glob("phq9*")) == []
        given.wrong = {}
        pull("forms", project(url, records_at_once=2), into=tmp_path, wait=0)
    frame = pl.read_parquet(tmp_path / "forms" / "phq9-20261120T023000.parquet")
    assert frame.select("record_id", "redcap_repeat_instance").is_unique().all()
    assert frame.height == 55


@given(
    records=st.integers(0, 9),
    at_once=st.integers(1, 4),
    cuts=st.dictionaries(st.integers(1, 12), st.floats(0, 1), max_size=3),
)
@settings(max_examples=12, deadline=None)
def test_whatever_is_cut_every_row_comes_once(tmp_path_factory, records, at_once, cuts):
    folder = tmp_path_factory.mktemp("cut")
    given = clinic(records)
    given.wrong = {at: lambda said, share=share: cut(said, share=share) for at, share in cuts.items()}
    with redcap_server(given) as url:
        pull("forms", project(url, records_at_once=at_once), into=folder, wait=0)
    files = list(folder.glob("forms/*.parquet"))
    rows = [] if not files else pl.read_parquet(files[0]).select("record_id", "redcap_repeat_instance").rows()
    assert rows == [(str(number), str(at)) for number in range(1, records + 1) for at in range(1, number + 1)]


PASSING = {
    "429": lambda _: Said(status=429, headers={"Retry-After": "0"}),
    "500": lambda _: Said(status=500, body=b'{"error":"An unknown error occurred."}'),
    "503 with a page": lambda _: Said(status=503, body=b"<!DOCTYPE html><html>Maintenance"),
    "200 with a page": lambda _: Said(body=b"\n<!DOCTYPE HTML>\n<html><head><title>REDCap</title>"),
    "200 and offline": lambda _: Said(body=b'{"error":"REDCap is currently offline. Please return later."}'),
    "a warning before the table": lambda said: replace(said, body=b"<br />\n<b>Warning</b>: x\n" + said.body),
    "a row that is torn": lambda said: replace(said, body=said.body[:-4]),
    "a quote that stays open": lambda said: replace(said, body=said.body + b'9,"'),
    "letters that are none": lambda said: replace(said, body=said.body.replace(b"2026", b"\xff\xfe26")),
    "spoilt packing": lambda said: replace(
        said, body=gzip.compress(said.body)[:-9] + b"?????????", headers={"Content-Encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("wrong", PASSING)
def test_what_passes_is_asked_again(tmp_path, wrong):
    given = clinic(4)
    given.wrong = {3: PASSING[wrong]}
    with redcap_server(given) as url:
        pull("forms", project(url, records_at_once=2), into=tmp_path, wait=0)
    assert len(given.asked) == 4
    assert pl.read_parquet(tmp_path / "forms" / "phq9-20261120T023000.parquet").height == 10


def test_a_server_that_is_slow_is_left_and_asked_again(tmp_path):
    given, gate = clinic(4), threading.Event()
    given.wrong = {2: lambda said: replace(said, pause_in_body=gate)}
    try:
        with redcap_server(given) as url:
            source = project(url)
            quick = source.settings.model_copy(update={"seconds": 0.5})
            pull("forms", replace(source, settings=quick), into=tmp_path, wait=0)
            gate.set()
    finally:
        gate.set()
    assert len(given.asked) == 3


LASTING = {
    "a token that is not let in": (
        {"token": "0" * 32},
        "pulls.forms.token_variable: REDCap does not let us in (403); ",
    ),
    "a field that the project lacks": (
        {"exports": [PHQ9 | {"fields": ["kode"]}]},
        "pulls.forms.exports.phq9: REDCap does not take the question (400) and speaks of kode; ",
    ),
    "a form that the project lacks": (
        {"exports": [{"name": "x", "form": "phq8"}]},
        "pulls.forms.exports.x: REDCap does not take the question (400) and speaks of phq8; ",
    ),
    "an event that the project lacks": (
        {"exports": [PHQ9 | {"events": ["week_9"]}]},
        "pulls.forms.exports.phq9: REDCap does not take the question (400) and speaks of week_9; ",
    ),
    "a report that the project lacks": (
        {"exports": [{"name": "x", "report": 5}]},
        "pulls.forms.exports.x: REDCap does not take the question (400); ",
    ),
    "a filter that is none": (
        {"exports": [PHQ9 | {"filter_logic": "[code"}]},
        "pulls.forms.exports.phq9: REDCap does not take the question (400); ",
    ),
}


@pytest.mark.parametrize("wrong", LASTING)
def test_what_lasts_is_asked_once_and_said_in_one_line(tmp_path, wrong):
    words, line = LASTING[wrong]
    given = clinic()
    with redcap_server(given) as url:
        source = project(url, *words.get("exports", ()), token=words.get("token", TOKEN))
        with pytest.raises(WrongInput) as told:
            pull("forms", source, into=tmp_path, wait=0)
    assert str(told.value).startswith(line)
    assert "\n" not in str(told.value)
    assert len(given.asked) <= 2


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (
            403,
            b'<?xml version="1.0" encoding="UTF-8" ?><hash><error>You do not have permissions</error></hash>',
            "let us in",
        ),
        (403, b"ERROR: You do not have permissions to use the API", "let us in"),
        (403, b"<html>Forbidden: 10.1.2.3</html>", "let us in"),
        (401, b"", "let us in"),
        (200, b'{"error":"You do not have permissions to use the API"}', "let us in"),
        (200, b"<hash><error>You do not have API Export privileges</error></hash>", "let us in"),
        (400, b'ERROR: The value of "format" is not valid', "does not take the question"),
        (501, b'{"error":"The requested method is not implemented."}', "does not take the question"),
        (404, b"<html>not here</html>", "knows nothing there"),
        (302, b"", "sends us to another address"),
        (200, b"<b>Fatal error</b>: Allowed memory size of 1 bytes exhausted", "ran out of memory or time"),
        (200, b"study_id,code\nC-77,1\n", "no column with the record's name"),
    ],
)
def test_every_shape_of_complaint_is_understood_and_none_of_its_words_passed_on(tmp_path, status, body, what):
    given = clinic()
    given.wrong = {1: lambda _: Said(status=status, body=body, headers={"Location": "https://elsewhere/"})}
    with redcap_server(given) as url, pytest.raises(WrongInput, match=what) as told:
        pull("forms", project(url), into=tmp_path, wait=0)
    assert not {"10.1.2.3", "C-77", "elsewhere", "API Export"} & set(str(told.value).replace(";", " ").split())
    assert len(given.asked) == 1


def test_a_field_that_is_withheld_without_a_word_is_missed(tmp_path):
    given = clinic()
    given.wrong = {2: lambda said: replace(said, body=said.body.replace(b",code,", b",kode,"))}
    with (
        redcap_server(given) as url,
        pytest.raises(WrongInput, match=r"\.fields: REDCap leaves out code; mend the name"),
    ):
        pull("forms", project(url), into=tmp_path, wait=0)


def test_a_form_that_changes_between_two_pages_is_asked_for_anew(tmp_path):
    given = clinic(4)
    given.wrong = {3: lambda said: replace(said, body=said.body.replace(b"note", b"notes"))}
    with redcap_server(given) as url:
        pull("forms", project(url, records_at_once=2), into=tmp_path, wait=0)
    assert len(given.asked) == 6
    frame = pl.read_parquet(tmp_path / "forms" / "phq9-20261120T023000.parquet")
    assert (frame.height, "note" in frame.columns) == (10, True)


def test_the_token_travels_in_the_question_alone(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for wrong in (
        {},
        {1: lambda _: Said(status=403)},
        dict.fromkeys(range(1, 9), cut),
        {2: PASSING["200 with a page"]},
    ):
        given = clinic(wrong=wrong)
        with redcap_server(given) as url:
            source = project(url)
            told.append(repr(source))
            try:
                pull("forms", source, into=tmp_path / "a", wait=0)
            except WrongInput as error:
                told += [str(error), repr(error.__cause__)]
        assert given.asked[0]["token"] == TOKEN
    kept = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN not in caplog.text + " ".join(told) + kept


@pytest.mark.parametrize(
    ("export", "settings", "place"),
    [
        ({}, {"url": "http://redcap.clinic.example/api/"}, "pulls.forms.url"),
        ({}, {"url": "https://me:secret@redcap.clinic.example/api/"}, "pulls.forms.url"),  # pragma: allowlist secret
        ({}, {"url": "redcap.clinic.example"}, "pulls.forms.url"),
        ({}, {"time_zone": "Mars/Olympus"}, "pulls.forms.time_zone"),
        ({}, {"records_at_once": 1000}, "pulls.forms.records_at_once"),
        ({}, {"exports": [PHQ9, PHQ9]}, "pulls.forms:"),
        ({}, {"exports": [{"name": "x"}]}, "pulls.forms.exports.0"),
        ({"report": 3}, {}, "pulls.forms.exports.0"),
        ({"repeats": "phq9"}, {}, "pulls.forms.exports.0"),
        ({"form": "PHQ 9"}, {}, "pulls.forms.exports.0.form"),
        ({"token": "x"}, {}, "pulls.forms.exports.0.token"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(export, settings, place):
    table = {"kind": "redcap", "url": "https://x/api/", "token_variable": "T", "exports": [PHQ9 | export]} | settings
    with pytest.raises(WrongInput) as wrong:
        read_pulls({"forms": table})
    assert str(wrong.value).startswith(place)
    assert "secret@" not in str(wrong.value)
