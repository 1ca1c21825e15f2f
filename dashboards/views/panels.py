"""Panels that more than one page shows: months with their usual range, funnels, sparklines and the strip above a page.

Belongs here: from a verdict to a panel. Does not belong here: which panels a page has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from dashboards import words
from dashboards.figures.control_chart import control_chart
from dashboards.figures.funnel import funnel
from dashboards.views.model import Fact, Group, Panel, Spark, Table, Tag
from dashboards.views.service import Service
from dashboards.views.signals import Signal

_SIDE = {"better": "Better than usual", "worse": "Worse than usual", "ordinary": "Usual variation"}


def beside_each_other(found: Iterable[Panel | None]) -> tuple[Panel, ...]:
    """Panels two in a row; one that would stand alone in its row takes all of it."""
    placed: list[Panel] = []
    is_waiting = False
    for each in found:
        if each is None:
            continue
        if each.wide and is_waiting:
            placed[-1] = replace(placed[-1], wide=True)
        is_waiting = not each.wide and not is_waiting
        placed.append(each)
    if is_waiting:
        placed[-1] = replace(placed[-1], wide=True)
    return tuple(placed)


def group(key: str, title: str, found: Iterable[Panel | None], *, is_open: bool) -> tuple[Group, ...]:
    """A group of those panels that there are; nothing where there are none."""
    placed = beside_each_other(found)
    return (Group(key=key, title=title, panels=placed, is_open=is_open),) if placed else ()


def tag(signal: Signal) -> Tag:
    """A series' verdict in a few words."""
    return Tag(
        words=words.change_tag(
            certainty=signal.certainty, direction=signal.direction, since=signal.since, is_small=signal.is_small
        ),
        tone=signal.tone,
        note=words.rule_sentence(signal.rule),
    )


def title(signal: Signal, *, subject: str) -> str:
    """A series' verdict as a sentence."""
    return words.change_title(
        subject,
        certainty=signal.certainty,
        direction=signal.direction,
        since=signal.since,
        is_small=signal.is_small,
        ended=signal.ended,
    )


def value_words(value: float | None, *, is_share: bool, beside: float | None = None, places: int = 1) -> str:
    """A month's figure, or that it is withheld."""
    if value is None:
        return "Too few"
    return words.percent(value, beside=beside) if is_share else words.decimal(value, places=places)


def usual_words(signal: Signal, *, is_share: bool) -> str:
    """A series' usual range."""
    if signal.lower is None or signal.upper is None:
        return "Too few months"
    if is_share:
        return words.percent_between(signal.lower, signal.upper)
    return words.between(signal.lower, signal.upper)


def control_panel(
    signal: Signal | None,
    *,
    key: str,
    subject: str,
    caption: str,
    is_share: bool,
    method: str,
    unit: str,
    share: int = 6,
    is_detail: bool = False,
) -> Panel:
    """Months with their usual range, titled with the verdict."""
    columns = ("Month", "Figure", unit, "Reading", "Rule")
    if signal is None or all(value is None for value in signal.values):
        return Panel(
            key=key,
            title=words.change_title(subject, certainty="too_few", direction=None, since=None, is_small=False),
            caption=caption,
            method=method,
            table=Table(columns=columns, rows=()),
            empty="No month in the last two years has enough to show.",
            share=share,
        )
    started = next(i for i, value in enumerate(signal.values) if value is not None)
    rows = []
    hover = []
    for i in range(started, len(signal.months)):
        value, rule, tone = signal.values[i], signal.rules[i], signal.tones[i]
        shown = value_words(value, is_share=is_share, beside=signal.standard)
        # Two unlike rules can mark a month that is too near the usual to matter; its mark is grey, and so is its word.
        reading = "Withheld" if value is None else _SIDE[tone] if signal.centre is not None else "Too few months"
        rows.append(
            (
                words.month(signal.months[i]),
                shown,
                str(signal.counts[i]) if value is not None else "Too few",
                reading,
                words.RULES[rule] if rule and tone != "ordinary" else "",
            )
        )
        hover.append(f"{words.month(signal.months[i])}: {shown}")
    return Panel(
        key=key,
        title=title(signal, subject=subject),
        caption=f"{caption} {words.rule_sentence(signal.rule)}".rstrip(),
        how="each mark is a month; the shaded range is ordinary variation, and a triangle is a sign beyond it.",
        method=method,
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1, 2})),
        figure=control_chart(
            months=signal.months[started:],
            values=signal.values[started:],
            tones=signal.tones[started:],
            centre=signal.centre,
            lower=signal.lower,
            upper=signal.upper,
            is_share=is_share,
            standard=signal.standard,
            hover=hover,
        ),
        share=share,
        is_detail=is_detail,
    )


def spark(signal: Signal, *, is_share: bool) -> Spark | str:
    """The months as a line of 100 by 24, with the usual range behind it."""
    present = [(i, value) for i, value in enumerate(signal.values) if value is not None]
    if len(present) < 2:
        return "Too few months"
    ends = [value for _, value in present] + [x for x in (signal.lower, signal.upper) if x is not None]
    low, high = min(ends), max(ends)
    scale = (high - low) or 1.0

    def place(value: float) -> float:
        return round(22 - 20 * (value - low) / scale, 1)

    step = 96 / max(len(signal.values) - 1, 1)
    parts: list[str] = []
    for position, (i, value) in enumerate(present):
        joined = position > 0 and present[position - 1][0] == i - 1
        parts.append(f"{'L' if joined else 'M'}{2 + i * step:.1f} {place(value)}")
    band = None
    if signal.lower is not None and signal.upper is not None:
        band = (place(signal.upper), round(place(signal.lower) - place(signal.upper), 1))
    first, last = present[0], present[-1]
    return Spark(
        line=" ".join(parts),
        band=band,
        last=(round(2 + last[0] * step, 1), place(last[1])),
        words=f"From {value_words(first[1], is_share=is_share)} in {words.month(signal.months[first[0]])} "
        f"to {value_words(last[1], is_share=is_share)} in {words.month(signal.months[last[0]])}",
    )


def funnel_bands(progress: pl.DataFrame, *, minimum: int) -> dict[str, list[float]] | None:
    """The funnel's bands at round caseloads, read off the limits that the night computed; None where there are none.

    Round caseloads, so that the bands do not give away how many clients anybody has.
    """
    limits = ("limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998")
    known = progress.drop_nulls([*limits, "service_rate"]).filter(pl.col("evaluable") >= 3).sort("evaluable")
    known = known.unique("evaluable", keep="first", maintain_order=True)
    largest = known["evaluable"].max() if known.height else None
    if known.height < 2 or not isinstance(largest, int) or largest < minimum:
        return None
    ends = np.arange(max(minimum, int(known["evaluable"].min() or minimum)), largest + 10, 2, dtype=float)
    at = known["evaluable"].to_numpy().astype(float)
    # The bands are close to straight lines over one over the root of the caseload.
    bands = {
        name: [round(float(x), 4) for x in np.interp(-1 / np.sqrt(ends), -1 / np.sqrt(at), known[name].to_numpy())]
        for name in limits
    }
    return {"totals": [float(x) for x in ends], **bands, "service": [float(known["service_rate"][0])]}


def funnel_figure(
    bands: dict[str, list[float]], *, dots: Sequence[tuple[float, float, str]], own: tuple[float, float, str] | None
) -> dict[str, object]:
    """The funnel with its dots, or with one clinician's mark only."""
    return funnel(
        totals=bands["totals"],
        low_95=bands["limit_low_95"],
        high_95=bands["limit_high_95"],
        low_998=bands["limit_low_998"],
        high_998=bands["limit_high_998"],
        service=bands["service"][0],
        dots=dots,
        own=own,
    )


def facts(service: Service, *, alliance: float | None, outcome: float | None) -> tuple[Fact, ...]:
    """The strip above a page: how fresh and how complete."""
    settings = service.settings
    latest, standards = service.latest_session, settings.standards
    return (
        Fact(label="Run", words=f"{words.day(settings.run_at.date())}, {settings.run_at:%H:%M}"),
        Fact(label="Latest session", words="none" if latest is None else words.day(latest)),
        Fact(label="Alliance recorded", words=words.percent(alliance, beside=standards.get("alliance_recorded"))),
        Fact(label="Outcome recorded", words=words.percent(outcome, beside=standards.get("outcome_recorded"))),
        Fact(label="Checks passed", words=f"{service.checks_passed[0]} of {service.checks_passed[1]}"),
    )
