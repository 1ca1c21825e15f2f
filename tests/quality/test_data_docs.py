import re
import threading
from datetime import date
from html.parser import HTMLParser

import pytest

from assets.contracts import registry
from quality.data_docs import cleaned, write_index, write_page
from quality.expectations import drawn, outcomes
from quality.model import Severity, Verdict
from quality.rules import Parameters, score_ranges, written
from quality.suites import suite_of

PLANTED = "planted-secret-4711"
DATA_DATE = date(2026, 11, 20)


@pytest.fixture
def outcome(warehouse, put):
    put("staging.clinicians", clinician_id="k1", source_file="f.csv", source_line=1)
    for number in range(40):
        put(
            "staging.attendance",
            appointment_id=f"{PLANTED}-{number % 3}",
            case_id=PLANTED,
            clinician_id=f"{PLANTED}-{number}",
            site=PLANTED,
            status=f"{PLANTED}-{number}",
            modality=PLANTED,
            duration_minutes=471100 + number,
            starts_on=date(2031, 4, 7),
            source_file=PLANTED,
        )
    rules = written(
        Parameters(
            data_date=DATA_DATE,
            first_possible_day=date(2024, 1, 1),
            score_ranges=score_ranges([]),
            raters={},
            minimum_clients=10,
            minimum_difference=5,
        )
    )
    [found] = outcomes(warehouse, suites=[suite_of(registry.table("staging.attendance"), written=rules)])
    return found


@pytest.fixture
def docs(outcome, tmp_path):
    folder = tmp_path / "docs"
    write_page(outcome, folder=folder)
    write_index(outcome.verdicts, folder=folder, data_date=DATA_DATE)
    return folder


class Loads(HTMLParser):
    """Collects whatever a browser would fetch, follow or run."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.elements = set()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        for name, value in attrs:
            if name in {"src", "href", "action", "data", "style", "srcset"} or name.startswith("on"):
                self.found.append((tag, name, value))


def test_no_byte_of_the_pages_is_an_address_or_a_value_from_the_data(docs):
    pages = [file for file in docs.rglob("*") if file.is_file()]
    assert [page.name for page in sorted(pages)] == ["index.html", "staging.attendance.html"]
    for page in pages:
        content = page.read_bytes().lower()
        for banned in (
            b"http:",
            b"https:",
            b"//",
            b"@import",
            b"url(",
            b"javascript",
            PLANTED.encode(),
            b"4711",
            b"2031",
        ):
            assert banned not in content, f"{banned!r} in {page.name}"


def test_pages_load_nothing_run_nothing_and_lead_only_to_each_other(docs):
    for page in docs.iterdir():
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.elements.isdisjoint({"script", "link", "img", "iframe", "form", "object", "base"})
        for _tag, name, value in loads.found:
            assert name == "href"
            assert value.startswith("#") or (docs / value).is_file()


def test_every_page_forbids_the_browser_to_load_anything(docs):
    for page in docs.iterdir():
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page.read_text(encoding="utf-8"))
        assert policy.group(1).startswith("default-src 'none'; style-src 'sha256-")


def test_links_within_a_page_lead_somewhere(docs):
    text = (docs / "staging.attendance.html").read_text(encoding="utf-8")
    for anchor in re.findall(r'href="#([^"]*)"', text):
        assert f'id="{anchor}"' in text


def test_the_page_says_every_rule_in_plain_words_with_its_verdict(docs, outcome):
    text = re.sub(r"<[^>]*>", "", (docs / "staging.attendance.html").read_text(encoding="utf-8"))
    for verdict in outcome.verdicts:
        assert verdict.meaning.replace("`", "") in text.replace("&gt;", ">")
    failed = [verdict for verdict in outcome.verdicts if not verdict.is_passed]
    body = (docs / "staging.attendance.html").read_text(encoding="utf-8")
    assert body.count('<i class="failed">failed</i>') >= len(failed)
    assert body.count('<i class="passed">passed</i>') >= len(outcome.verdicts) - len(failed)
    assert "could not run" not in text


def test_the_same_results_give_the_same_bytes(outcome, tmp_path):
    first = write_page(outcome, folder=tmp_path / "a").read_bytes()
    assert write_page(outcome, folder=tmp_path / "b").read_bytes() == first
    assert b"2026112" not in first, "the time of the run is left out"


def test_the_index_counts_rules_errors_and_warnings_of_each_table(tmp_path):
    def verdict(name, severity, *, is_passed):
        return Verdict(table="marts.x", name=name, severity=severity, is_passed=is_passed, failing_rows=1, meaning="x")

    found = [
        verdict("a", Severity.ERROR, is_passed=True),
        verdict("b", Severity.WARN, is_passed=False),
        verdict("c", Severity.WARN, is_passed=False),
        verdict("d", Severity.ERROR, is_passed=False),
    ]
    text = write_index(found, folder=tmp_path, data_date=DATA_DATE).read_text(encoding="utf-8")
    assert re.findall(r'<td class="number[^"]*">(\d+)</td>', text) == ["4", "1", "2"]
    assert "2026-11-20" in text


def test_cleaning_leaves_out_what_it_does_not_know_and_escapes_the_rest():
    page = (
        "<head><title>t</title></head><body onload='x()'><script>alert(1)</script>"
        "<div onclick='x()' style='color:red' class='c'>a &lt;b&gt; `c`<img src='https://e.org/x.png'>"
        "<a href='https://e.org'>out</a><a href='#in'>in</a><blink>z</blink></div>"
        "<footer><p>news</p></footer><form><p>f<br></p></form>end</body>"
    )
    assert cleaned(page) == '<div class="c">a &lt;b&gt; <code>c</code><a>out</a><a href="#in">in</a>z</div>end'


def test_elements_left_open_are_closed_or_left_out_with_their_parents():
    page = "<body><div><b>x</div><form><p><label>y</form></i>z</body>"
    assert cleaned(page) == "<div><b>x</b></div>z"


def test_the_librarys_own_page_would_have_loaded_from_elsewhere(outcome):
    assert "https://" in drawn(outcome)


def test_no_thread_is_left_behind_that_could_report(outcome):
    assert [thread.name for thread in threading.enumerate() if "gx" in thread.name.lower()] == []
