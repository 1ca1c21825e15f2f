-- Everyone in treatment: described, rated or, where nobody else is known of a case, the case itself.
WITH named AS (
  SELECT client_id, case_id FROM staging.people
  UNION ALL
  SELECT client_id, case_id FROM staging.alliance
  UNION ALL
  SELECT client_id, case_id FROM staging.outcomes
),
known AS (
  SELECT client_id, MIN(case_id) AS case_id FROM named GROUP BY client_id
),
alone AS (
  SELECT DISTINCT booked.case_id
  FROM marts.appointments AS booked
  LEFT JOIN known ON known.case_id = booked.case_id
  WHERE known.case_id IS NULL
),
everyone AS (
  SELECT client_id, case_id FROM known
  UNION ALL
  SELECT case_id AS client_id, case_id FROM alone
)
SELECT everyone.client_id, everyone.case_id, person.age_band, person.gender, person.deprivation_decile
FROM everyone
LEFT JOIN staging.people AS person ON person.client_id = everyone.client_id
