-- Appointments with the episode the clinic gave, else one inferred: a gap longer than the setting starts a new one.
WITH gaps AS (
  SELECT
    appointment_id,
    case_id,
    starts_at,
    starts_on,
    LAG(starts_on) OVER (PARTITION BY case_id ORDER BY starts_at, appointment_id) AS previous_on
  FROM staging.attendance
  WHERE episode_id IS NULL
),
inferred AS (
  SELECT
    gaps.appointment_id,
    CAST(SUM(
      CASE
        WHEN gaps.previous_on IS NULL THEN 1
        WHEN DATE_DIFF('day', gaps.previous_on, gaps.starts_on) > run.episode_gap_days THEN 1
        ELSE 0
      END
    ) OVER (PARTITION BY gaps.case_id ORDER BY gaps.starts_at, gaps.appointment_id ROWS UNBOUNDED PRECEDING) AS BIGINT) AS episode_number
  FROM gaps
  CROSS JOIN quality.run AS run
)
SELECT
  booked.appointment_id,
  COALESCE(booked.episode_id, CONCAT(booked.case_id, '-episode-', CAST(inferred.episode_number AS VARCHAR))) AS episode_id,
  booked.case_id,
  booked.clinician_id,
  COALESCE(booked.site, clinician.site) AS site,
  booked.starts_at,
  booked.starts_on,
  booked.status,
  booked.status = 'attended' AS is_attended,
  booked.duration_minutes,
  booked.modality
FROM staging.attendance AS booked
LEFT JOIN inferred ON inferred.appointment_id = booked.appointment_id
LEFT JOIN staging.clinicians AS clinician ON clinician.clinician_id = booked.clinician_id
