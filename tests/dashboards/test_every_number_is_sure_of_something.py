"""Every page is read: no share and no decimal stands without a range, a word for how sure, or that it was counted.

Belongs here: that one rule. Scores of single clients are what somebody answered; each stands beside a word for where it
stands. Does not belong here: what else pages must hold (`test_site`, `test_what_pages_hold`).
"""

import re
from html import unescape

import pytest

from dashboards.site import build_site
from tests.dashboards import made_up_clinic
from tests.dashboards.frame_reader import reader_of

NUMBER = re.compile(r"\d%|\d\.\d")
SURE = re.compile(
    r"\bto\b|range|Clear|Likely|Cannot tell|Too few|Usual|usual|counted|[Cc]hance|Withheld|standard|"
    r"On track|[Bb]ehind|Repaired|Not repaired|Too early to say|benchmark|definition"
)
COUNTED = re.compile(r"[Cc]ounted, not estimated|Every number of every measure")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    tables = made_up_clinic.clinic(clinicians=12, clients_each=30)
    build_site(reader_of(tables), folder=folder, settings=made_up_clinic.settings())
    return {
        str(file.relative_to(folder)): re.sub(
            r"<script.*?</script>|<svg.*?</svg>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        for file in folder.rglob("*.html")
        if file.name not in {"methods.html", "dictionary.html"}
    }


def said(markup: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", markup))).strip()


def unsure(parts: list[str]) -> list[str]:
    return [text for text in map(said, parts) if NUMBER.search(text) and not SURE.search(text)]


def test_every_row_of_every_table(pages):
    rows = 0
    for name, text in pages.items():
        for panel in re.findall(r'<section class="card panel.*?</section>', text, flags=re.DOTALL):
            if COUNTED.search(panel):
                continue
            found = re.findall(r"<tr>(.*?)</tr>", panel, flags=re.DOTALL)[1:]
            rows += len(found)
            assert unsure(found) == [], name
    assert rows > 500


def test_every_title_and_caption(pages):
    for name, text in pages.items():
        assert unsure(re.findall(r"<h2[^>]*>(.*?)</h2>", text, flags=re.DOTALL)) == [], name
        assert unsure(re.findall(r'<p class="caption">(.*?)</p>', text, flags=re.DOTALL)) == [], name


def test_every_key_figure_and_every_opening_sentence(pages):
    figures = 0
    for name, text in pages.items():
        cards = re.findall(r'<div class="card figure">(.*?)</div>', text, flags=re.DOTALL)
        figures += len(cards)
        assert unsure(cards) == [], name
        for opening in re.findall(r'<section class="card headline.*?</section>', text, flags=re.DOTALL):
            assert unsure(re.findall(r"<(?:p|li|dd)[^>]*>(.*?)</(?:p|li|dd)>", opening, flags=re.DOTALL)) == [], name
    assert figures > 30


def test_every_picture_has_a_line_on_how_to_read_it_and_a_link_to_its_method(pages):
    pictures = 0
    for name, text in pages.items():
        for panel in re.findall(r'<section class="card panel.*?</section>', text, flags=re.DOTALL):
            if not re.search(r'class="(?:chart|strips|courses)', panel):
                continue
            pictures += 1
            assert "How to read:" in panel, name
            assert "methods.html#" in panel, name
            assert 'class="csv' in panel, name
            assert re.search(r'class="(?:png|rows-png)', panel), name
    assert pictures > 80
