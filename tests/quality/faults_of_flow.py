"""Planted faults, with how many rows each must be found in: published groups, the watched flow, and who filled in a form."""


def both(*steps):
    return lambda put: [step(put) for step in steps]


def form(put, rating_id, feed, **changes):
    put(f"staging.{feed}", **{"instrument": "PHQ-9", "rating_id": rating_id, **changes})


def slice_(put, slice_id, *, cases=33, status="shown", shown_cases=35, is_named=False):
    put("quality.published_slices", slice_id=slice_id, cases=cases, status=status, shown_cases=shown_cases)
    if is_named:
        put("quality.withheld", slice_id=slice_id, reason="few_clients", sentence="x")


def slices(*faults):
    """A shown group and a withheld one as they should be, and a group for each fault; as many broken as there are."""
    sound = (
        {},
        {"cases": 3, "status": "withheld", "shown_cases": None, "is_named": True},
        {"cases": 10, "shown_cases": 10},
    )
    return lambda put: [slice_(put, f"s{n}", **changes) for n, changes in enumerate((*sound, *faults))], len(faults)


FAULTS = {
    "published_slices.none_small": slices({"cases": 9}, {"cases": 4, "status": "held"}),
    "published_slices.sizes_rounded": slices(
        {"shown_cases": 33}, {"shown_cases": None}, {"status": "withheld", "is_named": True}
    ),
    "published_slices.withheld_named": slices({"status": "withheld", "shown_cases": None}, {"is_named": True}),
    "flow.as_usual": (
        both(*(lambda put, odd=odd: put("quality.flow", feed="alliance", is_unusual=odd) for odd in (True, False))),
        1,
    ),
    "freshness.as_promised": (
        both(
            *(lambda put, kept=kept: put("quality.freshness", subject="file", is_kept=kept) for kept in (True, False))
        ),
        1,
    ),
    "schema_changes.same_columns": (
        both(
            *(
                lambda put, new=new: put("quality.schema_changes", column_name="a", is_latest=new)
                for new in (True, False)
            )
        ),
        1,
    ),
    **{
        f"{feed}.rater.allowed": (
            both(
                lambda put, feed=feed, name=name: form(put, "r1", feed, instrument=name, rater="client"),
                lambda put, feed=feed, name=name: form(put, "r2", feed, instrument=name, rater="observer"),
                lambda put, feed=feed: form(put, "r3", feed, instrument="PHQ-99", rater="client"),
            ),
            2,
        )
        for feed, name in (("alliance", "SRS"), ("outcomes", "PHQ-9"))
    },
}
