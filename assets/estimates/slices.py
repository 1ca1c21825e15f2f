"""The groups that pages publish figures of: who is in each, which are withheld, and which figures may move tonight.

Belongs here: which groups there are and in which order they matter. Does not belong here: the rules about small groups
(`assets.science.disclosure`).

A group is a population (cases with an appointment, first seen, with a scored form, with a finished course), a scope (the
service, a site, a programme, a clinician), a measure and how many months it looks back. Two published groups can be
subtracted, and so can one group's figures of two nights; both are looked at here, every night, before anything is drawn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl
from pyroaring import FrozenBitMap

from assets.contracts.slices import POPULATIONS, SCOPES
from assets.science.disclosure import (
    NOBODY,
    DisclosureRule,
    Slice,
    Withheld,
    may_move,
    members,
    rounded_count,
    standing_count,
    suppressed_cells,
    withheld_slices,
)

EVER: Final = 0
FILTER_MONTHS: Final = (3, 6, 12, 24)
"""The periods that pages may offer beside the service's own and all time."""

# Of a clinician only these are published: the caseload of the period, and everyone who ever finished.
_OF_CLINICIANS: Final = {"booked": "period", "finished": "ever"}
_WORDS: Final = {
    "few_clients": "fewer clients than the smallest group",
    "few_clinicians": "fewer clinicians than the smallest group of them",
    "complement": "a total less the other groups would give a smaller one away",
    "subtraction": "it and {against} differ by too few clients",
}


@dataclass(frozen=True, kw_only=True)
class Night:
    """What tonight's groups are held against.

    Attributes:
        data_date: the last day that the data speak of.
        months: how many months the service's own pages look back.
        rule: how small is too small.
        least_change: the fewest clients by which a published figure may move.
    """

    data_date: date
    months: int
    rule: DisclosureRule
    least_change: int


@dataclass(frozen=True, kw_only=True)
class Published:
    """Tonight's groups, as rows of the three tables of `assets.contracts.slices`."""

    slices: pl.DataFrame
    withheld: pl.DataFrame
    members: pl.DataFrame


@dataclass(frozen=True, kw_only=True)
class _Group:
    population: str
    scope: str
    scope_name: str
    instrument: str
    months: int
    clients: FrozenBitMap
    clinicians: FrozenBitMap

    @property
    def slice_id(self) -> str:
        return "/".join((self.population, self.scope, self.scope_name, self.instrument, str(self.months)))

    @property
    def sisters(self) -> tuple[str, str, str, int]:
        """What groups that make up a total together have in common."""
        return self.population, self.scope, self.instrument, self.months


def figures_slice(scope: str, scope_name: str, *, months: int) -> str:
    """The group whose coming and going decides when a scope's rates and estimates may move: the period's caseload."""
    return _Group(
        population="booked",
        scope=scope,
        scope_name=scope_name,
        instrument="all",
        months=months,
        clients=NOBODY,
        clinicians=NOBODY,
    ).slice_id


def published_slices(
    seen: Iterable[pl.DataFrame],
    *,
    cases: pl.Series,
    night: Night,
    last: pl.DataFrame | None,
    last_members: pl.DataFrame | None,
) -> Published:
    """Everything that may be told of every group tonight.

    Args:
        seen: frames that each hold whole groups: `population`, `scope`, `scope_name`, `instrument`, `case` (its place in
            `cases`), `clinician` (a number from 0; null where there is none) and `latest_on`, the last day that put the
            case into the group; one row a group of all time, case and clinician.
        cases: the codes of all cases, in order.
        night: what the groups are held against.
        last: `quality.published_slices` of the version that readers have; None where there is none.
        last_members: its `quality.figure_members`; None where there is none, or where its codes are another secret's.
    """
    groups = sorted(
        (group for rows in seen for group in _groups(rows, night=night)),
        key=lambda each: _importance(each, months=night.months),
    )
    gone = {each.name: each for each in _withheld(groups, rule=night.rule)}
    standing = {} if last is None else {row["slice_id"]: row for row in last.iter_rows(named=True)}
    before = _members_by_slice(last_members)
    slices, figure_members = [], []
    for group in groups:
        earlier, figures_since, is_held = standing.get(group.slice_id), None, False
        if _has_figures(group, months=night.months) and group.slice_id not in gone:
            now = set(cases.gather(list(group.clients)).to_list())
            were = before.get(group.slice_id, now)
            since = None if earlier is None else earlier["figures_since"]
            is_held = since is not None and not may_move(
                len(now - were), len(were - now), least_change=night.least_change
            )
            figures_since = since if is_held else night.data_date
            figure_members += [(group.slice_id, case) for case in sorted(were if is_held else now)]
        slices.append((*_row(group, gone=gone, last=earlier, night=night), figures_since, is_held))
    return Published(
        slices=pl.DataFrame(slices, schema=_SLICES, orient="row").sort("slice_id"),
        withheld=pl.DataFrame(
            [(each.name, each.reason, each.against, _sentence(each)) for each in gone.values()],
            schema=_WITHHELD,
            orient="row",
        ).sort("slice_id"),
        members=pl.DataFrame(figure_members, schema={"slice_id": pl.String, "case_id": pl.String}, orient="row"),
    )


def told_tonight(
    tonight: pl.DataFrame,
    *,
    last_told: pl.DataFrame | None,
    slices: pl.DataFrame,
    counts: Sequence[str],
    night: Night,
) -> pl.DataFrame:
    """What pages are given of a table with a row a scope: nothing of a withheld one, the earlier rows of a held one.

    Args:
        tonight: the table, with `scope` and `scope_name`.
        last_told: what this function gave for the version that readers have; None where there is none.
        slices: tonight's `quality.published_slices`.
        counts: columns that count clients, or what clients did. Each is given to the nearest multiple of the least
            change: then no two counts differ by fewer, whatever is subtracted from what.
        night: what the groups were held against.
    """
    tonight = tonight.with_columns(_rounded(pl.col(name), to=night.least_change) for name in counts)
    decided = {row["slice_id"]: row for row in slices.iter_rows(named=True)}
    is_alike = last_told is not None and last_told.schema == tonight.schema
    parts = [tonight.clear()]
    for (scope, name), rows in tonight.partition_by("scope", "scope_name", as_dict=True, maintain_order=True).items():
        of = decided.get(figures_slice(str(scope), str(name), months=night.months))
        if of is None or of["status"] == "withheld":
            continue
        earlier = last_told.filter((pl.col("scope") == scope) & (pl.col("scope_name") == name)) if is_alike else None
        parts.append(earlier if of["has_held_figures"] and earlier is not None else rows)
    return pl.concat(parts)


def _rounded(count: pl.Expr, *, to: int) -> pl.Expr:
    return ((2 * count + to) // (2 * to) * to).name.keep()


def _groups(seen: pl.DataFrame, *, night: Night) -> Iterable[_Group]:
    periods = sorted({*FILTER_MONTHS, night.months, EVER})
    cutoffs = {
        months: None if months == EVER else pl.select(pl.lit(night.data_date).dt.offset_by(f"-{months}mo")).item()
        for months in periods
    }
    keys = ["population", "scope", "scope_name", "instrument"]
    for key, rows in seen.partition_by(keys, as_dict=True).items():
        population, scope, scope_name, instrument = (str(part) for part in key)
        published = {"period": {night.months}, "ever": {EVER}}.get(_OF_CLINICIANS.get(population, ""), set())
        for months, after in cutoffs.items():
            if scope == "clinician" and months not in published:
                continue
            part = rows if after is None else rows.filter(pl.col("latest_on") > after)
            yield _Group(
                population=population,
                scope=scope,
                scope_name=scope_name,
                instrument=instrument,
                months=months,
                clients=members(part["case"]),
                clinicians=members(part["clinician"].drop_nulls()),
            )


def _importance(group: _Group, *, months: int) -> tuple[object, ...]:
    """What comes first stays where two groups give something away: wholes before parts, long periods before short."""
    period = 0 if group.months == months else 1 if group.months == EVER else 2
    return (
        SCOPES.index(group.scope),
        period,
        -group.months,
        POPULATIONS.index(group.population),
        group.instrument,
        group.scope_name,
    )


def _withheld(groups: Iterable[_Group], *, rule: DisclosureRule) -> list[Withheld]:
    together: dict[tuple[str, str, str, int], list[_Group]] = {}
    for each in groups:
        together.setdefault(each.sisters, []).append(each)
    gone: dict[str, Withheld] = {}
    for sisters in together.values():
        by_name = {each.slice_id: each for each in sisters}
        counts = {name: len(each.clients) for name, each in by_name.items()}
        # A clinician's group is one clinician's by its nature; who may open it is the gatekeeper's to say.
        staff = {name: len(each.clinicians) for name, each in by_name.items()}
        is_of_one = sisters[0].scope in {"clinician", "service"}
        hidden = suppressed_cells(
            counts, rule=rule, is_total_shown=sisters[0].scope != "service", clinicians=None if is_of_one else staff
        )
        for name in hidden:
            few = not is_of_one and 0 < staff[name] < rule.min_clinicians
            reason = "few_clients" if counts[name] < rule.min_clients else "few_clinicians" if few else "complement"
            gone[name] = Withheld(name, reason)
    # Only like can be subtracted from like: of groups of two populations or measures no page has the same figure, and
    # their sizes are rounded.
    alike: dict[tuple[str, str], list[Slice]] = {}
    for each in groups:
        if each.slice_id not in gone:
            alike.setdefault((each.population, each.instrument), []).append(Slice(each.slice_id, each.clients))
    return [*gone.values(), *(told for family in alike.values() for told in withheld_slices(family, rule=rule))]


def _has_figures(group: _Group, *, months: int) -> bool:
    return group.population == "booked" and group.scope != "clinician" and group.months == months


def _row(
    group: _Group,
    *,
    gone: Mapping[str, Withheld],
    last: Mapping[str, object] | None,
    night: Night,
) -> tuple[object, ...]:
    cases = len(group.clients)
    named = (group.slice_id, group.population, group.scope, group.scope_name, group.instrument, group.months, cases)
    if group.slice_id in gone:
        return (*named, "withheld", None, None, None)
    earlier = None if last is None else last["standing_cases"]
    stands = standing_count(cases, last=earlier if isinstance(earlier, int) else None, least_change=night.least_change)
    is_new = last is None or stands != earlier
    return (
        *named,
        "shown" if stands == cases else "held",
        stands,
        rounded_count(stands, round_to=night.least_change),
        night.data_date if is_new or last is None else last["standing_since"],
    )


def _members_by_slice(told: pl.DataFrame | None) -> dict[str, set[str]]:
    if told is None:
        return {}
    parts = told.partition_by("slice_id", as_dict=True)
    return {str(name): set(part["case_id"].to_list()) for (name,), part in parts.items()}


def _sentence(withheld: Withheld) -> str:
    return f"{withheld.name} is withheld: {_WORDS[withheld.reason].format(against=withheld.against)}"


_SLICES = {
    "slice_id": pl.String,
    "population": pl.String,
    "scope": pl.String,
    "scope_name": pl.String,
    "instrument": pl.String,
    "months": pl.Int64,
    "cases": pl.Int64,
    "status": pl.String,
    "standing_cases": pl.Int64,
    "shown_cases": pl.Int64,
    "standing_since": pl.Date,
    "figures_since": pl.Date,
    "has_held_figures": pl.Boolean,
}
_WITHHELD = {"slice_id": pl.String, "reason": pl.String, "against": pl.String, "sentence": pl.String}
