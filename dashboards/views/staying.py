"""Who stays and who leaves: retention, early alliance and leaving, leaving after a dip, and what lies between clinicians.

Belongs here: rows of those tables as panels, of a clinician, a site, a programme or the service. Does not belong here:
drop-out by definition (`rates`).
"""

from dashboards import course_words, words
from dashboards.figures.course import staying
from dashboards.figures.link import intervals
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Noted, Panel, Table, Tag
from dashboards.views.service import Row, Service

_TOLD_AFTER = 5
_CURVES = ("in_treatment", "ended_planned", "ended_unplanned")
_NUMBERS = ("share", "share_low", "share_high")


def staying_panel(service: Service, *, scope: str, name: str) -> Panel:
    """How many are still in treatment after each session, and how many left unplanned by then."""
    rows = service.curve(scope, name)
    known = {(row["curve"], row["session_number"]): row for row in rows if _is_told(row, service)}
    sessions = sorted(
        session for curve, session in known if curve == "in_treatment" and ("ended_unplanned", session) in known
    )
    after = known.get(("in_treatment", _TOLD_AFTER))
    columns = ("After session", "Reached it", "Still in treatment", "95% range", "Left unplanned by then", "95% range")
    is_whole = scope == "service"
    # Once nobody is left, the range of the last few speaks of hardly anybody and would widen at the curve's very end.
    drawn = [each for each in sessions if known["in_treatment", each]["share"] > 0]
    beside = [] if is_whole else _beside(service, drawn)
    return Panel(
        key="staying",
        title=course_words.staying_title(
            session=_TOLD_AFTER,
            share=after["share"] if after else None,
            low=after["share_low"] if after else None,
            high=after["share_high"] if after else None,
        ),
        caption="Of those who began, the share still in treatment after each session with its 95% range (Kaplan-Meier), and the share that had left unplanned "
        "by then (Aalen-Johansen, endings competing); open courses count as long as they have run.",
        how="the line falls as courses end; a longer course is not a better one, but the line of those who left unplanned should stay low.",
        method="staying",
        table=Table(
            columns=columns,
            rows=tuple(
                (
                    str(session),
                    f"{known['in_treatment', session]['at_risk']:,}",
                    words.percent(known["in_treatment", session]["share"]),
                    _range(known["in_treatment", session]),
                    words.percent(known["ended_unplanned", session]["share"]),
                    _range(known["ended_unplanned", session]),
                )
                for session in sessions
            ),
            numeric=frozenset({0, 1, 2, 3, 4, 5}),
        ),
        figure=staying(
            sessions=drawn,
            shares=[round(known["in_treatment", each]["share"], 4) for each in drawn],
            lows=[round(known["in_treatment", each]["share_low"], 4) for each in drawn],
            highs=[round(known["in_treatment", each]["share_high"], 4) for each in drawn],
            unplanned=[round(known["ended_unplanned", each]["share"], 4) for each in drawn],
            beside=beside,
        )
        if len(drawn) > 1
        else None,
        empty=None if len(drawn) > 1 else "Too few courses of treatment have run so far.",
    )


def leaving_panel(service: Service, area: Area) -> Panel | None:
    """Whether a low early alliance, or a dip, comes before leaving unplanned: in the night's own sentences."""
    rows: list[tuple[Cell, ...]] = []
    for row in area.rows(service.tables["analysis.landmark"]).iter_rows(named=True):
        if row["certainty"] == "too_few" or (row["alliance_instrument"], row["outcome_instrument"]) not in area.pairs:
            continue
        rows.append(
            (
                Noted(
                    words="Early alliance",
                    note=f"{row['alliance_instrument']} with {row['outcome_instrument']}, sessions 1 to {row['landmark_session']}",
                ),
                course_words.plain(row["sentence"]),
                Tag(words=words.certainty(row["certainty"])),
            )
        )
    for row in area.rows(service.tables["analysis.after_rupture"]).iter_rows(named=True):
        if row["certainty"] == "too_few" or row["hazard"] is None or row["compared_with"] is None:
            continue
        rows.append(
            (
                Noted(words=course_words.STATES[row["state"]], note=row["instrument"]),
                course_words.plain(row["sentence"]),
                Tag(words=words.certainty(row["certainty"])),
            )
        )
    if not rows:
        return None
    return Panel(
        key="leaving",
        title="What comes before leaving unplanned, and how sure that is",
        caption="Early alliance: only those still there after the third session, clients doing alike compared. Dips: sessions of the same site and number "
        "compared; a client counts as repaired only from the repair on. What goes together need not bring about.",
        method="leaving",
        table=Table(columns=("What", "Finding, with 95% ranges", "How sure"), rows=tuple(rows)),
        is_detail=True,
        shown=True,
        wide=True,
    )


def variance_panel(service: Service, area: Area) -> Panel | None:
    """How much of the differences in progress lies between clinicians."""
    rows = [
        row
        for row in area.rows(service.tables["analysis.variance_shares"])
        .sort("instrument", "part")
        .iter_rows(named=True)
        if row["certainty"] != "too_few" and None not in (row["share"], row["low"], row["high"])
    ]
    drawn = [row for row in rows if row["part"] == "between_clinicians"]
    if not drawn:
        return None
    first = next((row for row in drawn if area.pairs and row["instrument"] == area.pairs[0][1]), drawn[0])
    return Panel(
        key="between",
        title=f"{words.percent(first['share'])} of the differences in progress on the {first['instrument']} lie between clinicians (95% range "
        f"{words.percent_between(first['low'], first['high'])})",
        caption="Of what case mix leaves of the last score, the share that lies between clinicians of a site rather than between their clients; with 95% ranges. "
        "Small shares mean that who one sees matters little beside who one is.",
        how="each mark is one measure\u2019s share with its 95% range.",
        method="between",
        table=Table(
            columns=("Measure", "Part", "Share", "95% range", "How sure it is more than 1%"),
            rows=tuple(
                (
                    row["instrument"],
                    {"between_clinicians": "Between clinicians", "between_sites": "Between sites"}[row["part"]],
                    words.percent(row["share"]),
                    words.percent_between(row["low"], row["high"]),
                    Tag(words=words.certainty(row["certainty"])),
                )
                for row in rows
            ),
            numeric=frozenset({2, 3}),
        ),
        is_detail=True,
        figure=intervals(
            names=[row["instrument"] for row in drawn],
            estimates=[row["share"] for row in drawn],
            lows=[row["low"] for row in drawn],
            highs=[row["high"] for row in drawn],
            sure=[row["certainty"] in {"clear", "likely"} for row in drawn],
            is_share=True,
        ),
    )


def skipped_panel(service: Service, whole: Area) -> Panel | None:
    """Who skips the alliance form."""
    rows = [
        row
        for row in whole.rows(service.tables["analysis.missing_forms"])
        .sort("grouped_by", "position")
        .iter_rows(named=True)
        if row["certainty"] != "too_few"
        and row["rate"] is not None
        and row["clients"] >= service.settings.minimum_clients
    ]
    if not rows:
        return None
    differs = [row for row in rows if row["position"] and row["certainty"] == "clear"]
    return Panel(
        key="skipped",
        title=f"Alliance forms are skipped unlike in {words.counted(len(differs), 'group')} of {sum(row['position'] > 0 for row in rows)}: what is missing is not missing by chance"
        if differs
        else "Cannot tell that one group skips the alliance form more than another",
        caption="Sessions without a scored alliance form, by group, with 95% ranges; each group is held against the first of its kind. Sites that never send "
        "one are left out.",
        method="skipped",
        table=Table(
            columns=("By", "Group", "Skipped", "95% range", "Against the first", "95% range", "How sure"),
            rows=tuple(
                (
                    course_words.GROUPINGS[row["grouped_by"]],
                    row["group_name"],
                    words.percent(row["rate"]),
                    words.percent_between(row["rate_low"], row["rate_high"]),
                    *(
                        ("", "", Tag(words="Held against"))
                        if not row["position"]
                        else (
                            f"{words.signed(row['difference'] * 100, places=0)} in 100",
                            words.between(row["difference_low"] * 100, row["difference_high"] * 100, places=0),
                            Tag(words=words.certainty(row["certainty"])),
                        )
                    ),
                )
                for row in rows
            ),
            numeric=frozenset({2, 3, 4, 5}),
        ),
        shown=True,
        wide=True,
    )


def _beside(service: Service, sessions: list[int]) -> list[tuple[int, float]]:
    found = {
        row["session_number"]: round(row["share"], 4)
        for row in service.curve("service", "all")
        if row["curve"] == "in_treatment" and _is_told(row, service)
    }
    return [(each, found[each]) for each in sessions if each in found]


def _is_told(row: Row, service: Service) -> bool:
    is_enough = not row["is_too_few"] and row["at_risk"] >= service.settings.minimum_clients
    return is_enough and all(row[name] is not None for name in _NUMBERS)


def _range(row: Row) -> str:
    return words.percent_between(row["share_low"], row["share_high"])
