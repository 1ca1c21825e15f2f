"""The account of a night's lines, as SQL over what staging left of each feed.

Belongs here: where each line of each file went, and the list of those refused. Does not belong here: how a line met its
fate (`staging_sql`). Each count is taken by itself, accepted lines included, so that the sum of the fates is a check and
not a tautology.

A feed `<feed>` leaves in `scratch`: `counts_<feed>` (lines and blanks of each file, or which file it repeats),
`unread_<feed>` (lines that are no record), `fates_<feed>` (every line not accepted), `current_<feed>` (every line
accepted) and `reasons_<feed>` (what each rule says in words).
"""

from assets.contracts.staging import FEEDS


def reconciliation() -> str:
    """SELECT of where each line of each file went, over all feeds."""
    return "\nUNION ALL\n".join(
        f"""
SELECT
  '{feed.name}' AS feed, counted.file, counted.file_number,
  SUM(COALESCE(counted.lines, first.lines)) AS lines,
  SUM(CASE WHEN counted.same_as IS NULL THEN COALESCE(met.accepted, 0) ELSE 0 END) AS accepted,
  SUM(CASE WHEN counted.same_as IS NULL THEN COALESCE(met.refused, 0) ELSE 0 END) AS refused,
  SUM(CASE WHEN counted.same_as IS NULL THEN COALESCE(met.superseded, 0) ELSE 0 END) AS superseded,
  SUM(CASE WHEN counted.same_as IS NULL THEN COALESCE(met.identical, 0) ELSE first.lines - first.blank END)
    AS identical,
  SUM(COALESCE(counted.blank, first.blank)) AS blank
FROM (
  SELECT file_number, file, same_as, SUM(lines) AS lines, SUM(blank) AS blank
  FROM scratch.counts_{feed.name} GROUP BY file_number, file, same_as
) AS counted
LEFT JOIN (
  SELECT file_number, SUM(lines) AS lines, SUM(blank) AS blank FROM scratch.counts_{feed.name} GROUP BY file_number
) AS first ON first.file_number = counted.same_as
LEFT JOIN (
  SELECT
    file_number,
    COUNT(*) FILTER (WHERE fate = 'accepted') AS accepted,
    COUNT(*) FILTER (WHERE fate = 'refused') AS refused,
    COUNT(*) FILTER (WHERE fate = 'superseded') AS superseded,
    COUNT(*) FILTER (WHERE fate = 'identical') AS identical
  FROM (
    SELECT file_number, fate FROM scratch.fates_{feed.name}
    UNION ALL SELECT file_number, 'refused' FROM scratch.unread_{feed.name}
    UNION ALL SELECT file_number, 'accepted' FROM scratch.current_{feed.name}
  ) AS either GROUP BY file_number
) AS met ON met.file_number = counted.file_number
GROUP BY counted.file, counted.file_number"""
        for feed in FEEDS
    )


def refused_lines() -> str:
    """SELECT of every refused line with its rule and reason, over all feeds."""
    return "\nUNION ALL\n".join(
        f"""
SELECT
  '{feed.name}' AS feed, counted.file, refused.file_number, refused.mapping,
  refused.source_line AS line, refused.rule, refused.reason
FROM (
  SELECT fate.file_number, fate.mapping, fate.source_line, fate.rule, said.reason
  FROM scratch.fates_{feed.name} AS fate LEFT JOIN scratch.reasons_{feed.name} AS said ON said.rule = fate.rule
  WHERE fate.fate = 'refused'
  UNION ALL
  SELECT file_number, mapping, source_line, rule, reason FROM scratch.unread_{feed.name}
) AS refused
INNER JOIN (SELECT DISTINCT file_number, file FROM scratch.counts_{feed.name}) AS counted
  ON counted.file_number = refused.file_number"""
        for feed in FEEDS
    )
