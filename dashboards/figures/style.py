"""What every chart shares: type, grid, margins and no decoration.

Belongs here: layout. Colours come from the palette; charts carry the light ones and are recoloured in the dark.
"""

from collections.abc import Sequence
from typing import Any

from dashboards.palette import LIGHT

Figure = dict[str, Any]
_FONT = {"family": "Inter, system-ui, sans-serif", "size": 12, "color": LIGHT["muted"]}


def axis(**more: Any) -> dict[str, Any]:
    """An axis with hairline grid and no box."""
    return {
        "gridcolor": LIGHT["grid"],
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
        "tickangle": 0,
        **more,
    }


def layout(*, xaxis: dict[str, Any], yaxis: dict[str, Any], right: int, height: int = 340, **more: Any) -> Figure:
    """A chart's layout; `right` leaves room for labels beside the last point."""
    return {
        "font": _FONT,
        "paper_bgcolor": LIGHT["paper"],
        "plot_bgcolor": LIGHT["paper"],
        "showlegend": False,
        "height": height,
        "margin": {"l": 44, "r": right, "t": 12, "b": 44, "pad": 4},
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": xaxis,
        "yaxis": yaxis,
        **more,
    }


def label(text: str, *, y: float, tone: str = "muted", is_bold: bool = False, shift: int = 0) -> dict[str, Any]:
    """A label beside the chart's right edge at a value."""
    return {
        "text": f"<b>{text}</b>" if is_bold else text,
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "yref": "y",
        "y": y,
        "yanchor": "middle",
        "xshift": 6,
        "yshift": shift,
        "showarrow": False,
        "font": {"color": LIGHT[tone], "size": 12},
        "align": "left",
    }


def band(x: Sequence[Any], low: Sequence[float], high: Sequence[float], *, colour: str) -> Figure:
    """A filled area between two lines over the same points, with no word of its own."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*x, *reversed(x)],
        "y": [*low, *reversed(high)],
        "fill": "toself",
        "fillcolor": colour,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def spread(values: list[float], *, span: float, pixels: float = 280, gap: float = 16) -> list[int]:
    """How far each label must move, in pixels, so that none lies over another; values in any order."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    places = [values[i] / span * pixels if span else 0.0 for i in order]
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    shifts = [0] * len(values)
    for rank, i in enumerate(order):
        shifts[i] = round(moved[rank] - places[rank])
    return shifts
