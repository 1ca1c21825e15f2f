import pytest

from dashboards.palette import DARK, LIGHT, TONES, contrast, custom_properties, dark_of_light

ON_PAPER = ("ink", "muted", "better", "worse", "ordinary")


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ON_PAPER)
def test_text_on_paper_reads_at_the_level_that_the_guidelines_ask(colours, name):
    assert contrast(colours[name], colours["paper"]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("muted", "limits"),
        ("muted", "canvas"),
        ("worse", "worse-tint"),
        ("better", "better-tint"),
        ("ink", "worse-tint"),
    ],
)
def test_text_on_its_own_ground_reads_too(colours, text, ground):
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("tone", TONES)
def test_marks_stand_out_from_every_band_behind_them(colours, tone):
    assert min(contrast(colours[tone], colours[ground]) for ground in ("paper", "limits", "band")) >= 3


def test_black_on_white_is_the_greatest_contrast_there_is():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


def test_each_light_colour_becomes_one_dark_colour():
    assert len(dark_of_light()) == len(LIGHT) == len(DARK)


def test_the_style_sheet_knows_every_colour_by_name():
    assert all(f"--{name}:{value}" in custom_properties() for name, value in LIGHT.items())
