"""`bench formats`: a million rows from each kind of file to staged text, against the bare library reading the same file.

Belongs here: the files and the two ways of reading them, timed in turn. Does not belong here: how they are read
(`assets.feeds.reading`). The bare way ends with the library's own values in memory, or for gzip with a table of text that
DuckDB reads from the unpacked bytes; ours ends with a table on disk of every row under the contract's names. Writing
identifiers as codes costs the same whatever the file was, so it stands beside the figure and not in it.
"""

import gzip
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyreadstat
import xlsxwriter
from python_calamine import CalamineWorkbook

from assets.contracts.staging import ATTENDANCE
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import read_into
from pipelines.benchmarks.result import BenchResult

GOAL = 3.0
_COLUMNS = ("appointment_id", "case_id", "clinician_id", "starts_at", "status", "duration_minutes")
_FORMATS = {"m.csv.gz": "csv", "m.xlsx": "excel", "m.sav": "spss", "m.zsav": "spss", "m.dta": "stata"}


class _AsSent(Codes):
    """Identifiers as they were sent."""

    @property
    def letters(self) -> dict[str, str]:
        """None."""
        return {}


def run(rows: int = 1_000_000) -> BenchResult:
    """Write `rows` appointments as each kind of file, and read each both ways."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        home = Path(folder)
        _write(home, rows)
        found = []
        for name, form in _FORMATS.items():
            path = home / name
            bare = _seconds(lambda path=path: _BARE[path.suffix](path))
            ours, coded = (
                _seconds(lambda path=path, form=form, codes=codes: _read(path, form=form, rows=rows, codes=codes))
                for codes in (
                    _AsSent(secret=bytes(32), rekeys_clinicians=False),
                    Codes(secret=bytes(32), rekeys_clinicians=False),
                )
            )
            found.append(
                {
                    "file": name,
                    "MiB": path.stat().st_size / 2**20,
                    "bare, CPU s": bare,
                    "ours, CPU s": ours,
                    "ratio": ours / bare,
                    "with codes, CPU s": coded,
                }
            )
    worst = max(float(each["ratio"]) for each in found)
    return BenchResult(rows=found, measured=worst, goal=GOAL, held=worst <= GOAL)


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one go."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _write(folder: Path, rows: int) -> None:
    n = pl.int_range(rows, eager=True)
    minutes = (n % 1000) * 1440 + (n % 16) * 30
    frame = pl.DataFrame(
        {
            "appointment_id": pl.select("A" + n.cast(pl.String)).to_series(),
            "case_id": pl.select("C" + (n // 20).cast(pl.String)).to_series(),
            "clinician_id": pl.select("K" + (n % 50).cast(pl.String)).to_series(),
            "starts_at": pl.select(
                pl.lit(datetime(2020, 1, 1, 9, tzinfo=UTC).replace(tzinfo=None)) + pl.duration(minutes=minutes)
            ).to_series(),
            "status": pl.select(
                pl.when(n % 7 == 0).then(pl.lit("did_not_attend")).otherwise(pl.lit("attended"))
            ).to_series(),
            "duration_minutes": (n % 60 + 1).cast(pl.Float64),
        }
    )
    plain = folder / "plain.csv"
    frame.write_csv(plain, datetime_format="%Y-%m-%d %H:%M:%S")
    with plain.open("rb") as file, gzip.open(folder / "m.csv.gz", "wb", compresslevel=6) as packed:
        shutil.copyfileobj(file, packed, 1 << 20)
    plain.unlink()
    pyreadstat.write_sav(frame, str(folder / "m.sav"), row_compress=True)
    pyreadstat.write_sav(frame, str(folder / "m.zsav"), compress=True)
    pyreadstat.write_dta(frame, str(folder / "m.dta"))
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}
    with xlsxwriter.Workbook(str(folder / "m.xlsx"), options) as workbook:
        # A sheet has 1,048,576 rows and no more.
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, _COLUMNS)
        for at, row in enumerate(frame.iter_rows(), start=1):
            sheet.write_row(at, 0, row)


def _read(path: Path, *, form: str, rows: int, codes: Codes) -> None:
    """As a night reads it."""
    mapping = FeedMapping.model_validate(
        {
            "feed": "attendance",
            "index": 0,
            "files": path.name,
            "format": form,
            "columns": dict(zip(_COLUMNS, _COLUMNS, strict=True)),
        }
    )
    landed = LandedFile(
        file_number=1,
        name=path.name,
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        landed_on=datetime.now(UTC).date(),
        claims=(mapping,),
    )
    with duckdb.connect(path.parent / "staged.duckdb") as con:
        report = read_into(con, landed, mapping, feed=ATTENDANCE, codes=codes, table="read", scratch=path.parent)
    if report.kept != rows:
        raise RuntimeError(f"{path.name}: {rows} rows were written, and {report.kept} read")


def _bare_gzip(path: Path) -> None:
    plain = path.with_suffix(".unpacked")
    with gzip.open(path) as packed, plain.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in _COLUMNS)
    with duckdb.connect(path.parent / "bare.duckdb") as con:
        con.execute(
            f"CREATE OR REPLACE TABLE read AS FROM read_csv('{plain}', auto_detect = false, header = true,"
            f" columns = {{{columns}}}, delim = ',', parallel = false)"
        )
    plain.unlink()


def _bare_excel(path: Path) -> object:
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


_BARE: dict[str, Callable[[Path], object]] = {
    ".gz": _bare_gzip,
    ".xlsx": _bare_excel,
    ".sav": lambda path: pyreadstat.read_sav(path, output_format="polars"),
    ".zsav": lambda path: pyreadstat.read_sav(path, output_format="polars"),
    ".dta": lambda path: pyreadstat.read_dta(path, output_format="polars"),
}
