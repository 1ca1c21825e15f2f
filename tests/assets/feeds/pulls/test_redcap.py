from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from assets.feeds.pulls.pulling import pull
from assets.feeds.pulls.settings import read_pulls
from tests.assets.feeds.pulls.redcap_pulls import FORMS, HTTP_DATE, PHQ9, clinic, fetched, project
from tests.assets.feeds.pulls.redcap_server import Project, Row, redcap_server


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


def test_a_text_longer_than_most_is_read_whole(tmp_path):
    given = clinic(1)
    given.rows[1].values["note"] = "long " * 400_000
    with redcap_server(given) as url:
        _, frame = fetched(project(url), tmp_path)
    assert frame["note"].str.len_bytes().to_list() == [2_000_000]


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
