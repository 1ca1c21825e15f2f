import json

import pytest

from assets.feeds.pulls.fhir_pages import NoPageError, page_of

RESOURCES = [{"resourceType": "Appointment", "id": "a1"}, {"resourceType": "Appointment", "note": 'a "]}" b\n, ü'}]
PAGE = {
    "resourceType": "Bundle",
    "meta": {"lastUpdated": "2026-03-03T01:02:03.004Z"},
    "total": 7,
    "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "x?page=2"}],
    "entry": [{"fullUrl": "x", "resource": each, "search": {"mode": "match"}} for each in RESOURCES],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("order", [1, -1])
def test_a_page_gives_its_resources_as_they_came_wherever_its_other_words_stand(indent, order):
    body = json.dumps(dict(list(PAGE.items())[::order]), indent=indent).encode()
    page, resources = page_of(body)
    assert [json.loads(each) for each in resources] == RESOURCES
    assert all(each in body for each in resources)
    assert (page.kind, page.total, page.links["next"]) == ("Bundle", 7, "x?page=2")
    assert page.made_at is not None


@pytest.mark.parametrize(
    "odd",
    [
        {"meta": "x", "total": "7", "link": {"relation": "next"}, "issue": 5},
        {
            "meta": {"lastUpdated": 5},
            "total": None,
            "link": [None, {"relation": "next"}],
            "issue": [{"severity": "error"}],
        },
    ],
)
def test_words_of_another_shape_are_as_if_they_were_not_there(odd):
    page, resources = page_of(json.dumps(PAGE | odd).encode())
    assert (page.total, page.links, page.made_at, page.issues) == (None, {}, None, ())
    assert len(resources) == len(RESOURCES)


def test_an_entry_without_a_resource_has_none():
    _, resources = page_of(json.dumps(PAGE | {"entry": [{"fullUrl": "x"}, *PAGE["entry"]]}).encode())
    assert len(resources) == len(RESOURCES)
    assert page_of(json.dumps(PAGE | {"entry": None}).encode())[1] == []


@pytest.mark.parametrize("at", range(1, len(json.dumps(PAGE)), 7))
def test_a_page_that_is_cut_anywhere_is_no_page(at):
    with pytest.raises(NoPageError):
        page_of(json.dumps(PAGE).encode()[:at])


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"\xff", b'{"entry": {}}', b'{"entry": [5]}', b'{"a": 1} x'])
def test_what_is_no_page_has_failed_without_a_word_of_it(body):
    with pytest.raises(NoPageError) as failed:
        page_of(body)
    assert (str(failed.value), failed.value.__cause__) == ("", None)
