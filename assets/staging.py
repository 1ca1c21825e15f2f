"""Staging as Dagster assets: every line of every file meets one fate, and the accepted ones make a table a feed.

Belongs here: the order in which a feed's files are read, judged and settled. Does not belong here: reading
(`assets.feeds`), the SQL of judging (`assets.contracts.staging_sql`), or what a form confusion is (`assets.science`).
Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.code_behind import code_behind
from assets.contracts import accounting, quality, staging, staging_sql
from assets.contracts.model import Feed, Kind, Table
from assets.feeds.identifier_search import Leak, search
from assets.feeds.landing import LandedFile, landed_files
from assets.feeds.mapping import FeedMapping
from assets.feeds.purged import bring_back
from assets.feeds.reading import ReadReport, Take, read_with
from assets.feeds.unread_files import account_of_held, account_of_replaced
from assets.feeds.wrong_input import WrongInput
from assets.form_batches import refuse_confused_batches
from assets.resources import Night
from assets.scores import score_forms
from assets.sources import LANDED

_UNREAD = {"source_line": pl.Int64, "rule": pl.String, "reason": pl.String}
DISAGREEING = "form_lines_disagree"
_FEEDS = {feed.name: feed for feed in staging.FEEDS}
_SENTENCES_BEYOND_COLUMNS = {
    DISAGREEING: "the lines of this form disagree on whom, what or when it is about",
}
# A file most of whose dates or numbers can't be read is one whose form the configuration has wrong.
_FEWEST_LINES_TO_JUDGE = 10
_KEY_OF_FORM = {Kind.DATE: "date_format", Kind.TIMESTAMP: "datetime_format", Kind.NUMBER: "decimal"}


def stage_feed(con: duckdb.DuckDBPyConnection, feed: Feed, *, night: Night, landed: tuple[LandedFile, ...]) -> int:
    """Read, judge and settle a feed's files; leaves `staging.<feed>` and `scratch.fates_<feed>`; returns accepted rows.

    `scratch.fates_<feed>` has every line that is not accepted: `file_number, mapping, source_line, fate, rule`.
    """
    begin_feed(con, feed)
    reasons: dict[str, str] = {}
    held: list[tuple[LandedFile, tuple[Leak, ...]]] = []
    of_feed = [(file, mapping) for file in landed for mapping in file.claims if mapping.feed == feed.name]
    for file, mapping in of_feed:
        if file.same_as is not None:
            _count_again(con, feed, file=file)
            continue
        if file.is_purged:
            reasons |= bring_back(con, file, mapping, feed=feed, data_date=night.as_of)
            continue
        told, leaks = take_file(con, feed, file=file, mapping=mapping, night=night, landed=landed)
        reasons |= told
        held += [(file, leaks)] if leaks else []
    _check_that_something_is_left(con, feed, held=held)
    if feed.is_ratings:
        reasons |= refuse_confused_batches(con, lines=f"scratch.lines_{feed.name}", registry=night.service.registry)
    reasons |= _refuse_unknown_references(con, feed)
    _settle(con, feed)
    reasons |= _SENTENCES_BEYOND_COLUMNS
    con.register("reasons_to_store", pl.DataFrame({"rule": list(reasons), "reason": list(reasons.values())}).to_arrow())
    con.execute(f"CREATE OR REPLACE TABLE scratch.reasons_{feed.name} AS SELECT * FROM reasons_to_store")
    select = f"SELECT * FROM scratch.current_{feed.name}"
    if feed.is_ratings:
        select = staging_sql.assembled_forms(feed, current=f"scratch.current_{feed.name}")
    return warehouse.create_table(con, feed.table, select=select)


def take_file(  # noqa: PLR0913 -- what is read, how, and beside what
    con: duckdb.DuckDBPyConnection,
    feed: Feed,
    *,
    file: LandedFile,
    mapping: FeedMapping,
    night: Night,
    landed: tuple[LandedFile, ...],
) -> tuple[dict[str, str], tuple[Leak, ...]]:
    """Read and judge one file as one mapping sees it; returns its rules' sentences, and for a held file why it is."""
    reasons: dict[str, str] = {}
    leaks: tuple[Leak, ...] = ()
    codes = night.codes
    try:
        leaks = _leaks(con, file, night=night, coded=codes.letters)
        if leaks:
            report = account_of_held(con, file, mapping, leaks=leaks, scratch=night.work)
        else:
            take, reasons = _judged(feed, mapping=mapping, file=file, night=night)
            report = read_with(con, file, mapping, feed=feed, codes=codes, take=take, scratch=night.work)
    except WrongInput:
        if not _is_replaced(file, landed):
            raise
        report = account_of_replaced(con, file, mapping, scratch=night.work)
    if not _is_replaced(file, landed):
        _check_form(con, feed, mapping=mapping, file=file, lines=report.kept)
    _note(con, feed, mapping=mapping, file=file, report=report)
    return reasons, leaks


def begin_feed(con: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """The empty scratch tables of a feed's lines, counts and unread lines."""
    columns = [f"{column.name} {column.duckdb_type}" for column in feed.table.columns if column.name != "source_line"]
    extra = ["item_number BIGINT", "item_value DOUBLE", "is_long BOOLEAN"] if feed.is_ratings else []
    listed = ", ".join(
        ["file_number BIGINT", "mapping BIGINT", "source_line BIGINT", *columns, *extra, "broken_rule VARCHAR"]
    )
    con.execute(f"CREATE OR REPLACE TABLE scratch.lines_{feed.name} ({listed})")
    con.execute(
        f"CREATE OR REPLACE TABLE scratch.counts_{feed.name} "
        "(file_number BIGINT, file VARCHAR, lines BIGINT, blank BIGINT, same_as BIGINT)"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE scratch.unread_{feed.name} "
        "(file_number BIGINT, mapping BIGINT, source_line BIGINT, rule VARCHAR, reason VARCHAR)"
    )


def _judged(feed: Feed, *, mapping: FeedMapping, file: LandedFile, night: Night) -> tuple[Take, dict[str, str]]:
    """The statement that judges rows as they are read, and the sentences of its rules."""
    service = night.service
    reading = staging_sql.Reading(
        date_format=mapping.date_format,
        datetime_format=mapping.datetime_format,
        time_zone=service.clinic.time_zone,
        first_possible_day=service.clinic.first_possible_day,
        data_date=night.as_of,
    )
    name = file.name.replace("'", "''")

    def judge(rows: str, columns: Sequence[str]) -> str:
        judged = staging_sql.judged_lines(
            feed, source=f"({rows})", present=columns, is_long=mapping.layout == "long", reading=reading
        )
        return (
            f"INSERT INTO scratch.lines_{feed.name} BY NAME SELECT CAST({file.file_number} AS BIGINT) AS file_number, "
            f"CAST({mapping.index} AS BIGINT) AS mapping, '{name}' AS source_file, judged.* FROM (\n{judged}\n) AS judged"
        )

    return judge, {rule.name: rule.reason for rule in staging_sql.rules(feed, reading=reading)}


def _is_replaced(file: LandedFile, landed: tuple[LandedFile, ...]) -> bool:
    """Whether the clinic has sent the name again since: a spoilt file must not stop every night after its mend."""
    return any(other.sent_as == file.sent_as and other.file_number > file.file_number for other in landed)


def _leaks(
    con: duckdb.DuckDBPyConnection, file: LandedFile, *, night: Night, coded: Collection[str]
) -> tuple[Leak, ...]:
    """The columns of a file that hold direct identifiers and that the clinic has not allowed."""
    privacy = night.service.privacy
    found = search(
        con, file, feeds=_FEEDS, coded=coded, country=privacy.country, memory=night.landing, scratch=night.work
    )
    return tuple(
        leak
        for leak in found
        if not any(allowed.covers(file=file.name, column=leak.column) for allowed in privacy.allow)
    )


def _check_that_something_is_left(
    con: duckdb.DuckDBPyConnection, feed: Feed, *, held: list[tuple[LandedFile, tuple[Leak, ...]]]
) -> None:
    """Without a line of a feed that it needs, a night would publish an empty service."""
    if held and feed.is_required and not warehouse.count_rows(con, f"scratch.lines_{feed.name}"):
        file, leaks = held[0]
        raise WrongInput(
            f"every file of the {feed.name} feed is held; in {file.name} {leaks[0].sentence}",
            place=f"feeds.{feed.name}",
            mend="mend the file, or allow the column in [[privacy.allow]] with a reason",
        )


def _check_form(
    con: duckdb.DuckDBPyConnection, feed: Feed, *, mapping: FeedMapping, file: LandedFile, lines: int
) -> None:
    """Hold the configured form of dates and numbers against the whole file.

    Raises:
        WrongInput: where most lines can't be read in that form.
    """
    if lines < _FEWEST_LINES_TO_JUDGE:
        return
    found = con.execute(
        f"SELECT broken_rule, COUNT(*) FROM scratch.lines_{feed.name} "
        "WHERE file_number = ? AND mapping = ? AND broken_rule LIKE '%\\_unreadable' ESCAPE '\\' GROUP BY broken_rule ORDER BY ALL",
        [file.file_number, mapping.index],
    ).fetchall()
    keys = {
        f"{column.name}_unreadable": _KEY_OF_FORM[column.kind]
        for column in feed.delivered
        if column.kind in _KEY_OF_FORM
    }
    keys["answers_unreadable"] = "decimal"
    for rule, count in found:
        key = keys.get(rule)
        if key is not None and count > lines / 2:
            raise WrongInput(
                f'{count} of {lines} lines of {file.name} can\'t be read with "{getattr(mapping, key)}"',
                place=f"{mapping.place}.{key}",
                mend=f"write the {key.replace('_', ' ')} that the file has",
            )


def _note(
    con: duckdb.DuckDBPyConnection, feed: Feed, *, mapping: FeedMapping, file: LandedFile, report: ReadReport
) -> None:
    con.execute(
        f"INSERT INTO scratch.counts_{feed.name} VALUES (?, ?, ?, ?, NULL)",
        [file.file_number, file.name, report.lines, report.blank],
    )
    if report.rejected:
        con.register(
            "unread_to_store",
            pl.DataFrame(
                [(each.line, each.rule, each.reason) for each in report.rejected], schema=_UNREAD, orient="row"
            ).to_arrow(),
        )
        con.execute(
            f"INSERT INTO scratch.unread_{feed.name} SELECT ?, ?, source_line, rule, reason FROM unread_to_store",
            [file.file_number, mapping.index],
        )
        con.unregister("unread_to_store")


def _count_again(con: duckdb.DuckDBPyConnection, feed: Feed, *, file: LandedFile) -> None:
    """The same bytes under another name say nothing new: all their lines repeat those of the first."""
    con.execute(
        f"INSERT INTO scratch.counts_{feed.name} VALUES (?, ?, NULL, NULL, ?)",
        [file.file_number, file.name, file.same_as],
    )


def _refuse_unknown_references(con: duckdb.DuckDBPyConnection, feed: Feed) -> dict[str, str]:
    present = [
        earlier.table.full_name
        for earlier in staging.FEEDS[: staging.FEEDS.index(feed)]
        if warehouse.count_rows(con, earlier.table.full_name) > 0
    ]
    found = staging_sql.reference_rules(feed, present=present)
    if not found:
        return {}
    booked = ""
    if feed.is_ratings and staging.ATTENDANCE.table.full_name in present:
        booked = "LEFT JOIN staging.attendance AS booked ON booked.appointment_id = line.appointment_id"
    lines, place = f"scratch.lines_{feed.name}", "line.file_number, line.mapping, line.source_line"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE pointing_nowhere AS SELECT * FROM ("
        f"SELECT {place}, {staging_sql.first_broken(found)} AS rule FROM {lines} AS line {booked} "
        "WHERE line.broken_rule IS NULL) AS judged WHERE rule IS NOT NULL"
    )
    con.execute(
        f"UPDATE {lines} AS line SET broken_rule = found.rule FROM pointing_nowhere AS found "
        f"WHERE ({place}) = (found.file_number, found.mapping, found.source_line)"
    )
    return {rule.name: rule.reason for rule in found}


def _settle(con: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    lines, fates, current = (f"scratch.{part}_{feed.name}" for part in ("lines", "fates", "current"))
    con.execute(
        f"CREATE OR REPLACE TABLE {fates} AS SELECT file_number, mapping, source_line, fate, CAST(NULL AS VARCHAR) AS rule "
        f"FROM ({staging_sql.repeated_lines(feed, lines=lines)}) WHERE fate <> 'accepted' "
        f"UNION ALL SELECT file_number, mapping, source_line, 'refused', broken_rule FROM {lines} WHERE broken_rule IS NOT NULL"
    )
    # A view: the lines are many and the fates few, so that writing the accepted ones twice costs more than finding them.
    con.execute(
        f"CREATE OR REPLACE VIEW {current} AS "
        f"SELECT line.* FROM {lines} AS line ANTI JOIN {fates} AS fate USING (file_number, mapping, source_line)"
    )
    if not feed.is_ratings:
        return
    context = ", ".join(
        column.name for column in feed.delivered if column.name not in {"instrument", "rating_id", "items", "total"}
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE disagreeing AS SELECT instrument, rating_id FROM {current} WHERE is_long "
        f"GROUP BY instrument, rating_id HAVING COUNT(DISTINCT ROW({context})) > 1"
    )
    con.execute(
        f"INSERT INTO {fates} SELECT line.file_number, line.mapping, line.source_line, 'refused', '{DISAGREEING}' "
        f"FROM {current} AS line SEMI JOIN disagreeing USING (instrument, rating_id)"
    )


def _accepted_by(feed: Feed) -> str:
    """What decides which lines stand: rules, references, repeats and the mapping; not how a file's bytes are read."""
    rules = (staging_sql.rules, staging_sql.judged_lines, staging_sql.reference_rules, staging_sql.repeated_lines)
    forms = (staging_sql.assembled_forms, refuse_confused_batches) if feed.is_ratings else ()
    promised = [replace(column, meaning="") for column in feed.table.columns]
    return f"{promised}\nservice.feeds.{feed.name}\n{code_behind(*rules, *forms)}"


def _feed_asset(feed: Feed) -> dg.AssetsDefinition:
    earlier = [tables.key(each.table) for each in staging.FEEDS[: staging.FEEDS.index(feed)]]

    @dg.asset(deps=[LANDED, *earlier], **tables.definition(feed.table, code=_accepted_by(feed)))
    def stage(night: Night) -> dg.MaterializeResult[None]:
        with tables.told_in_one_line(), night.open_build() as con:
            landed = landed_files(night.landing, mappings=night.service.feeds)
            return tables.made(stage_feed(con, feed, night=night, landed=landed))

    return stage


@dg.asset(
    deps=[tables.key(staging.ALLIANCE.table), tables.key(staging.OUTCOMES.table)],
    **tables.definition(staging.SCORES, code=f"service.registry\n{code_behind(score_forms)}"),
)
def scores(night: Night) -> dg.MaterializeResult[None]:
    """Score every accepted form by its instrument's own rules."""
    with night.open_build() as con:
        return tables.made(score_forms(con, registry=night.service.registry))


def _told(table: Table, select: str) -> dg.AssetsDefinition:
    @dg.asset(deps=[tables.key(feed.table) for feed in staging.FEEDS], **tables.definition(table, code=select))
    def tell(night: Night) -> dg.MaterializeResult[None]:
        with night.open_build() as con:
            return tables.made(warehouse.create_table(con, table, select=select))

    return tell


ASSETS: list[dg.AssetsDefinition] = [
    *(_feed_asset(feed) for feed in staging.FEEDS),
    scores,
    _told(staging.REFUSED_ROWS, accounting.refused_lines()),
    _told(quality.RECONCILIATION, accounting.reconciliation()),
]
