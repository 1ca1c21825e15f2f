"""Made-up comparisons, courses and endings, row by row from what the other made-up tables hold.

Belongs here: rows of the tables of `assets.contracts.comparison`, `endings` and `couples`. Does not belong here: true
estimates; the numbers are only shaped like them.
"""

import numpy as np
import polars as pl

Frames = dict[str, pl.DataFrame]
SENTENCE = "Of 100, 8 did (5 to 12): chance alone could make that difference."


def with_comparisons(frames: Frames) -> None:
    """Fill the tables of comparisons, tracks, retention, holding back, bounds and couples."""
    levels = frames["analysis.clinician_alliance"].to_dicts()
    progress = [row | _ahead(row) for row in frames["analysis.clinician_progress"].to_dicts()]
    change = frames["analysis.client_change"]
    made = {
        "clinician_adjusted_progress": [_adjusted(row) for row in progress],
        "clinician_alliance_growth": [_growth(row, session) for row in levels for session in range(1, 11)],
        "clinician_alliance_parts": [_part(row, name) for row in levels for name in ("early", "later", "growth", "bond")],
        "clinician_weakest_part": [_weakest(row) for row in levels],
        "client_tracks": [_track(row) for row in change.filter(pl.col("is_open") & (pl.col("scores") > 1)).to_dicts()],
        "expected_progress": [_expected(name, session) for name in change["instrument"].unique() for session in range(2, 13)],
        "rate_bounds": [_bounds(row) for row in progress],
        "holding_back": _timelines(frames),
        "couple_clinicians": [_split(row) for row in levels if row["site"] == "couples"],
        "retention": [
            row
            for scope, name in [("service", "all"), *(("clinician", row["clinician_id"]) for row in levels)]
            for row in _curves(scope, name, few=scope == "clinician" and _is_few(levels, name))
        ],
        "variance_shares": [_whole("instrument", name) for name in change["instrument"].unique().sort()],
        "landmark": [
            _whole("alliance_instrument", pair[0], outcome_instrument=pair[1], landmark_session=3, horizon_session=10)
            for pair in frames["analysis.alliance_levels"].select("alliance_instrument", "outcome_instrument").unique().sort(pl.all()).iter_rows()
        ],
        "after_rupture": [_whole("instrument", "WAI-SR", state="ruptured", compared_with="no_rupture", hazard=0.03, ratio=1.2)],
        "holding_back_calibration": [
            _whole("signals", index, checks=90, episodes=80, observed=0.08, observed_low=0.05, observed_high=0.12,
                   predicted=0.07, predicted_low=0.05, predicted_high=0.1)
            for index in range(4)
        ],
        "missing_forms": [
            _whole("grouped_by", "session", group_name=name, position=place, clients=80, sessions=400, skipped=100, rate=0.25,
                   rate_low=0.2, rate_high=0.3, difference=0.1 * place, difference_low=0.05, difference_high=0.15, certainty="clear")
            for place, name in enumerate(("session 1", "sessions 2 and 3"))
        ],
    }  # fmt: skip
    made["clinician_signals"] = [
        *(_signal(row, "adjusted_progress", "ahead", low="ahead_low", high="ahead_high") for row in progress),
        *(_signal(row | {"difference": _less(row, "shrunken_mean"), "from": _less(row, "low"), "to": _less(row, "high")}, "alliance_level", "difference", low="from", high="to") for row in levels),
    ]  # fmt: skip
    for name, rows in made.items():
        schema = frames[f"analysis.{name}"].schema
        known = [{key: value for key, value in row.items() if key in schema} for row in rows]
        frames[f"analysis.{name}"] = pl.DataFrame(known, schema=schema) if known else pl.DataFrame(schema=schema)


def _less(row: dict, name: str) -> float | None:
    return None if row[name] is None else row[name] - row["service_mean"]


def _is_few(levels: list[dict], name: str) -> bool:
    return any(row["certainty"] == "too_few" for row in levels if row["clinician_id"] == name)


def _ahead(row: dict) -> dict:
    """Points ahead of clients alike, with an interval, as the rate of improvement would have it."""
    ahead = 40 * ((row["improved_rate"] or row["service_rate"]) - row["service_rate"])
    half = 9 / np.sqrt(max(row["evaluable"], 1))
    certainty = "clear" if abs(ahead) > half else "cannot_tell"
    return {
        "ahead": ahead,
        "ahead_low": ahead - half,
        "ahead_high": ahead + half,
        "certainty": "too_few" if row["funnel_rule"] == "too_few" else certainty,
    }


def _adjusted(row: dict) -> dict:
    few = row["certainty"] == "too_few"
    return row | {
        "estimate": None if few else row["ahead"],
        "low": None if few else row["ahead_low"],
        "high": None if few else row["ahead_high"],
        "is_flagged": row["certainty"] == "clear",
        "adjusted_for": "first_score, age_band",
        "sentence": SENTENCE,
    }


def _growth(row: dict, session: int) -> dict:
    base = (row["shrunken_mean"] or 0.0) + 0.2 * session
    return row | {"session_number": session, "estimate": base, "low": base - 1, "high": base + 1, "site_mean": 45.0,
                  "site_low": 41.0, "site_high": 49.0}  # fmt: skip


def _part(row: dict, name: str) -> dict:
    level = row["shrunken_mean"] or 0.0
    return row | {"part": name, "estimate": level, "low": level - 1, "high": level + 1, "site_mean": level - 0.5,
                  "difference": 0.5, "difference_low": -0.5, "difference_high": 1.5}  # fmt: skip


def _weakest(row: dict) -> dict:
    return row | {"weakest": "tasks", "gap": -0.2, "low": -0.3, "high": -0.1, "sentence": SENTENCE}


def _signal(row: dict, signal: str, name: str, *, low: str, high: str) -> dict:
    few = row["certainty"] == "too_few" or row[name] is None
    size = 0.0 if few else row[name]
    return {
        "clinician_id": row["clinician_id"],
        "site": row["site"],
        "signal": signal,
        "instrument": row["instrument"],
        "clients": row["clients"],
        "estimate": None if few else size,
        "low": None if few else row[low],
        "high": None if few else row[high],
        "direction": None if few else "better" if size > 0 else "worse",
        "p_value": None if few else 0.0001 if row["certainty"] == "clear" else 0.6,
        "q_value": None if few else 0.001 if row["certainty"] == "clear" else 0.7,
        "is_flagged": row["certainty"] == "clear",
        "certainty": row["certainty"],
    }


def _track(row: dict) -> dict:
    standing = (
        "well_behind" if row["is_reliably_deteriorated"] else "behind" if row["category"] == "unchanged" else "on_track"
    )
    latest = row["last_score"] if row["last_score"] is not None else row["first_score"]
    return row | {"session_number": 6, "latest_score": latest, "expected": latest - 1, "behind_limit": latest + 2,
                  "well_behind_limit": latest + 4, "standing": standing, "basis": "growth_model"}  # fmt: skip


def _expected(instrument: str, session: int) -> dict:
    return {"instrument": instrument, "baseline_group": 1, "first_from": 0.0, "first_to": 60.0, "session_number": session,
            "expected": 16.0 - session / 2, "behind_limit": 19.0 - session / 2, "well_behind_limit": 21.0 - session / 2,
            "basis": "growth_model", "sentence": SENTENCE}  # fmt: skip


def _bounds(row: dict) -> dict:
    few = row["certainty"] == "too_few"
    return row | {"rate": "improved", "known": row["evaluable"], "unknown": 2, "events": row["improved"], "known_rate": 0.4,
                  "known_rate_low": 0.3, "known_rate_high": 0.5, "worst_case": 0.35, "best_case": 0.45, "low": 0.25,
                  "high": 0.55, "is_too_few": few}  # fmt: skip


def _split(row: dict) -> dict:
    return row | {"aspect": "difference", "cases": row["clients"], "estimate": 4.1, "estimate_low": 3.0, "estimate_high": 5.2,
                  "service_mean": 3.5, "sentence": SENTENCE}  # fmt: skip


def _timelines(frames: Frames) -> list[dict]:
    open_now = frames["marts.episodes"].filter("is_open").select("episode_id")
    sessions = frames["marts.sessions"].join(open_now, on="episode_id", how="semi").sort("episode_id", "session_number")
    last = dict(sessions.group_by("episode_id").agg(pl.col("session_number").max()).iter_rows())
    return [
        row
        | {
            "client_id": row["case_id"],
            "missed_before": int(row["session_number"] == 3),
            "is_form_skipped": not row["has_alliance"],
            "signals": int(row["session_number"] in {3, 4, 5}) + int(not row["has_alliance"]),
            "is_latest": row["session_number"] == last[row["episode_id"]],
        }
        for row in sessions.to_dicts()
    ]


def _curves(scope: str, name: str, *, few: bool) -> list[dict]:
    rows = []
    for session in range(1, 11):
        staying = float(np.exp(-session / 8))
        for curve, share in (("in_treatment", staying), ("ended_unplanned", 0.2 * (1 - staying)), ("ended_planned", 0.8 * (1 - staying))):  # fmt: skip
            rows.append(
                {"scope": scope, "scope_name": name, "curve": curve, "session_number": session, "share": share,
                 "share_low": max(0.0, share - 0.05), "share_high": min(1.0, share + 0.05), "at_risk": 40 - session,
                 "endings": 2, "censored": 0, "episodes": 40, "is_too_few": few}
            )  # fmt: skip
    return rows


def _whole(key: str, value: object, **more: object) -> dict:
    return {"scope": "service", "scope_name": "all", key: value, "part": "between_clinicians", "share": 0.06, "low": 0.02,
            "high": 0.1, "certainty": "cannot_tell", "sentence": SENTENCE, **more}  # fmt: skip
