"""How large a difference must be before pages call it one: clinical choices, each said on the methods page.

Belongs here: smallest differences that matter and how far charts look back. They are placeholders for a service to
set: no paper fixes them.
"""

from typing import Final

SMALLEST_ALLIANCE: Final = 0.025
"""As a share of the measure's own range: 1.2 points of 48 for the WAI-SR's sum."""

SMALLEST_ATTENDANCE: Final = 0.02
SMALLEST_RECORDING: Final = 0.03
SMALLEST_IMPROVEMENT: Final = 0.05
SMALLEST_WAIT_DAYS: Final = 3.0

MONTHS_SHOWN: Final = 24
BASELINE_MONTHS: Final = 12
FEWEST_MONTHS: Final = 8
"""Fewer months with a figure than this, and a chart over time says too few."""

MOST_CONVERSATIONS: Final = 6
FALSE_SIGNS: Final = 0.05
"""Of the signs that open conversations, the share that may be chance on average."""

RECENT_MONTHS: Final = 6
AUTOCORRELATION: Final = 0.3
"""How alike neighbouring months of one clinician are taken to be; assumed, and widens what chance explains."""

FEWEST_CLINICIANS: Final = 3
"""Fewer clinicians than this, and a picture without names would name them."""

COUNTS_TO_NEAREST: Final = 5
"""Sizes of groups of clients are told to the nearest multiple of this, so that no two can be subtracted."""

COUNTS_TO_NEAREST: Final = 5
"""Sizes of groups are told to the nearest multiple of this, so that two of them cannot be subtracted to one person."""

WORTH_ASKING: Final = 2
"""Kinds of signal of holding back, of four, from which an open client is worth asking about it."""
