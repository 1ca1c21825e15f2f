-- Who episodes are for, with how many people each case consists of.
WITH named AS (
  SELECT case_id FROM marts.episodes
  UNION
  SELECT case_id FROM marts.clients
),
people AS (
  SELECT case_id, COUNT(*) AS clients FROM marts.clients GROUP BY case_id
),
treated AS (
  SELECT case_id, MIN(site) AS site, COUNT(*) AS episodes, CAST(SUM(sessions) AS BIGINT) AS sessions
  FROM marts.episodes
  GROUP BY case_id
)
SELECT
  named.case_id,
  treated.site,
  COALESCE(people.clients, 0) AS clients,
  COALESCE(treated.episodes, 0) AS episodes,
  COALESCE(treated.sessions, 0) AS sessions
FROM named
LEFT JOIN people ON people.case_id = named.case_id
LEFT JOIN treated ON treated.case_id = named.case_id
