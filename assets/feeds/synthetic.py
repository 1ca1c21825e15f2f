"""A simulated service written out the way a clinic's record system would hand it over.

What belongs here: the six CSV files of an export, filled from `clinic_process.simulate`, item forms that add up to the
simulated scores, and one file sent twice. What does not: the process itself (`clinic_process.py`), the rows that are
wrong (`synthetic_mistakes.py`) and reading (`assets/feeds` beside it).

Files: UTF-8, commas, ISO dates and local times, blanks for what was not filled in.
"""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.feeds.clinic_process import COMPLETED_EARLY, DROPPED_OUT, PLANNED, ClinicParameters, ClinicTruth, simulate
from assets.feeds.synthetic_mistakes import wrong_rows_of

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WAI_ITEMS: Final = 12
PHQ_ITEMS: Final = 9
# The WAI-SR subscale of each item, 0 bond, 1 goals, 2 tasks (Hatcher & Gillaspy, 2006), so that subscales hang together
# in the forms.
WAI_SUBSCALE: Final = (2, 2, 0, 1, 0, 1, 0, 1, 0, 2, 1, 2)
DAYS_OF_REFERRALS: Final = 913  # thirty months
HELD: Final = "attended"
NOT_HELD: Final = ("did_not_attend", "cancelled_by_client", "cancelled_by_clinic", "late_not_seen")
NOT_HELD_SHARES: Final = (0.42, 0.38, 0.15, 0.05)  # assumed
MODALITIES: Final = ("in_person", "video", "phone")
PROGRAMMES: Final = ("Adult CBT", "Adult counselling", "Brief therapy", "Psychodynamic")
PROBLEMS: Final = ("depression", "generalised anxiety", "panic", "social anxiety", "trauma", "relationship", "grief")
PROFESSIONS: Final = ("psychologist", "psychotherapist", "counsellor")
AGE_BANDS: Final = ("10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70-79")
AGE_SHARES: Final = (0.05, 0.27, 0.25, 0.18, 0.13, 0.08, 0.04)  # assumed
SHARE_OF_FORMS_WITH_A_BLANK: Final = 0.02  # assumed


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was written.

    `rows` counts rows by file name, the wrong ones included; `wrong_rows` counts those; `sent_twice` names the second
    file of the same bytes; `truth` is what lies behind it all.
    """

    folder: Path
    rows: dict[str, int]
    wrong_rows: dict[str, int]
    sent_twice: str
    truth: ClinicTruth


def write_export(  # noqa: PLR0913 - a service has this many sizes
    folder: Path,
    *,
    seed: int,
    clinicians: int,
    clients: int,
    data_on: dt.date,
    sites: int = 3,
    has_wrong_rows: bool = True,
    parameters: ClinicParameters | None = None,
    days: int = DAYS_OF_REFERRALS,
) -> Export:
    """Write a simulated service's six CSV files, and one of them a second time.

    `appointments.csv`, `wai_sr.csv`, `phq9.csv`, `episodes.csv`, `people.csv`, `clinicians.csv`; `wai_sr_resent.csv` is
    the same bytes as `wai_sr.csv`. A client has one episode. What would lie after `data_on` is not written and its
    episode is open.

    Args:
        folder: made if missing; files of these names are overwritten.
        seed: the same seed and arguments write the same bytes.
        clinicians: how many.
        clients: how many.
        data_on: the last day anything happened.
        sites: how many.
        has_wrong_rows: whether a few rows are wrong, as rows from record systems are.
        parameters: another process than the usual; its counts of sites, clinicians and clients are replaced by
            those given here.
        days: over how many days up to `data_on` clients were referred.

    Returns:
        What was written.
    """
    chosen = parameters or ClinicParameters()
    service = ClinicParameters(**{**vars(chosen), "sites": sites, "clinicians": clinicians, "clients": clients})
    clinic = simulate(service, seed=seed)
    draw = np.random.default_rng([seed, 1])
    booked = _booked(clinic.sessions, clinic.truth, draw, data_on=data_on, days=days)
    tables = {
        "appointments.csv": _appointments(booked, draw, clients=clients),
        "wai_sr.csv": _forms(booked, draw, score="alliance", clients=clients),
        "phq9.csv": _forms(booked, draw, score="outcome", clients=clients),
        "episodes.csv": _episodes(booked, clinic.truth, draw),
        "people.csv": _people(clinic.truth, draw),
        "clinicians.csv": _clinicians(clinic.truth, draw, data_on=data_on, days=days),
    }
    folder.mkdir(parents=True, exist_ok=True)
    rows, wrong_rows = {}, {}
    for name, table in tables.items():
        text = table.select(pl.all().cast(pl.String))
        wrong = wrong_rows_of(name, text) if has_wrong_rows else text.clear()
        pl.concat([text, wrong]).write_csv(folder / name, null_value="")
        rows[name], wrong_rows[name] = text.height + wrong.height, wrong.height
    twice = "wai_sr_resent.csv"
    shutil.copyfile(folder / "wai_sr.csv", folder / twice)
    return Export(folder=folder, rows=rows, wrong_rows=wrong_rows, sent_twice=twice, truth=clinic.truth)


def _booked(
    sessions: pl.DataFrame, truth: ClinicTruth, draw: np.random.Generator, *, data_on: dt.date, days: int
) -> pl.DataFrame:
    """Every appointment up to the data date: the sessions, those missed before them, those missed after a dropout."""
    clients = len(truth.client_clinician)
    held = sessions.with_columns(
        week=(pl.col("missed_before") + pl.col("weeks_later") + 1).cum_sum().over("client") - 1
    )
    missed = (
        held.filter(pl.col("missed_before") > 0)
        .select("client", "clinician", last=pl.col("week"), before=pl.int_ranges(1, pl.col("missed_before") + 1))
        .explode("before", empty_as_null=True)
        .select("client", "clinician", week=pl.col("last") - pl.col("before"))
    )
    left = np.flatnonzero(truth.ending == DROPPED_OUT)
    trailing = pl.DataFrame({"client": left, "after": draw.integers(0, 3, len(left))}).filter(pl.col("after") > 0)
    last = held.group_by("client", maintain_order=True).agg(pl.col("clinician").first(), last=pl.col("week").max())
    after = (
        trailing.join(last, on="client", how="left", maintain_order="left")
        .select("client", "clinician", "last", step=pl.int_ranges(1, pl.col("after") + 1))
        .explode("step", empty_as_null=True)
        .select("client", "clinician", week=pl.col("last") + pl.col("step"))
    )
    first_day = np.datetime64(data_on) - draw.integers(0, days, clients).astype("timedelta64[D]")
    half_hour = draw.integers(0, 20, clients)
    plan = pl.DataFrame(
        {
            "client": np.arange(clients),
            "first_on": first_day,
            "hour": 8 + half_hour // 2,
            "minute": 30 * (half_hour % 2),
        }
    )
    everything = pl.concat([held, missed, after], how="diagonal")
    return (
        everything.join(plan, on="client", how="left", maintain_order="left")
        .with_columns(held_on=pl.col("first_on").cast(pl.Date) + pl.duration(days=7 * pl.col("week")))
        .filter(pl.col("held_on") <= data_on)
        .sort("held_on", "hour", "minute", "client", "week")
        .with_row_index("number", offset=1)
        .with_columns(
            is_held=pl.col("session").is_not_null(),
            client_id=_code("C", pl.col("client") + 1, 6),
            clinician_id=_code("K", pl.col("clinician") + 1, 4),
            appointment_id=_code("A", pl.col("number"), 7),
        )
    )


def _code(letter: str, number: pl.Expr, width: int) -> pl.Expr:
    return pl.lit(letter) + number.cast(pl.String).str.zfill(width)


def _appointments(booked: pl.DataFrame, draw: np.random.Generator, *, clients: int) -> pl.DataFrame:
    held = booked["is_held"].to_numpy()
    status = np.where(held, HELD, draw.choice(NOT_HELD, booked.height, p=NOT_HELD_SHARES))
    minutes = np.clip(np.round(draw.normal(51.0, 6.0, booked.height)), 20, 90).astype(np.int64)
    usual = draw.choice(len(MODALITIES), clients, p=(0.7, 0.22, 0.08))
    other = draw.choice(len(MODALITIES), booked.height)
    modality = np.where(draw.random(booked.height) < 0.9, usual[booked["client"].to_numpy()], other)
    return booked.select(
        "appointment_id",
        episode_id=_code("E", pl.col("client") + 1, 6),
        client_id="client_id",
        clinician_id="clinician_id",
        starts_at=pl.format(
            "{} {}:{}:00",
            "held_on",
            pl.col("hour").cast(pl.String).str.zfill(2),
            pl.col("minute").cast(pl.String).str.zfill(2),
        ),
        status=pl.Series(status),
        duration_minutes=pl.when(pl.col("is_held")).then(pl.Series(minutes)),
        modality=pl.Series(np.asarray(MODALITIES)[modality]),
    )


def _forms(booked: pl.DataFrame, draw: np.random.Generator, *, score: str, clients: int) -> pl.DataFrame:
    """One row a completed form whose items add up to the simulated score."""
    filled = booked.filter(pl.col(score).is_not_null())
    items, low, high, prefix = (WAI_ITEMS, 1, 5, "L") if score == "alliance" else (PHQ_ITEMS, 0, 3, "O")
    points = filled[score].to_numpy() * (items if score == "alliance" else 1)
    total = np.clip(np.round(points), low * items, high * items).astype(np.int64)
    leaning = draw.normal(0.0, 0.5, (clients, items))
    if score == "alliance":
        leaning += draw.normal(0.0, 0.7, (clients, 3))[:, list(WAI_SUBSCALE)]
    answers = spread_over_items(total, leaning=leaning[filled["client"].to_numpy()], low=low, high=high, draw=draw)
    blank = np.zeros(answers.shape, dtype=bool)
    has_blank = np.flatnonzero(draw.random(len(total)) < SHARE_OF_FORMS_WITH_A_BLANK)
    blank[has_blank, draw.integers(0, items, len(has_blank))] = True
    columns = {f"item_{i + 1}": pl.Series(answers[:, i]) for i in range(items)}
    clinician = ["clinician_id"] if score == "alliance" else []
    return filled.select(
        pl.concat_str(pl.lit(prefix), pl.col("appointment_id").str.slice(1)).alias("rating_id"),
        "client_id",
        *clinician,
        "appointment_id",
        pl.col("held_on").alias("completed_on"),
        *[
            pl.when(~pl.Series(blank[:, i])).then(column).alias(name)
            for i, (name, column) in enumerate(columns.items())
        ],
    )


def spread_over_items(total: Integers, *, leaning: Floats, low: int, high: int, draw: np.random.Generator) -> Integers:
    """Answers to single items that add up to a total.

    Args:
        total: (N,) sum wanted, from low * items to high * items.
        leaning: (N, items) which items the person tends to answer higher, in standard deviations.
        low: the lowest answer.
        high: the highest answer.
        draw: random numbers.

    Returns:
        (N, items) whole answers between low and high.
    """
    rows, items = leaning.shape
    rank = np.argsort(np.argsort(-(leaning + draw.normal(0.0, 0.6, leaning.shape)), axis=1), axis=1)
    answers = (total // items)[:, None] + (rank < (total % items)[:, None])
    # Moving a point from a lower-ranked to a higher-ranked item keeps the total and gives forms the unevenness real
    # ones have.
    for gap in (items // 2, items // 3):
        giver = np.argsort(rank, axis=1)[:, ::-1]
        for place in range(min(3, items - gap)):
            gives, takes = giver[:, place], giver[:, place + gap]
            row = np.arange(rows)
            can = (draw.random(rows) < 0.5) & (answers[row, gives] > low) & (answers[row, takes] < high)
            answers[row, gives] -= can
            answers[row, takes] += can
    return np.asarray(answers, dtype=np.int64)


def _episodes(booked: pl.DataFrame, truth: ClinicTruth, draw: np.random.Generator) -> pl.DataFrame:
    clients = len(truth.client_clinician)
    shown = (
        booked.filter(pl.col("is_held"))
        .group_by("client")
        .agg(first=pl.col("held_on").min(), last=pl.col("held_on").max(), sessions=pl.len())
    )
    reason = np.select(
        [np.isin(truth.ending, (PLANNED, COMPLETED_EARLY)), truth.ending == DROPPED_OUT],
        ["planned", "unplanned"],
        default="",
    )
    site = truth.clinician_site[truth.client_clinician]
    own = pl.DataFrame(
        {
            "client": np.arange(clients),
            "clinician": truth.client_clinician,
            "programme": np.asarray(PROGRAMMES)[(site + draw.integers(0, 2, clients)) % len(PROGRAMMES)],
            "problem": np.asarray(PROBLEMS)[
                draw.choice(len(PROBLEMS), clients, p=(0.34, 0.2, 0.08, 0.1, 0.12, 0.1, 0.06))
            ],
            "wait_days": np.clip(np.round(draw.gamma(3.0, 12.0, clients)), 2, 200).astype(np.int64),
            "last_session": truth.last_session,
            "reason": reason,
        },
    )
    # An episode whose last session would lie after the data date has not ended yet.
    is_over = (pl.col("reason") != "") & (pl.col("sessions") == pl.col("last_session") + 1)
    return (
        own.join(shown, on="client", how="inner", maintain_order="left")
        .with_columns(is_over=is_over)
        .select(
            episode_id=_code("E", pl.col("client") + 1, 6),
            case_id=_code("C", pl.col("client") + 1, 6),
            clinician_id=_code("K", pl.col("clinician") + 1, 4),
            programme="programme",
            problem="problem",
            referred_on=pl.col("first") - pl.duration(days=pl.col("wait_days")),
            started_on="first",
            ended_on=pl.when("is_over").then("last"),
            end_reason=pl.when("is_over").then("reason"),
        )
    )


def _people(truth: ClinicTruth, draw: np.random.Generator) -> pl.DataFrame:
    clients = len(truth.client_clinician)
    hard = truth.has_hard_circumstances
    decile = np.where(hard, draw.integers(1, 5, clients), draw.integers(3, 11, clients))
    return pl.DataFrame(
        {
            "client_id": [f"C{i:06d}" for i in range(1, clients + 1)],
            "age_band": draw.choice(AGE_BANDS, clients, p=AGE_SHARES),
            "gender": draw.choice(("female", "male", "nonbinary", ""), clients, p=(0.64, 0.33, 0.02, 0.01)),
            "deprivation_decile": decile,
        },
    ).with_columns(pl.col("gender").replace("", None))


def _clinicians(truth: ClinicTruth, draw: np.random.Generator, *, data_on: dt.date, days: int) -> pl.DataFrame:
    count = len(truth.clinician_site)
    began = np.datetime64(data_on) - draw.integers(days + 30, 4000, count).astype("timedelta64[D]")
    return pl.DataFrame(
        {
            "clinician_id": [f"K{i:04d}" for i in range(1, count + 1)],
            "site": [f"site_{chr(ord('a') + int(s) % 26)}" for s in truth.clinician_site],
            "profession": draw.choice(PROFESSIONS, count, p=(0.4, 0.4, 0.2)),
            "started_on": pl.Series(began).cast(pl.Date),
        },
    )
