"""How far figures moved since the version before, each beside how far so much changed data moves it.

Belongs here: the picture. Does not belong here: which figures are drawn (`dashboards.views.changes`).
"""

from collections.abc import Sequence
from typing import Final

from dashboards.figures.style import LIGHT, Figure, axis, layout

_ROW_PIXELS: Final = 50
_SYMBOLS: Final = {"explained": "circle", "beyond": "triangle-up", "redefined": "square"}
_COLOURS: Final = {"explained": "ink", "beyond": "worse", "redefined": "ordinary"}


def movements(
    *, names: Sequence[str], differences: Sequence[float], explained: Sequence[float], kinds: Sequence[str]
) -> Figure:
    """Movements of rates, top to bottom, each over the band of what changed data explain.

    Args:
        names: What each is of.
        differences: Tonight less before, in points of per cent.
        explained: How far so much changed data moves each at most, in points, either way.
        kinds: `explained`, `beyond` the data, or `redefined`.
    """
    places = list(range(len(names)))[::-1]
    widest = max(1.0, *(abs(each) for each in (*differences, *explained))) * 1.12
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [2 * each for each in explained],
                "base": [-each for each in explained],
                "y": places,
                "width": 0.34,
                "marker": {"color": LIGHT["band"]},
                "hoverinfo": "skip",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(differences),
                "y": places,
                "marker": {
                    "size": 12,
                    "symbol": [_SYMBOLS[each] for each in kinds],
                    "color": [LIGHT[_COLOURS[each]] for each in kinds],
                },
                "hovertemplate": "%{x:+.1f} points<extra></extra>",
            },
        ],
        "layout": layout(
            xaxis=axis(
                nticks=6, range=[-widest, widest], zeroline=True, zerolinecolor=LIGHT["ordinary"], showline=False
            ),
            yaxis=axis(
                tickmode="array", tickvals=places, ticktext=list(names), range=[-0.6, len(names) - 0.4], showgrid=False
            ),
            right=24,
            height=80 + _ROW_PIXELS * len(names),
        ),
    }
