"""Rates against how many clients they rest on, inside the bands that chance explains."""

from collections.abc import Sequence

from dashboards.figures.style import Figure, axis, band, label, layout, spread
from dashboards.palette import LIGHT


def funnel(
    *,
    totals: Sequence[float],
    low_95: Sequence[float],
    high_95: Sequence[float],
    low_998: Sequence[float],
    high_998: Sequence[float],
    service: float,
    dots: Sequence[tuple[float, float, str]],
    own: tuple[float, float, str] | None,
) -> Figure:
    """A funnel plot without names.

    Args:
        totals: Caseloads at which the bands are given, ascending.
        low_95: The inner band's lower edge.
        high_95: Its upper edge.
        low_998: The outer band's lower edge.
        high_998: Its upper edge.
        service: The service's own rate.
        dots: Unnamed clinicians: clients, rate, tone. Empty where nobody else may be in the file.
        own: The clinician whose page it is: clients, rate, words.
    """
    top = max([*high_998, *(dot[1] for dot in dots), own[1] if own else 0.0, service])
    top = min(1.0, top + 0.05)
    data = [
        band(totals, low_998, high_998, colour=LIGHT["limits"]),
        band(totals, low_95, high_95, colour=LIGHT["band"]),
        {
            "type": "scatter",
            "mode": "lines",
            "x": [totals[0], totals[-1]],
            "y": [service, service],
            "line": {"color": LIGHT["ordinary"], "width": 1},
            "hoverinfo": "skip",
        },
    ]
    if dots:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [dot[0] for dot in dots],
                "y": [dot[1] for dot in dots],
                "marker": {"size": 7, "color": [LIGHT[dot[2]] for dot in dots], "opacity": 0.75, "line": {"width": 0}},
                "hovertemplate": "%{x} clients, %{y:.0%}<extra></extra>",
            }
        )
    annotations = []
    if own:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [own[0]],
                "y": [own[1]],
                "marker": {"size": 14, "color": LIGHT["ink"], "symbol": "diamond", "line": {"width": 0}},
                "hovertemplate": f"{own[2]}<extra></extra>",
            }
        )
        is_left = own[0] < (totals[0] + totals[-1]) / 2
        annotations.append(
            {
                "text": f"<b>{own[2]}</b>",
                "x": own[0],
                "y": own[1],
                "xanchor": "left" if is_left else "right",
                "xshift": 12 if is_left else -12,
                "showarrow": False,
                "font": {"color": LIGHT["ink"], "size": 13},
            }
        )
    named = [("99.8%", high_998[-1]), ("95%", high_95[-1]), (f"service {service:.0%}", service)]
    shifts = spread([value for _, value in named], span=top)
    annotations += [label(text, y=value, shift=shift) for (text, value), shift in zip(named, shifts, strict=True)]
    return {
        "data": data,
        "layout": layout(
            xaxis=axis(showgrid=False, nticks=6, title={"text": "Clients with a first and last score", "standoff": 8}),
            yaxis=axis(range=[-0.02, top], tickformat=".0%", nticks=7),
            right=84,
            annotations=annotations,
        ),
    }
