"""The font that pages carry holds what pages say.

The style sheet's `unicode-range` says which characters the font was cut down to; a browser takes any other from a font of
its own, which looks like a mistake within a word.
"""

import ast
import html
import re
from pathlib import Path

import dashboards

HERE = Path(dashboards.__file__).parent
SHEET = (HERE / "static" / "site.css").read_text(encoding="utf-8")
FACE = re.search(r"@font-face\{[^}]+\}", SHEET).group()
# Triangles, dots and daggers stand alone as signs; Inter's Latin file never held them.
SIGNS = frozenset("\u25b2\u25bc\u25cf\u2020")


def held():
    """Every character that the font is asked for."""
    ranges = re.search(r"unicode-range:([^;}]+)", FACE).group(1).replace("U+", "").split(",")
    found = set()
    for each in ranges:
        first, _, last = each.partition("-")
        found |= {chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)}
    return found


def sentences(file):
    """The strings of a Python file, as they are when it runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return "".join(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def missing(text):
    """Characters of a text that are neither the font's nor a sign."""
    return {sign for sign in text if sign.isprintable()} - held() - SIGNS


def test_every_character_of_sentences_is_the_fonts():
    files = [file for file in HERE.rglob("*.py") if file.name != "render.py"]
    assert {file.name: found for file in files if (found := missing(sentences(file)))} == {}


def test_every_character_of_templates_and_pages_is_the_fonts(site):
    files = [*(HERE / "templates").iterdir(), *site.rglob("*.html")]
    texts = {file.name: html.unescape(file.read_text(encoding="utf-8")) for file in files if file.is_file()}
    assert {name: found for name, text in texts.items() if (found := missing(text))} == {}


def test_every_weight_of_the_style_sheet_is_the_fonts():
    lightest, heaviest = map(int, re.search(r"font-weight:(\d+) (\d+)", FACE).groups())
    used = {int(weight) for weight in re.findall(r"font-weight:(\d+)", SHEET.replace(FACE, ""))}
    assert used
    assert lightest <= min(used)
    assert max(used) <= heaviest
