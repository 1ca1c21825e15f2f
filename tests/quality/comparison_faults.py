"""Planted faults for the rules of fair comparison: what each must find, and how often."""


def _rows(table, *rows):
    return lambda put: [put(f"analysis.{table}", **row) for row in rows]


def _too_few(table, figure):
    few, many = {"certainty": "too_few"}, {"certainty": "clear"}
    return _rows(table, few, many, {**many, figure: 0.5}, {**few, figure: 0.5}), 1


def _flagged(table):
    sound = {"certainty": "clear", "is_flagged": True, "q_value": 0.05}
    faults = ({**sound, "q_value": 0.051}, {**sound, "q_value": None}, {**sound, "certainty": "too_few"})
    return _rows(table, sound, {**sound, "is_flagged": False, "q_value": 0.9}, *faults), 3


def _band(**changes):
    band = {"instrument": "PHQ-9", "expected": 12.0, "behind_limit": 14.0, "well_behind_limit": 16.0}
    return {**band, "closed_episodes": 200, "basis": "growth_model", "scores": 30, "share_behind": 0.2, **changes}


_FALLEN = _band(
    expected=None, behind_limit=None, share_behind=None, closed_episodes=199, basis="reliable_deterioration"
)


def _tracks(put):
    for name, is_open in (("e1", True), ("e2", False)):
        put("marts.episodes", episode_id=name, is_open=is_open)
        put("analysis.client_tracks", client_id="c1", episode_id=name)


COMPARISON_FAULTS = {
    **{
        f"{table}.{figure}.none_of_too_few": _too_few(table, figure)
        for table, figure in (
            ("clinician_adjusted_progress", "estimate"),
            ("clinician_alliance_growth", "estimate"),
            ("clinician_alliance_parts", "estimate"),
            ("clinician_alliance_parts", "difference"),
            ("clinician_weakest_part", "gap"),
            ("clinician_signals", "estimate"),
        )
    },
    **{f"{table}.is_flagged.held": _flagged(table) for table in ("clinician_adjusted_progress", "clinician_signals")},
    "expected_progress.limits.in_order": (
        _rows(
            "expected_progress",
            _band(),
            _band(behind_limit=10.0, well_behind_limit=8.0),
            _band(well_behind_limit=13.0),
            _band(behind_limit=11.0),
            _FALLEN,
        ),
        2,
    ),
    "expected_progress.bands.of_enough_episodes": (
        _rows(
            "expected_progress",
            _band(),
            _FALLEN,
            _band(closed_episodes=199),
            {**_FALLEN, "closed_episodes": 200},
            {**_FALLEN, "expected": 12.0},
        ),
        3,
    ),
    "expected_progress.bands.fit": (
        _rows(
            "expected_progress",
            _band(),
            _band(share_behind=0.35),
            _FALLEN,
            _band(instrument="ORS", share_behind=0.09),
            _band(instrument="GAD-7", share_behind=0.31),
        ),
        2,
    ),
    "client_tracks.episode.open": (_tracks, 1),
}
