import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.gatekeeper.overlay import Eyes, laid_over
from pipelines.gatekeeper.policy import may_see
from tests.pipelines.gatekeeper.served import VIEWERS, page

VERSION = "20261120T020000000000Z"
NAMES = {"C-1": "First Clinician", "C-2": 'Second & <b>Only</b> "Clinician"', "C-3": "Third Clinician"}


def eyes_of(viewer, names=NAMES):
    return Eyes(may_see=lambda place: may_see(VIEWERS[viewer], place, directors_see_clients=False), names=names)


def seen(viewer, path, markup=None, names=NAMES):
    markup = page(path, version=VERSION, script="assets/site.0123456789ab.js") if markup is None else markup
    return laid_over(markup, page=path, version=VERSION, eyes=eyes_of(viewer, names))


def test_a_director_sees_every_name_escaped_and_the_code_beside_it():
    text = seen("director", "index.html")
    assert '<a href="clinicians/C-1.html" data-clinician="C-1" title="C-1">First Clinician</a>' in text
    assert ">Second &amp; &lt;b&gt;Only&lt;/b&gt; &quot;Clinician&quot;</a>" in text
    assert "<b>" not in text


@pytest.mark.parametrize(
    ("viewer", "shown"),
    [("clinician", {"C-1"}), ("supervisor", {"C-1", "C-3"}), ("analyst", set()), ("director", {"C-1", "C-2", "C-3"})],
)
def test_others_see_the_names_of_those_whose_pages_they_may_see(viewer, shown):
    text = seen(viewer, "data-quality.html")
    assert {code for code in NAMES if f'data-clinician="{code}" title="{code}">' in text} == shown
    # A code stays said where its name is not, and leads nowhere that they may not go.
    assert {code for code in NAMES if f'<span data-clinician="{code}">{code}</span>' in text} == set(NAMES) - shown


def test_without_a_directory_codes_stay_codes():
    assert 'data-clinician="C-1">C-1</a>' in seen("director", "index.html", names={})


def test_links_to_what_they_may_not_see_are_not_shown():
    text = seen("clinician", "clinicians/C-1.html")
    nav = re.search(r"<nav.*?</nav>", text, re.DOTALL).group(0)
    assert re.findall(r'href="([^"]+)"', nav) == ["../methods.html", "/account"]
    assert 'href="../methods.html#alliance"' in text
    assert "north.csv" not in text


def test_the_account_is_one_link_from_every_page():
    assert seen("director", "index.html").count('href="/account"') == 1


def test_a_pages_own_data_come_from_its_own_version():
    text = seen("director", "sites/north.html")
    assert f'data-slices="/at/{VERSION}/slices/"' in text
    assert f'href="/at/{VERSION}/slices/areas/north.csv"' in text
    # A shared part's name is its version.
    assert 'src="../assets/site.0123456789ab.js"' in text


def test_data_inside_a_script_element_stay_as_they_are():
    markup = '<script type="application/json">{"x":"<a href=\\"slices/x.json\\" data-clinician=\\"C-1\\">C-1"}</script>'
    assert seen("director", "index.html", markup) == markup


@pytest.mark.parametrize(
    "href", ["https://elsewhere.example/slices/x.json", "//elsewhere.example/slices/x.json", "#slices/x.json"]
)
def test_an_address_elsewhere_is_not_touched(href):
    markup = f'<a href="{href}">x</a>'
    assert seen("clinician", "index.html", markup) == markup


@given(st.text(max_size=40).filter(str.strip))
def test_whatever_a_name_is_it_stays_words(name):
    text = seen("director", "index.html", '<p><span data-clinician="C-1">C-1</span></p>', {"C-1": name})
    assert re.fullmatch(r'<p><span data-clinician="C-1" title="C-1">[^<>"\']*</span></p>', text, re.DOTALL)
