from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.addresses import client_page, clinician_of, clinician_page

CODES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def test_a_plain_code_is_its_own_file_name():
    assert clinician_page("C-1001") == "clinicians/C-1001.html"


@pytest.mark.parametrize("code", ["../index", "a/b", "index", ".", "..", "a b", "é", "~41", "a.html", "\x00"])
def test_no_code_leaves_its_folder_or_takes_the_lists_place(code):
    page = PurePosixPath(clinician_page(code))
    assert page.parent == PurePosixPath("clinicians")
    assert page.name != "index.html"
    assert clinician_of(str(page)) == code


@given(CODES, CODES)
def test_a_clients_page_lies_in_their_clinicians_own_folder(code, client):
    page = PurePosixPath(client_page(code, client))
    assert page.parent == PurePosixPath(clinician_page(code)).with_suffix("") / "clients"
    assert clinician_of(str(page)) is None


@given(CODES)
def test_an_address_tells_whose_page_it_is(code):
    assert clinician_of(clinician_page(code)) == code


@given(CODES, CODES)
def test_two_codes_have_two_addresses(first, second):
    assert (clinician_page(first) == clinician_page(second)) == (first == second)


@pytest.mark.parametrize(
    "address",
    ["index.html", "clinicians/index.html", "clinicians/~41.html", "clinicians/~ff.html", "clinicians/../index.html",
     "/clinicians/A.html", "clinicians/A.html/", "clinicians/A.html\n", "Clinicians/A.html", "clinicians/.html"],
)  # fmt: skip
def test_an_address_that_no_code_has_is_nobodys(address):
    assert clinician_of(address) is None
