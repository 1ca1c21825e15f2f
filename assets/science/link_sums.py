"""What the link's estimators need of the pairs, added up once: a group's estimate is then had without its rows.

What belongs here: a cell (a clinician's clients of one site and programme), its sums for the lagged model (`split_panel.py`)
and for clients' own courses (`own_courses.py`), and cells put together. What does not: what is made of the sums.

All sums are taken block by block, so that of a service of any size no more than a block's rows is held at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.science.cross_products import CompressedProducts, Floats, Integers, together
from assets.science.own_courses import EQUATION, Equation, Equations, Rows, course_sums
from assets.science.sufficient_statistics import compressed_products

ROWS_TO_SPLIT: Final = 4  # two a half, so that each half has a mean to differ from
PARTS: Final = ("short", "long", "early", "late")
BASE: Final = (
    "intercept",
    "outcome_now",
    "outcome_first",
    "session_curve",
    "within_client",
    "client_mean",
    "outcome_next",
)
"""Columns of the panel's sums: the client's mean of alliance and the distance from it, outcomes and alliance near zero."""

# What rounding leaves of an alliance that does not move.
STANDSTILL: Final = 1e-12
NUMBERS: Final = ("session_number", "outcome_now", "outcome_next", "outcome_first", "alliance")


@dataclass(frozen=True, kw_only=True)
class LinkSums:
    """Sums of cells, in the order of their clinicians.

    Attributes:
        cells: one row a cell: `clinician`, `site`, `programme`, `counts_for` (None where a cell counts for the service,
            its site and its programme; else the one of them that it counts for), `clients` and `pairs`.
        panel: by PARTS: clients too short to split, those long enough whole, and their halves, each half with client means
            of its own; products of BASE, a unit a cell.
        courses: by curve, a unit a cell, sessions `spacing` apart.
        steps: `cell`, `step` (sessions from a client's row to the next) and `times`.
    """

    cells: pl.DataFrame
    panel: dict[str, CompressedProducts]
    courses: dict[str, Equations]
    steps: pl.DataFrame
    spacing: float

    @property
    def own_spacing(self) -> float:
        """The commonest step of these very cells; what they are spaced by where no client has two rows."""
        return _commonest_step(self.steps) or self.spacing

    def of_scope(self, scope: str, name: str) -> "LinkSums":
        """The service's, a site's or a programme's sums, a cell a clinician."""
        counts = pl.col("counts_for").is_null() | (pl.col("counts_for") == scope)
        chosen = counts if scope == "service" else counts & (pl.col(scope) == name)
        which = self.cells.select(chosen.fill_null(value=False)).to_series().to_numpy()
        kept = self.cells.filter(which)
        names = kept.group_by("clinician", maintain_order=True).agg(
            pl.col("site").min(),
            pl.col("programme").min(),
            counts_for=pl.lit(None, pl.String),
            clients=pl.col("clients").sum(),
            pairs=pl.col("pairs").sum(),
        )
        place = np.full(self.cells.height, -1)
        place[which] = kept["clinician"].rle_id().to_numpy()
        where = pl.DataFrame({"cell": np.arange(len(place)), "to": place})
        steps = self.steps.join(where.filter(pl.col("to") >= 0), on="cell").select("step", "times", cell="to")
        return LinkSums(
            cells=names,
            panel={part: together([(sums, place)], units=names.height) for part, sums in self.panel.items()},
            courses={curve: _by_unit(sums, place, units=names.height) for curve, sums in self.courses.items()},
            steps=steps,
            spacing=self.spacing,
        )


def link_sums(blocks: Iterable[pl.DataFrame], *, spacing: float | None = None) -> LinkSums:
    """The sums of all cells.

    Args:
        blocks: rows of whole clinicians, each clinician in one block: clinician, client, session_number, outcome_now,
            outcome_next, outcome_first, alliance, complete; and site and programme where there are any.
        spacing: the step between sessions that forms are filled in at; the commonest one of the first block if not given.

    Returns:
        The sums. The same rows give the same sums in any order, as long as blocks are the same.
    """
    near: dict[str, float] | None = None
    found: list[LinkSums] = []
    for block in blocks:
        rows = _counted_for(block)
        if near is None:  # of rows in order: a sum of fractions depends on the order they are added in
            near = {
                name: float(rows[name].to_numpy().sum()) / max(rows.height, 1) for name in ("outcome_now", "alliance")
            }
        steps = _steps(rows)
        if spacing is None:
            spacing = _commonest_step(steps) or 1.0
        found.append(_of_block(rows, steps, near=near, spacing=spacing))
    return _joined(found)


def _counted_for(block: pl.DataFrame) -> pl.DataFrame:
    """Rows in order with their cell; those of a client of several sites or programmes once for each scope they count for."""
    absent = [pl.lit(None, pl.String).alias(name) for name in ("site", "programme") if name not in block.columns]
    rows = block.with_columns(*absent, counts_for=pl.lit(None, pl.String))
    unit = ("clinician", "client")
    is_split = (pl.col("site").n_unique().over(unit) > 1) | (pl.col("programme").n_unique().over(unit) > 1)
    split = rows.filter(is_split)
    if not split.is_empty():
        nowhere, anywhere = pl.lit(None, pl.String), pl.col("site").min().over("clinician")
        rows = pl.concat(
            [
                rows.filter(~is_split),
                split.with_columns(anywhere, programme=nowhere, counts_for=pl.lit("service")),
                split.with_columns(programme=nowhere, counts_for=pl.lit("site")),
                split.with_columns(anywhere, counts_for=pl.lit("programme")),
            ]
        )
    order = ("clinician", "counts_for", "site", "programme")
    return rows.sort(*order, "client", *NUMBERS).with_columns(
        cell=pl.struct(order).rle_id().cast(pl.Int64), whose=pl.struct(*order, "client").rle_id().cast(pl.Int64)
    )


def _steps(rows: pl.DataFrame) -> pl.DataFrame:
    step = pl.col("session_number").cast(pl.Float64).diff()
    apart = rows.select("cell", step=step, same=pl.col("whose").diff() == 0).filter("same")
    return apart.group_by("cell", "step").agg(times=pl.len()).sort("cell", "step")


def _commonest_step(steps: pl.DataFrame) -> float | None:
    """One session or more: one, unless forms are filled in less often. None where no client has two rows."""
    if steps.is_empty():
        return None
    found = steps.group_by("step").agg(pl.col("times").sum()).sort("times", "step", descending=[True, False])
    return max(float(found["step"][0]), 1.0)


def _of_block(rows: pl.DataFrame, steps: pl.DataFrame, *, near: dict[str, float], spacing: float) -> LinkSums:
    cells = rows.group_by("cell", maintain_order=True).agg(
        pl.col("clinician", "site", "programme", "counts_for").first(),
        clients=pl.col("whose").n_unique(),
        pairs=pl.len(),
    )
    cell, client = rows["cell"].to_numpy(), rows["whose"].to_numpy()
    session, now, following, first, alliance = (rows[name].cast(pl.Float64).to_numpy() for name in NUMBERS)
    now, following, first = (each - near["outcome_now"] for each in (now, following, first))
    alliance = alliance - near["alliance"]
    starts = np.flatnonzero(np.r_[True, client[1:] != client[:-1]])
    counts = np.diff(np.r_[starts, len(client)])
    of = np.repeat(counts, counts)
    place = np.arange(len(client)) - np.repeat(starts, counts)
    curve = np.log(session) / np.log(9.0) - 0.5
    base = (np.ones(len(client)), now, first, curve, alliance, following)
    is_early = place < of // 2
    which = {
        "short": of < ROWS_TO_SPLIT,
        "long": of >= ROWS_TO_SPLIT,
        "early": (of >= ROWS_TO_SPLIT) & is_early,
        "late": (of >= ROWS_TO_SPLIT) & ~is_early,
    }
    panel = partial(_panel, base, cell=cell, client=client, units=cells.height)
    return LinkSums(
        cells=cells.drop("cell"),
        panel={part: panel(rows=which[part]) for part in PARTS},
        courses=course_sums(
            Rows(unit=cell, client=client, session=session, outcome=now, alliance=alliance, next_outcome=following),
            units=cells.height,
            spacing=spacing,
        ),
        steps=steps,
        spacing=spacing,
    )


def _panel(
    base: Sequence[Floats], *, rows: npt.NDArray[np.bool_], cell: Integers, client: Integers, units: int
) -> CompressedProducts:
    """The products of BASE over some of the rows, alliance split by the means of those very rows."""
    own = client[rows]
    one, now, first, curve, alliance, following = (column[rows] for column in base)
    if len(own) == 0:
        return together([], units=units, size=len(BASE))
    starts = np.flatnonzero(np.r_[True, own[1:] != own[:-1]])
    counts = np.diff(np.r_[starts, len(own)])
    mean = np.repeat(np.add.reduceat(alliance, starts) / counts, counts)
    within = alliance - mean
    within[np.abs(within) < STANDSTILL] = 0.0
    design = np.column_stack([one, now, first, curve, within, mean, following])
    statistics = compressed_products(design, clinician=cell[rows], client=own)
    present = cell[rows][np.flatnonzero(np.r_[True, np.diff(cell[rows]) != 0])]
    return together([(statistics, present)], units=units)


def _by_unit(sums: Equations, unit: Integers, *, units: int) -> Equations:
    """Equations with cells put together; `unit` ascends over the cells, -1 where one is left out."""
    kept = np.flatnonzero(unit >= 0)
    starts = np.flatnonzero(np.r_[True, np.diff(unit[kept]) != 0]) if len(kept) else kept

    def added(values: Floats) -> Floats:
        return (
            np.asarray(np.add.reduceat(values[kept], starts, axis=0))
            if len(kept)
            else np.zeros((units, *values.shape[1:]))
        )

    return Equations(*(Equation(**{name: added(getattr(each, name)) for name in EQUATION}) for each in sums))


def _joined(blocks: Sequence[LinkSums]) -> LinkSums:
    ends = np.cumsum([0, *(each.cells.height for each in blocks)])
    count = int(ends[-1])
    numbered = list(zip(blocks, ends[:-1], strict=True))
    return LinkSums(
        cells=pl.concat([each.cells for each in blocks]),
        panel={
            part: together(
                [(each.panel[part], start + np.arange(each.cells.height)) for each, start in numbered], units=count
            )
            for part in PARTS
        },
        courses={
            curve: Equations(
                *(_stacked(parts) for parts in zip(*(each.courses[curve] for each in blocks), strict=True))
            )
            for curve in blocks[0].courses
        },
        steps=pl.concat([each.steps.with_columns(pl.col("cell") + int(start)) for each, start in numbered]),
        spacing=blocks[0].spacing,
    )


def _stacked(parts: Sequence[Equation]) -> Equation:
    """Units one after another, with as many steps ahead as the longest needs."""
    longest = max(part.ahead.shape[1] for part in parts)
    ahead = [np.pad(part.ahead, ((0, 0), (0, longest - part.ahead.shape[1]), (0, 0))) for part in parts]
    plain = {name: np.concatenate([getattr(part, name) for part in parts]) for name in EQUATION if name != "ahead"}
    return Equation(ahead=np.concatenate(ahead), **plain)
