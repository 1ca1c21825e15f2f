-- An alliance score, the outcome score of the same session, and the client's next outcome score on the same measure.
WITH placed AS (
  SELECT
    kind,
    instrument,
    client_id,
    case_id,
    episode_id,
    clinician_id,
    site,
    session_number,
    rating_id,
    score,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY kind, instrument, client_id, episode_id, session_number ORDER BY completed_on, rating_id
    ) AS BIGINT) AS place
  FROM marts.ratings
  WHERE rater = 'client' AND score IS NOT NULL AND session_number IS NOT NULL
),
alliance AS (
  SELECT instrument, client_id, case_id, episode_id, clinician_id, site, session_number, score
  FROM placed
  WHERE kind = 'alliance' AND place = 1
),
outcome AS (
  SELECT
    instrument,
    client_id,
    episode_id,
    session_number,
    score,
    FIRST_VALUE(score) OVER (
      PARTITION BY instrument, client_id, episode_id ORDER BY session_number, rating_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS first_score,
    LEAD(score) OVER (PARTITION BY instrument, client_id, episode_id ORDER BY session_number, rating_id) AS next_score,
    LEAD(session_number) OVER (PARTITION BY instrument, client_id, episode_id ORDER BY session_number, rating_id) AS next_session_number
  FROM placed
  WHERE kind = 'outcome' AND place = 1
)
SELECT
  alliance.client_id,
  alliance.case_id,
  alliance.episode_id,
  alliance.clinician_id,
  alliance.site,
  episode.programme,
  alliance.session_number,
  alliance.instrument AS alliance_instrument,
  outcome.instrument AS outcome_instrument,
  alliance.score AS alliance,
  outcome.first_score AS outcome_first,
  outcome.score AS outcome_now,
  outcome.next_score AS outcome_next,
  outcome.next_session_number
FROM alliance
INNER JOIN outcome
  ON outcome.client_id = alliance.client_id
  AND outcome.episode_id = alliance.episode_id
  AND outcome.session_number = alliance.session_number
INNER JOIN marts.episodes AS episode ON episode.episode_id = alliance.episode_id
WHERE outcome.next_score IS NOT NULL
