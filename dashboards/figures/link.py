"""The link of alliance with progress: one clinician's line with its range, and the service's levels."""

from collections.abc import Sequence

from dashboards.figures.style import Figure, axis, band, label, layout, spread
from dashboards.palette import LIGHT


def link(*, estimate: float, low: float, high: float, service: float | None, reach: float) -> Figure:
    """Progress against alliance, each compared with the client's own usual.

    Args:
        estimate: Outcome points per alliance point.
        low: The 95% range's lower end.
        high: Its upper end.
        service: The service's own figure, or None.
        reach: Alliance points to either side.
    """
    ends = [-reach, reach]
    tall = max(abs(estimate), abs(low), abs(high), abs(service or 0)) * reach * 1.15 or 1.0
    data = [
        band(
            [-reach, 0, reach],
            [-low * reach, 0, high * reach],
            [-high * reach, 0, low * reach],
            colour=LIGHT["band"],
        ),
        {
            "type": "scatter",
            "mode": "lines",
            "x": ends,
            "y": [estimate * x for x in ends],
            "line": {"color": LIGHT["ink"], "width": 3},
            "hovertemplate": "%{x:+.1f} alliance points: %{y:+.2f}<extra></extra>",
        },
    ]
    named = [("here", estimate * reach, "ink")]
    if service is not None:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": ends,
                "y": [service * x for x in ends],
                "line": {"color": LIGHT["ordinary"], "width": 1.5, "dash": "dash"},
                "hoverinfo": "skip",
            }
        )
        named.append(("service", service * reach, "muted"))
    shifts = spread([value for _, value, _ in named], span=2 * tall)
    return {
        "data": data,
        "layout": layout(
            xaxis=axis(
                showgrid=False,
                nticks=7,
                range=ends,
                title={"text": "Alliance: points from own usual", "standoff": 8},
            ),
            yaxis=axis(range=[-tall, tall], nticks=7, zeroline=True, zerolinecolor=LIGHT["rule"]),
            right=70,
            annotations=[
                label(text, y=value, tone=tone, is_bold=tone == "ink", shift=shift)
                for (text, value, tone), shift in zip(named, shifts, strict=True)
            ],
        ),
    }


def intervals(
    *,
    names: Sequence[str],
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    sure: Sequence[bool],
    is_share: bool = False,
    line: float | None = 0.0,
) -> Figure:
    """Named estimates with their ranges, top to bottom, and one line to hold them against.

    Args:
        names: What each is of.
        estimates: The figures.
        lows: Lower ends of their ranges.
        highs: Upper ends.
        sure: Whether each can be told from the line.
        is_share: Whether figures are shares, shown in per cent.
        line: Where the line stands, or None.
    """
    places = list(range(len(names)))[::-1]
    ends = [*lows, *highs, *(() if line is None else (line,))]
    room = (max(ends) - min(ends)) * 0.08 or 0.05
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(estimates),
                "y": places,
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [h - e for h, e in zip(highs, estimates, strict=True)],
                    "arrayminus": [e - w for e, w in zip(estimates, lows, strict=True)],
                    "color": LIGHT["hairline"],
                    "thickness": 3,
                    "width": 0,
                },
                "marker": {
                    "size": 11,
                    "symbol": "circle",
                    "color": [LIGHT["ink"] if each else LIGHT["ordinary"] for each in sure],
                },
                "hovertemplate": f"%{{x:{'.0%' if is_share else '.2f'}}}<extra></extra>",
            }
        ],
        "layout": layout(
            xaxis=axis(
                nticks=7,
                range=[min(ends) - room, max(ends) + room],
                tickformat=".0%" if is_share else "",
                showline=False,
            ),
            yaxis=axis(
                tickmode="array", tickvals=places, ticktext=list(names), range=[-0.6, len(names) - 0.4], showgrid=False
            ),
            right=24,
            height=80 + (46 if is_share else 62) * len(names),
            shapes=[]
            if line is None
            else [
                {
                    "type": "line",
                    "xref": "x",
                    "yref": "paper",
                    "x0": line,
                    "x1": line,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": LIGHT["ordinary"], "width": 1},
                    "layer": "below",
                }
            ],
        ),
    }
