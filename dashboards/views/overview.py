"""The director's overview: is the alliance helping clients progress, for whom, and how sure are we?

Belongs here: the overview's panels in their order. Does not belong here: how a series gets its verdict (`signals`) or
who is worth a conversation (`prompts`).
"""

from dataclasses import replace
from typing import Any

import polars as pl

from dashboards import thresholds, words
from dashboards.figures.comparison import quadrant, steadied_links
from dashboards.figures.link import intervals
from dashboards.views import panels
from dashboards.views.model import Cell, Fact, Headline, Link, Page, Panel, Sure, Table, Tag
from dashboards.views.prompts import Prompt, conversations, reasons
from dashboards.views.service import (
    Pair,
    Service,
    disclosure_rule,
    monthly_alliance,
    monthly_rate,
    score_span,
)
from dashboards.views.signals import Signal, signals
from assets.science.disclosure import suppressed_cells


def overview(service: Service) -> Page:
    """Everything on the first page."""
    settings = service.settings
    prompts = () if service.is_withheld else conversations(service)
    measures = () if service.is_withheld else measure_rows(service)
    shown = [] if service.is_withheld else [*_by_pair(service)]
    head = _headline(service, prompts=prompts, measures=measures)
    clients = service.tables["marts.appointments"]["case_id"].n_unique()
    about = f"{words.counted(clients, 'case')} and {words.counted(len(service.clinicians), 'clinician')} on record"
    first, rest = shown[:1], shown[1:]
    pages = [_conversations(service, prompts=prompts)] if not service.is_withheld else []
    if first:
        pages.append(first[0][0])
    if measures:
        pages.append(_summary(measures))
    if first:
        pages += first[0][1:]
    if not service.is_withheld:
        pages += [_levels(service), _waits(service)]
    for more in rest:
        pages += [replace(each, share=4) for each in more if each.figure is not None]
    return Page(
        title=f"{settings.clinic}: service overview",
        heading="Service overview: is the alliance helping clients progress?",
        about=f"{'Too few clients to count' if service.is_withheld else about}; data to {words.day(settings.data_date)}.",
        section="overview",
        facts=(*strip(service), Fact(label="Clinicians not shown", words=_not_shown(service))),
        is_alarming=panels.is_alarming(service),
        headline=head,
        panels=tuple(pages),
        explains=("alliance", "compared", "progress", "reliable", "steadied", "signal", "withheld", "certainty"),
        notice=f"Fewer than {settings.minimum_clients} clients: every figure is withheld."
        if service.is_withheld
        else None,
    )


def findings(page: Page, service: Service) -> tuple[str, str, str]:
    """The overview in three sentences."""
    if page.headline is None:
        return ("Nothing to report.", "Nothing to report.", "Nothing to report.")
    link = next((each for each in page.headline.sure if each.finding), None)
    said = (
        "Cannot tell whether the alliance goes with progress: too few ratings."
        if link is None
        else (f"{words.certainty(link.word)}: {link.finding}")
    )
    return (
        page.headline.changed,
        said,
        f"{_looked_at(service)}; {len(service.withheld)} not shown because their groups are small.",
    )


def strip(service: Service) -> tuple[Fact, ...]:
    """The service's freshness and completeness."""
    attendance = service.tables["analysis.clinician_attendance"]
    sessions = 0 if service.is_withheld else int(attendance["sessions"].sum())

    def share(name: str) -> float | None:
        if not sessions:
            return None
        return float((attendance[name].fill_null(0) * attendance["sessions"]).sum()) / sessions

    return panels.facts(service, alliance=share("alliance_recorded"), outcome=share("outcome_recorded"))


def measure_rows(service: Service) -> tuple[tuple[str, int, Signal, bool], ...]:
    """The service's measures: name, clients, verdict, whether it is a share."""
    settings, tables = service.settings, service.tables
    ratings, months = tables["marts.ratings"], tables["marts.clinician_months"]
    appointments = tables["marts.appointments"]
    everyone = appointments["case_id"].n_unique()
    found: list[tuple[str, int, Signal, bool]] = []

    def add(name: str, clients: int, made: dict[str, Signal], *, is_share: bool) -> None:
        if "all" in made and clients >= settings.minimum_clients:
            found.append((name, clients, made["all"], is_share))

    for instrument in dict.fromkeys(alliance for alliance, _ in service.pairs):
        rated = ratings.filter(pl.col("instrument") == instrument)
        add(
            f"Alliance ({instrument})",
            rated["client_id"].n_unique(),
            monthly_alliance(ratings, instrument=instrument, by=None, settings=settings),
            is_share=False,
        )
    for instrument in dict.fromkeys(outcome for _, outcome in service.pairs):
        clients, made = _improved(service, instrument)
        add(f"Reliably improved ({instrument})", clients, made, is_share=True)
    for name, over, under, is_up, smallest, standard in (
        (
            "Appointments missed without notice",
            "did_not_attend",
            "appointments",
            False,
            thresholds.SMALLEST_ATTENDANCE,
            "did_not_attend_rate",
        ),
        (
            "Sessions with an alliance score",
            "sessions_with_alliance",
            "attended",
            True,
            thresholds.SMALLEST_RECORDING,
            "alliance_recorded",
        ),
        (
            "Sessions with an outcome score",
            "sessions_with_outcome",
            "attended",
            True,
            thresholds.SMALLEST_RECORDING,
            "outcome_recorded",
        ),
    ):
        add(
            name,
            everyone,
            monthly_rate(
                months,
                by=None,
                over=over,
                under=under,
                is_better_up=is_up,
                smallest=smallest,
                settings=settings,
                standard=standard,
            ),
            is_share=True,
        )
    found += _sites(service)
    return tuple(found)


def _improved(service: Service, instrument: str) -> tuple[int, dict[str, Signal]]:
    """Reliable improvement by the month in which treatment ended."""
    closed = (
        service.tables["analysis.client_change"]
        .filter(
            (pl.col("instrument") == instrument)
            & ~pl.col("is_open")
            & pl.col("last_score").is_not_null()
            & pl.col("reliable_change").is_not_null()
        )
        .join(service.tables["marts.episodes"].select("episode_id", "ended_on"), on="episode_id")
        .drop_nulls("ended_on")
    )
    cells = (
        closed.with_columns(series=pl.lit("all"), month=pl.col("ended_on").dt.truncate("1mo"))
        .group_by("series", "month")
        .agg(value=pl.col("is_reliably_improved").cast(pl.Float64).mean(), count=pl.col("client_id").n_unique())
    )
    settings = service.settings
    return closed["client_id"].n_unique(), signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_clients,
        improvement="up",
        floor=0.0,
        ceiling=1.0,
        smallest=thresholds.SMALLEST_IMPROVEMENT,
        standard=settings.standards.get("improved_rate"),
    )


def _sites(service: Service) -> list[tuple[str, int, Signal, bool]]:
    """Missed appointments by site, none where leaving one out would give a small one away."""
    appointments = service.tables["marts.appointments"].drop_nulls("site")
    counts = dict(appointments.group_by("site").agg(pl.col("case_id").n_unique()).sort("site").iter_rows())
    if len(counts) < 2:
        return []
    staff = dict(appointments.group_by("site").agg(pl.col("clinician_id").n_unique()).iter_rows())
    hidden = suppressed_cells(counts, rule=disclosure_rule(service.settings), is_total_shown=True, clinicians=staff)
    made = monthly_rate(
        service.tables["marts.clinician_months"].drop_nulls("site"),
        by="site",
        over="did_not_attend",
        under="appointments",
        is_better_up=False,
        smallest=thresholds.SMALLEST_ATTENDANCE,
        settings=service.settings,
        standard="did_not_attend_rate",
    )
    return [
        (f"Missed without notice: {site}", counts[site], made[site], True)
        for site in counts
        if site in made and site not in hidden
    ]


def _headline(
    service: Service, *, prompts: tuple[Prompt, ...], measures: tuple[tuple[str, int, Signal, bool], ...]
) -> Headline:
    concerns = [_inside(name) for name, _, signal, _ in measures if signal.tone == "worse"]
    better = [_inside(name) for name, _, signal, _ in measures if signal.tone == "better"]
    to_do = []
    asked = [each for each in prompts if not each.is_to_learn]
    if asked:
        to_do.append(
            f"Have the {words.counted(len(prompts), 'conversation')} listed below. Start with {prompts[0].code}."
        )
    elif prompts:
        to_do.append(f"Ask {prompts[0].code} what has gone well: nobody needs a conversation about a concern.")
    else:
        to_do.append("No conversation is needed: no clinician\u2019s figures differ from usual beyond chance.")
    for name, _, signal, is_share in measures:
        if signal.assurance == "no_unless_something_changes" and signal.standard is not None and len(to_do) < 4:
            now = panels.value_words(signal.latest, is_share=is_share, beside=signal.standard)
            to_do.append(
                f"{name}: {now} in the latest month against a standard of {words.percent(signal.standard)}, "
                "which will not be met unless something changes."
            )
    if service.is_withheld:
        to_do = ["Nothing yet: too few clients have been seen."]
    sure = []
    for row in _level_rows(service):
        if (
            row["level"] == "within_client"
            and (row["alliance_instrument"], row["outcome_instrument"]) in service.pairs[:2]
        ):
            sure.append(Sure(word=row["certainty"], finding=_within_words(row)))
    sure.append(
        Sure(
            word="cannot_tell",
            finding="Whether raising the alliance would cause better outcomes: this is routine data.",
        )
    )
    return Headline(
        changed=words.service_headline(concerns=concerns[:3], improvements=better[:3], withheld=service.is_withheld),
        because=f"{_looked_at(service)}. Changes too small to matter are left out.",
        to_do=tuple(to_do),
        sure=tuple(sure if not service.is_withheld else sure[-1:]),
    )


def _inside(name: str) -> str:
    """A row's name inside a sentence: its first letter small, except in an abbreviation."""
    return name[:1].lower() + name[1:]


def _conversations(service: Service, *, prompts: tuple[Prompt, ...]) -> Panel:
    rows: list[tuple[Cell, ...]] = []
    for each in prompts:
        who = service.row("clinicians", each.code) or {}
        learn = "Learn from: " if each.is_to_learn else ""
        rows.append(
            (
                Link(words=each.code, href=f"clinicians/{each.code}.html"),
                who.get("site") or "",
                f"{learn}{each.why[:1].lower() + each.why[1:] if learn else each.why}",
                Tag(words=words.certainty(each.certainty), tone="better" if each.is_to_learn else "worse"),
            )
        )
    total = sum(bool(reasons(service, code)) for code in service.shown)
    caption = (
        f"{len(prompts)} of {words.counted(total, 'clinician')} with a sign, from {len(service.shown)} looked at, by how sure and then by "
        "code; with so many looked at, some signs are chance. Prompts for supervision, not a comparison of people."
    )
    if prompts and not any(each.is_to_learn for each in prompts):
        caption += (
            " Nobody\u2019s figures are better than usual beyond chance, so there is no one to learn from by name."
        )
    return Panel(
        key="conversations",
        title="Conversations worth having this month",
        caption=caption,
        method="conversations",
        table=Table(columns=("Clinician", "Site", "Why now", "How sure"), rows=tuple(rows)),
        shown=True,
        empty=None if rows else "No clinician\u2019s figures differ from usual beyond chance.",
    )


def _looked_at(service: Service) -> str:
    return f"{words.counted(len(service.shown), 'clinician')} looked at"


def _not_shown(service: Service) -> str:
    return f"{len(service.withheld)} (small groups)"


def _by_pair(service: Service) -> list[list[Panel]]:
    """For each pair of measures: alliance by progress, steadied links, funnel."""
    found = []
    for place, pair in enumerate(service.pairs):
        codes = [code for code in service.shown if service.pair.get(code) == pair]
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
            service.row("clinician_progress", code, outcome),
        )
        if level is None or progress is None or "too_few" in {level["certainty"], progress["certainty"]}:
            continue
        if level["shrunken_mean"] is None or level["service_mean"] is None or progress["expected_difference"] is None:
            continue
        across, up = level["shrunken_mean"] - level["service_mean"], progress["expected_difference"]
        is_sure = level["certainty"] in {"clear", "likely"} and progress["certainty"] in {"clear", "likely"}
        tone = "ordinary" if not is_sure or across * up <= 0 else "better" if up > 0 else "worse"
        dots.append((code, across, up, tone, level, progress))
    high, low = sum(dot[3] == "better" for dot in dots), sum(dot[3] == "worse" for dot in dots)
    rows = tuple(
        (
            dot[0],
            words.decimal(dot[4]["shrunken_mean"]),
            words.between(dot[4]["low"], dot[4]["high"]),
            words.certainty(dot[4]["certainty"]),
            words.signed(dot[2]),
            words.between(dot[5]["expected_difference_low"], dot[5]["expected_difference_high"]),
            words.certainty(dot[5]["certainty"]),
        )
        for dot in dots
    )
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
        caption=f"{alliance} with {outcome}. Up: more improvement than clients of the same site with the same first score usually "
        "make. Right: clients rate the alliance higher than the service. Both are steadied estimates; a code stands only where "
        "both are clear or likely, and the numbers give each one\u2019s range.",
        method="quadrant",
        table=Table(columns=columns, rows=rows, numeric=frozenset({1, 4})),
        figure=quadrant(
            across=[dot[1] for dot in dots],
            up=[dot[2] for dot in dots],
            tones=[dot[3] for dot in dots],
            names=[dot[0] if dot[3] != "ordinary" else "" for dot in dots],
            hover=[
                f"{dot[0] if dot[3] != 'ordinary' else 'A clinician'}: alliance {words.signed(dot[1])}, progress {words.signed(dot[2])}"
                for dot in dots
            ],
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
            row["clinician_id"] if tone != "ordinary" else "not named",
            words.slope(row["estimate"]),
            words.slope_between(row["low"], row["high"]),
            words.certainty(row["certainty"]),
        )
        for row, tone in zip(found, tones, strict=True)
    )
    return Panel(
        key=f"links-{place + 1}",
        title=f"{pair[0]}, {pair[1]}: "
        + words.links_title(certain=certain, total=len(found), differing=sum(tone != "ordinary" for tone in tones)),
        caption=f"{pair[1]} improvement at the next session for each {pair[0]} point above the client\u2019s own usual: steadied "
        "estimates with 95% ranges. In the order of how many ratings they rest on; coloured and named where "
        "a link stands apart from the service\u2019s, with false signs among all held at one in twenty.",
        method="link",
        table=Table(
            columns=("Clinician", "Points per point", "95% range", "How sure of a link"),
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
        "is unlikely: look for reasons before judging.",
        method="funnel",
        table=Table(
            columns=("Clients", "Reliably improved", "95% range", "Against the bands"),
            rows=tuple(
                (
                    str(row["evaluable"]),
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
                    row["evaluable"],
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


def _summary(measures: tuple[tuple[str, int, Signal, bool], ...]) -> Panel:
    changed = [name for name, _, signal, _ in measures if signal.tone != "ordinary"]
    unmet = [name for name, _, signal, _ in measures if signal.assurance == "no_unless_something_changes"]
    title = (
        f"{len(changed)} of {len(measures)} measures have changed beyond chance by enough to matter"
        if changed
        else "No measure has changed enough to matter"
    )
    if unmet:
        title += f"; {words.counted(len(unmet), 'standard')} will not be met unless something changes"
    rows: list[tuple[Cell, ...]] = []
    tones = {"yes_consistently": "better", "no_unless_something_changes": "worse"}
    for name, clients, signal, is_share in measures:
        goal = (
            "none set"
            if signal.standard is None
            else f"{'at most' if 'issed' in name else 'at least'} {words.percent(signal.standard)}"
        )
        rows.append(
            (
                name,
                f"{clients:,}",
                panels.value_words(signal.latest, is_share=is_share, beside=signal.standard),
                panels.usual_words(signal, is_share=is_share),
                panels.tag(signal),
                goal,
                Tag(
                    words=words.assurance(signal.assurance if signal.standard is not None else None),
                    tone=tones.get(signal.assurance or "", "ordinary"),
                ),
                panels.spark(signal, is_share=is_share),
            )
        )
    return Panel(
        key="measures",
        title=title,
        caption="Latest whole month with enough to show, against the usual range of the first 12 months shown. Changes too small to matter are said to be small.",
        method="signal",
        table=Table(
            columns=(
                "Measure",
                "Clients",
                "Latest month",
                "Usual range",
                "Change",
                "Standard",
                "Will it be met?",
                "24 months",
            ),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3}),
        ),
        shown=True,
        wide=True,
    )


def _level_rows(service: Service) -> list[dict[str, Any]]:
    frame = service.tables["analysis.alliance_levels"].filter(
        (pl.col("method") == "split_panel_jackknife") & (pl.col("scope") == "service")
    )
    order = ["within_client", "between_client", "between_clinician"]
    return sorted(
        frame.iter_rows(named=True),
        key=lambda row: (row["alliance_instrument"], row["outcome_instrument"], order.index(row["level"])),
    )


def _level_words(row: dict[str, Any]) -> str:
    return words.level_sentence(
        level=row["level"],
        certainty=row["certainty"],
        estimate=row["estimate"] or 0.0,
        alliance=row["alliance_instrument"],
        outcome=row["outcome_instrument"],
    )


def _within_words(row: dict[str, Any]) -> str:
    """The within-client level with its figure and range."""
    said = _level_words(row).removesuffix(".")
    if row["certainty"] == "too_few" or row["estimate"] is None:
        return f"{said}."
    return f"{said}: {words.slope(row['estimate'])} points for each alliance point (95% range {words.slope_between(row['low'], row['high'])})."


def _levels(service: Service) -> Panel:
    found = _level_rows(service)
    rows: list[tuple[Cell, ...]] = []
    drawn = []
    for row in found:
        is_few = (
            row["certainty"] == "too_few"
            or row["estimate"] is None
            or int(row["clients"]) < service.settings.minimum_clients
        )
        pair = f"{row['alliance_instrument']} with {row['outcome_instrument']}"
        rows.append(
            (
                pair,
                words.LEVELS[str(row["level"])],
                "Too few" if is_few else words.slope(row["estimate"]),
                "Too few" if is_few else words.slope_between(row["low"], row["high"]),
                Tag(words=words.certainty("too_few" if is_few else str(row["certainty"]))),
                "" if is_few and row["estimate"] is not None else _level_words(row),
            )
        )
        if not is_few and row["low"] is not None and row["high"] is not None:
            drawn.append((pair, row))
    main = service.pairs[0] if service.pairs else None
    first = [row for _, row in drawn if main and (row["alliance_instrument"], row["outcome_instrument"]) == main]
    within = next(
        (
            row
            for row in found
            if main
            and (row["alliance_instrument"], row["outcome_instrument"]) == main
            and row["level"] == "within_client"
        ),
        None,
    )
    title = words.link_title(
        certainty="too_few" if within is None else str(within["certainty"]),
        is_positive=within is not None and (within["estimate"] or 0) > 0,
    )
    short = {
        "within_client": "Within<br>a client",
        "between_client": "Between<br>clients",
        "between_clinician": "Between<br>clinicians",
    }
    low_high = ""
    if main:
        span = score_span(main[0])[2]
        low_high = f" One point is one of {span:.0f} on the {main[0]}."
    return Panel(
        key="levels",
        title=title,
        caption="Improvement of the next outcome score for each alliance point, its three levels kept apart, with 95% ranges; right is "
        f"better.{f' Drawn: {main[0]} with {main[1]}.' if main else ''}{low_high} Only the first compares clients with themselves.",
        method="levels",
        table=Table(
            columns=("Measures", "Level", "Points per point", "95% range", "How sure", "In words"),
            rows=tuple(rows),
            numeric=frozenset({2}),
        ),
        figure=intervals(
            names=[short[row["level"]] for row in first],
            estimates=[row["estimate"] for row in first],
            lows=[row["low"] for row in first],
            highs=[row["high"] for row in first],
            sure=[row["certainty"] in {"clear", "likely"} for row in first],
        )
        if first
        else None,
        empty=None if first else "Too few ratings for an answer.",
    )


def _waits(service: Service) -> Panel:
    settings = service.settings
    start = pl.lit(settings.data_date).dt.offset_by(f"-{settings.period_months}mo")
    seen = service.tables["marts.episodes"].filter(
        pl.col("wait_days").is_not_null() & (pl.col("wait_days") >= 0) & (pl.col("first_session_on") > start)
    )
    sites = seen.with_columns(pl.col("site").fill_null("not recorded"))
    counts = dict(sites.group_by("site").agg(pl.col("case_id").n_unique()).sort("site").iter_rows())
    hidden = suppressed_cells(counts, rule=disclosure_rule(settings), is_total_shown=True, clinicians=None)
    rows: list[tuple[Cell, ...]] = []
    groups = [("All sites", seen)] + [
        (site, sites.filter(pl.col("site") == site)) for site in counts if len(counts) > 1
    ]
    for name, frame in groups:
        if frame["case_id"].n_unique() < settings.minimum_clients or (name in hidden and name != "All sites"):
            rows.append((name, "Too few", "Too few", "Too few", "Too few"))
            continue
        parts = [frame["wait_days"].quantile(q, interpolation="linear") for q in (0.25, 0.5, 0.75, 0.9)]
        rows.append(
            (
                name,
                f"{frame.height:,}",
                f"{parts[1]:.0f} days",
                f"{parts[0]:.0f} to {parts[2]:.0f} days",
                f"{parts[3]:.0f} days",
            )
        )
    return Panel(
        key="waits",
        title="How long people waited from referral to a first session",
        caption=f"Everyone first seen in the {settings.period_months} months to {words.day(settings.data_date)}: counted, not estimated. Half waited "
        "no longer than the middle wait.",
        method="waits",
        table=Table(
            columns=("Site", "First seen", "Middle wait", "Middle half", "Nine in ten within"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3, 4}),
        ),
        shown=True,
    )
