"""One client's own sessions: scores inside what could be chance and what is usual by then, and ratings with their dips."""

from collections.abc import Collection, Sequence
from math import inf

from dashboards.figures.style import Figure, axis, band, label, layout, spread
from dashboards.palette import LIGHT, SYMBOLS

Scale = tuple[float | None, float | None]
_LEAST_SESSIONS = 8
_HEIGHT = 300


def scores(
    *,
    points: Sequence[tuple[int, float]],
    unsure: tuple[float, float] | None,
    usual: Sequence[tuple[int, float, float]],
    scale: Scale,
) -> Figure:
    """Scores session by session.

    Args:
        points: Session numbers, ascending, and scores.
        unsure: Between which a score is too near the first to tell it from chance; None where no size is known.
        usual: Session, the score to expect and the limit of being on track; empty where nothing is learnt.
        scale: The measure's lowest and highest score, beyond which nothing is drawn; None where it is not declared.
    """
    last = max(points[-1][0], _LEAST_SESSIONS)
    data: list[Figure] = []
    ends = [value for _, value in points]
    named = []
    if unsure is not None:
        unsure = (_within(unsure[0], scale), _within(unsure[1], scale))
        ends += unsure
        data.append(band([1, last], [unsure[0]] * 2, [unsure[1]] * 2, colour=LIGHT["limits"]))
        named.append(("near the first", points[0][1], "muted"))
    if usual:
        usual = [(session, _within(expected, scale), _within(limit, scale)) for session, expected, limit in usual]
        ends += [end for each in usual for end in each[1:]]
        data.append(
            band([each[0] for each in usual], [each[1] for each in usual], [each[2] for each in usual], colour=LIGHT["band"])
        )  # fmt: skip
        named.append(("usual by then", usual[-1][1], "muted"))
    data.append(_line(points, hover="Session %{x}: %{y}"))
    return {"data": data, "layout": _layout(ends, last=last, named=named, scale=scale)}


def together(
    *, points: Sequence[tuple[int, float]], dips: Collection[int], repaired: Collection[int], scale: Scale
) -> Figure:
    """Ratings of working together session by session, with dips and where they were put right.

    Args:
        points: Session numbers, ascending, and ratings.
        dips: Sessions at which the rating fell.
        repaired: Sessions by which it was put right.
        scale: As in `scores`.
    """
    data = [_line(points, hover="Session %{x}: %{y}")]
    for sessions, tone, said in ((dips, "worse", "Dip"), (set(repaired) - set(dips), "better", "Put right")):
        marked = [each for each in points if each[0] in sessions]
        if marked:
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [each[0] for each in marked],
                    "y": [each[1] for each in marked],
                    "marker": {"symbol": SYMBOLS[tone], "size": 15, "color": LIGHT[tone]},
                    "hovertemplate": f"{said} at session %{{x}}: %{{y}}<extra></extra>",
                }
            )
    return {
        "data": data,
        "layout": _layout(
            [value for _, value in points], last=max(points[-1][0], _LEAST_SESSIONS), named=(), scale=scale
        ),
    }


def _within(score: float, scale: Scale) -> float:
    low, high = scale
    return max(score if low is None else low, min(score if high is None else high, score))


def _layout(ends: Sequence[float], *, last: int, named: Sequence[tuple[str, float, str]], scale: Scale) -> Figure:
    room = (max(ends) - min(ends)) * 0.1 or 1.0
    # At an end of the scale a mark keeps its own half and no more: no score lies beyond.
    edge = room * 0.4
    low = max(min(ends) - room, -inf if scale[0] is None else scale[0] - edge)
    high = min(max(ends) + room, inf if scale[1] is None else scale[1] + edge)
    shifts = spread([value for _, value, _ in named], span=high - low, pixels=_HEIGHT - 60)
    return layout(
        xaxis=axis(
            showgrid=False,
            range=[0.5, last + 0.5],
            nticks=min(last, 10),
            tickformat="d",
            title={"text": "Session", "standoff": 8},
        ),
        yaxis=axis(range=[low, high], nticks=6),
        right=104 if named else 20,
        height=_HEIGHT,
        annotations=[
            label(text, y=value, tone=tone, shift=shift)
            for (text, value, tone), shift in zip(named, shifts, strict=True)
        ],
    )


def _line(points: Sequence[tuple[int, float]], *, hover: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [each[0] for each in points],
        "y": [each[1] for each in points],
        "line": {"color": LIGHT["ink"], "width": 2},
        "marker": {"size": 7, "color": LIGHT["ink"]},
        "hovertemplate": f"{hover}<extra></extra>",
    }
