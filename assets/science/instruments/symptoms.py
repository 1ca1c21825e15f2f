"""Declarations of symptom measures: depression, anxiety, trauma, distress. Higher is worse in all of them.

Belongs here: numbers with their sources. Does not belong here: item wording, and the official rules of one health
service (`assets.science.talking_therapies`), even where they share a threshold.
"""

from __future__ import annotations

from assets.science.instruments.model import Absent, Instrument, MissingRule, Norm, Range, Scoring, Sourced, Subscale

_ONE_IN_TEN = "Convention of this registry where no published rule was found: at most one item in ten left open"
_ONE_OR_TWO = "Kroenke et al. 2010: one or two open items take the mean of the answered ones"
_BLEVINS = "Blevins et al. 2015 (J Trauma Stress 28:489-498)"
_DASS = "Lovibond & Lovibond 1995; public scoring code of the ARC measures"

PHQ_9 = Instrument(
    id="PHQ-9",
    name="Patient Health Questionnaire, depression",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(9, "Kroenke et al. 2001", "verified"),
    item_range=Sourced(Range(0, 3), "Kroenke et al. 2001", "verified"),
    scoring=Sourced(Scoring("sum", 1), "Kroenke et al. 2001: sum, 0 to 27", "verified"),
    missing=Sourced(MissingRule(2), _ONE_OR_TWO, "recalled"),
    raters=("client",),
    cut_off=Sourced(10.0, "Kroenke et al. 2001; NHS Talking Therapies caseness", "verified"),
    reliable_change=Sourced(6.0, "NHS Talking Therapies; trial record NCT05134103", "verified"),
    alpha=Sourced(0.89, "Kroenke et al. 2001, primary care sample", "verified"),
    test_retest=Sourced(0.84, "Kroenke et al. 2001", "recalled"),
    clinical_norm=Sourced(Norm(17.1, 6.1), "Kroenke et al. 2001, clients with major depression", "recalled"),
    functional_norm=Sourced(Norm(3.3, 3.8), "Kroenke et al. 2001, clients without depression", "recalled"),
    licence="Public domain; no permission needed.",
    aliases=("PHQ", "Patient Health Questionnaire 9"),
)

GAD_7 = Instrument(
    id="GAD-7",
    name="Generalised Anxiety Disorder scale",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(7, "Spitzer et al. 2006", "verified"),
    item_range=Sourced(Range(0, 3), "Spitzer et al. 2006", "verified"),
    scoring=Sourced(Scoring("sum", 1), "Spitzer et al. 2006: sum, 0 to 21", "verified"),
    missing=Sourced(MissingRule(2), _ONE_OR_TWO, "recalled"),
    raters=("client",),
    cut_off=Sourced(8.0, "NHS Talking Therapies caseness; Spitzer et al. 2006 screen at 10", "verified"),
    reliable_change=Sourced(4.0, "NHS Talking Therapies; Bischoff et al. 2020 give 6", "verified"),
    alpha=Sourced(0.92, "Spitzer et al. 2006", "verified"),
    test_retest=Sourced(0.83, "Spitzer et al. 2006", "verified"),
    clinical_norm=Sourced(Norm(14.4, 4.7), "Spitzer et al. 2006, clients with the disorder", "recalled"),
    functional_norm=Sourced(Norm(2.95, 3.41), "Lowe et al. 2008, general population", "recalled"),
    licence="Public domain; no permission needed.",
    aliases=("GAD", "Generalised Anxiety Disorder 7", "Generalized Anxiety Disorder 7"),
)

PCL_5 = Instrument(
    id="PCL-5",
    name="PTSD Checklist for DSM-5",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(20, _BLEVINS, "verified"),
    item_range=Sourced(Range(0, 4), _BLEVINS, "verified"),
    scoring=Sourced(Scoring("sum", 1), "Blevins et al. 2015: sum, 0 to 80", "verified"),
    missing=Sourced(MissingRule(2), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    subscales=tuple(
        Subscale(
            id=cluster_id,
            name=name,
            items=Sourced(tuple(range(first, last + 1)), "DSM-5 criteria B to E in the order of the items", "recalled"),
            missing=Sourced(MissingRule(missing), _ONE_IN_TEN, "recalled"),
        )
        for cluster_id, name, first, last, missing in (
            ("intrusion", "Intrusion", 1, 5, 1),
            ("avoidance", "Avoidance", 6, 7, 0),
            ("cognition_mood", "Cognition and mood", 8, 14, 1),
            ("arousal", "Arousal", 15, 20, 1),
        )
    ),
    cut_off=Sourced(32.0, "Forkus et al. 2022 review: 31 to 33; the middle, as NHS Talking Therapies", "verified"),
    reliable_change=Sourced(15.0, "Marx et al. 2022, lower of 15 to 18; NHS Talking Therapies uses 10", "recalled"),
    alpha=Sourced(0.94, _BLEVINS, "verified"),
    test_retest=Sourced(0.82, _BLEVINS, "verified"),
    licence="United States government work, public domain.",
    aliases=("PCL5", "PTSD Checklist"),
)

K10 = Instrument(
    id="K10",
    name="Kessler Psychological Distress Scale",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(10, "Kessler et al. 2002; Australian Bureau of Statistics 4817.0.55.001", "verified"),
    item_range=Sourced(
        Range(1, 5), "Australian Bureau of Statistics 4817.0.55.001; 0 to 4 in the United States", "verified"
    ),
    scoring=Sourced(Scoring("sum", 1), "Australian Bureau of Statistics 4817.0.55.001: sum, 10 to 50", "verified"),
    missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    cut_off=Sourced(20.0, "Andrews & Slade 2001, as dqref.com gives them: 20, 25, 30", "verified"),
    reliable_change=Sourced(7.0, "Upper of the 5 to 7 in use", "recalled"),
    alpha=Sourced(0.93, "Kessler et al. 2002", "recalled"),
    licence="Free to use.",
    aliases=("Kessler 10", "K-10"),
)

DASS_21 = Instrument(
    id="DASS-21",
    name="Depression Anxiety Stress Scales, short",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(21, _DASS, "verified"),
    item_range=Sourced(Range(0, 3), _DASS, "verified"),
    scoring=Sourced(Scoring("sum", 2), f"{_DASS}: sums doubled to the 42-item scale", "verified"),
    missing=Sourced(MissingRule(2), _ONE_IN_TEN, "recalled"),
    raters=("client",),
    subscales=tuple(
        Subscale(
            id=part_id,
            name=name,
            items=Sourced(items, _DASS, "verified"),
            missing=Sourced(MissingRule(1), _ONE_IN_TEN, "recalled"),
            cut_off=Sourced(cut_off, "Lovibond & Lovibond 1995, lowest score outside normal", "recalled"),
        )
        for part_id, name, items, cut_off in (
            ("depression", "Depression", (3, 5, 10, 13, 16, 17, 21), 10.0),
            ("anxiety", "Anxiety", (2, 4, 7, 9, 15, 19, 20), 8.0),
            ("stress", "Stress", (1, 6, 8, 11, 12, 14, 18), 15.0),
        )
    ),
    reliable_change=Sourced(
        15.0,
        "Jacobson & Truax from Henry & Crawford 2005: 1.96 * sqrt(2) * 19.32 * sqrt(1 - .93) = 14.2 on the doubled total. "
        "The spread is that of 1794 adults in general; clients differ more, so a service should state its own",
        "recalled",
    ),
    alpha=Sourced(0.93, "Henry & Crawford 2005 (Br J Clin Psychol 44:227-239), total", "recalled"),
    absent=(Absent("cut_off", "Published for the three parts, which have theirs; none for their sum."),),
    licence="Public domain.",
    aliases=("DASS", "DASS21"),
)

SYMPTOMS: tuple[Instrument, ...] = (PHQ_9, GAD_7, PCL_5, K10, DASS_21)
