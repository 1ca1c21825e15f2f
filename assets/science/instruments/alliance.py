"""Declarations of alliance measures: how client and clinician rate the working relationship.

Belongs here: numbers with their sources. Does not belong here: item wording, which the holders of the rights
license, and any rule about what a fall in alliance means (`assets.science`'s rupture module).
"""

from __future__ import annotations

from assets.science.instruments.model import Absent, Instrument, MissingRule, Range, Scoring, Sourced, Subscale

_ONE_IN_TEN = "Convention of this registry where no published rule was found: at most one item in ten left open"
_NO_CUT_OFF = Absent("cut_off", "No cut-off is validated; what is followed is the change in each client's own ratings.")
_NO_CHANGE = Absent(
    "reliable_change",
    "No published threshold was found; a clinic states one from its own spread and an alpha, as `analysis.own_figures` shows.",
)
_ALL_LINES = "Duncan et al. 2003: the four lines are summed, so all four are needed"

WAI_SR = Instrument(
    id="WAI-SR",
    name="Working Alliance Inventory, short revised",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(12, "Hatcher & Gillaspy 2006; docs.getrivet.ca", "verified"),
    item_range=Sourced(Range(1, 5), "Hatcher & Gillaspy 2006; docs.getrivet.ca", "verified"),
    scoring=Sourced(Scoring("sum", 1), "docs.getrivet.ca: sum, 12 to 60", "verified"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client", "clinician", "observer"),
    subscales=(
        Subscale(
            id="bond",
            name="Bond",
            items=Sourced((3, 5, 7, 9), "docs.getrivet.ca", "verified"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
        Subscale(
            id="goals",
            name="Goals",
            items=Sourced((4, 6, 8, 11), "docs.getrivet.ca", "verified"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
        Subscale(
            id="tasks",
            name="Tasks",
            items=Sourced((1, 2, 10, 12), "docs.getrivet.ca", "verified"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
    ),
    alpha=Sourced(0.91, "Hatcher & Gillaspy 2006, lower of two samples", "recalled"),
    absent=(_NO_CUT_OFF, _NO_CHANGE),
    licence="Copyright Society for Psychotherapy Research; permission needed beyond its stated uses.",
    aliases=("WAI-SR-C", "WAI-SR client", "Working Alliance Inventory Short Revised"),
)

WAI_S = Instrument(
    id="WAI-S",
    name="Working Alliance Inventory, short form",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(12, "Tracey & Kokotovic 1989", "recalled"),
    item_range=Sourced(Range(1, 7), "Tracey & Kokotovic 1989", "recalled"),
    scoring=Sourced(Scoring("sum", 1), "Tracey & Kokotovic 1989: sum, 12 to 84", "recalled"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client", "clinician", "observer"),
    reversed_items=Sourced((4, 10), "Tracey & Kokotovic 1989", "recalled"),
    subscales=(
        Subscale(
            id="bond",
            name="Bond",
            items=Sourced((3, 5, 7, 9), "Tracey & Kokotovic 1989", "recalled"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
        Subscale(
            id="goals",
            name="Goals",
            items=Sourced((4, 6, 10, 11), "Tracey & Kokotovic 1989", "recalled"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
        Subscale(
            id="tasks",
            name="Tasks",
            items=Sourced((1, 2, 8, 12), "Tracey & Kokotovic 1989", "recalled"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
        ),
    ),
    alpha=Sourced(0.9, "Tracey & Kokotovic 1989, to one figure", "recalled"),
    absent=(_NO_CUT_OFF, _NO_CHANGE),
    licence="Copyright A. O. Horvath; permission needed.",
    aliases=("WAI-S-C", "WAI short", "WAI-12"),
)

SRS = Instrument(
    id="SRS",
    name="Session Rating Scale, version 3",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(4, "CamCOPS documentation; Duncan et al. 2003", "verified"),
    item_range=Sourced(Range(0, 10), "CamCOPS documentation; Duncan et al. 2003", "verified"),
    item_decimals=1,
    scoring=Sourced(Scoring("sum", 1), "Duncan et al. 2003: sum, 0 to 40", "verified"),
    missing=Sourced(MissingRule(0), _ALL_LINES, "recalled"),
    raters=("client",),
    subscales=tuple(
        Subscale(
            id=line_id,
            name=line_name,
            items=Sourced((number,), "Duncan et al. 2003, order of the lines", "verified"),
            missing=Sourced(MissingRule(0), _ALL_LINES, "recalled"),
        )
        for number, line_id, line_name in (
            (1, "bond", "Relationship"),
            (2, "goals", "Goals and topics"),
            (3, "tasks", "Approach or method"),
            (4, "overall", "Overall"),
        )
    ),
    cut_off=Sourced(36.0, "OpenFIT CutoffSRS: 36 itself is fine; other sources count it as low", "verified"),
    alpha=Sourced(0.88, "Duncan et al. 2003", "recalled"),
    test_retest=Sourced(0.64, "Duncan et al. 2003; reviews give .54 to .70 (2020, J Evid Based Soc Work)", "recalled"),
    absent=(_NO_CHANGE,),
    licence="Copyright Miller, Duncan and Johnson; a licence is needed, free for individual clinicians on paper.",
    aliases=("SRS v3", "SRS 3.0", "Session Rating Scale"),
)

ARM_5 = Instrument(
    id="ARM-5",
    name="Agnew Relationship Measure, five items",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(5, "Cahill et al. 2012; psypack.com", "verified"),
    item_range=Sourced(Range(1, 7), "Cahill et al. 2012; psypack.com", "verified"),
    scoring=Sourced(Scoring("mean", 1), "psypack.com: mean of items", "verified"),
    missing=Sourced(MissingRule(0), _ONE_IN_TEN, "recalled"),
    raters=("client", "clinician"),
    reversed_items=Sourced((3,), "psypack.com", "verified"),
    alpha=Sourced(0.8, "Cahill et al. 2012, to one figure", "recalled"),
    absent=(_NO_CUT_OFF, _NO_CHANGE),
    licence="Free to use, as far as is known; ask the authors.",
    aliases=("Agnew Relationship Measure 5",),
)

ARM_12 = Instrument(
    id="ARM-12",
    name="Agnew Relationship Measure, twelve items",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(12, "Cahill et al. 2012", "recalled"),
    item_range=Sourced(Range(1, 7), "Cahill et al. 2012", "recalled"),
    scoring=Sourced(Scoring("mean", 1), "Cahill et al. 2012", "recalled"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client", "clinician"),
    is_key_declared=False,
    alpha=Sourced(0.8, "Cahill et al. 2012, middle of .7 to .9", "recalled"),
    absent=(
        _NO_CUT_OFF,
        _NO_CHANGE,
        Absent(
            "reversed_items",
            "The parts of three items are published (bond, partnership, confidence, openness), but no source with their "
            "numbers and keying could be read; until a clinic gives `reversed_items` from its own copy, totals only.",
        ),
    ),
    licence="Terms not established; ask the authors.",
    aliases=("Agnew Relationship Measure 12",),
)

SAI = Instrument(
    id="SAI",
    name="Session Alliance Inventory",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(6, "Falkenstrom et al. 2015", "recalled"),
    item_range=Sourced(Range(0, 5), "Falkenstrom et al. 2015", "recalled"),
    scoring=Sourced(Scoring("mean", 1), "Falkenstrom et al. 2015", "recalled"),
    missing=Sourced(MissingRule(0), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    alpha=Sourced(0.85, "Falkenstrom et al. 2015, within clients, a lower bound", "recalled"),
    absent=(_NO_CUT_OFF, _NO_CHANGE),
    licence="Open, as far as is known; items derive from the Working Alliance Inventory.",
    aliases=("Session Alliance Inventory",),
)

HAQ_II = Instrument(
    id="HAq-II",
    name="Helping Alliance Questionnaire II",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(19, "Luborsky et al. 1996", "recalled"),
    item_range=Sourced(Range(1, 6), "Luborsky et al. 1996", "recalled"),
    scoring=Sourced(Scoring("mean", 1), "Luborsky et al. 1996", "recalled"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client", "clinician"),
    reversed_items=Sourced((4, 8, 11, 16, 19), "Luborsky et al. 1996", "recalled"),
    alpha=Sourced(0.9, "Luborsky et al. 1996", "recalled"),
    absent=(_NO_CUT_OFF, _NO_CHANGE),
    licence="Free for clinical use, as far as is known.",
    aliases=("HAQ2", "Helping Alliance Questionnaire"),
)

CALPAS = Instrument(
    id="CALPAS",
    name="California Psychotherapy Alliance Scales, client form",
    kind="alliance",
    direction="higher_is_better",
    n_items=Sourced(24, "Gaston 1991", "recalled"),
    item_range=Sourced(Range(1, 7), "Gaston 1991", "recalled"),
    scoring=Sourced(Scoring("mean", 1), "Gaston 1991", "recalled"),
    missing=Sourced(MissingRule(2), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    is_key_declared=False,
    alpha=Sourced(0.83, "Gaston 1991 (Psychol Assess 3:68-74), 147 clients; its four parts .43 to .73", "verified"),
    absent=(
        _NO_CUT_OFF,
        _NO_CHANGE,
        Absent(
            "reversed_items",
            "Many items are reversed and the key stands in the authors' manual, which could not be read; until a clinic "
            "gives `reversed_items` from its own copy, totals only.",
        ),
    ),
    licence="Copyright Gaston and Marmar; permission needed.",
    aliases=("CALPAS-P",),
)

ALLIANCE: tuple[Instrument, ...] = (WAI_SR, WAI_S, SRS, ARM_5, ARM_12, SAI, HAQ_II, CALPAS)
