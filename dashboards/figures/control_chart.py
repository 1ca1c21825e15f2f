"""Values month by month with their usual range."""

from collections.abc import Sequence
from datetime import date

from dashboards.figures.style import Figure, axis, band, label, layout, spread
from dashboards.palette import LIGHT, SYMBOLS


def control_chart(
    *,
    months: Sequence[date],
    values: Sequence[float | None],
    tones: Sequence[str],
    centre: float | None,
    lower: float | None,
    upper: float | None,
    is_share: bool,
    standard: float | None,
    hover: Sequence[str],
) -> Figure:
    """A control chart; a tone a point, from the same verdict as the words beside it.

    Args:
        months: First days of months, ascending.
        values: A value a month; None where it is withheld or there is none.
        tones: `better`, `worse` or `ordinary` a month.
        centre: The usual level, or None where there is none.
        lower: The usual range's lower end, or None.
        upper: Its upper end, or None.
        is_share: Whether values are shares, shown in per cent.
        standard: What the service aims for, or None.
        hover: Words a month.
    """
    days = [when.isoformat() for when in months]
    data = []
    annotations = []
    present = [value for value in values if value is not None]
    ends = [x for x in (lower, upper, standard, *present) if x is not None]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    room = (high - low) * 0.08 or 0.05
    if days and centre is not None and lower is not None and upper is not None:
        data.append(band([days[0], days[-1]], [lower] * 2, [upper] * 2, colour=LIGHT["limits"]))
        data.append(_line(days, centre, dash="solid"))
        named = [("upper limit", upper), ("usual", centre), ("lower limit", lower)]
        if standard is not None:
            data.append(_line(days, standard, dash="dash"))
            named.append(("standard", standard))
        shifts = spread([value for _, value in named], span=(high - low) + 2 * room)
        annotations = [label(text, y=value, shift=shift) for (text, value), shift in zip(named, shifts, strict=True)]
    data.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": days,
            "y": list(values),
            "connectgaps": False,
            "line": {"color": LIGHT["hairline"], "width": 1.5},
            "marker": {
                "size": [11 if tone != "ordinary" else 7 for tone in tones],
                "color": [LIGHT[tone] for tone in tones],
                "symbol": [SYMBOLS[tone] for tone in tones],
                "line": {"width": 0},
            },
            "text": list(hover),
            "hovertemplate": "%{text}<extra></extra>",
        }
    )
    return {
        "data": data,
        "layout": layout(
            xaxis=axis(type="date", showgrid=False, tickformat="%b\n%Y", nticks=8),
            yaxis=axis(range=[low - room, high + room], tickformat=".0%" if is_share else "", nticks=6),
            right=84,
            annotations=annotations,
        ),
    }


def _line(days: Sequence[str], value: float, *, dash: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [days[0], days[-1]],
        "y": [value, value],
        "line": {"color": LIGHT["ordinary"], "width": 1, "dash": dash},
        "hoverinfo": "skip",
    }
