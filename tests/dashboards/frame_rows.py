"""One made-up client and one made-up clinician, row by row, in every table that holds them."""

from datetime import date, datetime, time, timedelta

import numpy as np

DATA_DATE = date(2026, 10, 31)
PAIR = ("WAI-SR", "PHQ-9")
BAND = {"limit_low_95": 0.3, "limit_high_95": 0.6, "limit_low_998": 0.2, "limit_high_998": 0.7}


def one_client(rows, draw, client, code, site, *, place, is_falling, number):
    is_open = place < 2
    episode = f"E{client[1:]}"
    # Courses of eight fortnightly sessions, spread over the two years that charts show.
    start = DATA_DATE - timedelta(days=118 if is_open else 130 + 40 * (place % 14))
    first, last = 18.0, 18.0 - (9 if (place + number) % 2 else 1)
    rows["marts.episodes"].append(
        {
            "episode_id": episode,
            "case_id": client,
            "clinician_id": code,
            "site": site,
            "started_on": start,
            "programme": f"{site} programme",
            "ended_on": None if is_open else start + timedelta(days=110),
            "is_open": is_open,
            "is_inferred": False,
            "appointments": 9,
            "sessions": 8,
            "first_session_on": start,
            "last_session_on": start + timedelta(days=98),
            "wait_days": 20 + place,
            "clinicians": 1,
        }
    )
    who = {"case_id": client, "clinician_id": code, "site": site}
    for session in range(1, 9):
        on = start + timedelta(days=14 * (session - 1))
        at = {
            "appointment_id": f"A{client}{session}",
            "episode_id": episode,
            "starts_on": on,
            "starts_at": datetime.combine(on, time(10)),
        }
        rows["marts.sessions"].append(
            {**who, **at, "session_number": session, "has_alliance": True, "has_outcome": True}
        )
        rows["marts.appointments"].append({**who, **at, "status": "attended", "is_attended": True})
        is_low = is_falling and on > date(2026, 3, 1)
        alliance = float(
            np.clip(
                46
                + draw.normal(0, 1.5)
                - (9 if is_low else 0)
                - (12 if is_open and number <= 2 and session == 5 else 0),
                12,
                60,
            )
        )
        outcome = float(round(first + (last - first) * session / 8 + draw.normal(0, 1)))
        for kind, instrument, score in (("alliance", PAIR[0], alliance), ("outcome", PAIR[1], outcome)):
            rows["marts.ratings"].append(
                {
                    **who,
                    "rating_id": f"{kind[0]}{client}{session}",
                    "kind": kind,
                    "instrument": instrument,
                    "rater": "client",
                    "client_id": client,
                    "episode_id": episode,
                    "session_number": session,
                    "appointment_id": at["appointment_id"],
                    "completed_on": on,
                    "score": score,
                    "is_at_ceiling": False,
                }
            )
        if session < 8:
            rows["marts.alliance_pairs"].append(
                {
                    **who,
                    "client_id": client,
                    "episode_id": episode,
                    "session_number": session,
                    "alliance_instrument": PAIR[0],
                    "outcome_instrument": PAIR[1],
                    "alliance": alliance,
                    "outcome_now": outcome,
                    "outcome_next": outcome,
                    "next_session_number": session + 1,
                }
            )
    rows["analysis.client_change"].append(
        {
            **who,
            "client_id": client,
            "episode_id": episode,
            "programme": f"{site} programme",
            "instrument": PAIR[1],
            "is_open": is_open,
            "scores": 8,
            "first_score": first,
            "last_score": last,
            "improvement": first - last,
            "reliable_change": 6.0,
            "category": "improved" if first - last >= 6 else "unchanged",
            "is_reliably_improved": first - last >= 6,
            "is_reliably_deteriorated": False,
        }
    )
    if is_open and number <= 2:
        is_repaired = place == 1
        rows["analysis.ruptures"].append(
            {
                "client_id": client,
                "episode_id": episode,
                "clinician_id": code,
                "site": site,
                "instrument": PAIR[0],
                "session_number": 5,
                "fall": 12.0,
                "state": "repaired" if is_repaired else "unrepaired",
                "repaired_session_number": 7 if is_repaired else None,
            }
        )


def one_clinician(rows, draw, code, site, *, clients_each, number):
    who = {"clinician_id": code, "site": site}
    booked = 10 * clients_each
    for back in range(24):
        month = date(2026 - (back + 2) // 12, 12 - (back + 2) % 12, 1)
        rows["marts.clinician_months"].append(
            {
                **who,
                "month": month,
                "cases": 6,
                "appointments": 20,
                "attended": 16,
                "cancelled_by_client": 1,
                "cancelled_by_clinic": 1,
                "did_not_attend": int(draw.integers(1, 4)),
                "late_not_seen": 0,
                "sessions_with_alliance": 13 + int(draw.integers(0, 3)),
                "sessions_with_outcome": 16,
            }
        )
    rows["analysis.clinician_attendance"].append(
        {
            **who,
            "cases": clients_each,
            "appointments": booked,
            "attended": booked - 20,
            "did_not_attend": 10,
            "cancelled_by_client": 5,
            "cancelled_by_clinic": 5,
            "did_not_attend_rate": 10 / booked,
            "low": 0.02,
            "high": 0.15,
            "clinic_cancelled_rate": 5 / booked,
            "clinic_cancelled_low": 0.01,
            "clinic_cancelled_high": 0.09,
            "alliance_recorded": 0.847,
            "outcome_recorded": 0.95,
            "sessions": booked - 20,
        }
    )
    is_few = clients_each < 10
    shift = (number % 5 - 2) * 1.5
    rows["analysis.clinician_alliance"].append(
        {
            **who,
            "instrument": PAIR[0],
            "clients": clients_each,
            "ratings": 8 * clients_each,
            "mean": 45 + shift,
            "shrunken_mean": 45 + shift,
            "low": 43 + shift,
            "high": 47 + shift,
            "early_mean": 44.0,
            "bond_mean": 15.0,
            "goals_mean": 15.0,
            "tasks_mean": 15.0,
            "share_at_ceiling": 0.1,
            "service_mean": 45.0,
            "certainty": "too_few" if is_few else "clear" if abs(shift) > 2 else "cannot_tell",
        }
    )
    rate = 0.45 + shift / 40
    rows["analysis.clinician_progress"].append(
        {
            **who,
            "instrument": PAIR[1],
            "clients": clients_each,
            "evaluable": clients_each + number,
            "improved": 6,
            "recovered": 4,
            "deteriorated": 0,
            "improved_rate": rate,
            "low": rate - 0.15,
            "high": rate + 0.15,
            "service_rate": 0.45,
            **BAND,
            "funnel_rule": "too_few" if is_few else "within",
        }
    )
    rows["analysis.alliance_link"].append(
        {
            **who,
            "alliance_instrument": PAIR[0],
            "outcome_instrument": PAIR[1],
            "clients": clients_each,
            "pairs": 7 * clients_each,
            "estimate": 0.1,
            "low": 0.02,
            "high": 0.18,
            "service_estimate": 0.1,
            "probability_positive": 0.99,
            "probability_above_service": 0.5,
            "is_different": False,
            "certainty": "too_few" if is_few else "clear",
        }
    )
