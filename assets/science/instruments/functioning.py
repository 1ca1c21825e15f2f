"""Declarations of general outcome measures: wellbeing, functioning, work and social adjustment.

Belongs here: numbers with their sources. Does not belong here: item wording. Directions differ within this module:
the ORS is higher-is-better, the OQ-45.2 and the WSAS higher-is-worse.
"""

from __future__ import annotations

from assets.science.instruments.model import Instrument, MissingRule, Norm, Range, Scoring, Sourced, Subscale

_ALL_LINES = "Miller et al. 2003: the four lines are summed, so all four are needed"
_LAMBERT = "Lambert et al. 2004"
_INTERPERSONAL = (1, 7, 16, 17, 18, 19, 20, 26, 30, 37, 43)
_SOCIAL_ROLE = (4, 12, 14, 21, 28, 32, 38, 39, 44)

ORS = Instrument(
    id="ORS",
    name="Outcome Rating Scale",
    kind="outcome",
    direction="higher_is_better",
    n_items=Sourced(4, "CamCOPS documentation; Miller et al. 2003", "verified"),
    item_range=Sourced(Range(0, 10), "CamCOPS documentation; Miller et al. 2003", "verified"),
    item_decimals=1,
    scoring=Sourced(Scoring("sum", 1), "Miller et al. 2003: sum, 0 to 40", "verified"),
    missing=Sourced(MissingRule(0), _ALL_LINES, "recalled"),
    raters=("client",),
    subscales=tuple(
        Subscale(
            id=line_id,
            name=name,
            items=Sourced((number,), "Miller et al. 2003, order of the lines", "verified"),
            missing=Sourced(MissingRule(0), _ALL_LINES, "recalled"),
        )
        for number, line_id, name in (
            (1, "individual", "Individually"),
            (2, "interpersonal", "Interpersonally"),
            (3, "social", "Socially"),
            (4, "overall", "Overall"),
        )
    ),
    cut_off=Sourced(25.0, "Public scoring code after Miller et al. 2003, adults: below 25 is clinical", "verified"),
    reliable_change=Sourced(5.0, "Miller et al. 2003; a newer manual gives 6", "recalled"),
    alpha=Sourced(0.93, "Miller et al. 2003", "recalled"),
    clinical_norm=Sourced(Norm(19.6, 8.7), "Miller et al. 2003", "recalled"),
    functional_norm=Sourced(Norm(28.0, 6.8), "Miller et al. 2003", "recalled"),
    licence="Copyright Miller and Duncan; a licence is needed, free for individual clinicians on paper.",
    aliases=("Outcome Rating Scale",),
)

OQ_45_2 = Instrument(
    id="OQ-45.2",
    name="Outcome Questionnaire 45.2",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(45, _LAMBERT, "verified"),
    item_range=Sourced(Range(0, 4), _LAMBERT, "verified"),
    scoring=Sourced(Scoring("sum", 1), "Lambert et al. 2004: sum, 0 to 180", "verified"),
    missing=Sourced(MissingRule(4), "Convention of this registry: at most one item in ten left open", "recalled"),
    raters=("client",),
    reversed_items=Sourced((1, 12, 13, 20, 21, 24, 31, 37, 43), _LAMBERT, "recalled"),
    subscales=tuple(
        Subscale(
            id=part_id,
            name=name,
            items=Sourced(items, "Lambert et al. 2004; 25, 11 and 9 items", "recalled"),
            missing=Sourced(
                MissingRule(missing), "Convention of this registry: at most one item in ten left open", "recalled"
            ),
        )
        for part_id, name, items, missing in (
            (
                "symptom_distress",
                "Symptom distress",
                tuple(n for n in range(1, 46) if n not in {*_INTERPERSONAL, *_SOCIAL_ROLE}),
                2,
            ),
            ("interpersonal", "Interpersonal relations", _INTERPERSONAL, 1),
            ("social_role", "Social role", _SOCIAL_ROLE, 0),
        )
    ),
    cut_off=Sourced(64.0, "Lambert et al. 2004: between 63 and 64", "recalled"),
    reliable_change=Sourced(14.0, "Lambert et al. 2004; the publisher's list of thresholds", "verified"),
    alpha=Sourced(0.93, _LAMBERT, "recalled"),
    test_retest=Sourced(0.84, _LAMBERT, "recalled"),
    clinical_norm=Sourced(Norm(83.1, 22.2), "Lambert et al. 2004, outpatients", "recalled"),
    functional_norm=Sourced(Norm(45.2, 18.6), "Lambert et al. 2004, community", "recalled"),
    licence="Commercial licence from OQ Measures.",
    aliases=("OQ", "OQ-45", "Outcome Questionnaire"),
)

WSAS = Instrument(
    id="WSAS",
    name="Work and Social Adjustment Scale",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(5, "Mundt et al. 2002", "verified"),
    item_range=Sourced(Range(0, 8), "Mundt et al. 2002", "verified"),
    scoring=Sourced(Scoring("sum", 1), "Mundt et al. 2002: sum, 0 to 40", "verified"),
    missing=Sourced(MissingRule(1), "NHS Talking Therapies: at least four of the five answered", "verified"),
    raters=("client",),
    cut_off=Sourced(
        10.0, "Mundt et al. 2002 (Br J Psychiatry 180:461-4): 10 to 20 significant, above severe", "verified"
    ),
    reliable_change=Sourced(8.0, "Zahra et al. 2014", "recalled"),
    alpha=Sourced(0.7, "Mundt et al. 2002, lower of .70 to .94", "verified"),
    test_retest=Sourced(0.73, "Mundt et al. 2002", "verified"),
    licence="Copyright I. M. Marks; free in clinical use with acknowledgement, as far as is known.",
    aliases=("Work and Social Adjustment Scale",),
)

FUNCTIONING: tuple[Instrument, ...] = (ORS, OQ_45_2, WSAS)
