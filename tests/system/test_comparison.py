"""Fair comparison as a whole night leaves it."""

from assets.contracts.comparison import TABLES

COMPARED = "analysis.clinician_adjusted_progress"
BOUNDS = "SELECT MIN(shared), MAX(shared) FROM (SELECT SUM(share_behind * scores) / SUM(scores) AS shared"


def test_every_table_of_comparison_has_rows_in_the_order_of_its_key(night):
    for table in TABLES:
        key = ", ".join(table.key)
        rows = night.rows(f"SELECT {key} FROM {table.full_name}")
        assert rows, table.full_name
        if not table.holds_people and table.key[0] == "clinician_id":
            assert rows == sorted(rows), table.full_name


def test_clinicians_are_set_beside_their_site_and_few_are_flagged(night):
    told = night.rows(f"SELECT COUNT(*), COUNT(*) FILTER (is_flagged) FROM {COMPARED} WHERE estimate IS NOT NULL")
    ((compared, flagged),) = told
    assert compared > 50
    assert flagged < 0.2 * compared
    by_site = night.rows(f"SELECT AVG(estimate) FROM {COMPARED} WHERE instrument = 'PHQ-9' GROUP BY site")
    assert all(abs(mean) < 0.7 for (mean,) in by_site)


def test_clinicians_differ_about_as_much_as_published_studies_find(night):
    ((share, low, high),) = night.rows(
        "SELECT share, low, high FROM analysis.variance_shares "
        "WHERE scope = 'service' AND instrument = 'PHQ-9' AND part = 'between_clinicians'"
    )
    assert low < share < high
    assert 0.02 < share < 0.15


def test_bands_fit_the_service_they_are_learnt_from(night):
    query = "FROM analysis.expected_progress WHERE share_behind IS NOT NULL GROUP BY instrument) AS each"
    ((lowest, highest),) = night.rows(f"{BOUNDS} {query}")
    assert 0.14 < lowest <= highest < 0.26


def test_every_open_episode_with_a_scored_session_has_a_track(night):
    missing = night.rows(
        """
        SELECT DISTINCT rating.episode_id FROM marts.ratings AS rating
        INNER JOIN marts.episodes AS episode ON episode.episode_id = rating.episode_id AND episode.is_open
        LEFT JOIN analysis.client_tracks AS track
          ON track.client_id = rating.client_id AND track.episode_id = rating.episode_id
          AND track.instrument = rating.instrument
        INNER JOIN analysis.client_change AS change
          ON change.client_id = rating.client_id AND change.episode_id = rating.episode_id
          AND change.instrument = rating.instrument AND change.first_score IS NOT NULL
        WHERE rating.kind = 'outcome' AND rating.rater = 'client' AND rating.score IS NOT NULL
          AND rating.session_number IS NOT NULL AND track.client_id IS NULL
        """
    )
    assert missing == []


def test_no_rule_of_comparison_was_broken(night):
    names = ", ".join(f"'{table.full_name}'" for table in TABLES)
    broken = night.rows(f"SELECT check_name FROM quality.checks WHERE NOT is_passed AND table_name IN ({names})")
    assert broken == []
