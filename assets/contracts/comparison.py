"""What the tables of fair comparison promise: progress beyond what was to be expected, and the alliance's own course.

Belongs here: tables that set a clinician beside the service, or a client beside clients alike, after adjustment. Does
not belong here: unadjusted figures and the link of alliance with progress (`assets.contracts.analysis`), or formulas
(`assets.science`).

Every difference is turned so that positive is better. Rows come in the order of their keys, never of an estimate.
"""

from dataclasses import replace
from typing import Final

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table

FUNNEL_RULES = ("within", "outside_95", "outside_998", "too_few")
VARIANCE_PARTS = ("between_clinicians", "between_sites")
BASES = ("growth_model", "reliable_deterioration")
STANDINGS = ("on_track", "behind", "well_behind", "cannot_tell")
SUBSCALES = ("bond", "goals", "tasks")
WEAKEST = (*SUBSCALES, "cannot_tell", "too_few")
ALLIANCE_PARTS = ("early", "later", "growth", *SUBSCALES)
SIGNALS = ("adjusted_progress", "alliance_level", "early_alliance", "alliance_growth", "alliance_link", "missed")
LAST_SESSION: Final = 10
"""The last session whose alliance is drawn; later ones are few, and of clients who stay long."""

_INTERVAL = (
    v.number("low", "Lower end of the 95% interval, the uncertainty of how much clinicians differ included."),
    v.number("high", "Upper end of the 95% interval."),
)


def _session(meaning: str) -> Column:
    return Column(name="session_number", kind=Kind.INTEGER, minimum=1, meaning=meaning)


CLINICIAN_ADJUSTED_PROGRESS = Table(
    layer="analysis",
    name="clinician_adjusted_progress",
    meaning="Progress of each clinician's closed episodes beyond what clients alike usually make at the site, drawn toward nought; empty where data are thin.",
    key=("clinician_id", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.count("clients", "Clients with a closed episode."),
        v.count("evaluable", "Of these, clients with a first and a last score, on whom the estimate rests."),
        v.share("evaluable_share", "The evaluable as a share of the clients; the rest may have fared otherwise."),
        v.number(
            "estimate",
            "Improvement beyond what clients alike usually make at the site, shrunken; positive is better.",
            unit="points",
        ),
        *_INTERVAL,
        v.share("reliability", "How much of what is seen of the difference is the clinician's, from 0 to 1."),
        v.number(
            "margin", "The smallest difference that matters: a fifth of the spread of first scores.", unit="points"
        ),
        v.share("probability_better", "Probability that the clinician's clients do better than clients alike."),
        v.share("probability_better_by_margin", "Probability that they do better by the margin or more."),
        v.share("probability_worse_by_margin", "Probability that they do worse by the margin or more."),
        v.share("q_value", "False discovery rate at which the difference stands, over the measure's clinicians."),
        v.flag("is_flagged", "Whether the difference stands with false discoveries held at 5%."),
        v.number("raw_difference", "The difference before it is drawn in: the funnel's point.", unit="points"),
        v.number("limit_low_95", "Lower 95% funnel limit at this caseload, widened for overdispersion.", unit="points"),
        v.number("limit_high_95", "Upper 95% funnel limit at this caseload.", unit="points"),
        v.number("limit_low_998", "Lower 99.8% funnel limit at this caseload.", unit="points"),
        v.number("limit_high_998", "Upper 99.8% funnel limit at this caseload.", unit="points"),
        v.word("funnel_rule", FUNNEL_RULES, "Where the raw difference stands against the funnel."),
        v.CERTAINTY,
        Column(name="adjusted_for", kind=Kind.TEXT, meaning="What was adjusted for, by column, parted by commas."),
        Column(
            name="not_adjusted_for",
            kind=Kind.TEXT,
            is_required=False,
            meaning="What could not be: not sent, alike for everyone, or a repeat of others; with the reason.",
        ),
        v.SENTENCE,
    ),
)
VARIANCE_SHARES = Table(
    layer="analysis",
    name="variance_shares",
    meaning="How much of the differences in progress that case mix leaves lies between clinicians, and between sites.",
    key=("scope", "scope_name", "instrument", "part"),
    columns=(
        *v.SCOPE,
        v.INSTRUMENT,
        v.word("part", VARIANCE_PARTS, "Between clinicians of a site, or between sites (from three sites on)."),
        v.share("share", "Share of the adjusted variance of the last score: the intraclass correlation."),
        v.share("low", "Lower end of the share's 95% interval."),
        v.share("high", "Upper end of the share's 95% interval."),
        v.count("units", "Clinicians, or sites, that it rests on."),
        v.count("evaluable", "Closed episodes of clients with a first and a last score."),
        v.word(
            "certainty",
            v.CERTAINTIES,
            "How sure one can be that the share is more than a hundredth, or that it is not.",
        ),
        v.SENTENCE,
    ),
)
EXPECTED_PROGRESS = Table(
    layer="analysis",
    name="expected_progress",
    meaning="The outcome score to expect at each session for clients who began alike, and the limits beyond which a client is behind.",
    key=("instrument", "baseline_group", "session_number"),
    columns=(
        v.INSTRUMENT,
        Column(
            name="baseline_group",
            kind=Kind.INTEGER,
            minimum=1,
            maximum=4,
            meaning="Quarter of the closed episodes by first score, 1 with the lowest scores.",
        ),
        v.number("first_from", "The group's lowest first score.", unit="points"),
        v.number("first_to", "The group's highest first score.", unit="points"),
        v.number("first_mean", "The group's mean first score, for which the band is drawn.", unit="points"),
        _session("The session, from 2: a first score says nothing of itself."),
        v.number("expected", "The score to expect; empty where too few episodes have closed.", unit="points"),
        v.number("behind_limit", "A fifth of such clients score worse than this.", unit="points"),
        v.number(
            "well_behind_limit",
            "A tenth score worse than this; without a growth model, the first score worsened by the reliable change.",
            unit="points",
        ),
        v.count("scores", "Scores of closed episodes of the group at the session."),
        v.share(
            "share_behind", "Share of those scores that were beyond the first limit; near 0.2 where the band fits."
        ),
        v.share("share_well_behind", "Share that were beyond the second; near 0.1 where the band fits."),
        v.count("closed_episodes", "Closed episodes that the bands of the measure are learnt from."),
        v.word("basis", BASES, "The growth model, or reliable deterioration alone below 200 closed episodes."),
        replace(v.SENTENCE, meaning="What the band rests on, or why there is none."),
    ),
)
CLIENT_TRACKS = Table(
    layer="analysis",
    name="client_tracks",
    meaning="Where each open episode's latest outcome score stands against what clients who began alike score by then. For the treating clinician.",
    key=("client_id", "episode_id", "instrument"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.CASE_ID,
        v.EPISODE_ID,
        v.optional(v.CLINICIAN_ID),
        v.SITE,
        v.PROGRAMME,
        v.INSTRUMENT,
        _session("The session of the latest score."),
        v.number("first_score", "The first score within the episode.", unit="points"),
        v.number("latest_score", "The latest score within the episode.", unit="points"),
        v.number("expected", "The score to expect at that session from that first score.", unit="points"),
        v.number("behind_limit", "A fifth of such clients score worse than this.", unit="points"),
        v.number("well_behind_limit", "A tenth of such clients score worse than this.", unit="points"),
        v.word("standing", STANDINGS, "On track, behind (worst fifth), well behind (worst tenth), or cannot tell."),
        v.word("basis", BASES, "The growth model, or reliable deterioration alone below 200 closed episodes."),
    ),
)
CLINICIAN_ALLIANCE_GROWTH = Table(
    layer="analysis",
    name="clinician_alliance_growth",
    meaning="Each clinician's alliance by session as if every client had stayed, against the site's band: a growth model follows each client, so that who leaves moves it little.",
    key=("clinician_id", "instrument", "session_number"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        _session("The session, from 1 to 10."),
        v.count("clients", "Clients of the clinician with a rating at any session."),
        v.count("ratings", "Ratings at this session, of the clients who were still there and filled in the form."),
        v.number(
            "raw_mean",
            "Their plain mean, from enough ratings on: conditional on still being there; for analysts, never shown.",
            unit="points",
        ),
        v.number("estimate", "The clinician's expected alliance at this session, shrunken.", unit="points"),
        *_INTERVAL,
        v.number("site_mean", "The mean curve of the site's clinicians.", unit="points"),
        v.number("site_low", "Lower end of the site's band: 19 in 20 of its clinicians lie within.", unit="points"),
        v.number("site_high", "Upper end of the site's band.", unit="points"),
        v.CERTAINTY,
    ),
)
CLINICIAN_ALLIANCE_PARTS = Table(
    layer="analysis",
    name="clinician_alliance_parts",
    meaning="Parts of each clinician's alliance, each shrunken toward the site's clinicians: early apart from later, growth, and the subscales.",
    key=("clinician_id", "instrument", "part"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.word(
            "part",
            ALLIANCE_PARTS,
            "early: sessions 1 to 3; later: from 4 on, of clients who came so far; growth: from session 1 to 10; or a subscale.",
        ),
        v.count("clients", "Clients that the estimate rests on."),
        v.count("ratings", "Ratings that it rests on."),
        v.number("estimate", "The clinician's level, or growth, shrunken.", unit="points"),
        *_INTERVAL,
        v.number("site_mean", "The same over the site's clinicians.", unit="points"),
        *v.DIFFERENCE_FROM_SITE,
        v.share("probability_above", "Probability that the clinician's is above the site's."),
        v.CERTAINTY,
    ),
)
CLINICIAN_WEAKEST_PART = Table(
    layer="analysis",
    name="clinician_weakest_part",
    meaning="Which of bond, goals and tasks is weakest with each clinician's clients, compared within the same forms; cannot_tell where not clear.",
    key=("clinician_id", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.count("clients", "Clients with all three parts scored."),
        v.word("weakest", WEAKEST, "The part below both others with at least 95% probability, or why none is named."),
        v.number(
            "gap",
            "How far the lowest part lies below the next, each as a mean answer; shrunken, 0 or less.",
            unit="points per answer",
        ),
        v.number("low", "Lower end of the gap's 95% interval."),
        v.number("high", "Upper end of the gap's 95% interval."),
        v.CERTAINTY,
        v.SENTENCE,
    ),
)
ALLIANCE_INFORMATION = Table(
    layer="analysis",
    name="alliance_information",
    meaning="How much the alliance ratings of a service, site or programme can say at each level, beside `analysis.alliance_levels`.",
    key=("scope", "scope_name", "alliance_instrument", "level"),
    columns=(
        *v.SCOPE,
        v.ALLIANCE_INSTRUMENT,
        v.word(
            "level", v.LEVELS, "Whether it is about differences within a client, between clients or between clinicians."
        ),
        v.count("clinicians", "Clinicians with a rating."),
        v.count("clients", "Clients with a rating, each counted with each clinician."),
        v.count("ratings", "Scored ratings."),
        v.share("variance_share", "Share of all differences between ratings that lies at this level."),
        v.share("variance_low", "Lower end of its 95% interval, clinicians left out one at a time."),
        v.share("variance_high", "Upper end of its 95% interval."),
        v.share(
            "reliability",
            "How much of the differences at this level is real: of one rating within a client, of a client's mean, of a clinician's mean.",
        ),
        v.share("reliability_low", "Lower end of its 95% interval."),
        v.share("reliability_high", "Upper end of its 95% interval."),
        v.share("share_at_ceiling", "Share of ratings that are the best the form can give."),
        v.share("ceiling_low", "Lower end of its 95% interval."),
        v.share("ceiling_high", "Upper end of its 95% interval."),
        v.count(
            "clients_without_information", "Clients rated once, or always alike: they say nothing of change within."
        ),
        v.share("share_without_information", "Those clients as a share of the clients."),
        v.share("without_information_low", "Lower end of its 95% interval."),
        v.share("without_information_high", "Upper end of its 95% interval."),
        replace(v.SENTENCE, meaning="What it means, in plain words."),
    ),
)
CLINICIAN_SIGNALS = Table(
    layer="analysis",
    name="clinician_signals",
    meaning="Every comparison of a clinician with the site that a conversation could start from, with false discoveries held over all clinicians and signals together.",
    key=("clinician_id", "signal", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.word("signal", SIGNALS, "What is compared."),
        Column(
            name="instrument",
            kind=Kind.IDENTIFIER,
            meaning="The measure that the signal is about; `all` where it is about none; a pair's alliance and outcome measure for the link.",
        ),
        v.count("clients", "Clients, or cases, that it rests on."),
        v.number("estimate", "The clinician less the site, turned so that positive is better."),
        *_INTERVAL,
        v.word("direction", ("better", "worse"), "Which way the difference points.", is_required=False),
        v.share("p_value", "Twice the smaller tail probability that the true difference lies on the other side."),
        v.share(
            "q_value", "False discovery rate at which it stands, over all clinicians and signals that are not too few."
        ),
        v.flag("is_flagged", "Whether it stands with false discoveries held at 5%: a reason to talk, never a verdict."),
        v.CERTAINTY,
    ),
)
TABLES: tuple[Table, ...] = (
    CLINICIAN_ADJUSTED_PROGRESS,
    VARIANCE_SHARES,
    EXPECTED_PROGRESS,
    CLIENT_TRACKS,
    CLINICIAN_ALLIANCE_GROWTH,
    CLINICIAN_ALLIANCE_PARTS,
    CLINICIAN_WEAKEST_PART,
    ALLIANCE_INFORMATION,
    CLINICIAN_SIGNALS,
)
