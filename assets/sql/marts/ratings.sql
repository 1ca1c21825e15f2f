-- Forms with their scores, joined to the session they name, else to the case's session of that day, else only to an episode.
WITH forms AS (
  SELECT
    'alliance' AS kind, instrument, rating_id, rater, client_id, case_id, clinician_id, appointment_id, completed_on
  FROM staging.alliance
  UNION ALL
  SELECT
    'outcome' AS kind, instrument, rating_id, rater, client_id, case_id, clinician_id, appointment_id, completed_on
  FROM staging.outcomes
),
days AS (
  SELECT case_id, starts_on, MIN(appointment_id) AS appointment_id
  FROM marts.sessions
  GROUP BY case_id, starts_on
),
linked AS (
  SELECT
    forms.kind,
    forms.instrument,
    forms.rating_id,
    forms.rater,
    forms.client_id,
    forms.case_id,
    forms.clinician_id,
    forms.completed_on,
    COALESCE(forms.appointment_id, days.appointment_id) AS appointment_id
  FROM forms
  LEFT JOIN days
    ON forms.appointment_id IS NULL AND days.case_id = forms.case_id AND days.starts_on = forms.completed_on
),
possible AS (
  SELECT
    linked.instrument,
    linked.rating_id,
    episode.episode_id,
    CAST(ROW_NUMBER() OVER (
      PARTITION BY linked.instrument, linked.rating_id ORDER BY episode.started_on DESC, episode.episode_id
    ) AS BIGINT) AS place
  FROM linked
  INNER JOIN marts.episodes AS episode ON episode.case_id = linked.case_id
  CROSS JOIN quality.run AS run
  WHERE
    linked.appointment_id IS NULL
    AND linked.completed_on >= COALESCE(episode.referred_on, episode.started_on)
    AND linked.completed_on <= COALESCE(episode.ended_on, run.data_date)
)
SELECT
  linked.rating_id,
  linked.kind,
  linked.instrument,
  linked.rater,
  linked.client_id,
  linked.case_id,
  COALESCE(booked.episode_id, possible.episode_id) AS episode_id,
  COALESCE(linked.clinician_id, booked.clinician_id, episode.clinician_id) AS clinician_id,
  COALESCE(booked.site, episode.site) AS site,
  linked.appointment_id,
  session.session_number,
  linked.completed_on,
  scored.n_answered,
  scored.score,
  scored.bond_score,
  scored.goals_score,
  scored.tasks_score,
  scored.is_at_ceiling
FROM linked
INNER JOIN staging.scores AS scored ON scored.instrument = linked.instrument AND scored.rating_id = linked.rating_id
LEFT JOIN possible
  ON possible.instrument = linked.instrument AND possible.rating_id = linked.rating_id AND possible.place = 1
LEFT JOIN marts.appointments AS booked ON booked.appointment_id = linked.appointment_id
LEFT JOIN marts.sessions AS session ON session.appointment_id = linked.appointment_id
LEFT JOIN marts.episodes AS episode ON episode.episode_id = COALESCE(booked.episode_id, possible.episode_id)
