"""Colours are told apart by everyone and read by everyone."""

import pytest

from dashboards import palette

TEXT = [
    ("ink", "paper"), ("ink", "canvas"), ("muted", "paper"), ("muted", "canvas"), ("muted", "limits"), ("better", "paper"), ("better", "better-tint"),
    ("worse", "paper"), ("worse", "worse-tint"), ("ordinary", "paper"), ("better", "canvas"), ("worse", "canvas"),
]  # fmt: skip
MARKS = [("hairline", "paper"), ("ordinary", "band"), ("better", "band"), ("worse", "band"), ("ink", "band")]


@pytest.mark.parametrize(("text", "ground"), TEXT)
@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_words_stand_out_from_what_they_stand_on(colours, text, ground):
    assert palette.contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize(("mark", "ground"), MARKS)
@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_marks_stand_out_from_what_they_stand_on(colours, mark, ground):
    assert palette.contrast(colours[mark], colours[ground]) >= 3


def test_black_on_white_has_the_greatest_contrast():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_light_colour_has_one_dark_colour():
    assert palette.LIGHT.keys() == palette.DARK.keys()
    assert len(palette.dark_of_light()) == len(palette.LIGHT)


def test_a_shape_repeats_every_meaning_of_colour():
    assert len({palette.SYMBOLS[tone] for tone in palette.TONES}) == len(palette.TONES)
