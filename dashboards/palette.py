"""Every colour, once: light and dark, and what each one means.

Belongs here: colours. The style sheet's custom properties and the colours of charts both come from here, so that a
meaning never has two colours. Three meanings only: better, worse and ordinary; a shape always repeats the colour.
"""

from typing import Final

LIGHT: Final = {
    "ink": "#16202E",
    "muted": "#56606E",
    "better": "#0A5EA8",
    "worse": "#B84A00",
    "ordinary": "#6B7380",
    "hairline": "#8A93A0",
    "band": "#DCE6F0",
    "limits": "#EEF0F3",
    "grid": "#E6EAEF",
    "rule": "#D5DAE1",
    "paper": "#FFFFFF",
    "canvas": "#F3F5F8",
    "worse-tint": "#FFF4E5",
    "better-tint": "#E8F1FA",
}
DARK: Final = {
    "ink": "#E8ECF2",
    "muted": "#AEB7C4",
    "better": "#6FB4F2",
    "worse": "#F79A55",
    "ordinary": "#98A2AF",
    "hairline": "#75808E",
    "band": "#25384B",
    "limits": "#252E39",
    "grid": "#2B3440",
    "rule": "#38424F",
    "paper": "#1A222D",
    "canvas": "#10161E",
    "worse-tint": "#3A2A18",
    "better-tint": "#1B3046",
}
TONES: Final = ("better", "worse", "ordinary")
SYMBOLS: Final = {"better": "triangle-up", "worse": "triangle-down", "ordinary": "circle"}


def custom_properties() -> str:
    """The style sheet's colours: light, dark where the reader's system asks for it, and light again on paper."""

    def block(colours: dict[str, str]) -> str:
        return "".join(f"--{name}:{value};" for name, value in colours.items())

    return (
        f":root{{color-scheme:light dark;{block(LIGHT)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{block(DARK)}}}}}\n"
    )


def dark_of_light() -> dict[str, str]:
    """What each light colour becomes in the dark; charts carry light colours and are recoloured as they are drawn."""
    return {LIGHT[name]: DARK[name] for name in LIGHT}


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
