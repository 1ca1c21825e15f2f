"""Every published rate counted again, row by row in plain Python, from the tables that it is declared to be counted from.

Belongs here: the second opinion that the declared SQL is held against. Nothing is read from the declarations.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

Row = dict[str, Any]
Read = Callable[[str], list[Row]]
Counts = tuple[int, int, int, int, int]


def recounted(read: Read) -> dict[tuple[str, str, str, str], Counts]:
    """Numerator, denominator, eligible, complete and cases of every metric, scope, group and measure.

    Args:
        read: gives the rows of a table by its `schema.table`.
    """
    run = read("quality.run")[0]
    first = _months_before(run["data_date"], run["period_months"])
    tallies: dict[tuple[str, str, str, str], list[list[bool]]] = defaultdict(list)
    cases: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for row, answers in _judged(read):
        if row["day"] is None or not first < row["day"] <= run["data_date"]:
            continue
        groups = [("service", "all"), ("site", row["site"]), ("programme", row["programme"])]
        for scope, name in groups:
            if name is None:
                continue
            for metric, answer in answers.items():
                key = (metric, scope, name, row["instrument"])
                tallies[key].append([bool(each) for each in answer])
                if answer[1]:
                    cases[key].add(row["case_id"])
    return {
        key: (*(sum(answer[at] for answer in answers) for at in range(4)), len(cases[key]))
        for key, answers in tallies.items()
    }


def _judged(read: Read) -> Iterator[tuple[Row, dict[str, tuple[Any, Any, Any, Any]]]]:
    """Each row that is counted, and for each rate whether it is in the numerator, denominator, eligible, complete."""
    episodes = {row["episode_id"]: row for row in read("marts.episodes")}
    yield from _courses(read)
    yield from _changes(read, episodes)
    for row in read("marts.appointments"):
        yield _placed(row, episodes, day=row["starts_on"]), _appointment(row["status"])
    for row in read("marts.sessions"):
        kinds = {f"{kind}_recorded": (row[f"has_{kind}"], True, True, True) for kind in ("alliance", "outcome")}
        yield _placed(row, episodes, day=row["starts_on"]), kinds
    yield from _endings(read)


def _placed(row: Row, episodes: dict[str, Row], *, day: date) -> Row:
    programme = episodes.get(row["episode_id"], {}).get("programme")
    return {**row, "programme": programme, "day": day, "instrument": "all"}


def _courses(read: Read) -> Iterator[tuple[Row, dict[str, tuple[Any, Any, Any, Any]]]]:
    for row in read("analysis.courses"):
        if row["ended_on"] is None:
            continue
        finished = row["uses_pair"] and row["is_finished"]
        case = finished and not row["is_not_at_caseness"]
        paired = row["is_paired"]
        waited = row["is_finished"] and row["wait_days"] is not None and row["wait_days"] >= 0
        yield (
            {**row, "day": row["ended_on"], "instrument": "all"},
            {
                "recovery": (row["is_recovered"], case, case, case and paired),
                "reliable_recovery": (row["is_reliably_recovered"], case, case, case and paired),
                "reliable_improvement": (row["is_improved"], finished, finished, finished and paired),
                "reliable_deterioration": (row["is_deteriorated"], finished, finished, finished and paired),
                "no_reliable_change": (row["is_no_reliable_change"], finished, finished, finished and paired),
                "finished_course": (row["is_finished"], *[row["stage"] != "not_ended"] * 3),
                **{
                    f"first_session_within_{days}_days": (
                        waited and row["wait_days"] <= days,
                        waited,
                        row["is_finished"],
                        waited,
                    )
                    for days in (42, 126)
                },
            },
        )


def _changes(read: Read, episodes: dict[str, Row]) -> Iterator[tuple[Row, dict[str, tuple[Any, Any, Any, Any]]]]:
    facts = {
        row["instrument"]: (float(row["value"]), row["direction"])
        for row in read("analysis.instruments")
        if row["fact"] == "cut_off"
    }
    for row in read("analysis.client_change"):
        ended = episodes[row["episode_id"]]["ended_on"]
        if ended is None or row["reliable_change"] is None:
            continue
        known = row["category"] != "not_evaluable"
        clinical = False
        if row["instrument"] in facts and row["first_score"] is not None:
            cut_off, direction = facts[row["instrument"]]
            is_above = row["first_score"] >= cut_off
            clinical = is_above if direction == "higher_is_worse" else not is_above
        yield (
            {**row, "day": ended},
            {
                "improved": (row["category"] in ("recovered", "improved"), known, True, known),
                "deteriorated": (row["category"] in ("deteriorated", "harmed"), known, True, known),
                "unchanged": (row["category"] == "unchanged", known, True, known),
                "recovered": (row["category"] == "recovered", known and clinical, clinical, known and clinical),
            },
        )


def _appointment(status: str) -> dict[str, tuple[Any, Any, Any, Any]]:
    names = ("did_not_attend", "cancelled_by_client", "cancelled_by_clinic", "late_not_seen")
    due = status in ("attended", "did_not_attend", "late_not_seen")
    offered = status != "cancelled_by_clinic"
    return {
        **{name: (status == name, True, True, True) for name in names},
        "missed_of_due": (due and status != "attended", due, due, due),
        "attended_of_offered": (status == "attended", offered, offered, offered),
    }


def _endings(read: Read) -> Iterator[tuple[Row, dict[str, tuple[Any, Any, Any, Any]]]]:
    flags = {
        "drop_out_judged": "is_judged_unplanned",
        "drop_out_few_sessions": "has_few_sessions",
        "drop_out_last_missed": "ended_on_missed",
        "drop_out_without_improvement": "has_no_reliable_improvement",
    }
    for row in read("analysis.drop_out"):
        if row["is_open"]:
            continue
        said = row["end_reason"] is not None
        answers = {metric: (row[flag], *_known(row, flag)) for metric, flag in flags.items()}
        answers["planned_ending"] = (row["end_reason"] == "planned", said, True, said)
        yield {**row, "day": row["ended_on"], "instrument": "all"}, answers


def _known(row: Row, flag: str) -> tuple[bool, bool, bool]:
    return row[flag] is not None, True, row[flag] is not None


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(last, day.day))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
