"""A night's rows by whose they are: dictionaries only while one clinician's pages are made.

Belongs here: splitting an answer once. Does not belong here: what is asked (`dashboards.readings`) or shown.
"""

import polars as pl

from dashboards.views.service import Row


class OwnRows:
    """An answer's rows by the values of one column, each part in the answer's order."""

    def __init__(self, answer: pl.DataFrame, *, by: str) -> None:
        """Split `answer`; rows without a value of `by` are nobody's."""
        self._parts = answer.drop_nulls(by).partition_by(by, as_dict=True, include_key=False)

    def of(self, code: str) -> list[Row]:
        """Somebody's rows; none where there are none."""
        part = self._parts.get((code,))
        return [] if part is None else part.to_dicts()
