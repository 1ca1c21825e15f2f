"""How wide a measure's scale is and which way it points, from the registry of measures.

Belongs here: spans, steps and directions as pages need them. Does not belong here: the measures (`assets.science.instruments`).
"""

from functools import cache

from assets.science.instruments.registry import REGISTRY
from dashboards import words


@cache
def score_span(instrument: str) -> tuple[float | None, float | None, float]:
    """Lowest and highest score of a measure and the distance between them; 1 where it is not declared."""
    if instrument not in REGISTRY:
        return None, None, 1.0
    measure = REGISTRY[instrument]
    span = measure.score_range
    return span.low, span.high, span.high - span.low


def step_words(instrument: str) -> str:
    """The step that published links are for, a tenth of the alliance scale, in the measure's own points."""
    return f"{words.score(round(score_span(instrument)[2] / 10, 1))} {instrument} points"


@cache
def is_higher_better(instrument: str) -> bool:
    """Whether a higher score is better; an undeclared measure's scores are taken as symptoms."""
    return instrument in REGISTRY and REGISTRY[instrument].direction == "higher_is_better"
