"""What a made-up clinic's analysis found, and what its night said of its data; limits come from `assets.science`."""

from datetime import date

import numpy as np
import polars as pl

from assets.contracts.analysis import ANSWER
from assets.science.funnel import funnel, wilson_interval
from tests.dashboards.made_up_caseloads import DATA_DATE, PAIRS


def estimates(rows, rng) -> None:
    ratings = (
        pl.DataFrame([r for r in rows["marts.ratings"] if r["kind"] == "alliance"])
        if rows["marts.ratings"]
        else pl.DataFrame()
    )
    changes = [r for r in rows["analysis.client_change"] if not r["is_open"] and r["reliable_change"] is not None]
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
                    "funnel_rule": "too_few" if few else row["rule"],
                }
            )


def service(rows) -> None:
    people = len(rows["marts.clinicians"])
    for alliance, outcome in (("WAI-SR", "PHQ-9"), ("SRS", "ORS"), ("SRS", "CSI-4")):
        for level, estimate, half, word in (
            ("within_client", 0.58, 0.14, "clear"),
            ("between_client", 1.0, 0.4, "clear"),
            ("between_clinician", 0.24, 1.4, "cannot_tell"),
        ):
            few = people < 3
            for method, shift in ((ANSWER, 0.0), ("naive", 0.4)):
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


def quality(rows) -> None:
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
