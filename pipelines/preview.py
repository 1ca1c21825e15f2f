"""What a night would make of an inbox, up to the judgement of every line, in a folder that is thrown away.

Belongs here: running the first half of a night beside everything that is kept, and counting what came of it. Does not belong
here: reading and judging (`assets.feeds`, `assets.staging`), how it is printed (`preview_report`). Nothing is landed or
published, no secret is made, and what is told are counts, line numbers and names of columns.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets import warehouse
from assets.contracts import accounting, quality, staging
from assets.feeds.landing import PULLED, LandedFile, land
from assets.feeds.mapping import FeedMapping
from assets.feeds.shapes import column_shapes
from assets.feeds.wrong_input import WrongInput
from assets.resources import Night
from assets.scores import score_forms
from assets.service import Service
from assets.sources import instruments_frame
from assets.staging import stage_feed

FATES = ("lines", "accepted", "refused", "superseded", "identical", "blank")
LINES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Lines of one file refused for one reason: how many, and the first of them."""

    feed: str
    file: str
    reason: str
    lines: int
    first: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The accepted forms of one instrument: how many, the share with every item answered, and the months they lie in."""

    instrument: str
    forms: int
    complete: float
    since: str
    until: str


@dataclass(frozen=True, kw_only=True)
class SiteReach:
    """What the first pages would have of one site.

    Attributes:
        site: its name; empty where the service tells none.
        clinicians: who had a session.
        shown: of these, those with as many clients as a page needs.
        clients: cases with a session.
        with_alliance: of these, those with an alliance form.
        with_change: of these, those with two outcome forms of one measure.
    """

    site: str
    clinicians: int
    shown: int
    clients: int
    with_alliance: int
    with_change: int


@dataclass(frozen=True, kw_only=True)
class Preview:
    """All that a night would say of its inbox before it estimates anything.

    Attributes:
        files: feed, file and the lines by fate.
        unclaimed: files that no mapping asks for.
        unasked: each file's columns that no mapping asks for.
        fetched: mappings of what is fetched from elsewhere, which a preview does not fetch.
    """

    files: tuple[tuple[str | int, ...], ...]
    refusals: tuple[Refusals, ...]
    unclaimed: tuple[str, ...]
    unasked: tuple[tuple[str, tuple[str, ...]], ...]
    fetched: tuple[str, ...]
    instruments: tuple[Measured, ...]
    sites: tuple[SiteReach, ...]
    minimum_clients: int


def preview(config: Path, *, inbox: Path, as_of: str | None) -> Preview:
    """Read and judge every line of an inbox and throw the build away.

    Args:
        config: the service's TOML file.
        inbox: the folder of the clinic's files; nothing in it is changed.
        as_of: the data date as YYYY-MM-DD; None for today in the clinic's zone.

    Raises:
        WrongInput: what would stop the night, in one line.
    """
    with tempfile.TemporaryDirectory(prefix="rapport-check-") as folder:
        night = Night(config_file=str(config), inbox=str(inbox), home=folder, data_date=as_of or "")
        service = night.service
        mappings = {feed: tuple(m for m in each if not _is_fetched(m)) for feed, each in service.feeds.items()}
        landed = land(inbox, landing=night.landing, mappings=mappings, data_date=night.as_of)
        night.begin_build()
        with night.open_build() as con:
            con.register("instruments_to_store", instruments_frame(service.registry).to_arrow())
            con.execute("CREATE TABLE scratch.instruments AS SELECT * FROM instruments_to_store")
            for feed in staging.FEEDS:
                stage_feed(con, feed, night=night, landed=landed.files)
            score_forms(con, registry=service.registry)
            warehouse.create_table(con, staging.REFUSED_ROWS, select=accounting.refused_lines())
            warehouse.create_table(con, quality.RECONCILIATION, select=accounting.reconciliation())
            _check_that_pages_would_have_something(con, mappings)
            return Preview(
                files=_files(con),
                refusals=tuple(_refusals(con)),
                unclaimed=landed.unclaimed,
                unasked=tuple(_unasked(landed.files)),
                fetched=tuple(m.place for each in service.feeds.values() for m in each if _is_fetched(m)),
                instruments=tuple(_instruments(con, service)),
                sites=tuple(_sites(con, service)),
                minimum_clients=service.suppression.minimum_clients,
            )


def _is_fetched(mapping: FeedMapping) -> bool:
    return all(glob.startswith(f"{PULLED}/") for glob in mapping.files)


def _check_that_pages_would_have_something(
    con: duckdb.DuckDBPyConnection, mappings: Mapping[str, tuple[FeedMapping, ...]]
) -> None:
    for feed in staging.FEEDS:
        if feed.is_required and mappings.get(feed.name) and not warehouse.count_rows(con, feed.table.full_name):
            found = con.execute(
                "SELECT reason, COUNT(*) FROM staging.refused_rows WHERE feed = ? GROUP BY reason ORDER BY 2 DESC, 1 LIMIT 1",
                [feed.name],
            ).fetchall()
            why = f", {found[0][1]:,} of them since {found[0][0]}" if found else ""
            raise WrongInput(
                f"not one line of the {feed.name} feed is accepted{why}",
                place=f"feeds.{feed.name}",
                mend="mend that mapping, or the export",
            )


def _files(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str | int, ...], ...]:
    found = con.sql(
        f"SELECT feed, file, {', '.join(FATES)} FROM quality.reconciliation ORDER BY feed, file_number"
    ).fetchall()
    return tuple((str(feed), str(file), *map(int, counts)) for feed, file, *counts in found)


def _refusals(con: duckdb.DuckDBPyConnection) -> Iterator[Refusals]:
    found = con.sql(
        "SELECT feed, file, reason, COUNT(*) AS lines, list_slice(list(line ORDER BY line), 1, "
        f"{LINES_SHOWN}) AS first FROM staging.refused_rows GROUP BY feed, file, reason ORDER BY lines DESC, feed, file, reason"
    ).fetchall()
    for feed, file, reason, lines, first in found:
        yield Refusals(feed=feed, file=file, reason=reason, lines=int(lines), first=tuple(map(int, first)))


def _unasked(files: tuple[LandedFile, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for file in files:
        asked = {source for claim in file.claims for source in claim.source_columns}
        there = column_shapes(file.path, file.claims[0]) if file.claims else {}
        left = tuple(name for name in there if name not in asked)
        if left and file.same_as is None:
            yield file.name, left


def _instruments(con: duckdb.DuckDBPyConnection, service: Service) -> Iterator[Measured]:
    found = con.sql(
        "SELECT scores.instrument, COUNT(*), list(scores.n_answered), strftime(MIN(completed_on), '%Y-%m'),"
        " strftime(MAX(completed_on), '%Y-%m') FROM staging.scores"
        " INNER JOIN (SELECT instrument, rating_id, completed_on FROM staging.alliance"
        " UNION ALL SELECT instrument, rating_id, completed_on FROM staging.outcomes) AS form USING (instrument, rating_id)"
        " GROUP BY scores.instrument ORDER BY 1"
    ).fetchall()
    for name, forms, answered, since, until in found:
        items = service.registry[name].n_items.value
        complete = sum(count == items for count in answered) / forms
        yield Measured(instrument=name, forms=int(forms), complete=complete, since=since, until=until)


def _sites(con: duckdb.DuckDBPyConnection, service: Service) -> Iterator[SiteReach]:
    found = con.execute(
        """
        WITH seen AS (
          SELECT DISTINCT coalesce(attendance.site, clinicians.site, '') AS site, clinician_id, case_id
          FROM staging.attendance LEFT JOIN staging.clinicians USING (clinician_id) WHERE status = 'attended'
        ),
        rated AS (SELECT DISTINCT case_id FROM staging.alliance),
        changed AS (SELECT DISTINCT case_id FROM staging.outcomes GROUP BY case_id, client_id, instrument HAVING COUNT(*) > 1),
        treated AS (SELECT site, clinician_id, COUNT(*) AS clients FROM seen GROUP BY site, clinician_id)
        SELECT
          site, clinicians, shown, COUNT(DISTINCT case_id), COUNT(DISTINCT rated.case_id), COUNT(DISTINCT changed.case_id)
        FROM seen
        INNER JOIN (
          SELECT site, COUNT(*) AS clinicians, COUNT(*) FILTER (WHERE clients >= ?) AS shown FROM treated GROUP BY site
        ) AS counted USING (site)
        LEFT JOIN rated USING (case_id)
        LEFT JOIN changed USING (case_id)
        GROUP BY site, clinicians, shown ORDER BY site
        """,
        [service.suppression.minimum_clients],
    ).fetchall()
    for site, clinicians, shown, clients, alliance, change in found:
        yield SiteReach(
            site=site, clinicians=clinicians, shown=shown, clients=clients, with_alliance=alliance, with_change=change
        )
