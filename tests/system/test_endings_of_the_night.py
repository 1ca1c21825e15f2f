"""What a night says of endings, couples and missing forms, counted again in another way."""


def test_every_session_of_every_client_stands_on_a_timeline(night):
    told, there = night.rows(
        "SELECT (SELECT COUNT(*) FROM analysis.holding_back), "
        "(SELECT COUNT(*) FROM marts.sessions AS session INNER JOIN marts.clients AS client USING (case_id))"
    )[0]
    assert told == there > 0


def test_as_many_reach_a_session_as_have_had_it(night):
    for session, at_risk in night.rows(
        "SELECT session_number, at_risk FROM analysis.retention WHERE scope = 'service' AND curve = 'in_treatment'"
    ):
        assert night.rows(f"SELECT COUNT(*) FROM marts.episodes WHERE sessions >= {session}") == [(at_risk,)]


def test_planned_and_unplanned_endings_are_all_the_recorded_ones(night):
    told = night.rows(
        "SELECT curve, CAST(SUM(endings) AS BIGINT) FROM analysis.retention WHERE scope = 'service' GROUP BY curve"
    )
    recorded = night.rows(
        "SELECT 'ended_' || end_reason, COUNT(*) FROM marts.episodes"
        " WHERE NOT is_open AND sessions > 0 AND end_reason IS NOT NULL GROUP BY end_reason"
    )
    assert set(recorded) <= set(told)


def test_sessions_after_ruptures_are_those_from_the_third_rating_on(night):
    told = night.rows(
        "SELECT instrument, CAST(SUM(sessions) AS BIGINT) FROM analysis.after_rupture WHERE scope = 'service'"
        " GROUP BY instrument ORDER BY instrument"
    )
    again = night.rows(
        """
        SELECT third.instrument, COUNT(*) FROM (
          SELECT instrument, client_id, episode_id, LIST_SORT(LIST(DISTINCT session_number))[3] AS session_number
          FROM marts.ratings
          WHERE kind = 'alliance' AND rater = 'client' AND score IS NOT NULL AND session_number IS NOT NULL
            AND clinician_id IS NOT NULL
          GROUP BY instrument, client_id, episode_id
        ) AS third
        INNER JOIN marts.sessions AS session
          ON session.episode_id = third.episode_id AND session.session_number >= third.session_number
        GROUP BY third.instrument ORDER BY third.instrument
        """
    )
    assert told == again


def test_every_grouping_by_session_number_counts_the_same_sessions(night):
    told = night.rows(
        "SELECT CAST(SUM(sessions) AS BIGINT), CAST(SUM(skipped) AS BIGINT) FROM analysis.missing_forms"
        " WHERE scope = 'service' AND grouped_by = 'session'"
    )
    by_site = night.rows(
        "SELECT CAST(SUM(sessions) AS BIGINT), CAST(SUM(skipped) AS BIGINT) FROM analysis.missing_forms"
        " WHERE scope = 'site' AND grouped_by = 'session'"
    )
    assert told == by_site
    assert 0 < told[0][1] < told[0][0]


def test_the_known_of_a_bounded_rate_are_the_clients_with_a_category(night):
    told = night.rows(
        "SELECT clinician_id, instrument, known, events FROM analysis.rate_bounds WHERE rate = 'improved' AND known > 0"
        " ORDER BY ALL"
    )
    again = night.rows(
        "SELECT clinician_id, instrument, COUNT(*), COUNT(CASE WHEN is_reliably_improved THEN 1 END)"
        " FROM analysis.client_change INNER JOIN marts.episodes AS episode USING (episode_id, clinician_id)"
        " WHERE NOT episode.is_open AND episode.sessions > 0 AND category <> 'not_evaluable'"
        " GROUP BY clinician_id, instrument ORDER BY ALL"
    )
    assert told == again


def test_partners_figures_are_those_of_their_forms(night):
    wrong = night.rows(
        """
        SELECT told.episode_id FROM analysis.couple_alliance AS told
        INNER JOIN (
          SELECT episode_id, instrument, session_number, MAX(score) - MIN(score) AS difference, MIN(score) AS lowest
          FROM marts.ratings WHERE kind = 'alliance' AND rater = 'client' AND score IS NOT NULL
          GROUP BY episode_id, instrument, session_number HAVING COUNT(*) = 2 AND COUNT(DISTINCT client_id) = 2
        ) AS forms USING (episode_id, instrument, session_number)
        WHERE told.raters <> 2 OR ABS(told.difference - forms.difference) > 0.00001 OR ABS(told.lowest - forms.lowest) > 0.00001
        """
    )
    split = night.rows("SELECT COUNT(*) FROM analysis.couple_alliance WHERE is_split")
    assert wrong == []
    assert split[0][0] > 0
