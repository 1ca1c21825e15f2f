"""Declarations of the CORE family: the mean of the answered items, for adults times ten; higher is worse.

Belongs here: numbers with their sources. Does not belong here: item wording. The YP-CORE's cut-off depends on age
and gender and so is left for a clinic to state.
"""

from __future__ import annotations

from assets.science.instruments.model import Absent, Instrument, MissingRule, Norm, Range, Scoring, Sourced, Subscale

_EVANS = "Evans et al. 2002"
_KEY = "Evans et al. 2002; public scoring code in three languages"
_LICENCE = "Copyright CORE System Trust, CC BY-ND 4.0."
_SCALED = Sourced(
    Scoring("mean", 10), "Evans et al. 2002; CamCOPS documentation: ten times the mean of answered items", "verified"
)

CORE_10 = Instrument(
    id="CORE-10",
    name="Clinical Outcomes in Routine Evaluation, ten items",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(10, "CamCOPS documentation; Barkham et al. 2013", "verified"),
    item_range=Sourced(Range(0, 4), "CamCOPS documentation; Barkham et al. 2013", "verified"),
    scoring=_SCALED,
    missing=Sourced(MissingRule(1), "Barkham et al. 2013: at most one item open", "recalled"),
    raters=("client",),
    reversed_items=Sourced((2, 3), "CamCOPS documentation", "verified"),
    cut_off=Sourced(11.0, "Barkham et al. 2013, as NovoPsych's page on the CORE-10 gives it", "verified"),
    reliable_change=Sourced(6.0, "Barkham et al. 2013", "recalled"),
    alpha=Sourced(0.9, "Barkham et al. 2013, as NovoPsych's page on the CORE-10 gives it", "verified"),
    clinical_norm=Sourced(Norm(19.7, 7.7), "Connell & Barkham 2007, CORE-10 manual: 1835 in primary care", "verified"),
    functional_norm=Sourced(
        Norm(4.7, 4.8), "Connell & Barkham 2007, CORE-10 manual: 535 of the population", "verified"
    ),
    licence=_LICENCE,
    aliases=("CORE 10",),
)

CORE_OM = Instrument(
    id="CORE-OM",
    name="Clinical Outcomes in Routine Evaluation, outcome measure",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(34, "Evans et al. 2002", "verified"),
    item_range=Sourced(Range(0, 4), "Evans et al. 2002", "verified"),
    scoring=_SCALED,
    missing=Sourced(MissingRule(3), "CORE System: at most three items open", "recalled"),
    raters=("client",),
    reversed_items=Sourced((3, 4, 7, 12, 19, 21, 31, 32), _KEY, "verified"),
    subscales=tuple(
        Subscale(
            id=domain_id,
            name=name,
            items=Sourced(items, _KEY, "verified"),
            missing=Sourced(MissingRule(1), "CORE System: at most one item open in a domain", "recalled"),
        )
        for domain_id, name, items in (
            ("wellbeing", "Wellbeing", (4, 14, 17, 31)),
            ("problems", "Problems", (2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30)),
            ("functioning", "Functioning", (1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33)),
            ("risk", "Risk", (6, 9, 16, 22, 24, 34)),
        )
    ),
    cut_off=Sourced(10.0, "Connell et al. 2007 (Br J Psychiatry 190:69-74): 9.9, used as 10", "verified"),
    reliable_change=Sourced(5.0, "Barkham et al. 2006", "recalled"),
    alpha=Sourced(0.94, _EVANS, "recalled"),
    test_retest=Sourced(0.9, _EVANS, "recalled"),
    clinical_norm=Sourced(Norm(18.3, 7.1), "Connell et al. 2007, with the functional norm gives their 9.9", "recalled"),
    functional_norm=Sourced(Norm(4.8, 4.3), "Connell et al. 2007, general population", "recalled"),
    licence=_LICENCE,
    aliases=("CORE-34", "COREOM"),
)

YP_CORE = Instrument(
    id="YP-CORE",
    name="Young Person's CORE",
    kind="outcome",
    direction="higher_is_worse",
    n_items=Sourced(10, "Twigg et al. 2009", "recalled"),
    item_range=Sourced(Range(0, 4), "Twigg et al. 2009", "recalled"),
    scoring=Sourced(
        Scoring("mean", 1),
        "CECPfuns, the author's own scoring: mean, cut-offs 1.03 to 1.59 by age and gender",
        "verified",
    ),
    missing=Sourced(MissingRule(1), "CECPfuns, the author's own scoring: at most one item open", "recalled"),
    raters=("client",),
    reversed_items=Sourced((3, 5, 10), "Twigg et al. 2009", "recalled"),
    alpha=Sourced(0.8, "Twigg et al. 2016 (Child Adolesc Ment Health 21:115-123), 1269 in services", "verified"),
    absent=(
        Absent("cut_off", "Published by age and gender, 1.03 to 1.59; one number for all would be wrong for most."),
        Absent(
            "reliable_change",
            "Published by age and gender (Twigg et al. 2016); one number for all would be wrong for most, so a clinic "
            "states the one for those it sees.",
        ),
    ),
    licence=_LICENCE,
    aliases=("YPCORE", "Young Persons CORE"),
)

CORE_FAMILY: tuple[Instrument, ...] = (CORE_10, CORE_OM, YP_CORE)
