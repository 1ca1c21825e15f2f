"""The worked notebook for analysts: what figures rest on, the service's answer, and one worked out again, in cells."""

# %% [markdown]
# # Does the working alliance go with clients' progress here?
#
# A worked reading of the published warehouse, for analysts. It opens the file read only, says what the figures rest on,
# shows the service's answer with its uncertainty, and then works one figure out again from the rows.
#
# `DATA_DICTIONARY.md` describes every table and column; the same words stand as comments in the file. Rows of people are
# under codes: this notebook shows groups, and what you make of it should too.

# %%
import duckdb
import numpy as np
import plotly.graph_objects as go
import polars as pl

FILE = "warehouse.duckdb"
con = duckdb.connect(FILE, read_only=True)
run = con.sql("SELECT clinic, data_date, period_months, minimum_clients FROM quality.run").pl()
run

# %% [markdown]
# ## What the figures rest on
#
# Every line of every file is accounted for: lines = accepted + refused + superseded + identical + blank.

# %%
con.sql("""
SELECT feed, COUNT(DISTINCT file) AS files, SUM(lines) AS lines, SUM(accepted) AS accepted, SUM(refused) AS refused,
  SUM(superseded) AS superseded, SUM(identical) AS identical, SUM(blank) AS blank
FROM quality.reconciliation
GROUP BY feed
ORDER BY feed
""").pl()

# %% [markdown]
# Forms that were skipped are not skipped at random. Where those who do worse skip more, whatever is said of those who
# answered flatters the service.

# %%
con.sql("""
SELECT grouped_by, group_name, clients, sessions, ROUND(rate, 3) AS skipped, ROUND(rate_low, 3) AS low,
  ROUND(rate_high, 3) AS high, certainty
FROM analysis.missing_forms
WHERE scope = 'service'
ORDER BY grouped_by, position
""").pl()

# %% [markdown]
# ## The service's answer
#
# Three questions that averages mix up: when a client's own alliance is higher than usual, is the next outcome better
# (within clients); do clients with a better alliance do better (between clients); do clinicians with a better alliance
# (between clinicians)? Positive is better. An interval across nought means: cannot tell.

# %%
answer = con.sql("""
SELECT scope_name, alliance_instrument || ' and ' || outcome_instrument AS measures, level, estimate, low, high, clients,
  certainty, sentence
FROM analysis.alliance_levels
WHERE method = 'corrected' AND scope = 'service'
ORDER BY measures, level
""").pl()
for row in answer.iter_rows(named=True):
    print(f"{row['measures']}, {row['level']}: {row['sentence']}")

# %%
shown = answer.drop_nulls("estimate")
figure = go.Figure(
    go.Scatter(
        x=shown["estimate"],
        y=shown["measures"] + ", " + shown["level"].str.replace_all("_", " "),
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (shown["high"] - shown["estimate"]).to_list(),
            "arrayminus": (shown["estimate"] - shown["low"]).to_list(),
        },
        mode="markers",
    ),
    layout={"xaxis": {"title": {"text": "points better at the next score, for a tenth of the alliance scale"}}},
)
figure.add_vline(x=0, line_dash="dot")
figure

# %% [markdown]
# ## The same from the rows, and why the published figure differs
#
# Pair each session's alliance with the next session's outcome, take each client's own means away, and regress. That is the
# naive estimate. It looks ahead: a client's mean holds the sessions to come. `method` tells the three ways apart in
# `analysis.alliance_levels`; the published one is corrected for it.

# %%
pairs = con.sql("""
WITH scores AS (
  SELECT client_id, episode_id, kind, instrument, session_number, AVG(score) AS score
  FROM marts.ratings
  WHERE rater = 'client' AND session_number IS NOT NULL AND score IS NOT NULL
  GROUP BY client_id, episode_id, kind, instrument, session_number
)
SELECT a.client_id, a.instrument || ' and ' || now.instrument AS measures, a.score AS alliance, now.score AS outcome_now,
  later.score AS outcome_next
FROM scores AS a
JOIN scores AS now
  ON now.client_id = a.client_id AND now.episode_id = a.episode_id AND now.session_number = a.session_number
JOIN scores AS later
  ON later.client_id = a.client_id AND later.episode_id = a.episode_id AND later.instrument = now.instrument
  AND later.session_number = a.session_number + 1
WHERE a.kind = 'alliance' AND now.kind = 'outcome'
""").pl()
within = pairs.with_columns(
    (pl.col(name) - pl.col(name).mean().over("measures", "client_id"))
    for name in ("alliance", "outcome_now", "outcome_next")
)
for (measures,), rows in within.sort("measures", "client_id").group_by("measures", maintain_order=True):
    known, follows = rows.select("alliance", "outcome_now").to_numpy(), rows["outcome_next"].to_numpy()
    bread = np.linalg.inv(known.T @ known)
    slopes = bread @ known.T @ follows
    # Sessions of one client are alike: a client is the unit that is sampled.
    by_client = pl.DataFrame(known * (follows - known @ slopes)[:, None]).with_columns(rows["client_id"])
    scores = by_client.group_by("client_id").sum().drop("client_id").to_numpy()
    half = 1.96 * np.sqrt((bread @ scores.T @ scores @ bread)[0, 0])
    low, high = slopes[0] - half, slopes[0] + half
    print(
        f"{measures}: {slopes[0]:+.3f} ({low:+.3f} to {high:+.3f}) points of the next outcome for one point of alliance,"
        f" {rows.height:,} pairs of {scores.shape[0]:,} clients"
    )

# %% [markdown]
# ## Reliable change, by name
#
# The warehouse knows `reliable_change` and the periods by name; the end of the data dictionary lists them.

# %%
con.sql("""
SELECT quarter_of(e.ended_on) AS quarter, c.instrument, COUNT(*) AS clients,
  COUNT(*) FILTER (WHERE c.is_reliably_improved) AS improved, COUNT(*) FILTER (WHERE c.is_reliably_deteriorated) AS worse
FROM analysis.client_change AS c
JOIN marts.episodes AS e ON e.episode_id = c.episode_id
CROSS JOIN quality.run AS r
WHERE NOT c.is_open AND c.category <> 'not_evaluable' AND is_in_period(e.ended_on, r.data_date, r.period_months)
GROUP BY ALL
HAVING COUNT(*) >= (SELECT minimum_clients FROM quality.run)
ORDER BY quarter, c.instrument
""").pl()

# %% [markdown]
# ## How the alliance grows
#
# Later sessions hold only those who stayed, who are not those who left: compare means of the same clients, or read
# `analysis.clinician_alliance_growth`, which does.

# %%
con.sql("""
WITH stayed AS (
  SELECT episode_id FROM marts.sessions GROUP BY episode_id HAVING MAX(session_number) >= 6
)
SELECT r.instrument, r.session_number, COUNT(*) AS ratings, ROUND(AVG(r.score), 2) AS mean_score
FROM marts.ratings AS r
JOIN stayed AS s ON s.episode_id = r.episode_id
WHERE r.kind = 'alliance' AND r.rater = 'client' AND r.session_number <= 6 AND r.score IS NOT NULL
GROUP BY r.instrument, r.session_number
ORDER BY r.instrument, r.session_number
""").pl()
