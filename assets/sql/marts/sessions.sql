-- Attended appointments in order within their episode. A form without an appointment belongs to the case's session of that day.
WITH forms AS (
  SELECT 'alliance' AS kind, form.appointment_id, form.case_id, form.completed_on
  FROM staging.alliance AS form
  INNER JOIN staging.scores AS scored ON scored.instrument = form.instrument AND scored.rating_id = form.rating_id
  WHERE scored.score IS NOT NULL
  UNION ALL
  SELECT 'outcome' AS kind, form.appointment_id, form.case_id, form.completed_on
  FROM staging.outcomes AS form
  INNER JOIN staging.scores AS scored ON scored.instrument = form.instrument AND scored.rating_id = form.rating_id
  WHERE scored.score IS NOT NULL
),
named AS (
  SELECT
    appointment_id,
    MAX(CASE WHEN kind = 'alliance' THEN 1 ELSE 0 END) AS alliance,
    MAX(CASE WHEN kind = 'outcome' THEN 1 ELSE 0 END) AS outcome
  FROM forms
  WHERE appointment_id IS NOT NULL
  GROUP BY appointment_id
),
dated AS (
  SELECT
    case_id,
    completed_on,
    MAX(CASE WHEN kind = 'alliance' THEN 1 ELSE 0 END) AS alliance,
    MAX(CASE WHEN kind = 'outcome' THEN 1 ELSE 0 END) AS outcome
  FROM forms
  WHERE appointment_id IS NULL
  GROUP BY case_id, completed_on
)
SELECT
  seen.appointment_id,
  seen.episode_id,
  seen.case_id,
  seen.clinician_id,
  seen.site,
  seen.starts_at,
  seen.starts_on,
  CAST(ROW_NUMBER() OVER (PARTITION BY seen.episode_id ORDER BY seen.starts_at, seen.appointment_id) AS BIGINT) AS session_number,
  DATE_DIFF(
    'day',
    LAG(seen.starts_on) OVER (PARTITION BY seen.episode_id ORDER BY seen.starts_at, seen.appointment_id),
    seen.starts_on
  ) AS gap_days,
  seen.duration_minutes,
  seen.modality,
  COALESCE(named.alliance, 0) + COALESCE(dated.alliance, 0) > 0 AS has_alliance,
  COALESCE(named.outcome, 0) + COALESCE(dated.outcome, 0) > 0 AS has_outcome
FROM marts.appointments AS seen
LEFT JOIN named ON named.appointment_id = seen.appointment_id
LEFT JOIN dated ON dated.case_id = seen.case_id AND dated.completed_on = seen.starts_on
WHERE seen.is_attended
