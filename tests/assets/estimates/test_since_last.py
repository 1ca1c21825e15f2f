import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from assets.estimates.since_last import since_last

COUNTED = {
    "feed": pl.String,
    **dict.fromkeys(("file_number", "lines", "accepted", "refused", "superseded", "identical", "blank"), pl.Int64),
}
REFUSED = {
    "feed": pl.String,
    "file_number": pl.Int64,
    "mapping": pl.Int64,
    "line": pl.Int64,
    "reason": pl.String,
}
UNKNOWN = "it names a clinician that no accepted row describes"


def counted(accepted, refused):
    return pl.DataFrame(
        [("attendance", 1, accepted + refused, accepted, refused, 0, 0, 0)], schema=COUNTED, orient="row"
    )


def refused(*lines, reason=UNKNOWN):
    return pl.DataFrame([("attendance", 1, 0, line, reason) for line in lines], schema=REFUSED, orient="row")


def told(now, before=None):
    found = since_last(
        counted(*now[0]),
        now[1],
        counted_before=None if before is None else counted(*before[0]),
        refused_before=None if before is None else before[1],
    )
    return {(row["fate"], row["reason"]): row for row in found.iter_rows(named=True)}


def test_lines_are_held_against_the_version_before_by_fate_and_reason():
    rows = told(((90, 3), refused(1, 2, 3)), ((80, 1), refused(1)))
    assert (rows["accepted", "all"]["lines_before"], rows["accepted", "all"]["more_lines"]) == (80, 10)
    assert rows["refused", UNKNOWN]["sentence"] == f"Attendance: 3 lines refused ({UNKNOWN}), 2 more than before"
    assert rows["blank", "all"]["sentence"] == "Attendance: 0 lines blank, as before"
    assert ("admitted_since", UNKNOWN) not in rows


def test_a_line_that_is_no_longer_refused_was_healed():
    row = told(((93, 1), refused(3)), ((90, 3), refused(1, 2, 3)))["admitted_since", UNKNOWN]
    assert (row["lines"], row["lines_before"]) == (2, 0)
    assert row["sentence"] == f"Attendance: 2 lines refused until now and no longer ({UNKNOWN})"


def test_a_reason_that_is_gone_stands_at_none():
    row = told(((93, 0), refused()), ((92, 1), refused(1)))["refused", UNKNOWN]
    assert (row["lines"], row["more_lines"]) == (0, -1)


def test_the_first_version_has_nothing_to_be_held_against():
    row = told(((90, 1), refused(1)))["accepted", "all"]
    assert (row["lines"], row["lines_before"], row["more_lines"]) == (90, None, None)
    assert row["sentence"].endswith("there is no version to compare with")


@given(st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)))
def test_what_is_refused_now_is_what_was_less_the_healed_and_more_the_new(now, before):
    rows = told(((90, len(now)), refused(*now)), ((90, len(before)), refused(*before)))
    healed = rows["admitted_since", UNKNOWN]["lines"] if before - now else 0
    assert healed == len(before - now)
    if now | before:
        assert rows["refused", UNKNOWN]["more_lines"] == len(now - before) - healed
