"""What happens over sessions: alliance as it grows, and how many are still in treatment."""

from collections.abc import Sequence

from dashboards.figures.style import Figure, axis, band, label, layout, spread
from dashboards.palette import LIGHT


def growth(
    *,
    sessions: Sequence[int],
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    site: Sequence[float],
    site_lows: Sequence[float],
    site_highs: Sequence[float],
) -> Figure:
    """A clinician's alliance session by session inside the band that holds nearly all clinicians of the site.

    Args:
        sessions: Session numbers, ascending.
        estimates: The clinician's expected alliance.
        lows: Lower ends of its ranges.
        highs: Upper ends.
        site: The mean over the site's clinicians.
        site_lows: The band's lower edge.
        site_highs: Its upper edge.
    """
    ends = [*lows, *highs, *site_lows, *site_highs]
    room = (max(ends) - min(ends)) * 0.06 or 0.5
    return {
        "data": [
            band(sessions, site_lows, site_highs, colour=LIGHT["limits"]),
            band(sessions, lows, highs, colour=LIGHT["band"]),
            _line(sessions, site, colour=LIGHT["ordinary"], width=1.5, dash="dash", hover="Site %{y:.1f}"),
            _line(sessions, estimates, colour=LIGHT["ink"], width=3, dash="solid", hover="Session %{x}: %{y:.1f}"),
        ],
        "layout": layout(
            xaxis=axis(showgrid=False, dtick=1, title={"text": "Session", "standoff": 8}),
            yaxis=axis(range=[min(ends) - room, max(ends) + room], nticks=6),
            right=70,
            annotations=_labels([("here", estimates[-1], "ink"), ("site", site[-1], "muted")], ends=ends, room=room),
        ),
    }


def staying(
    *,
    sessions: Sequence[int],
    shares: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    unplanned: Sequence[float],
    beside: Sequence[tuple[int, float]],
) -> Figure:
    """How many are still in treatment after each session, and how many left unplanned by then.

    Args:
        sessions: Session numbers, ascending.
        shares: Still in treatment.
        lows: Lower ends of their ranges.
        highs: Upper ends.
        unplanned: Ended unplanned by then.
        beside: The service's own curve of those still in treatment; empty where this is the service.
    """
    data = [
        band(sessions, lows, highs, colour=LIGHT["band"]),
        _line(sessions, shares, colour=LIGHT["ink"], width=3, dash="solid", hover="After session %{x}: %{y:.0%} still in treatment"),
        _line(sessions, unplanned, colour=LIGHT["worse"], width=2, dash="solid", hover="By session %{x}: %{y:.0%} left unplanned"),
    ]  # fmt: skip
    named = [("in treatment", shares[-1], "ink"), ("left unplanned", unplanned[-1], "worse")]
    if beside:
        data.append(
            _line(
                [each[0] for each in beside],
                [each[1] for each in beside],
                colour=LIGHT["ordinary"],
                width=1.5,
                dash="dash",
                hover="Service %{y:.0%}",
            )
        )
        named.append(("service", beside[-1][1], "muted"))
    return {
        "data": data,
        "layout": layout(
            xaxis=axis(showgrid=False, nticks=8, title={"text": "Session", "standoff": 8}),
            yaxis=axis(range=[-0.03, 1.03], tickformat=".0%", nticks=6),
            right=104,
            annotations=_labels(named, ends=[0.0, 1.0], room=0.03),
        ),
    }


def _labels(named: Sequence[tuple[str, float, str]], *, ends: Sequence[float], room: float) -> list[Figure]:
    shifts = spread([value for _, value, _ in named], span=max(ends) - min(ends) + 2 * room)
    return [
        label(text, y=value, tone=tone, is_bold=tone == "ink", shift=shift)
        for (text, value, tone), shift in zip(named, shifts, strict=True)
    ]


def _line(x: Sequence[int], y: Sequence[float], *, colour: str, width: float, dash: str, hover: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": width, "dash": dash},
        "hovertemplate": f"{hover}<extra></extra>",
    }
