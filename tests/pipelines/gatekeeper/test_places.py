import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.addresses import area_page, clinician_page
from pipelines.gatekeeper.places import Kind, is_named_by_content, linked, media_type, place_of, strict_path
from tests.pipelines.gatekeeper.served import PAGES, PARTS

CODES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("path", "kind", "clinician", "is_part"),
    [
        ("index.html", Kind.OVERVIEW, None, False),
        ("slices/six-months.json", Kind.OVERVIEW, None, True),
        ("clinicians/index.html", Kind.CLINICIANS, None, False),
        ("clinicians/C-1.html", Kind.CLINICIAN, "C-1", False),
        ("clinicians/~69ndex.html", Kind.CLINICIAN, "index", False),
        ("clinicians/C-1/caseload.csv", Kind.CLINICIAN, "C-1", True),
        ("clinicians/C-1/clients/K-1.html", Kind.CLIENT, "C-1", False),
        ("clinicians/C-1/clients/K-1.csv", Kind.CLIENT, "C-1", True),
        ("programmes/anxiety.html", Kind.PROGRAMME, None, False),
        ("sites/north~20hill.html", Kind.SITE, None, False),
        ("data-quality.html", Kind.DATA_QUALITY, None, False),
        ("changes.html", Kind.CHANGES, None, False),
        ("changes/moved.csv", Kind.CHANGES, None, True),
        ("methods.html", Kind.METHODS, None, False),
        ("dictionary.html", Kind.DICTIONARY, None, False),
        ("assets/plotly.0123456789ab.js", Kind.SHARED, None, True),
        ("assets/inter-LICENSE.txt", Kind.SHARED, None, True),
    ],
)
def test_a_path_has_one_kind_and_one_owner(path, kind, clinician, is_part):
    found = place_of(path)
    assert (found.kind, found.path, found.clinician, found.is_part) == (kind, path, clinician, is_part)


@pytest.mark.parametrize(
    "path",
    ["", "warehouse.duckdb", "manifest.json", "site/index.html", "index.htm", "INDEX.HTML", "clinicians/", "clinicians",
     "clinicians/~41.html", "clinicians/C-1.html.bak", "clinicians/C-1/../C-2.html", "clinicians/C-1/clients/", "index.html\n",
     "slices/a/b/c.json", "assets/site.js.map", "assets/../index.html", "clients/K-1.html", ".html", "clinicians/.html"],
)  # fmt: skip
def test_what_the_table_does_not_know_is_no_place(path):
    assert place_of(path) is None


@given(CODES)
def test_a_clinicians_page_belongs_to_that_clinician_whatever_the_code(code):
    found = place_of(clinician_page(code))
    assert found.kind is Kind.CLINICIAN
    assert found.clinician == code


@given(CODES)
def test_the_page_of_a_site_or_programme_is_nobodys_own(name):
    assert place_of(area_page("site", name)).kind is Kind.SITE
    assert place_of(area_page("programme", name)).clinician is None


@pytest.mark.parametrize("path", ["", *PAGES, *PARTS, "at/20261120T020000000000Z/slices/x.json", "slices/"])
def test_a_plain_path_is_read_as_it_is(path):
    assert strict_path(f"/{path}".encode()) == path


@pytest.mark.parametrize(
    "raw",
    [b"", b"*", b"index.html", b"//index.html", b"/a//b", b"/./index.html", b"/../index.html", b"/a/..", b"/a/.",
     b"/%69ndex.html", b"/index.html%00", b"/index.html\x00", b"/clinicians%2fC-1.html", b"/a\\b", b"/index.html;a",
     b"/index.html ", b"/\xc4\xb1ndex.html", b"http://127.0.0.1/index.html", b"/a?b", b"/a#b", b"/a:b", b"//"],
)  # fmt: skip
def test_a_path_written_in_any_other_way_is_no_path(raw):
    assert strict_path(raw) is None


@given(st.binary(max_size=40))
def test_whatever_is_sent_the_path_holds_no_step_upwards_and_nothing_encoded(raw):
    path = strict_path(b"/" + raw)
    assert path is None or not (set(path.split("/")) & {"..", "."} or set("%\\\0") & set(path) or path.startswith("/"))


@pytest.mark.parametrize(
    ("href", "page", "path"),
    [
        ("../methods.html#alliance", "clinicians/C-1.html", "methods.html"),
        ("C-2.html", "clinicians/index.html", "clinicians/C-2.html"),
        ("slices/", "index.html", "slices/"),
        ("index.html?period=6", "index.html", "index.html"),
        ("#content", "index.html", None),
        ("https://elsewhere.example/index.html", "index.html", None),
        ("//elsewhere.example/index.html", "index.html", None),
        ("data:,", "index.html", None),
    ],
)
def test_a_link_leads_where_a_browser_would_go(href, page, path):
    assert linked(href, page=page) == path


def test_only_a_name_that_carries_its_contents_hash_may_be_kept_for_good():
    assert is_named_by_content("assets/site.0123456789ab.css")
    assert not is_named_by_content("assets/inter-LICENSE.txt")
    assert not is_named_by_content("assets/site.css")


def test_every_kind_of_file_has_its_media_type():
    assert {media_type(path).partition(";")[0] for path in (*PAGES, *PARTS)} == {
        "text/html",
        "application/json",
        "text/csv",
    }
