"""Reliable change by measure: rates, effect sizes, and whether a conclusion depends on the rule that counts.

Belongs here: the method badge beside a rate. Does not belong here: the rules (`assets.science.change_methods`).
"""

import polars as pl

from assets.contracts.rates import metric
from assets.science.disclosure import suppressed_cells
from dashboards import rate_words, words
from dashboards.figures.link import intervals
from dashboards.views import recalled
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Noted, Panel, Table, Tag
from dashboards.views.rates import CHANGES, definitions, rate_of
from dashboards.views.service import Row, Service, disclosure_rule

_ASKED = ("JT", "EN", "HA", "threshold")
_EFFECT = "smcr"


def change_panel(rates: pl.DataFrame, area: Area, service: Service) -> Panel:
    """Every outcome measure's rates of change, the badge beside the rate of improvement, and the average change."""
    rows: list[tuple[Cell, ...]] = []
    uses: list[tuple[str, str]] = []
    for instrument in _measures(area, service):
        cells = [
            _share(service, rate_of(rates, area, name, instrument), instrument=instrument, name=name)
            for name in CHANGES
        ]
        uses += [(instrument, fact) for fact in (recalled.RELIABLE_CHANGE, recalled.CUT_OFF)]
        row = rate_of(rates, area, "improved", instrument)
        whole = "Too few" if row is None else rate_words.measured(row["complete"], row["eligible"])
        rows.append(
            (
                instrument,
                *cells,
                whole,
                _effect(service, area, instrument),
                _badge_tag(badge_of(service, area, instrument)),
            )
        )
    main = next(iter(_measures(area, service)), None)
    first = rate_of(rates, area, "improved", main) if main else None
    rules = badge_of(service, area, main) if main else {}
    asked = rules.get("JT")
    return Panel(
        key="change",
        title=rate_words.change_title(
            main or "",
            percent=first["published_percent"] if first else None,
            low=first["low"] if first else None,
            high=first["high"] if first else None,
            badge=asked["badge"] if asked else "too_few",
            conclusion=asked["conclusion"] if asked else None,
        ),
        caption=f"Courses ended in the {service.settings.period_months} months, each measure apart, with 95% ranges and counts to the nearest five; Measured says how many had a "
        "first and a last score. Average change is in standard deviations at the start (SMCR), and the last column asks whether four "
        "rules for reliable change put the rate on the same side of its benchmark: both over all ended courses on record."
        f"{recalled.note(service, uses)}",
        definitions=definitions(CHANGES),
        method="change",
        table=Table(
            columns=(
                "Measure",
                *(metric(name).title for name in CHANGES),
                "Measured",
                "Average change",
                "By whichever rule",
            ),
            rows=tuple(rows),
        ),
        shown=True,
        wide=True,
        empty=None if rows else "No outcome measure has a published reliable change here.",
    )


def rules_panel(area: Area, service: Service) -> Panel | None:
    """Reliable improvement under each rule, for the main measure drawn and for all in the table."""
    found = {instrument: badge_of(service, area, instrument) for instrument in _measures(area, service)}
    found = {instrument: rules for instrument, rules in found.items() if rules}
    if not found:
        return None
    main, rules = next(iter(found.items()))
    drawn = {rule: rules[rule] for rule in _ASKED if rule in rules}
    rows = [
        (
            Noted(
                words=f"{instrument}: {rate_words.RULES[rule]}",
                note="" if row["is_in_badge"] else "Beside the badge, not asked by it.",
            ),
            words.percent(row["rate"], beside=row["benchmark"]),
            words.percent_between(row["low"], row["high"]),
            rate_words.of_counts(row["improved"], row["pairs"]),
            Tag(words=f"{rate_words.CONCLUSIONS[row['conclusion']]}: benchmark {words.percent(row['benchmark'])}"),
        )
        for instrument, rules_ in found.items()
        for rule, row in rules_.items()
    ]
    badge = next(iter(drawn.values()))["badge"] if drawn else "too_few"
    benchmark = next(iter(drawn.values()))["benchmark"] if drawn else None
    return Panel(
        key="rules",
        title=rate_words.rules_title(main, badge=badge),
        caption=f"Share reliably improved on the {main} under each rule that the badge asks, over all ended courses on record, with 95% ranges; the "
        f"line is the benchmark of {words.percent(benchmark)}.{recalled.note(service, [(main, 'alpha'), (main, recalled.RELIABLE_CHANGE)])}",
        how="each mark is one rule\u2019s rate with its 95% range; the line is the benchmark.",
        method="change",
        table=Table(
            columns=("Rule", "Improved", "95% range", "Counted", "Against the benchmark"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3}),
        ),
        is_detail=True,
        figure=intervals(
            names=[rate_words.SHORT_RULES[rule] for rule in drawn],
            estimates=[row["rate"] for row in drawn.values()],
            lows=[row["low"] for row in drawn.values()],
            highs=[row["high"] for row in drawn.values()],
            sure=[row["conclusion"] != "cannot_tell" for row in drawn.values()],
            is_share=True,
            line=benchmark,
        )
        if drawn
        else None,
    )


def badge_of(service: Service, area: Area, instrument: str) -> dict[str, Row]:
    """Each rule's row for a measure in an area; empty where it has none or is withheld."""
    rows = service.tables["analysis.change_methods"].filter(pl.col("instrument") == instrument)
    if area.name in _hidden(service, rows.filter(pl.col("rule") == "JT"), area):
        return {}
    found = {row["rule"]: row for row in area.rows(rows.drop_nulls(["low", "high"])).iter_rows(named=True)}
    return {rule: found[rule] for rule in rate_words.RULES if rule in found}


def _hidden(service: Service, rows: pl.DataFrame, area: Area) -> frozenset[str]:
    counts = dict(rows.filter(pl.col("scope") == area.scope).select("scope_name", "pairs").iter_rows())
    is_part = area.scope != "service"
    return suppressed_cells(counts, rule=disclosure_rule(service.settings), is_total_shown=is_part, clinicians=None)


def _measures(area: Area, service: Service) -> list[str]:
    """Outcome measures with rates of change here, those of the configured pairs first."""
    held = area.rows(service.tables["analysis.rates"]).filter(pl.col("metric") == "improved")["instrument"].to_list()
    first = [outcome for _, outcome in area.pairs if outcome in held]
    return list(dict.fromkeys([*first, *sorted(held)]))


def _share(service: Service, row: Row | None, *, instrument: str, name: str) -> Cell:
    """One rate of change with its range and counts, marked where a number it rests on is recalled."""
    if row is None:
        return "Too few"
    facts = (recalled.RELIABLE_CHANGE, recalled.CUT_OFF) if name == "recovered" else (recalled.RELIABLE_CHANGE,)
    said = rate_words.published(row["published_percent"], is_too_few=row["is_too_few"])
    return Noted(
        words=recalled.marked(service, said, instrument=instrument, facts=facts),
        note=f"{words.percent_between(row['low'], row['high'])}; {rate_words.of_counts(row['numerator'], row['denominator'])}",
    )


def _effect(service: Service, area: Area, instrument: str) -> Cell:
    rows = service.tables["analysis.effect_sizes"].filter(
        (pl.col("instrument") == instrument) & (pl.col("effect") == _EFFECT)
    )
    found = area.rows(rows)
    row = found.row(0, named=True) if found.height else None
    if (
        row is None
        or row["is_too_few"]
        or None in (row["estimate"], row["low"])
        or area.name in _hidden(service, rows, area)
    ):
        return "Too few"
    return Noted(
        words=f"{words.signed(row['estimate'], places=2)} SD",
        note=f"{words.between(row['low'], row['high'], places=2)}; {row['pairs']:,} of {row['episodes']:,} measured",
    )


def _badge_tag(rules: dict[str, Row]) -> Tag:
    badge = rules["JT"]["badge"] if "JT" in rules else "too_few"
    return Tag(words=rate_words.BADGES[badge])
