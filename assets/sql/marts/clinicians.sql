-- Everyone who treats: described by the clinic or only known by appointments.
WITH named AS (
  SELECT clinician_id FROM staging.clinicians
  UNION
  SELECT clinician_id FROM marts.appointments
),
given AS (
  SELECT
    clinician_id,
    MIN(site) AS site,
    COUNT(DISTINCT case_id) AS cases,
    COUNT(*) AS sessions,
    MAX(starts_on) AS last_session_on
  FROM marts.sessions
  GROUP BY clinician_id
),
caseload AS (
  SELECT clinician_id, COUNT(*) AS open_episodes FROM marts.episodes WHERE is_open GROUP BY clinician_id
)
SELECT
  named.clinician_id,
  COALESCE(described.site, given.site) AS site,
  described.profession,
  described.started_on,
  COALESCE(given.cases, 0) AS cases,
  COALESCE(given.sessions, 0) AS sessions,
  COALESCE(caseload.open_episodes, 0) AS open_episodes,
  given.last_session_on
FROM named
LEFT JOIN staging.clinicians AS described ON described.clinician_id = named.clinician_id
LEFT JOIN given ON given.clinician_id = named.clinician_id
LEFT JOIN caseload ON caseload.clinician_id = named.clinician_id
