"""REDCap: each form, set of fields or report of a project becomes a Parquet file of text, by its API.

Belongs here: asking, in batches of records. Does not belong here: what an answer holds (`redcap_answers`), or what columns
mean.

First the names of the records are asked for, all of them or those that are new or changed, then the records themselves, a
batch at a time. A batch that is cut off or torn is asked for again by itself. It counts only when every record that it was
asked for is in it: REDCap's server may drop part of a long question, or stop in the middle of an answer that ends properly.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from assets.feeds.pulls.patience import patiently
from assets.feeds.pulls.redcap_answers import complaint, lacking, read_table, rows_of
from assets.feeds.pulls.redcap_settings import RedcapExport, RedcapPull
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.pulls.web import Web, open_web, server_time
from assets.feeds.wrong_input import WrongInput

_COMPLAINTS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
_ROWS_AT_ONCE: Final = 50_000
_Form = dict[str, str | Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """What a night leaves for the next: since when to ask, and when everything was last asked for."""

    since: datetime
    full: datetime

    def __str__(self) -> str:
        return f"{self.since.isoformat()} {self.full.isoformat()}"

    @staticmethod
    def read(text: str) -> "_Mark":
        since, full = text.split(" ")
        return _Mark(since=datetime.fromisoformat(since), full=datetime.fromisoformat(full))


@dataclass(frozen=True, kw_only=True)
class RedcapProject:
    """One project and what is asked of it.

    Attributes:
        name: the pull's.
        settings: the exports.
        token: lets us in; a secret.
        zone: the clinic's own, in which files are named, and the server's where the settings name no other.
        now: names the files.
        wait: seconds before a question is asked a second time.
    """

    name: str
    settings: RedcapPull
    token: str = field(repr=False)
    zone: ZoneInfo
    now: datetime
    wait: float

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:  # noqa: ARG002 - only an answer shows what is new
        """Every export: what it brings is known when it has been asked."""
        moment = self.now.astimezone(self.zone).strftime("%Y%m%dT%H%M%S")
        for export in self.settings.exports:
            name = export.name if export.is_always_full else f"{export.name}-{moment}"
            yield Item(name=f"{name}.parquet", subject=export.name, mark=None)

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:
        """Ask for one export and write its rows."""
        export = next(each for each in self.settings.exports if each.name == item.subject)
        last = None if last_mark is None else _Mark.read(last_mark)
        is_full = last is None or self.now - last.full >= timedelta(days=export.full_every_days)
        with open_web(place=f"pulls.{self.name}", seconds=self.settings.seconds) as web:
            asking = _Asking(project=self, export=export, web=web)
            if export.report is not None:
                rows = self._write(to, asking.report(), export=export)
                return Fetched(mark=None, rows=rows, is_empty=rows == 0)
            ids, moment = asking.record_ids(None if is_full or last is None else last.since)
            rows = self._write(to, asking.batches(ids), export=export)
        mark = _Mark(since=moment, full=moment if is_full or last is None else last.full)
        return Fetched(mark=str(mark), rows=rows, is_empty=rows == 0)

    def _write(self, to: Path, answers: Iterable[pa.Table], *, export: RedcapExport) -> int:
        """Write an export's rows as one file, without one where there is no row; how many there are."""
        rows = 0
        with ExitStack() as open_files:
            writer = None
            for answer in _gathered(answers):
                table = rows_of(answer, export, record_field=self.settings.record_field)
                if writer is None:
                    # Read once and whole, so that neither pays: values' statistics, or a dictionary of them.
                    kept = pq.ParquetWriter(
                        to, table.schema, compression="zstd", use_dictionary=False, write_statistics=False
                    )
                    writer = open_files.enter_context(kept)
                writer.write_table(table)
                rows += table.num_rows
        return rows


@dataclass(frozen=True, kw_only=True)
class _Asking:
    """One export being asked for."""

    project: RedcapProject
    export: RedcapExport
    web: Web

    def record_ids(self, since: datetime | None) -> tuple[Sequence[str], datetime]:
        """The names of the records to ask for, and the moment by the server's clock at which they were all."""
        form = self._records() | {"fields[0]": self._record_field}
        if since is not None:
            begin = (since - timedelta(hours=self.export.overlap_hours)).astimezone(self._server_zone)
            form |= {"dateRangeBegin": begin.strftime("%Y-%m-%d %H:%M:%S")}
        table, moment = self._patiently(form)
        if table is None:
            return (), moment
        return [each for each in table[self._record_field].unique().to_pylist() if each is not None], moment

    def batches(self, ids: Sequence[str]) -> Iterator[pa.Table]:
        """Those records as REDCap gives them, batch by batch, each whole."""
        step = self.project.settings.records_at_once
        for start in range(0, len(ids), step):
            batch = ids[start : start + step]
            table = self._batch(batch)
            there = set() if table is None else set(table[self._record_field].unique().to_pylist())
            left_out = [each for each in batch if each not in there]
            # Once more by themselves: those that have been deleted meanwhile, or do not fit the filter any more, stay out.
            again = self._batch(left_out) if left_out else None
            yield from (each for each in (table, again) if each is not None)

    def report(self) -> Iterator[pa.Table]:
        """A report as REDCap gives it, in one answer."""
        table, _ = self._patiently(self._said({"content": "report", "report_id": str(self.export.report)}))
        if table is not None:
            yield table

    def _batch(self, ids: Sequence[str]) -> pa.Table | None:
        fields = [self._record_field, *self.export.fields]
        form = self._records() | {f"fields[{at}]": each for at, each in enumerate(fields)}
        if self.export.form is not None:
            form |= {"forms[0]": self.export.form}
        # Last, so that it is they that PHP drops where it drops what is beyond its limit: that can be seen.
        form |= {f"records[{at}]": each for at, each in enumerate(ids)}
        table, _ = self._patiently(form)
        missing = [] if table is None else lacking(table.column_names, self.export)
        if missing:
            raise WrongInput(
                f"REDCap leaves out {', '.join(missing)}",
                place=f"{self._place}.fields",
                mend="mend the name, or give the token's user the right to export the full data set",
            )
        return table

    def _records(self) -> _Form:
        form: _Form = {"content": "record", "action": "export", "type": "flat"}
        form |= {f"events[{at}]": each for at, each in enumerate(self.export.events)}
        if self.export.filter_logic:
            form |= {"filterLogic": self.export.filter_logic}
        return self._said(form)

    def _said(self, form: _Form) -> _Form:
        settings = self.project.settings
        return form | {
            "token": self.project.token,
            "format": "csv",
            "returnFormat": "json",
            "rawOrLabel": self.export.values,
            "rawOrLabelHeaders": "raw",
            "exportCheckboxLabel": str(self.export.checkbox_labels).lower(),
            "exportSurveyFields": str(settings.survey_fields).lower(),
            "exportDataAccessGroups": str(settings.data_access_groups).lower(),
        }

    def _patiently(self, form: _Form) -> tuple[pa.Table | None, datetime]:
        return patiently(lambda: self._asked(form), name=self.project.name, wait=self.project.wait)

    def _asked(self, form: _Form) -> tuple[pa.Table | None, datetime]:
        with self.web.asked("POST", self.project.settings.url, form=form, understood=_COMPLAINTS) as answer:
            body, status = answer.whole(), answer.status
            moment = server_time(answer.headers) or datetime.now(UTC)
        is_table = status not in _COMPLAINTS
        table = read_table(body, record_field=self._record_field) if is_table else None
        if table is None and (body.strip() or not is_table):
            asked = [self.export.form or "", *self.export.fields, *self.export.events, str(self.export.report or "")]
            token_place = f"pulls.{self.project.name}.token_variable"
            raise complaint(body, status=status, asked=asked, place=self._place, token_place=token_place)
        return table, moment

    @property
    def _record_field(self) -> str:
        return self.project.settings.record_field

    @property
    def _server_zone(self) -> ZoneInfo:
        name = self.project.settings.time_zone
        return self.project.zone if name is None else ZoneInfo(name)

    @property
    def _place(self) -> str:
        return f"pulls.{self.project.name}.exports.{self.export.name}"


def _gathered(answers: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Answers with the same columns, many rows at once, for each piece of a file costs by itself.

    Raises:
        PullFailedError: where one has others.
    """
    held: list[pa.Table] = []
    rows, names = 0, None
    for answer in answers:
        names = names or answer.column_names
        if set(names) != set(answer.column_names):
            raise PullFailedError("the form was changed while it was asked for")
        held.append(answer.select(names))
        rows += answer.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield pa.concat_tables(held)
            held, rows = [], 0
    if held:
        yield pa.concat_tables(held)
