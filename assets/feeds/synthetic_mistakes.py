"""Rows of a simulated export that are wrong in the ways in which rows from record systems are wrong.

What belongs here: which field of which file is wrong, and how. What does not: the good rows (`synthetic.py`).
"""

import polars as pl


def wrong_rows_of(name: str, good: pl.DataFrame) -> pl.DataFrame:
    """Copies of good rows, each made wrong in one way."""
    mistakes: dict[str, tuple[dict[str, str | None], ...]] = {
        "appointments.csv": (
            {"appointment_id": "A9000001", "status": "attended?"},
            {"appointment_id": "A9000002", "starts_at": "2026-02-30 10:00:00"},
            {"appointment_id": "A9000003", "duration_minutes": "-50"},
            {"appointment_id": "A9000004", "client_id": None},
            {"appointment_id": "A9000005", "starts_at": "2099-01-05 10:00:00"},
            {"status": "cancelled_by_clinic", "starts_at": "2025-01-01 07:00:00"},
        ),
        "wai_sr.csv": (
            {"rating_id": "L9000001", "item_3": "6"},
            {"rating_id": "L9000002", "client_id": "C999999"},
            {"rating_id": "L9000003", "completed_on": "31/02/2026"},
            {"rating_id": None},
        ),
        "phq9.csv": (
            {"rating_id": "O9000001", "item_1": "4"},
            {"rating_id": "O9000002", "item_9": "n/a"},
            {"rating_id": "O9000003", "appointment_id": "A9999999"},
        ),
        "episodes.csv": (
            {"episode_id": "E900001", "started_on": "2026-06-01", "ended_on": "2025-06-01", "end_reason": "planned"},
            {"episode_id": "E900002", "clinician_id": "K9999"},
        ),
        "people.csv": (
            {"client_id": "C900001", "deprivation_decile": "11"},
            {"client_id": "C900002", "age_band": "341"},
        ),
        "clinicians.csv": (),
    }
    rows = [good.row(i % good.height, named=True) | mistake for i, mistake in enumerate(mistakes[name])]
    return pl.DataFrame(rows, schema=good.schema)
