"""What the alliance ratings of the service, its sites and programmes can say, beside the link with progress.

Belongs here: the groups, what is too few, and the sentences. Does not belong here: the figures
(`assets.science.alliance_information`) or the link (`link`).
"""

from typing import Any

import polars as pl

from assets.contracts.comparison import ALLIANCE_INFORMATION
from assets.contracts.vocabulary import LEVELS
from assets.estimates.scopes import scopes_of
from assets.estimates.shapes import empty, shaped
from assets.science.alliance_information import AllianceInformation, Figure, alliance_information
from assets.service import Service

_SUMS = ("n", "y", "yy", "tops")
_WHERE = {
    "within_client": "are clients' own ups and downs",
    "between_client": "lie between clients of one clinician",
    "between_clinician": "lie between clinicians",
}


def alliance_information_by_scope(clients: pl.DataFrame, *, service: Service) -> pl.DataFrame:
    """`analysis.alliance_information`.

    Args:
        clients: one row an alliance measure, clinician, client, site and programme: `instrument`, `n` ratings, their sum
            `y` and sum of squares `yy`, `lowest`, `highest`, and `tops`, those at the ceiling.
        service: its measures, limits and instruments.
    """
    found = [empty(ALLIANCE_INFORMATION)]
    for name in sorted({measure.alliance for measure in service.measures}):
        alpha = service.registry[name].alpha
        for scope, scope_name, rows in scopes_of(clients.filter(pl.col("instrument") == name)):
            if rows.is_empty():
                continue
            known = alliance_information(_by_client(rows), alpha=None if alpha is None else alpha.value)
            lines = [_line(known, level=level, service=service) for level in LEVELS]
            placed = {"scope": scope, "scope_name": scope_name, "alliance_instrument": name}
            found.append(shaped(pl.DataFrame([{**placed, **line} for line in lines]), ALLIANCE_INFORMATION))
    return pl.concat(found)


def _by_client(rows: pl.DataFrame) -> pl.DataFrame:
    """A client of a clinician once, whatever the site or programme."""
    return (
        rows.group_by("clinician_id", "client_id")
        .agg(pl.col(*_SUMS).sum(), pl.col("lowest").min(), pl.col("highest").max())
        .sort("clinician_id", "client_id")
    )


def _line(known: AllianceInformation, *, level: str, service: Service) -> dict[str, Any]:
    limits = service.suppression
    counts = {
        "level": level,
        "clinicians": known.clinicians,
        "clients": known.clients,
        "ratings": known.ratings,
        "clients_without_information": known.clients_without_information,
    }
    if known.clients < limits.minimum_clients or known.clinicians < max(limits.minimum_clinicians, 2):
        few = f"Too few to say: {limits.minimum_clients} clients and {max(limits.minimum_clinicians, 2)} clinicians are asked."
        return {**counts, "sentence": few}
    share, real = known.variance_shares[level], known.reliabilities[level]
    return {
        **counts,
        **_columns(share, "variance_share", "variance"),
        **_columns(real, "reliability", "reliability"),
        **_columns(known.at_ceiling, "share_at_ceiling", "ceiling"),
        **_columns(known.without_information, "share_without_information", "without_information"),
        "sentence": _sentence(known, level=level),
    }


def _columns(figure: Figure, name: str, stem: str) -> dict[str, float | None]:
    if not figure.is_told:
        return {name: None, f"{stem}_low": None, f"{stem}_high": None}
    return {
        name: round(figure.estimate, 6),
        f"{stem}_low": round(figure.low, 6),
        f"{stem}_high": round(figure.high, 6),
    }


def _sentence(known: AllianceInformation, *, level: str) -> str:
    share, real = known.variance_shares[level], known.reliabilities[level]
    if not share.is_told:
        return "Cannot tell: too few clients have two ratings, or clinicians two clients."
    first = f"{_percent(share)} of the differences between ratings {_WHERE[level]}"
    what = {
        "within_client": "one rating tells them",
        "between_client": f"the mean of {known.ratings / known.clients:.0f} ratings tells clients apart",
        "between_clinician": f"the mean of {known.clients / known.clinicians:.0f} clients tells clinicians apart",
    }[level]
    how = f"; {what} with reliability {real.estimate:.2f} ({real.low:.2f} to {real.high:.2f})" if real.is_told else ""
    if level != "within_client":
        return f"{first}{how}."
    hidden = (
        f" {_percent(known.at_ceiling)} of ratings are the best the form can give, and {_percent(known.without_information)}"
        " of clients, rated once or always alike, say nothing of change."
    )
    return f"{first}{how}.{hidden}"


def _percent(figure: Figure) -> str:
    return f"{figure.estimate:.0%} (95% interval {figure.low:.0%} to {figure.high:.0%})"
