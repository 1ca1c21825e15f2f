"""Rules about published rates: counts that can be, a share that is theirs, and nothing published of too few.

Belongs here: what must hold of every row of `analysis.rates` whatever it counts. Does not belong here: what a rate counts
(`assets.contracts.rates`) or rules about estimates (`quality.estimates`). All are ERROR: a rate is the warehouse's own
sum, and one that breaks a rule was made wrongly.
"""

from quality.model import Rule, Severity, by_hand

# A share is rounded at the ninth decimal.
_HAIR = "0.000001"
# A per cent is published with whole numbers at the roughest.
_ROUNDING = "0.500001"


def _rule(name: str, *, meaning: str, why: str, broken_where: str) -> Rule:
    return by_hand(
        "analysis.rates",
        name,
        Severity.ERROR,
        meaning=meaning,
        why=why,
        sql=f"SELECT metric, scope, scope_name, instrument FROM analysis.rates WHERE {broken_where}",
    )


RATES: tuple[Rule, ...] = (
    _rule(
        "numerator.within_denominator",
        meaning="No rate counts more than it is out of.",
        why="A share above one is no share; the two conditions of its declaration count different things.",
        broken_where="numerator > denominator",
    ),
    _rule(
        "complete.within_eligible",
        meaning="No more things are complete, or in the denominator, than should have been measured.",
        why="Completeness tells a reader how far to trust a rate, and more than all is no answer.",
        broken_where="complete > eligible OR denominator > eligible",
    ),
    _rule(
        "cases.within_denominator",
        meaning="A rate is of at least one thing a case, and of nobody only where it is of nothing.",
        why="Whether a group is too small to publish is judged by its cases.",
        broken_where="cases > denominator OR (cases = 0 AND denominator > 0)",
    ),
    _rule(
        "rate.of_its_counts",
        meaning="Each rate is its numerator over its denominator, and there is none out of nothing.",
        why="A rate that its own counts do not give is another group's, or another night's.",
        broken_where=(
            "(denominator = 0 AND rate IS NOT NULL) OR (denominator > 0 AND rate IS NULL) "
            f"OR ABS(rate * denominator - numerator) > {_HAIR} * denominator"
        ),
    ),
    _rule(
        "rate.within_interval",
        meaning="Each rate lies within its interval, and the interval within 0 and 1.",
        why="An interval that leaves its own rate out was made of something else.",
        broken_where=(
            "(rate IS NOT NULL AND (low IS NULL OR high IS NULL)) "
            f"OR rate < low - {_HAIR} OR rate > high + {_HAIR} OR low < 0 OR high > 1"
        ),
    ),
    _rule(
        "published_percent.withheld",
        meaning="Nothing is published of too few, nor out of nothing, and everything else is.",
        why="A small group's rate can tell what became of one of its clients.",
        broken_where=(
            "(published_percent IS NOT NULL AND (is_too_few OR denominator = 0)) "
            "OR (published_percent IS NULL AND NOT is_too_few AND denominator > 0)"
        ),
    ),
    _rule(
        "published_percent.of_its_rate",
        meaning="What is published is the rate in per cent, rounded and no more.",
        why="A reader compares it with other services' to the decimal.",
        broken_where=f"ABS(published_percent - 100 * rate) > {_ROUNDING}",
    ),
)
