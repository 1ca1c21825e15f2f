"""The gatekeeper on the pages that the dashboards room writes: whatever they come to hold, it has a place for it."""

import re

import pytest

from dashboards.site import build_site
from pipelines.gatekeeper.overlay import Eyes, laid_over
from pipelines.gatekeeper.places import Kind, place_of
from pipelines.gatekeeper.policy import may_see
from tests.dashboards import made_up_clinic
from tests.dashboards.frame_reader import reader_of
from tests.pipelines.gatekeeper.served import FIRST, VIEWERS


@pytest.fixture(scope="module")
def tables():
    return made_up_clinic.clinic(clinicians=6, clients_each=20)


@pytest.fixture(scope="module")
def site(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build_site(reader_of(tables), folder=folder, settings=made_up_clinic.settings())
    return folder


def seen(viewer, path, markup, names, *, directors_see_clients=False):
    def decide(place):
        return may_see(VIEWERS[viewer], place, directors_see_clients=directors_see_clients)

    return laid_over(markup, page=path, version=FIRST, eyes=Eyes(may_see=decide, names=names))


def test_every_file_that_the_site_writes_has_a_place(site):
    written = [file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()]
    assert len(written) > 8
    assert [path for path in written if place_of(path) is None] == []


def test_what_lies_among_the_shared_parts_is_of_the_kinds_that_hold_no_data(site):
    shared = [
        file
        for file in site.rglob("*")
        if file.is_file() and place_of(file.relative_to(site).as_posix()).kind is Kind.SHARED
    ]
    assert {file.suffix for file in shared} <= {".css", ".js", ".woff2", ".txt"}


def test_names_take_the_place_of_codes_and_nothing_else_changes(site, tables):
    codes = tables["marts.clinicians"]["clinician_id"].to_list()
    names = {code: f"Name of {place}" for place, code in enumerate(codes)}
    count = 0
    for file in site.rglob("*.html"):
        markup = file.read_text(encoding="utf-8")
        text = seen("director", file.relative_to(site).as_posix(), markup, names, directors_see_clients=True)
        shown = re.findall(r'data-clinician="([^"]+)" title="[^"]+">([^<]+)<', text)
        assert all(name == names[code] for code, name in shown)
        assert len(shown) == len(
            re.findall(r'\sdata-clinician="[^"]', re.sub(r"<script.*?</script>", "", markup, flags=re.DOTALL))
        )
        back = re.sub(r'(data-clinician="([^"]+)") title="[^"]+">[^<]+<', r"\1>\2<", text)
        back = back.replace('<a href="/account">Account</a>\n', "").replace(f'"/at/{FIRST}/', '"')
        assert back == re.sub(r'="(?:\.\./)*(slices/)', r'="\1', markup)
        count += len(shown)
    assert count > len(codes)


def test_a_director_whom_the_clinic_does_not_let_see_clients_pages_gets_no_link_to_one(site):
    links = r'<a\b[^>]*\shref="([^"]*/clients/[^"]*)"'
    count = 0
    for file in site.glob("clinicians/*.html"):
        markup = file.read_text(encoding="utf-8")
        clients = {re.sub(r".*/|\.html", "", href) for href in re.findall(links, markup)}
        text = seen("director", file.relative_to(site).as_posix(), markup, {})
        assert not re.findall(links, text)
        assert all(client in text for client in clients)
        count += len(clients)
    assert count > 0


@pytest.mark.parametrize("viewer", ["clinician", "analyst", "supervisor", "director"])
def test_no_page_that_somebody_sees_links_to_one_that_they_may_not_see(site, viewer):
    for file in site.rglob("*.html"):
        path = file.relative_to(site).as_posix()
        text = seen(viewer, path, file.read_text(encoding="utf-8"), {})
        for href in re.findall(r'<a\b[^>]*\shref="([^"#][^"]*)"', text):
            parts = "/".join([*path.split("/")[:-1], href.partition("#")[0]])
            target = re.sub(r"[^/]+/\.\./", "", parts) if not href.startswith("/") else href[1:]
            place = place_of(target)
            assert place is None or may_see(VIEWERS[viewer], place, directors_see_clients=False), href
