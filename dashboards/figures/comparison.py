"""Clinicians beside each other without an order of merit: steadied links, and alliance by progress."""

from collections.abc import Sequence
from functools import partial

from dashboards.figures.style import Figure, axis, label, layout, spread
from dashboards.palette import LIGHT, SYMBOLS

_COVERED = 1000
_CORNERS = 116  # pixels from the middle, beyond which the quadrants are named


def steadied_links(
    *,
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    tones: Sequence[str],
    names: Sequence[str],
    service: float,
) -> Figure:
    """Each clinician's link with its 95% range, in the order given, which must not be the order of the estimates.

    A name is empty unless the clinician's link differs from the service's; one for which there is no room is left out.
    """
    places = list(range(1, len(estimates) + 1))
    ends = [0.0, service, *lows, *highs]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.08 or 0.1
    named = [(f"service {service:.2f}".replace("-", "\u2212"), service, "ink"), ("no link", 0.0, "muted")]
    shifts = spread([value for _, value, _ in named], span=high - low + 2 * room)
    names = _with_room(
        [
            (place / len(places) * 170, top / (high - low + 2 * room) * 280)
            for place, top in zip(places, highs, strict=True)
        ],
        names,
    )
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": places,
                "y": list(estimates),
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [h - e for h, e in zip(highs, estimates, strict=True)],
                    "arrayminus": [e - w for e, w in zip(estimates, lows, strict=True)],
                    "color": LIGHT["rule"],
                    "thickness": 2,
                    "width": 0,
                },
                "marker": {
                    "size": [11 if tone != "ordinary" else 7 for tone in tones],
                    "color": [LIGHT[tone] for tone in tones],
                    "symbol": [SYMBOLS[tone] for tone in tones],
                    "line": {"width": 0},
                },
                "hovertemplate": "%{y:.2f}<extra></extra>",
            }
        ],
        "layout": layout(
            xaxis=axis(showgrid=False, showticklabels=False, range=[0, len(places) + 1]),
            yaxis=axis(range=[low - room, high + room], nticks=7),
            right=92,
            shapes=[
                _rule(y=service, dash="solid"),
                _rule(y=0.0, dash="dash"),
            ],
            annotations=[
                *(
                    label(text, y=value, tone=tone, is_bold=tone == "ink", shift=shift)
                    for (text, value, tone), shift in zip(named, shifts, strict=True)
                ),
                *(
                    {
                        "text": name,
                        "x": place,
                        "y": top,
                        "yshift": 10,
                        "showarrow": False,
                        "font": {"size": 12, "color": LIGHT[tone]},
                    }
                    for place, top, name, tone in zip(places, highs, names, tones, strict=True)
                    if name
                ),
            ],
        ),
    }


def quadrant(
    *,
    across: Sequence[float],
    up: Sequence[float],
    tones: Sequence[str],
    names: Sequence[str],
    hover: Sequence[str],
    across_words: str,
) -> Figure:
    """Alliance across, progress up, both as differences from the service.

    A name only where both are signals; one for which there is no room is left out.
    """
    width = max([abs(x) for x in across] or [1.0]) * 1.35
    tall = max([abs(y) for y in up] or [1.0]) * 1.5
    corners = [
        (-1, 1, "Weaker alliance,<br>ahead"),
        (1, 1, "Stronger alliance,<br>ahead"),
        (-1, -1, "Weaker alliance,<br>behind"),
        (1, -1, "Stronger alliance,<br>behind"),
    ]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(across),
                "y": list(up),
                "text": list(hover),
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": [12 if tone != "ordinary" else 8 for tone in tones],
                    "color": [LIGHT[tone] for tone in tones],
                    "symbol": [SYMBOLS[tone] for tone in tones],
                    "opacity": 0.8,
                    "line": {"width": 0},
                },
            }
        ],
        "layout": layout(
            xaxis=axis(range=[-width, width], nticks=7, title={"text": across_words, "standoff": 8}),
            yaxis=axis(range=[-tall, tall], nticks=7),
            right=16,
            height=380,
            shapes=[
                _rule(y=0.0, dash="solid"),
                {
                    "type": "line",
                    "xref": "x",
                    "yref": "paper",
                    "x0": 0,
                    "x1": 0,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": LIGHT["hairline"], "width": 1},
                    "layer": "below",
                },
            ],
            annotations=[
                *(
                    {
                        "text": text,
                        "xref": "paper",
                        "yref": "paper",
                        "x": 0.0 if x < 0 else 1.0,
                        "y": 0.0 if y < 0 else 1.0,
                        "xanchor": "left" if x < 0 else "right",
                        "yanchor": "bottom" if y < 0 else "top",
                        "showarrow": False,
                        "align": "left" if x < 0 else "right",
                        "font": {"size": 12},
                    }
                    for x, y, text in corners
                ),
                *(
                    {
                        "text": name,
                        "x": x,
                        "y": y,
                        "xshift": shift[0],
                        "yshift": shift[1],
                        "showarrow": False,
                        "font": {"size": 12, "color": LIGHT[tone]},
                    }
                    for x, y, name, tone, shift in zip(
                        across, up, names, tones, _dodged(across, up, names, width=width, tall=tall), strict=True
                    )
                    if name and shift is not None
                ),
            ],
        ),
    }


def _with_room(at: Sequence[tuple[float, float]], names: Sequence[str]) -> list[str]:
    """Names whose place, in pixels, no earlier name covers; the others are left out."""
    taken: list[tuple[float, float]] = []
    kept = []
    for (x, y), name in zip(at, names, strict=True):
        is_free = all(abs(x - other[0]) > 8 * len(name) + 4 or abs(y - other[1]) > 15 for other in taken)
        kept.append(name if is_free else "")
        if name and is_free:
            taken.append((x, y))
    return kept


def _dodged(
    across: Sequence[float], up: Sequence[float], names: Sequence[str], *, width: float, tall: float
) -> list[tuple[int, int] | None]:
    """Where each name stands beside its mark, in pixels, so that names cover neither each other nor another mark.

    Reckoned on a chart 280 pixels wide, the narrowest that a phone draws. None where a name would cover another, or what
    stands in a corner, wherever it stood.
    """
    marks = [(x / width * 120, y / tall * 150) for x, y in zip(across, up, strict=True)]
    taken: list[tuple[float, float]] = []
    shifts: list[tuple[int, int] | None] = []
    for i, name in enumerate(names):
        if not name:
            shifts.append(None)
            continue
        reach = 5 + 4 * len(name)
        others = [mark for k, mark in enumerate(marks) if k != i]
        tries = [
            (0, 14),
            (0, -14),
            (reach, 0),
            (-reach, 0),
            (0, 28),
            (0, -28),
            (reach, 16),
            (-reach, -16),
            (0, 42),
            (0, -42),
        ]

        crowding = partial(_crowding, at=marks[i], reach=reach, taken=taken, others=others)
        best = min(tries, key=crowding)
        if crowding(best) >= _COVERED:
            shifts.append(None)
            continue
        taken.append((marks[i][0] + best[0], marks[i][1] + best[1]))
        shifts.append(best)
    return shifts


def _crowding(
    shift: tuple[int, int],
    *,
    at: tuple[float, float],
    reach: int,
    taken: Sequence[tuple[float, float]],
    others: Sequence[tuple[float, float]],
) -> int:
    """How much a name at this shift would cover: marks, of which there may be many, and names and corners, which count most."""
    x, y = at[0] + shift[0], at[1] + shift[1]
    hit = sum(abs(x - other[0]) < 2 * reach and abs(y - other[1]) < 15 for other in taken)
    hit += abs(y) > _CORNERS
    return _COVERED * hit + sum(abs(x - other[0]) < reach + 6 and abs(y - other[1]) < 13 for other in others)


def _rule(*, y: float, dash: str) -> Figure:
    return {
        "type": "line",
        "xref": "paper",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": LIGHT["ordinary"], "width": 1, "dash": dash},
        "layer": "below",
    }
