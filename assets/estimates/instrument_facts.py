"""Every number of every measure with its source, as a table.

Belongs here: laying the registry out in rows. Does not belong here: the numbers (`assets.science.instruments`).
"""

import polars as pl

from assets.science.instruments.provenance import facts_of
from assets.science.instruments.registry import Registry


def instrument_facts(registry: Registry) -> pl.DataFrame:
    """`analysis.instruments`: the service's instruments, its own numbers over the published ones."""
    return pl.DataFrame(
        [
            {
                "instrument": fact.instrument,
                "kind": registry[fact.instrument].kind,
                "direction": registry[fact.instrument].direction,
                "fact": fact.fact,
                "value": fact.value,
                "source": fact.source,
                "status": fact.status,
            }
            for fact in facts_of(registry)
        ],
        schema=dict.fromkeys(("instrument", "kind", "direction", "fact", "value", "source", "status"), pl.String),
    ).sort("instrument", "fact")
