import gzip
import logging
import threading
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.feeds.pulls.pulling import pull
from assets.feeds.pulls.settings import read_pulls
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.http_server import Said
from tests.assets.feeds.pulls.redcap_pulls import PHQ9, clinic, project
from tests.assets.feeds.pulls.redcap_server import TOKEN, redcap_server


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
