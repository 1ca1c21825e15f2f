"""Clinicians beside each other without an order of merit: alliance by progress, links, funnel.

Belongs here: the overview's pictures of all clinicians, named only where both figures are signals.
"""

import polars as pl

from assets.science.disclosure import rounded_count
from dashboards import thresholds, words
from dashboards.figures.comparison import quadrant, steadied_links
from dashboards.views import panels, recalled
from dashboards.views.areas import Area
from dashboards.views.model import Clinician, Panel, Table
from dashboards.views.scales import step_words
from dashboards.views.service import Pair, Row, Service


def by_pair(service: Service, area: Area) -> list[list[Panel]]:
    """For each pair of measures and the clinicians of an area: alliance by progress, steadied links, funnel."""
    found = []
    for place, pair in enumerate(area.pairs):
        codes = [code for code in area.codes if service.pair.get(code) == pair]
        if len(codes) < thresholds.FEWEST_CLINICIANS:
            continue
        found.append(
            [
                _quadrant(service, pair, codes, place),
                _links(service, pair, codes, place),
                _funnel(service, pair, codes, place),
            ]
        )
    return found


def _quadrant(service: Service, pair: Pair, codes: list[str], place: int) -> Panel:
    alliance, outcome = pair
    dots = []
    for code in codes:
        level, progress = (
            service.row("clinician_alliance", code, alliance),
            service.row("clinician_adjusted_progress", code, outcome),
        )
        if level is None or progress is None or "too_few" in {level["certainty"], progress["certainty"]}:
            continue
        if (
            level["shrunken_mean"] is None
            or level["service_mean"] is None
            or None in (progress["estimate"], progress["low"], progress["high"])
        ):
            continue
        across, up = level["shrunken_mean"] - level["service_mean"], progress["estimate"]
        is_sure = {(code, "alliance_level", alliance), (code, "adjusted_progress", outcome)} <= service.flagged
        tone = "ordinary" if not is_sure or across * up <= 0 else "better" if up > 0 else "worse"
        dots.append((code, across, up, tone, level, progress))
    high, low = sum(dot[3] == "better" for dot in dots), sum(dot[3] == "worse" for dot in dots)
    signals = [dot for dot in dots if dot[3] != "ordinary"]
    rows = tuple(
        (
            Clinician(code=dot[0]),
            words.decimal(dot[4]["shrunken_mean"]),
            words.between(dot[4]["low"], dot[4]["high"]),
            words.certainty(dot[4]["certainty"]),
            words.signed(dot[2]),
            words.between(dot[5]["low"], dot[5]["high"]),
            words.certainty(dot[5]["certainty"]),
        )
        for dot in signals
    ) + _unnamed(len(dots) - len(signals), columns=7)
    columns = (
        "Clinician",
        f"Alliance ({alliance})",
        "95% range",
        "Differs from service",
        f"{outcome} beyond expected",
        "95% range",
        "Differs from expected",
    )
    return Panel(
        key=f"alliance-by-progress-{place + 1}",
        title=f"{alliance}, {outcome}: {words.quadrant_title(both_high=high, both_low=low, total=len(dots))}",
        caption=f"{alliance} with {outcome}. Up: more improvement than clients alike at the site usually make. Right: "
        "clients rate the alliance higher than the site. Both are steadied estimates; a code stands only where both stand with false signs "
        "among all held at one in twenty, where there is room; the numbers give each one\u2019s code and range.",
        how="each mark is a clinician; near the middle nothing can be told apart.",
        method="quadrant",
        table=Table(columns=columns, rows=rows, numeric=frozenset({1, 4})),
        figure=quadrant(
            across=[dot[1] for dot in dots],
            up=[dot[2] for dot in dots],
            tones=[dot[3] for dot in dots],
            names=[dot[0] if dot[3] != "ordinary" else "" for dot in dots],
            hover=[f"Alliance {words.signed(dot[1])}, progress {words.signed(dot[2])}" for dot in dots],
            across_words="Alliance against the service, in points",
        )
        if len(dots) >= thresholds.FEWEST_CLINICIANS
        else None,
        empty=None if len(dots) >= thresholds.FEWEST_CLINICIANS else "Too few clinicians have both figures.",
    )


def _links(service: Service, pair: Pair, codes: list[str], place: int) -> Panel:
    found = []
    for code in codes:
        row = service.row("alliance_link", code, " ".join(pair))
        if (
            row is not None
            and row["certainty"] != "too_few"
            and None not in (row["estimate"], row["low"], row["high"], row["service_estimate"])
        ):
            found.append(row)
    # By caseload of ratings, which says nothing of merit, and not by code, by which a reader could find a name.
    found.sort(key=lambda row: (-row["pairs"], row["clinician_id"]))
    tones = [
        "ordinary" if not row["is_different"] else "better" if row["estimate"] > row["service_estimate"] else "worse"
        for row in found
    ]
    certain = sum(row["certainty"] in {"clear", "likely"} and row["estimate"] > 0 for row in found)
    is_enough = len(found) >= thresholds.FEWEST_CLINICIANS
    rows = tuple(
        (
            Clinician(code=row["clinician_id"]),
            words.slope(row["estimate"]),
            words.slope_between(row["low"], row["high"]),
            words.certainty(row["certainty"]),
        )
        for row, tone in zip(found, tones, strict=True)
        if tone != "ordinary"
    ) + _unnamed(sum(tone == "ordinary" for tone in tones), columns=4)
    return Panel(
        key=f"links-{place + 1}",
        title=f"{pair[0]}, {pair[1]}: "
        + words.links_title(certain=certain, total=len(found), differing=sum(tone != "ordinary" for tone in tones)),
        caption=f"{pair[1]} improvement at the next session for {step_words(pair[0])} above the client\u2019s own usual: steadied "
        "estimates with 95% ranges. In the order of how many ratings they rest on; coloured and named where "
        "a link stands apart from the service\u2019s, with false signs among all held at one in twenty.",
        how="each mark is a clinician with its range; a range across the dashed line cannot tell.",
        method="link",
        table=Table(
            columns=("Clinician", f"{pair[1]} points", "95% range", "How sure of a link"),
            rows=rows if is_enough else (),
            numeric=frozenset({1}),
        ),
        figure=steadied_links(
            estimates=[row["estimate"] for row in found],
            lows=[row["low"] for row in found],
            highs=[row["high"] for row in found],
            tones=tones,
            names=[row["clinician_id"] if tone != "ordinary" else "" for row, tone in zip(found, tones, strict=True)],
            service=found[0]["service_estimate"],
        )
        if is_enough
        else None,
        empty=None if is_enough else "Too few clinicians have enough ratings.",
    )


def _funnel(service: Service, pair: Pair, codes: list[str], place: int) -> Panel:
    outcome = pair[1]
    frame = service.tables["analysis.clinician_progress"].filter(pl.col("instrument") == outcome)
    rows = [service.row("clinician_progress", code, outcome) for code in codes]
    found = [
        row for row in rows if row is not None and row["funnel_rule"] != "too_few" and row["improved_rate"] is not None
    ]
    found.sort(key=lambda row: (row["evaluable"], row["clinician_id"]))
    bands = panels.funnel_bands(frame, minimum=service.settings.minimum_clients)
    is_enough = len(found) >= thresholds.FEWEST_CLINICIANS and bands is not None
    outside = sum(row["funnel_rule"] == "outside_998" for row in found)
    said = {
        "within": "Chance could explain it",
        "outside_95": "Likely beyond chance",
        "outside_998": "Clearly beyond chance",
    }
    return Panel(
        key=f"funnel-{place + 1}",
        title=words.funnel_title(
            outside=outside,
            total=len(found) if is_enough else 0,
            outcome=outcome,
            inner=sum(row["funnel_rule"] == "outside_95" for row in found),
        ),
        caption=f"Share of clients reliably improved on the {outcome}, one unnamed dot a clinician. Outside the outer band chance "
        f"is unlikely: look for reasons before judging.{recalled.note(service, [(outcome, recalled.RELIABLE_CHANGE)])}",
        how="each dot is a clinician; inside the darker band chance explains the difference.",
        method="funnel",
        table=Table(
            columns=("Clients", "Reliably improved", "95% range", "Against the bands"),
            rows=tuple(
                (
                    str(_about(row)),
                    words.percent(row["improved_rate"]),
                    words.percent_between(row["low"], row["high"]),
                    said[row["funnel_rule"]],
                )
                for row in found
            )
            if is_enough
            else (),
            numeric=frozenset({0, 1}),
        ),
        figure=panels.funnel_figure(
            bands,
            dots=[
                (
                    _about(row),
                    row["improved_rate"],
                    "ordinary"
                    if row["funnel_rule"] != "outside_998"
                    else "better"
                    if row["improved_rate"] > row["service_rate"]
                    else "worse",
                )
                for row in found
            ],
            own=None,
        )
        if is_enough and bands is not None
        else None,
        empty=None if is_enough else "Too few clinicians have enough finished courses of treatment.",
    )


def funnel_of(service: Service, area: Area, outcome: str) -> dict[str, object] | None:
    """The funnel of one outcome measure and an area's clinicians, or None where there are too few."""
    pairs = [pair for pair in area.pairs if pair[1] == outcome]
    codes = [code for code in area.codes if service.pair.get(code) in pairs]
    return _funnel(service, pairs[0], codes, 0).figure if pairs else None


def _about(row: Row) -> int:
    """A clinician's clients to the nearest five: the dot has no name, but its exact size would be one."""
    return rounded_count(int(row["evaluable"]), round_to=thresholds.COUNTS_TO_NEAREST)


def _unnamed(number: int, *, columns: int) -> tuple[tuple[str, ...], ...]:
    """The row that stands for everyone who is no signal, without code or figure."""
    if number == 0:
        return ()
    who = words.counted(number, "other clinician")
    return (
        (
            f"{who}, not named",
            *("cannot be told apart" if place == columns - 2 else "" for place in range(columns - 1)),
        ),
    )
