"""How each figure is made, in plain words, and the short explanations at the foot of pages.

Belongs here: explanations, each under the anchor that charts link to.
"""

import polars as pl

from assets.contracts.changes import WORTH_TELLING
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
            "Within a client, between clients and between clinicians are three questions with three answers. Clients who rate higher may differ in many other ways, so only the first compares like with like. Each figure is corrected for the bias that short series bring: within clients by solving for what a client\u2019s own course and the alliance\u2019s reaction to outcomes put there, between them by halves of the data.",
        ),
        "progress": (
            "Expected progress",
            "What clients alike at the site usually gain: with the same first score, and alike in whatever else the service sends. Progress ahead of expected is the average gain beyond that, steadied, with its 95% range. For a single open client it is the score that clients who began alike have by that session; a fifth of them lie beyond the first limit (behind) and a tenth beyond the second (well behind). Below 200 ended courses only reliable deterioration is told.",
        ),
        "quadrant": (
            "Alliance by progress",
            "Both are differences, across from the service and up from what was expected, and both are steadied. Most marks near the middle cannot be told from the middle. A code is written only where both differences stand with false signs among all comparisons held at one in twenty.",
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
        "closer": (
            "Look closer",
            "Fixed slices, made and suppressed at night: a browser is never given what it must hide. Periods, sites and programmes whose group is small, or which subtracted from one another would tell of few, are not offered; a chosen slice may lack a rate for the same reason.",
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
        "growth": (
            "Alliance over sessions",
            "A growth model follows each client\u2019s ratings over sessions 1 to 10, so that clients who leave early move the curve little. The band holds 19 in 20 of the site\u2019s clinicians. Growth is told apart from the site\u2019s only where the range of the difference allows it.",
        ),
        "split": (
            "Split alliance",
            "Where several members of a couple or family rate the alliance, their mean, the lowest and the difference are kept apart; each is drawn toward the clinicians of the measure.",
        ),
        "staying": (
            "Staying in treatment",
            "Kaplan-Meier\u2019s curve of those still in treatment after each session, and Aalen and Johansen\u2019s of those who left unplanned, planned endings competing. Open courses count as long as they have run.",
        ),
        "leaving": (
            "Before leaving",
            "Early alliance (sessions 1 to 3) against later unplanned endings, only of those still there after session 3, clients doing alike compared; and unplanned endings after sessions with a dip, without, and after its repair. Association, not cause.",
        ),
        "between": (
            "Between clinicians",
            "The intraclass correlation: of the differences in last scores that case mix leaves, the share between clinicians of one site, with a 95% range that counts how unsure that share is.",
        ),
        "holding": (
            "Signals of holding back",
            "Four kinds, looked at over a session and the two before: a fall of alliance by one standard deviation, an appointment missed or called off by the client, a gap half as long again as usual, a form left out. The index counts kinds; what it is worth is told by those who later left unplanned.",
        ),
        "bounds": (
            "Bounds under missing forms",
            "Nobody knows what those without a form would have answered. The bounds say what a rate would be if none or all of them had it, and widen the interval by both.",
        ),
        "skipped": (
            "Who skips the form",
            "Sessions without a scored alliance form, by how far treatment has come, how clients began, how they are doing and how the alliance last stood. Where groups differ, what is missing is not missing by chance.",
        ),
        "parts": (
            "Parts of the alliance",
            "Early alliance (sessions 1 to 3) apart from later, growth, and bond, goals and tasks, each drawn toward the site\u2019s clinicians. A weakest part is named only where it lies below both others within the same forms with at least 95% probability.",
        ),
        "recording": (
            "Recording",
            "The share of attended sessions with a scored form. Missing forms are seldom missing by chance, so figures from thin recording deserve less weight.",
        ),
        "conversations": (
            "Conversations",
            f"At most {thresholds.MOST_CONVERSATIONS} prompts, a clinician once, by how sure and then by code. The comparisons looked at: progress adjusted for case mix, level, early level and growth of the alliance, its link with progress and missed appointments, each against the site, and changes of alliance and missed appointments against the clinician\u2019s own usual. Only those come up that stand when all questions asked of all clinicians are one family and no more than {thresholds.FALSE_SIGNS:.0%} of the signs may be chance (Benjamini and Hochberg 1995). For months the latest {thresholds.RECENT_MONTHS} are held against the usual level, neighbouring months taken to be alike by {thresholds.AUTOCORRELATION}. A prompt opens a conversation and closes none.",
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
        "changes": (
            "Night to night",
            f"Every figure is held against the version before. It is told where it came or went, or moved by {WORTH_TELLING:.0%} of its earlier half range or more; less reads the same. The reason is looked up, not guessed: a changed definition first, else the kind of changed data of its own group with most rows, else data elsewhere in the service, on which steadied figures lean, else the days that passed. So much changed data usually moves a figure by no more than the earlier half range times the root of twice the share of rows that changed. A movement beyond that is marked: the changes all point one way, or something else has changed.",
        ),
        "since": (
            "Since the version before",
            "Lines of each feed by fate and reason tonight less the same in the version that readers had until tonight. Refused lines are judged again every night: one whose missing clinician, say, has arrived since is admitted.",
        ),
        "flow": (
            "The flow against its own history",
            "A control chart of whole months, or of files: how much came, what share was refused, how complete it is, how scores lie, by feed and site. A point is unusual where it is the newest and lies outside limits that rest on a year or a dozen files; one site\u2019s series is held only against itself.",
        ),
        "freshness": (
            "Freshness",
            "The newest day in each layer, from files as they came to the published version, against the most days that the service\u2019s settings allow.",
        ),
        "columns": (
            "Columns",
            "The columns of each newest file are compared with those of the file before it of the same kind. A missing and a new column with like names and like values are told as probably renamed.",
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
                key="numbers-of-measures",
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
