"""Rules about fair comparison: intervals, what is too few, what is flagged, and bands that fit.

Belongs here: what must hold of adjusted progress, expected progress, the alliance's course and the signals, whatever the
formula. Does not belong here: formulas (`assets.science`) or other estimates (`quality.estimates`).
"""

from quality.model import Rule, Severity, by_hand

_FALSE_DISCOVERIES = "0.05"
_FEWEST_CLOSED_EPISODES = "200"
# Of a measure's scores, a fifth should be behind; beyond these shares the bands do not fit the service.
_FITS = ("0.1", "0.3")
_HAIR = "0.000001"


def _too_few_says_nothing(table: str, figure: str) -> Rule:
    return by_hand(
        table,
        f"{figure}.none_of_too_few",
        Severity.ERROR,
        meaning=f"No `{figure}` is given where there are too few.",
        why="A figure of few clients speaks of them, and is mostly chance.",
        sql=f"SELECT {figure} FROM {table} WHERE certainty = 'too_few' AND {figure} IS NOT NULL",
    )


def _flags_are_held(table: str) -> Rule:
    return by_hand(
        table,
        "is_flagged.held",
        Severity.ERROR,
        meaning="Nobody is flagged beyond the false discovery rate, or where there are too few.",
        why="Among many clinicians somebody always stands out by chance.",
        sql=f"""
            SELECT clinician_id FROM {table}
            WHERE is_flagged AND (q_value IS NULL OR q_value > {_FALSE_DISCOVERIES} OR certainty = 'too_few')
        """,
    )


_FLAGGED = ("analysis.clinician_adjusted_progress", "analysis.clinician_signals")
_WITHHELD = (
    ("analysis.clinician_adjusted_progress", "estimate"),
    ("analysis.clinician_alliance_growth", "estimate"),
    ("analysis.clinician_alliance_parts", "estimate"),
    ("analysis.clinician_alliance_parts", "difference"),
    ("analysis.clinician_weakest_part", "gap"),
    ("analysis.clinician_signals", "estimate"),
)
COMPARISON: tuple[Rule, ...] = (
    *(_too_few_says_nothing(*each) for each in _WITHHELD),
    *(_flags_are_held(table) for table in _FLAGGED),
    by_hand(
        "analysis.expected_progress",
        "limits.in_order",
        Severity.ERROR,
        meaning="The limit of well behind lies beyond that of behind, and that beyond what is expected.",
        why="A client would be called well behind before being called behind.",
        sql=f"""
            SELECT instrument FROM analysis.expected_progress
            WHERE (behind_limit - expected) * (well_behind_limit - behind_limit) < -{_HAIR}
        """,
    ),
    by_hand(
        "analysis.expected_progress",
        "bands.of_enough_episodes",
        Severity.ERROR,
        meaning="Bands are drawn from 200 closed episodes on, and below it reliable deterioration alone is marked.",
        why="A band learnt from few courses would call ordinary ones behind.",
        sql=f"""
            SELECT instrument FROM analysis.expected_progress
            WHERE (basis = 'growth_model') <> (closed_episodes >= {_FEWEST_CLOSED_EPISODES})
              OR (expected IS NOT NULL AND basis <> 'growth_model')
        """,
    ),
    by_hand(
        "analysis.expected_progress",
        "bands.fit",
        Severity.WARN,
        meaning="Of a measure's closed episodes about a fifth of the scores are behind: between a tenth and three.",
        why="Where the bands do not fit the service, the words on track and behind mislead.",
        sql=f"""
            SELECT instrument FROM analysis.expected_progress WHERE share_behind IS NOT NULL
            GROUP BY instrument
            HAVING SUM(share_behind * scores) / NULLIF(SUM(scores), 0) NOT BETWEEN {_FITS[0]} AND {_FITS[1]}
        """,
    ),
    by_hand(
        "analysis.client_tracks",
        "episode.open",
        Severity.ERROR,
        meaning="Only open episodes have a track.",
        why="After the ending nobody can act on it.",
        sql="""
            SELECT track.client_id FROM analysis.client_tracks AS track
            INNER JOIN marts.episodes AS episode ON episode.episode_id = track.episode_id
            WHERE NOT episode.is_open
        """,
    ),
)
