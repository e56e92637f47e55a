"""Convert RFC 3339 instants and dates to numbers, exactly or not at all."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

FIRST_INSTANT_US = -62_135_596_800_000_000
"""0001-01-01T00:00:00Z in microseconds from 1970; Python cannot read back an earlier instant."""

LAST_INSTANT_US = 253_402_300_799_999_999
"""9999-12-31T23:59:59.999999Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_INSTANT = re.compile(
    _DATE + r"[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def instant_us(text: str) -> int | None:
    """Return the microseconds from 1970 to an instant; None if that is not a whole number.

    Also None for a leap second and for years outside 1 to 9999 in UTC.

    >>> instant_us("1970-01-01T01:00:00.5+01:00"), instant_us("2016-12-31T23:59:60Z")
    (500000, None)
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    fraction = (match[7] or "").ljust(6, "0")
    if fraction[6:].strip("0"):
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    try:
        local = datetime(year, month, day, hour, minute, second, int(fraction[:6]), UTC)
    except ValueError:
        return None
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    microseconds = (local - _EPOCH) // _MICROSECOND
    microseconds -= (offset // _MICROSECOND) * (-1 if match[8] == "-" else 1)
    return microseconds if FIRST_INSTANT_US <= microseconds <= LAST_INSTANT_US else None


def day_number(text: str) -> int | None:
    """Return the days from 1970 to a date; None if it is outside the years 1 to 9999.

    >>> day_number("1970-01-02"), day_number("0000-01-01")
    (1, None)
    """
    match = re.fullmatch(_DATE, text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
