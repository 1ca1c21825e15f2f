"""Rules about the flow of data: what is unusual, late or changed is told to a person and stops nothing.

Belongs here: which rows of the watching tables warn. Does not belong here: what is unusual or late (`assets.estimates`).
"""

from quality.model import Rule, Severity, by_hand

FLOW: tuple[Rule, ...] = (
    by_hand(
        "quality.flow",
        "as_usual",
        Severity.WARN,
        meaning="The newest month or file of each feed and site lies within what its own history makes usual.",
        why="An export that stopped, doubled or changed its meaning looks like a change of care.",
        sql="SELECT feed FROM quality.flow WHERE is_unusual",
    ),
    by_hand(
        "quality.freshness",
        "as_promised",
        Severity.WARN,
        meaning="Every layer's newest day, of each site, is as new as the settings promise.",
        why="Old figures are read as today's.",
        sql="SELECT subject FROM quality.freshness WHERE NOT is_kept",
    ),
    by_hand(
        "quality.schema_changes",
        "same_columns",
        Severity.WARN,
        meaning="The newest file of each mapping has the columns of the file before it.",
        why="A column under another name is a measure that nobody fills in any more.",
        sql="SELECT column_name FROM quality.schema_changes WHERE is_latest",
    ),
)
