"""How each figure is made, in plain words, and the short explanations at the foot of pages.

Belongs here: explanations, each under the anchor that charts link to.
"""

import polars as pl

from dashboards import rate_words, thresholds, words
from dashboards.page_settings import PageSettings
from dashboards.views.model import Page, Panel, Table, Tag
from dashboards.views.service import Service


def explanations(settings: PageSettings) -> dict[str, tuple[str, str]]:
    """Each method by its anchor: its name and its words."""
    clients, sessions = settings.minimum_clients, settings.minimum_sessions
    meaning = words.MEANING_OF_CERTAINTY
    return {
        "alliance": (
            "Alliance",
            "The client\u2019s own rating of the working relationship after a session: agreement on goals and tasks, and the bond. Higher is better. Clients rate kindly, so look at change more than at level.",
        ),
        "compared": (
            "Compared with the client\u2019s own usual",
            "Each client is compared only with themselves, so a warmer or harder caseload does not tilt the answer. It says that two things move together, not that one brings about the other.",
        ),
        "link": (
            "Link with the next score",
            "How much better the next outcome score is after a session whose alliance score lay a tenth of the scale above the client\u2019s own usual. Each clinician\u2019s figure is drawn toward the service by how little it rests on.",
        ),
        "levels": (
            "Three levels",
            "Within a client, between clients and between clinicians are three questions with three answers. Clients who rate higher may differ in many other ways, so only the first compares like with like. Each figure is corrected for the bias that short series bring, by halves of the data.",
        ),
        "progress": (
            "Expected progress",
            "What clients of the same site with the same first score usually gain. Progress ahead of expected is the average gain beyond that, steadied, with its 95% range.",
        ),
        "quadrant": (
            "Alliance by progress",
            "Both are differences, across from the service and up from what was expected, and both are steadied. Most marks near the middle cannot be told from the middle. A code is written only where both differences are clear or likely.",
        ),
        "reliable": (
            "Reliably improved",
            "The score has moved by more than measurement error explains between the first and the latest form (Jacobson and Truax 1991). A course of treatment counts when it has ended and has both.",
        ),
        "funnel": (
            "Funnel",
            "The fewer clients, the further a rate strays by chance alone. The inner band holds 95% and the outer 99.8% of what chance brings, widened where clinicians differ more than chance (Spiegelhalter 2005). Outside a band is a reason to ask, about case-mix first.",
        ),
        "signal": (
            "Usual range and signs",
            f"A control chart of single months: limits from the first {thresholds.BASELINE_MONTHS} months shown. A triangle marks a month outside the limits, seven on one side, seven rising or falling, or two of three near a limit. One run alone is at most likely; clear needs two months outside the limits. Only whole months are drawn, and changes smaller than {thresholds.SMALLEST_ALLIANCE:.1%} of the alliance scale, {thresholds.SMALLEST_ATTENDANCE:.0%} of appointments, {thresholds.SMALLEST_RECORDING:.0%} of recording and {thresholds.SMALLEST_IMPROVEMENT:.0%} of improvement are called small.",
        ),
        "steadied": (
            "Steadied estimate",
            "A clinician with little data is drawn toward the service\u2019s figure, so that chance extremes do not stand out.",
        ),
        "dip": (
            "Dip and repair",
            "A dip is a marked fall of the alliance score below the client\u2019s own earlier sessions. It is repaired when the score is back near that level within a few sessions. Dips are ordinary; repairing them is part of the work.",
        ),
        "attendance": (
            "Missed appointments",
            "Missed without notice, as a share of all booked. What the clinic itself called off stands apart and never counts against anyone.",
        ),
        "rates": (
            "Rates",
            "Each rate is counted from what the night\u2019s tables say of each course, episode or appointment, by one declaration; its own words stand under its name, and the data dictionary has the conditions. Per cents are from unrounded counts, halves up, with Wilson\u2019s 95% range. Measured: how many of those who should have been measured were.",
        ),
        "change": (
            "Rules for reliable change",
            "Whether one client\u2019s change is beyond measurement error can be asked by several rules: Jacobson and Truax (1991), Edwards and Nunnally (Speer 1992), Hageman and Arrindell (1999), and the published threshold that the NHS uses. The badge says whether all four put the rate on the same side of its benchmark: the service\u2019s standard, else the service\u2019s own rate.",
        ),
        "milestones": (
            "Milestones and setbacks",
            "A first reliable improvement, crossing the cut-off, a sudden gain or loss between two sessions by three criteria (Tang and DeRubeis 1999), and a repaired alliance dip. Counted once a client, by the day of the session that shows it.",
        ),
        "numbers": (
            "Numbers of measures",
            "Cut-offs, reliable change, reliabilities and norms come from one registry, each with its source and how far it is trusted; a service may set its own. A figure that rests on a number nobody has checked against its source carries a mark.",
        ),
        "parts": (
            "Parts of the alliance",
            "Bond, goals and tasks are scored from a few questions each and rise and fall together. Their averages are described; no difference between them is claimed.",
        ),
        "recording": (
            "Recording",
            "The share of attended sessions with a scored form. Missing forms are seldom missing by chance, so figures from thin recording deserve less weight.",
        ),
        "conversations": (
            "Conversations",
            f"At most {thresholds.MOST_CONVERSATIONS} prompts, a clinician once, by how sure and then by code. Signs that alliance or missed appointments have changed, rates of improvement outside the funnel and progress apart from expected come up, but only those that stand when all questions asked of all clinicians are one family and no more than {thresholds.FALSE_SIGNS:.0%} of the signs may be chance (Benjamini and Hochberg 1995). For months the latest {thresholds.RECENT_MONTHS} are held against the usual level, neighbouring months taken to be alike by {thresholds.AUTOCORRELATION}. A prompt opens a conversation and closes none.",
        ),
        "waits": (
            "Waits",
            "Days from referral to the first session, of everyone first seen in the period. People still waiting are not in it.",
        ),
        "reconciliation": (
            "Where lines went",
            "For each file: lines are the sum of those accepted, refused, replaced by a newer version, exact repeats, and blank.",
        ),
        "refused": (
            "Refused lines",
            "A line that breaks its contract is kept apart with the reason in words, never guessed at.",
        ),
        "dictionary": (
            "Data dictionary",
            "Every table and column of the night\u2019s warehouse is described once, in its contract; this page, the file\u2019s comments and the checks come from it.",
        ),
        "checks": ("Checks", "Rules that the night\u2019s tables must meet, run before anything is published."),
        "withheld": (
            "Not shown",
            f"Clinicians with fewer than {clients} clients in the period are withheld wholly, with one more where a subtraction would give them away. Months with fewer than {sessions} sessions are withheld too.",
        ),
        "certainty": (
            "How sure",
            f"Clear: {meaning['clear']} Likely: {meaning['likely']} Cannot tell: {meaning['cannot_tell']} Too few: {meaning['too_few']}",
        ),
    }


def methods(service: Service) -> Page:
    """The page that every chart links to, and every number of every measure with how far it is trusted."""
    settings = service.settings
    numbers = service.tables["analysis.instruments"].sort("kind", "instrument", "fact")
    used = {each for pair in settings.measures for each in pair}
    recalled = numbers.filter((pl.col("status") == "recalled") & pl.col("instrument").is_in(list(used)))
    rows = tuple(
        (
            row["instrument"],
            rate_words.fact_name(row["fact"]),
            row["value"] or "none",
            row["source"],
            Tag(words=rate_words.STATUSES[row["status"]]),
        )
        for row in numbers.iter_rows(named=True)
    )
    return Page(
        title=f"Methods: {settings.clinic}",
        heading="How each figure is made",
        about="In plain words, one figure at a time; every measure\u2019s numbers at the end.",
        section="methods",
        panels=(
            Panel(
                key="numbers",
                title=f"{recalled.height} of the numbers of the measures used here are recalled, not yet checked against their source"
                if recalled.height
                else "Every number of the measures used here was checked against its source",
                caption="Every number of every measure with its source. Verified: seen in the source named. Recalled: not yet checked against "
                f"it, and marked {rate_words.RECALLED_MARK} where a figure rests on it. Local: the service\u2019s own.",
                method="numbers",
                table=Table(columns=("Measure", "What", "Number", "Source", "Status"), rows=rows),
                shown=True,
                wide=True,
                empty=None if rows else "No measure is declared.",
            ),
        ),
        sections=explanations(settings),
    )
