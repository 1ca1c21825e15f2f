-- What each clinician's months held; where a month was worked at two sites, the first by name stands for it.
WITH booked AS (
  SELECT
    clinician_id,
    MIN(site) AS site,
    CAST(DATE_TRUNC('month', starts_on) AS DATE) AS month,
    COUNT(DISTINCT case_id) AS cases,
    COUNT(*) AS appointments,
    COUNT(CASE WHEN status = 'attended' THEN 1 END) AS attended,
    COUNT(CASE WHEN status = 'did_not_attend' THEN 1 END) AS did_not_attend,
    COUNT(CASE WHEN status = 'cancelled_by_client' THEN 1 END) AS cancelled_by_client,
    COUNT(CASE WHEN status = 'cancelled_by_clinic' THEN 1 END) AS cancelled_by_clinic,
    COUNT(CASE WHEN status = 'late_not_seen' THEN 1 END) AS late_not_seen
  FROM marts.appointments
  GROUP BY clinician_id, CAST(DATE_TRUNC('month', starts_on) AS DATE)
),
rated AS (
  SELECT
    clinician_id,
    CAST(DATE_TRUNC('month', starts_on) AS DATE) AS month,
    COUNT(CASE WHEN has_alliance THEN 1 END) AS sessions_with_alliance,
    COUNT(CASE WHEN has_outcome THEN 1 END) AS sessions_with_outcome
  FROM marts.sessions
  GROUP BY clinician_id, CAST(DATE_TRUNC('month', starts_on) AS DATE)
)
SELECT
  booked.clinician_id,
  booked.site,
  booked.month,
  booked.cases,
  booked.appointments,
  booked.attended,
  booked.did_not_attend,
  booked.cancelled_by_client,
  booked.cancelled_by_clinic,
  booked.late_not_seen,
  COALESCE(rated.sessions_with_alliance, 0) AS sessions_with_alliance,
  COALESCE(rated.sessions_with_outcome, 0) AS sessions_with_outcome
FROM booked
LEFT JOIN rated ON rated.clinician_id = booked.clinician_id AND rated.month = booked.month
