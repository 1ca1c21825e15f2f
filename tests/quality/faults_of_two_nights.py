"""Planted faults in what is said of two versions, with how many rows each must be found in."""

KINDS = ("new", "late", "corrected", "admitted", "refused", "withdrawn", "aged", "changed")
STANDS = {
    **dict.fromkeys((f"rows_{name}" for name in KINDS), 0),
    "table_name": "analysis.rates",
    "figure": "rate",
    "reason": "new",
    "scope": "site",
    "movement": "moved",
    "value_before": 0.4,
    "value": 0.5,
    "difference": 0.1,
    "is_on_pages": True,
}


def changes(*faults):
    """A movement as it should be, and one for each fault."""
    return (
        lambda put: [
            put("quality.changes", row_key=str(number), **{**STANDS, **fault})
            for number, fault in enumerate(({}, *faults))
        ],
        len(faults),
    )


FAULTS = {
    "changes.has_reason": changes({"reason": "unexplained"}),
    "changes.rows_add_up": changes({"rows_changed": 1}, {"rows_late": 2}, {"rows_aged": 1, "rows_changed": 2}),
    "changes.difference_of_its_figures": changes(
        {"difference": 0.2}, {"difference": None}, {"movement": "gone", "value": None}
    ),
    "changes.pages_show_no_clinician": changes({"scope": "clinician"}),
    "definitions.as_before": (
        lambda put: [
            put("quality.definitions", kind="setting", name=str(has_changed), has_changed_itself=has_changed)
            for has_changed in (True, False, None)
        ],
        1,
    ),
}
