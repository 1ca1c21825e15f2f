-- Episodes as the clinic records them; those known only by their appointments are open until the gap has passed.
WITH booked AS (
  SELECT
    episode_id,
    MIN(case_id) AS case_id,
    MIN(site) AS site,
    COUNT(*) AS appointments,
    COUNT(DISTINCT CASE WHEN is_attended THEN clinician_id END) AS clinicians,
    MIN(starts_on) AS first_on,
    MAX(starts_on) AS last_on
  FROM marts.appointments
  GROUP BY episode_id
),
attended AS (
  SELECT
    episode_id,
    COUNT(*) AS sessions,
    MIN(starts_on) AS first_session_on,
    MAX(starts_on) AS last_session_on
  FROM marts.sessions
  GROUP BY episode_id
),
shares AS (
  SELECT episode_id, clinician_id, COUNT(*) AS appointments
  FROM marts.appointments
  GROUP BY episode_id, clinician_id
),
main_clinician AS (
  SELECT
    episode_id,
    clinician_id,
    CAST(ROW_NUMBER() OVER (PARTITION BY episode_id ORDER BY appointments DESC, clinician_id) AS BIGINT) AS place
  FROM shares
),
known AS (
  SELECT
    COALESCE(recorded.episode_id, booked.episode_id) AS episode_id,
    COALESCE(recorded.case_id, booked.case_id) AS case_id,
    COALESCE(recorded.clinician_id, main_clinician.clinician_id) AS clinician_id,
    booked.site,
    recorded.programme,
    recorded.problem,
    recorded.referred_on,
    COALESCE(recorded.started_on, booked.first_on) AS started_on,
    recorded.ended_on,
    recorded.end_reason,
    recorded.episode_id IS NULL AS is_unrecorded,
    booked.last_on,
    COALESCE(booked.appointments, 0) AS appointments,
    COALESCE(attended.sessions, 0) AS sessions,
    attended.first_session_on,
    attended.last_session_on,
    COALESCE(booked.clinicians, 0) AS clinicians
  FROM staging.episodes AS recorded
  FULL OUTER JOIN booked ON booked.episode_id = recorded.episode_id
  LEFT JOIN attended ON attended.episode_id = booked.episode_id
  LEFT JOIN main_clinician ON main_clinician.episode_id = booked.episode_id AND main_clinician.place = 1
)
SELECT
  known.episode_id,
  known.case_id,
  known.clinician_id,
  COALESCE(known.site, clinician.site) AS site,
  known.programme,
  known.problem,
  known.referred_on,
  known.started_on,
  CASE
    WHEN known.is_unrecorded AND DATE_DIFF('day', known.last_on, run.data_date) > run.episode_gap_days THEN known.last_on
    ELSE known.ended_on
  END AS ended_on,
  known.end_reason,
  CASE
    WHEN known.is_unrecorded THEN DATE_DIFF('day', known.last_on, run.data_date) <= run.episode_gap_days
    ELSE known.ended_on IS NULL
  END AS is_open,
  known.is_unrecorded AS is_inferred,
  known.appointments,
  known.sessions,
  known.first_session_on,
  known.last_session_on,
  DATE_DIFF('day', known.referred_on, known.first_session_on) AS wait_days,
  known.clinicians
FROM known
CROSS JOIN quality.run AS run
LEFT JOIN staging.clinicians AS clinician ON clinician.clinician_id = known.clinician_id
