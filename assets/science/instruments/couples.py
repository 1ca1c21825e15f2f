"""Declarations of couple measures: satisfaction with the relationship, rated by each partner. Higher is better.

Belongs here: numbers with their sources. Does not belong here: item wording, and how two partners' scores make a
case's.
"""

from __future__ import annotations

from assets.science.instruments.model import Absent, Instrument, MissingRule, Range, Scoring, Sourced, Subscale

_FUNK = "Funk & Rogge 2007 (J Fam Psychol 21:572-583)"
_BUSBY = "Busby et al. 1995"
_ONE_IN_TEN = "Convention of this registry where no published rule was found: at most one item in ten left open"

CSI_4 = Instrument(
    id="CSI-4",
    name="Couples Satisfaction Index, four items",
    kind="outcome",
    direction="higher_is_better",
    n_items=Sourced(4, _FUNK, "recalled"),
    item_range=Sourced(Range(0, 5), _FUNK, "recalled"),
    item_exceptions=((1, Sourced(Range(0, 6), _FUNK, "recalled")),),
    scoring=Sourced(Scoring("sum", 1), "Funk & Rogge 2007: sum, 0 to 21", "recalled"),
    missing=Sourced(MissingRule(0), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    cut_off=Sourced(13.5, "Funk & Rogge 2007: below 13.5 is distressed", "recalled"),
    alpha=Sourced(0.94, _FUNK, "recalled"),
    absent=(
        Absent(
            "reliable_change",
            "No published threshold was found, nor the standard deviation of the four items apart from the long form's; "
            "a clinic states one from its own clients' first scores, as `analysis.own_figures` shows.",
        ),
    ),
    licence="Free for research and clinical use with acknowledgement.",
    aliases=("CSI", "Couples Satisfaction Index"),
)

DAS_7 = Instrument(
    id="DAS-7",
    name="Dyadic Adjustment Scale, seven items",
    kind="outcome",
    direction="higher_is_better",
    n_items=Sourced(7, "Sharpley & Rogers 1984", "recalled"),
    item_range=Sourced(Range(0, 5), "Sharpley & Rogers 1984", "recalled"),
    item_exceptions=((7, Sourced(Range(0, 6), "Sharpley & Rogers 1984", "recalled")),),
    scoring=Sourced(Scoring("sum", 1), "Sharpley & Rogers 1984: sum, 0 to 36", "recalled"),
    missing=Sourced(MissingRule(0), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    cut_off=Sourced(21.0, "Hunsley et al. 2001, about", "recalled"),
    alpha=Sourced(0.75, "Sharpley & Rogers 1984, lower of .75 to .80", "recalled"),
    absent=(
        Absent(
            "reliable_change",
            "No published threshold was found, nor a standard deviation of couples at intake that could be checked; a "
            "clinic states one from its own clients' first scores, as `analysis.own_figures` shows.",
        ),
    ),
    licence="Copyright Multi-Health Systems; licence needed.",
    aliases=("Dyadic Adjustment Scale 7", "ADAS"),
)

RDAS = Instrument(
    id="RDAS",
    name="Revised Dyadic Adjustment Scale",
    kind="outcome",
    direction="higher_is_better",
    n_items=Sourced(14, _BUSBY, "recalled"),
    item_range=Sourced(Range(0, 5), _BUSBY, "recalled"),
    item_exceptions=((11, Sourced(Range(0, 4), _BUSBY, "recalled")),),
    scoring=Sourced(Scoring("sum", 1), "Busby et al. 1995: sum, 0 to 69", "recalled"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    subscales=tuple(
        Subscale(
            id=part_id,
            name=name,
            items=Sourced(tuple(range(first, last + 1)), _BUSBY, "recalled"),
            missing=Sourced(MissingRule(0), _ONE_IN_TEN, "recalled"),
        )
        for part_id, name, first, last in (
            ("consensus", "Consensus", 1, 6),
            ("satisfaction", "Satisfaction", 7, 10),
            ("cohesion", "Cohesion", 11, 14),
        )
    ),
    cut_off=Sourced(47.31, "Anderson et al. 2014", "verified"),
    reliable_change=Sourced(12.0, "Anderson et al. 2014: 11.58, used as 12", "verified"),
    alpha=Sourced(0.9, _BUSBY, "recalled"),
    licence="Copyright American Association for Marriage and Family Therapy.",
    aliases=("Revised Dyadic Adjustment Scale",),
)

COUPLES: tuple[Instrument, ...] = (CSI_4, DAS_7, RDAS)
