"""Landing as a Dagster asset: what came, kept as it came, and the frame in which the night is built.

Belongs here: the pull, with its retries. Does not belong here: reading a file (`assets.feeds`) or judging a line
(`assets.staging`). Dagster reads annotations at run time, so this module never postpones them.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from operator import attrgetter
from pathlib import Path

import dagster as dg
import polars as pl

from assets import tables, warehouse
from assets.contracts import quality
from assets.feeds.landing import LandedFile, Landing, land, landed_files
from assets.feeds.pulls.pulling import pull_everything
from assets.feeds.secret import check_value
from assets.feeds.wrong_input import WrongInput
from assets.last_version import read_last
from assets.resources import Night
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry
from assets.service import Service

LANDED = dg.AssetKey(["landing", "files"])

# A file share that is not there for a moment is ordinary; anything computed is not tried twice.
_PULL_AGAIN = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)


def landed_frame(landed: Sequence[LandedFile]) -> pl.DataFrame:
    """`quality.files`: one row a landed file and mapping that reads it."""
    return pl.DataFrame(
        [
            {
                "file_number": each.file_number,
                "feed": mapping.feed,
                "mapping": mapping.index,
                "file": each.name,
                "sha256": each.sha256,
                "bytes": each.bytes,
                "landed_on": each.landed_on,
            }
            for each in landed
            for mapping in each.claims
        ],
        schema={
            "file_number": pl.Int64,
            "feed": pl.String,
            "mapping": pl.Int64,
            "file": pl.String,
            "sha256": pl.String,
            "bytes": pl.Int64,
            "landed_on": pl.Date,
        },
    )


def run_frame(service: Service, *, data_date: date, secret_check: str) -> pl.DataFrame:
    """`quality.run`: the settings that the figures depend on, as one row."""
    return pl.DataFrame(
        [
            {
                "data_date": data_date,
                **{column: attrgetter(setting)(service) for column, setting in quality.SETTINGS_OF_RUN.items()},
                "secret_check": secret_check,
            }
        ]
    )


def instruments_frame(registry: Registry) -> pl.DataFrame:
    """What staging needs to know of each instrument to judge a form, one row an instrument."""
    return pl.DataFrame([_described(each) for each in registry])


def _described(instrument: Instrument) -> dict[str, object]:
    return {
        "id": instrument.id,
        "kind": instrument.kind,
        "n_items": instrument.n_items.value,
        "item_minimum": float(instrument.item_range.value.low),
        "item_maximum": float(instrument.item_range.value.high),
        "item_scale": 10.0**instrument.item_decimals,
        "score_minimum": float(instrument.score_range.low),
        "score_maximum": float(instrument.score_range.high),
        "raters": list(instrument.raters),
    }


def check_that_days_go_on(night: Night) -> None:
    """A clock that was set back must not put older figures in the place of newer ones unasked."""
    last = None if night.data_date else read_last(Path(night.home), quality.RUN)
    if last is None:
        return
    published = last["data_date"].item()
    if night.as_of < published:
        raise WrongInput(
            f"it says {night.as_of}, and the published version speaks of {published}",
            place="this machine's clock",
            mend="set it; or go back with `rollback`, or name the day with --as-of",
        )


def _pulled(night: Night) -> tuple[int, Landing]:
    """What there is to read, and how many files were fetched; without an inbox nothing is, since all has landed before."""
    service = night.service
    if not night.inbox:
        return 0, Landing(files=landed_files(night.landing, mappings=service.feeds), new=(), unclaimed=())
    fetched = pull_everything(
        service.pulls, into=night.pulled, environ=os.environ, zone=service.clinic.zone, now=datetime.now(UTC)
    )
    landed = land(
        Path(night.inbox),
        landing=night.landing,
        mappings=service.feeds,
        data_date=night.as_of,
        pulled=night.pulled,
    )
    return len(fetched), landed


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            LANDED,
            group_name="landing",
            kinds={"file"},
            description="Every file that the clinic sent, kept as it came; known bytes are not read again.",
        ),
        *(
            dg.AssetSpec(deps=[LANDED], **tables.definition(table, code="landing"))
            for table in (quality.FILES, quality.RUN)
        ),
    ],
    retry_policy=_PULL_AGAIN,
)
def landing(night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Land what is new, and begin the night's build."""
    with tables.told_in_one_line():
        check_that_days_go_on(night)
        service, codes = night.service, night.codes
        fetched, landed = _pulled(night)
    run = run_frame(service, data_date=night.as_of, secret_check=check_value(codes.secret))
    night.begin_build()
    with night.open_build() as con:
        files = warehouse.create_table_from_frame(con, quality.FILES, frame=landed_frame(landed.files))
        runs = warehouse.create_table_from_frame(con, quality.RUN, frame=run)
        con.register("instruments_to_store", instruments_frame(service.registry).to_arrow())
        con.execute("CREATE TABLE scratch.instruments AS SELECT * FROM instruments_to_store")
    yield tables.made(
        len(landed.files),
        of=LANDED,
        more={
            "fetched files": fetched,
            "new files": len(landed.new),
            "files that no mapping asks for": len(landed.unclaimed),
        },
    )
    yield tables.made(files, of=tables.key(quality.FILES))
    yield tables.made(runs, of=tables.key(quality.RUN))


ASSETS = [landing]
