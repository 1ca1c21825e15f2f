"""A small clinic's tables, shaped by the contracts and the same on every run, for the pages' tests.

Belongs here: made-up rows. Does not belong here: the simulated service that whole nights run on (`assets.feeds`).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from assets.contracts.model import Kind
from assets.contracts.registry import TABLES, table
from assets.science.funnel import funnel, wilson_interval
from dashboards.page_settings import PageSettings

DATA_DATE = date(2026, 11, 20)
PAIRS = {"north": ("WAI-SR", "PHQ-9"), "harbour": ("SRS", "ORS"), "couples": ("SRS", "CSI-4")}
PROGRAMMES = ("Adult CBT", "Counselling", "Trauma")
_TYPES = {
    Kind.IDENTIFIER: pl.String,
    Kind.TEXT: pl.String,
    Kind.WORD: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.NUMBER: pl.Float64,
    Kind.DATE: pl.Date,
    Kind.TIMESTAMP: pl.Datetime("us"),
    Kind.BOOLEAN: pl.Boolean,
    Kind.NUMBERS: pl.List(pl.Float64),
}


def settings(**changes) -> PageSettings:
    """The settings of the made-up clinic."""
    given = {
        "clinic": "Riverbank Therapies",
        "data_date": DATA_DATE,
        "time_zone": "Europe/London",
        "minimum_clients": 10,
        "minimum_sessions": 5,
        "period_months": 12,
        "standards": {
            "alliance_recorded": 0.85,
            "outcome_recorded": 0.90,
            "improved_rate": 0.35,
            "did_not_attend_rate": 0.12,
        },
        "measures": (("WAI-SR", "PHQ-9"), ("SRS", "ORS"), ("SRS", "CSI-4")),
        "run_id": "8f31c2a0",
        "run_at": datetime(2026, 11, 21, 2, 14, tzinfo=UTC),
        "is_synthetic": True,
    }
    return PageSettings(**(given | changes))


def shaped(full_name: str, rows: list[dict]) -> pl.DataFrame:
    """Rows as the contract shapes them; columns not given are empty."""
    promised = table(full_name)
    schema = {column.name: _TYPES[column.kind] for column in promised.columns}
    unknown = set().union(*(row.keys() for row in rows)) - schema.keys() if rows else set()
    assert not unknown, f"{full_name} promises no {unknown}"
    return pl.DataFrame(rows, schema=schema, orient="row")


def empty_clinic() -> dict[str, pl.DataFrame]:
    """Every table with no row at all."""
    return {name: shaped(name, []) for name in TABLES}


def reader(frames: dict[str, pl.DataFrame]) -> Callable[[str], pl.DataFrame]:
    """What the site reads from."""
    return frames.__getitem__


def clinic(
    *, clinicians: int, clients_each: int, seed: int = 7, sites: tuple[str, ...] = ("north", "harbour", "couples")
) -> dict[str, pl.DataFrame]:
    """A clinic of so many clinicians with about so many clients each over thirty months.

    The first clinician's alliance falls in the last year, the second's clients improve more, the third's less.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict]] = {name: [] for name in TABLES}
    start = DATA_DATE - timedelta(days=913)
    for k in range(clinicians):
        clinician_id = f"C-{1001 + 7 * k}"
        site = sites[k % len(sites)] if k > 3 else sites[0]
        _caseload(
            rows,
            rng,
            k=k,
            clinician_id=clinician_id,
            site=site,
            clients=max(1, int(clients_each * rng.uniform(0.6, 1.5))),
            start=start,
        )
    _months(rows)
    _estimates(rows, rng)
    _service(rows)
    _quality(rows)
    return {name: shaped(name, found) for name, found in rows.items()}


def _caseload(rows, rng, *, k, clinician_id, site, clients, start) -> None:
    alliance, outcome = PAIRS[site]
    top, low_end = (60, 12) if alliance == "WAI-SR" else (40, 0)
    level = rng.normal(0, 0.05)
    gain = {1: 0.9, 2: 0.06}.get(k, 0.42 + rng.normal(0, 0.08))
    sessions_given, last_on, open_episodes = 0, None, 0
    for c in range(clients):
        client_id = case_id = f"P{k:03d}{c:03d}"
        episode_id = f"E{k:03d}{c:03d}"
        referred = start + timedelta(days=int(rng.integers(0, 900)))
        wait = int(rng.gamma(4, 9))
        first_on = referred + timedelta(days=wait)
        planned = int(rng.integers(5, 15))
        programme = PROGRAMMES[(k + c) % 3]
        baseline, improves = rng.normal(16, 3), rng.uniform() < gain
        own, number, on, done, booked = rng.normal(0, 0.09), 0, first_on, 0, 0
        recent: list[float] = []
        first_score = last_score = None
        scores = 0
        dip_at = int(rng.integers(4, 9)) if rng.uniform() < 0.2 else None
        for slot in range(planned):
            on = first_on + timedelta(days=7 * slot)
            if on > DATA_DATE:
                break
            booked += 1
            status = str(
                rng.choice(
                    ["attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic"],
                    p=[0.83, 0.09, 0.05, 0.03],
                )
            )
            at = datetime(on.year, on.month, on.day, 9 + slot % 8)  # noqa: DTZ001 - the warehouse's timestamps are naive UTC
            who = {"case_id": case_id, "clinician_id": clinician_id, "site": site, "episode_id": episode_id}
            appointment_id = f"A{k:03d}{c:03d}{slot:02d}"
            attended = status == "attended"
            rows["marts.appointments"].append(
                {
                    "appointment_id": appointment_id,
                    **who,
                    "starts_at": at,
                    "starts_on": on,
                    "status": status,
                    "is_attended": attended,
                    "modality": "video" if slot % 4 == 3 else "in_person",
                }
            )
            if not attended:
                continue
            number += 1
            done, sessions_given = done + 1, sessions_given + 1
            last_on = max(last_on or on, on)
            has_alliance, has_outcome = rng.uniform() < (0.62 if k == 2 else 0.86), rng.uniform() < 0.93
            rows["marts.sessions"].append(
                {
                    "appointment_id": appointment_id,
                    **who,
                    "starts_at": at,
                    "starts_on": on,
                    "session_number": number,
                    "has_alliance": has_alliance,
                    "has_outcome": has_outcome,
                }
            )
            rated = {
                "rater": "client",
                "client_id": client_id,
                **who,
                "appointment_id": appointment_id,
                "session_number": number,
                "completed_on": on,
                "n_answered": 12,
            }
            if has_alliance:
                falls = 0.16 if k == 0 and on > DATA_DATE - timedelta(days=330) else 0.0
                dip = 0.28 if dip_at is not None and number in (dip_at, dip_at + 1) else 0.0
                share = float(
                    np.clip(0.72 + level + own + 0.012 * min(number, 10) - falls - dip + rng.normal(0, 0.05), 0, 1)
                )
                score = round(low_end + share * (top - low_end), 1)
                parts = {
                    f"{part}_score": round(score / 3 + shift, 1)
                    for part, shift in (("bond", 1.0), ("goals", -0.6), ("tasks", -0.4))
                }
                rows["marts.ratings"].append(
                    {
                        "rating_id": f"R{appointment_id}",
                        "kind": "alliance",
                        "instrument": alliance,
                        **rated,
                        "score": score,
                        **parts,
                        "is_at_ceiling": score == top,
                    }
                )
                if dip:
                    if number == dip_at:
                        state = "repaired" if c % 3 else "unrepaired"
                        rows["analysis.ruptures"].append(
                            {
                                "client_id": client_id,
                                "episode_id": episode_id,
                                "clinician_id": clinician_id,
                                "site": site,
                                "instrument": alliance,
                                "session_number": number,
                                "fall": round(float(np.mean(recent or [score + 8]) - score), 1),
                                "state": state,
                                "repaired_session_number": number + 2 if state == "repaired" else None,
                            }
                        )
                recent.append(score)
            if has_outcome:
                progress = (9 if improves else 1.5) * np.log1p(number) / np.log(10)
                score = float(np.clip(round(baseline - progress + rng.normal(0, 1.5)), 0, 27))
                if outcome == "ORS":
                    score = 40 - score
                elif outcome == "CSI-4":
                    score = float(np.clip(21 - score, 0, 21))
                rows["marts.ratings"].append(
                    {
                        "rating_id": f"Q{appointment_id}",
                        "kind": "outcome",
                        "instrument": outcome,
                        **rated,
                        "score": score,
                        "is_at_ceiling": False,
                    }
                )
                scores += 1
                first_score = score if first_score is None else first_score
                last_score = score
        is_open = first_on + timedelta(days=7 * planned) > DATA_DATE
        open_episodes += is_open
        rows["marts.clients"].append({"client_id": client_id, "case_id": case_id})
        rows["marts.cases"].append({"case_id": case_id, "site": site, "clients": 1, "episodes": 1, "sessions": number})
        rows["marts.episodes"].append(
            {
                "episode_id": episode_id,
                "case_id": case_id,
                "clinician_id": clinician_id,
                "site": site,
                "programme": programme,
                "referred_on": referred,
                "started_on": first_on,
                "ended_on": None if is_open else on,
                "end_reason": None if is_open else "planned",
                "is_open": is_open,
                "is_inferred": False,
                "appointments": booked,
                "sessions": number,
                "first_session_on": first_on if number else None,
                "last_session_on": on if number else None,
                "wait_days": wait if number else None,
                "clinicians": 1,
            }
        )
        if scores >= 1:
            sign = -1 if outcome == "PHQ-9" else 1
            better = None if scores < 2 else sign * (last_score - first_score)
            reliable = 6.0 if outcome == "PHQ-9" else 5.0
            improved, worse = (better or 0) >= reliable, (better or 0) <= -reliable
            category = (
                "not_evaluable"
                if better is None
                else "improved"
                if improved
                else "deteriorated"
                if worse
                else "unchanged"
            )
            rows["analysis.client_change"].append(
                {
                    "client_id": client_id,
                    "case_id": case_id,
                    "episode_id": episode_id,
                    "clinician_id": clinician_id,
                    "site": site,
                    "programme": programme,
                    "instrument": outcome,
                    "is_open": is_open,
                    "scores": scores,
                    "first_score": first_score,
                    "last_score": last_score if scores > 1 else None,
                    "improvement": better,
                    "reliable_change": reliable,
                    "category": category,
                    "is_reliably_improved": improved,
                    "is_reliably_deteriorated": worse,
                }
            )
    rows["marts.clinicians"].append(
        {
            "clinician_id": clinician_id,
            "site": site,
            "profession": "psychotherapist",
            "cases": clients,
            "sessions": sessions_given,
            "open_episodes": open_episodes,
            "last_session_on": last_on,
        }
    )


def _months(rows) -> None:
    months: dict[tuple, dict] = {}
    cases: dict[tuple, set] = {}
    with_forms = {(s["appointment_id"]): s for s in rows["marts.sessions"]}
    for appointment in rows["marts.appointments"]:
        key = (appointment["clinician_id"], appointment["starts_on"].replace(day=1))
        row = months.setdefault(
            key,
            {"clinician_id": key[0], "site": appointment["site"], "month": key[1]}
            | dict.fromkeys(
                (
                    "cases",
                    "appointments",
                    "attended",
                    "did_not_attend",
                    "cancelled_by_client",
                    "cancelled_by_clinic",
                    "late_not_seen",
                    "sessions_with_alliance",
                    "sessions_with_outcome",
                ),
                0,
            ),
        )
        row["appointments"] += 1
        row[appointment["status"]] += 1
        session = with_forms.get(appointment["appointment_id"])
        if session:
            row["sessions_with_alliance"] += session["has_alliance"]
            row["sessions_with_outcome"] += session["has_outcome"]
        cases.setdefault(key, set()).add(appointment["case_id"])
    for key, row in months.items():
        row["cases"] = len(cases[key])
    rows["marts.clinician_months"] += months.values()


def _estimates(rows, rng) -> None:
    ratings = (
        pl.DataFrame([r for r in rows["marts.ratings"] if r["kind"] == "alliance"])
        if rows["marts.ratings"]
        else pl.DataFrame()
    )
    changes = [r for r in rows["analysis.client_change"] if not r["is_open"]]
    site_of = {c["clinician_id"]: c["site"] for c in rows["marts.clinicians"]}
    for (clinician_id, instrument), own in ratings.group_by("clinician_id", "instrument", maintain_order=True):
        service = ratings.filter(pl.col("instrument") == instrument)["score"].mean()
        mean, clients = own["score"].mean(), own["client_id"].n_unique()
        half = 2 * 4.5 / np.sqrt(clients)
        word = "too_few" if clients < 10 else "clear" if abs(mean - service) > half else "cannot_tell"
        rows["analysis.clinician_alliance"].append(
            {
                "clinician_id": clinician_id,
                "site": site_of[clinician_id],
                "instrument": instrument,
                "clients": clients,
                "ratings": own.height,
                "mean": mean,
                "shrunken_mean": 0.8 * mean + 0.2 * service,
                "low": mean - half,
                "high": mean + half,
                "early_mean": mean - 1.2,
                "bond_mean": own["bond_score"].mean(),
                "goals_mean": own["goals_score"].mean(),
                "tasks_mean": own["tasks_score"].mean(),
                "share_at_ceiling": 0.02,
                "service_mean": service,
                "certainty": word,
            }
        )
        outcome = PAIRS[site_of[clinician_id]][1]
        estimate = float(rng.normal(0.58, 0.15))
        probability = 0.99 if estimate > 0.48 else 0.85
        rows["analysis.alliance_link"].append(
            {
                "clinician_id": clinician_id,
                "site": site_of[clinician_id],
                "alliance_instrument": instrument,
                "outcome_instrument": outcome,
                "clients": clients,
                "pairs": own.height,
                "estimate": estimate,
                "low": estimate - 0.43,
                "high": estimate + 0.43,
                "service_estimate": 0.58,
                "is_different": False,
                "probability_positive": probability,
                "probability_above_service": float(np.clip(0.5 + (estimate - 0.58) * 1.2, 0.02, 0.99)),
                "certainty": "too_few" if clients < 10 else "clear" if probability > 0.975 else "cannot_tell",
            }
        )
    months = pl.DataFrame(rows["marts.clinician_months"])
    period = months.filter(pl.col("month") >= date(2025, 11, 1)) if months.height else months
    for (clinician_id,), own in period.group_by("clinician_id", maintain_order=True):
        total = {
            name: int(own[name].sum())
            for name in ("appointments", "attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic")
        }
        cases = len(
            {
                a["case_id"]
                for a in rows["marts.appointments"]
                if a["clinician_id"] == clinician_id and a["starts_on"] >= date(2025, 11, 1)
            }
        )
        low, high = wilson_interval([total["did_not_attend"]], [total["appointments"]], confidence=0.95)
        clow, chigh = wilson_interval([total["cancelled_by_clinic"]], [total["appointments"]], confidence=0.95)
        held = total["attended"]
        rows["analysis.clinician_attendance"].append(
            {
                "clinician_id": clinician_id,
                "site": site_of[clinician_id],
                "cases": cases,
                **total,
                "did_not_attend_rate": total["did_not_attend"] / total["appointments"],
                "low": low[0],
                "high": high[0],
                "clinic_cancelled_rate": total["cancelled_by_clinic"] / total["appointments"],
                "clinic_cancelled_low": clow[0],
                "clinic_cancelled_high": chigh[0],
                "alliance_recorded": own["sessions_with_alliance"].sum() / held if held else None,
                "outcome_recorded": own["sessions_with_outcome"].sum() / held if held else None,
                "sessions": held,
            }
        )
    if not changes:
        return
    counted = (
        pl.DataFrame(changes)
        .group_by("instrument", "clinician_id", maintain_order=True)
        .agg(
            pl.col("site").first(),
            clients=pl.len(),
            evaluable=pl.col("last_score").count(),
            improved=pl.col("is_reliably_improved").sum(),
            deteriorated=pl.col("is_reliably_deteriorated").sum(),
        )
        .with_columns(pl.col("clients", "evaluable", "improved", "deteriorated").cast(pl.Int64))
    )
    for (_,), group in counted.group_by("instrument", maintain_order=True):
        judged = funnel(
            group,
            events="improved",
            totals="evaluable",
            kind="proportion",
            target=None,
            adjusts=False,
            exact=False,
            trim="winsorise",
            trim_share=0.1,
        )
        low, high = wilson_interval(group["improved"], group["evaluable"], confidence=0.95)
        for place, row in enumerate(judged.points.iter_rows(named=True)):
            few = row["evaluable"] < 10
            difference = 6 * ((row["rate"] or judged.target) - judged.target)
            half = 9 / np.sqrt(max(row["evaluable"], 1))
            rows["analysis.clinician_progress"].append(
                {
                    name: row[name]
                    for name in (
                        "clinician_id",
                        "site",
                        "instrument",
                        "clients",
                        "evaluable",
                        "improved",
                        "deteriorated",
                    )
                }
                | {
                    "recovered": 0,
                    "improved_rate": row["rate"],
                    "low": float(low[place]),
                    "high": float(high[place]),
                    "service_rate": judged.target,
                    "limit_low_95": row["lower_95"],
                    "limit_high_95": row["upper_95"],
                    "limit_low_998": row["lower_998"],
                    "limit_high_998": row["upper_998"],
                    "expected_difference": difference,
                    "expected_difference_low": difference - half,
                    "expected_difference_high": difference + half,
                    "funnel_rule": "too_few" if few else row["rule"],
                    "certainty": "too_few" if few else "clear" if abs(difference) > half else "cannot_tell",
                }
            )


def _service(rows) -> None:
    people = len(rows["marts.clinicians"])
    for alliance, outcome in (("WAI-SR", "PHQ-9"), ("SRS", "ORS"), ("SRS", "CSI-4")):
        for level, estimate, half, word in (
            ("within_client", 0.58, 0.14, "clear"),
            ("between_client", 1.0, 0.4, "clear"),
            ("between_clinician", 0.24, 1.4, "cannot_tell"),
        ):
            few = people < 3
            for method, shift in (("split_panel_jackknife", 0.0), ("naive", 0.4)):
                rows["analysis.alliance_levels"].append(
                    {
                        "scope": "service",
                        "scope_name": "all",
                        "alliance_instrument": alliance,
                        "outcome_instrument": outcome,
                        "level": level,
                        "method": method,
                        "estimate": None if few else estimate + shift,
                        "low": None if few else estimate - half + shift,
                        "high": None if few else estimate + half + shift,
                        "clinicians": people,
                        "clients": len(rows["marts.clients"]),
                        "pairs": len(rows["marts.ratings"]) // 3,
                        "certainty": "too_few" if few else word,
                        "sentence": f"{level} of {alliance} with {outcome}: {word}.",
                    }
                )


def _quality(rows) -> None:
    for number, (feed, name, lines, refused) in enumerate(
        (
            ("clinicians", "clinicians.csv", 40, 0),
            ("attendance", "north/appointments.csv", 9120, 14),
            ("alliance", "north/wai_sr.csv", 6870, 22),
            ("outcomes", "harbour/measures_long.csv", 8102, 9),
        )
    ):
        rows["quality.reconciliation"].append(
            {
                "feed": feed,
                "file": name,
                "file_number": number,
                "lines": lines,
                "accepted": lines - refused - 11,
                "refused": refused,
                "superseded": 6,
                "identical": 4,
                "blank": 1,
            }
        )
        reasons = (
            ("answer_range", "An answer lies outside what the form allows."),
            ("unknown_client", "The client is not in the people feed."),
        )
        rows["staging.refused_rows"] += [
            {
                "feed": feed,
                "file": name,
                "line": 100 + line,
                "rule": reasons[line % 2][0],
                "reason": reasons[line % 2][1],
            }
            for line in range(refused)
        ]
    rows["quality.checks"] += [
        {
            "table_name": "marts.sessions",
            "check_name": "numbered_from_one",
            "severity": "error",
            "is_passed": True,
            "failing_rows": 0,
            "meaning": "Sessions of an episode are numbered from 1 without a gap.",
        },
        {
            "table_name": "marts.episodes",
            "check_name": "ends_after_start",
            "severity": "warn",
            "is_passed": False,
            "failing_rows": 3,
            "meaning": "An episode ends on or after the day it started.",
        },
    ]
    rows["quality.run"].append(
        {
            "data_date": DATA_DATE,
            "clinic": "Riverbank Therapies",
            "time_zone": "Europe/London",
            "minimum_clients": 10,
            "minimum_sessions": 5,
            "episode_gap_days": 120,
            "period_months": 12,
        }
    )
