"""What the table promises in which a service sees its own figures of every measure beside the declared ones.

Belongs here: that table. Does not belong here: the declared numbers (`analysis.instruments`, in
`assets.contracts.field_measures`), formulas (`assets.science`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Table

OWN_FIGURES = Table(
    layer="analysis",
    name="own_figures",
    meaning=(
        "How each measure's first forms spread and hold together in this service, and the change that would be reliable by "
        "them. Nothing here is taken over by itself: a service states what it decides on in its configuration, with the source."
    ),
    key=("instrument",),
    columns=(
        v.INSTRUMENT,
        v.word("kind", v.RATING_KINDS, "Whether the instrument measures alliance or outcome."),
        v.count("clients", "Different clients with a scored form of their own; each one's first counts."),
        v.number("first_mean", "Mean of the first scores; empty where clients are too few.", unit="points"),
        v.number("first_sd", "Standard deviation of the first scores.", unit="points"),
        v.count("whole_forms", "First forms with every item answered, where items were sent and the key is declared."),
        v.number("alpha", "Cronbach's alpha of those forms; empty where they are too few.", unit="coefficient"),
        v.number("alpha_low", "Lower end of its 95% interval (Feldt).", unit="coefficient"),
        v.number("alpha_high", "Upper end of its 95% interval.", unit="coefficient"),
        v.number("declared_alpha", "The alpha that the measure declares.", unit="coefficient"),
        v.number(
            "own_reliable_change",
            "The change beyond 1.96 standard errors of a difference, by the service's own spread and the declared alpha, "
            "else its own alpha (Jacobson & Truax 1991).",
            unit="points",
        ),
        v.number(
            "declared_reliable_change",
            "The reliable change that is used: published, or the service's own.",
            unit="points",
        ),
        v.flag("is_too_few", "Whether there are fewer clients than the service's smallest group."),
    ),
)
TABLES: tuple[Table, ...] = (OWN_FIGURES,)
