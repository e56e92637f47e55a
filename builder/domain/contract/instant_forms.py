"""Read the forms of instants that scrapers write, and write them as RFC 3339.

The forms: RFC 3339 and ISO 8601 with a blank or nothing for the ``T``, without seconds, without a time or
without a zone, with the zone as ``+0000``, ``+00`` or ``UTC``; RFC 2822, RFC 850 and ``asctime``; 14 digits,
as web archives write them; numbers since 1970 in seconds, milliseconds, microseconds or nanoseconds; the
object ``{"$date": ...}`` of MongoDB; ``/Date(1714557600000)/``, as PowerShell and ASP.NET write it; RFC 3339
with the name of the zone after the offset, as Java writes it (``Z[UTC]``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Any

from builder.domain.contract.instants import FIRST_INSTANT_US, LAST_INSTANT_US

EPOCHS = ("auto", "s", "ms", "us", "ns")
"""The units of numeric instants; ``auto`` chooses one by the size of each number."""

_PER_UNIT = {"s": Decimal(1_000_000), "ms": Decimal(1000), "us": Decimal(1), "ns": Decimal("0.001")}
_LIMITS = ((10**11, "s"), (10**14, "ms"), (10**17, "us"))
"""The least number that is not in this unit: seconds reach to the year 5138, milliseconds too."""

_OFFSET = r"(?P<zone>[Zz]|[A-Za-z]{2,4}|[+-][0-9]{2}(?::?[0-9]{2})?)"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: i + 1 for i, name in enumerate(_NAMES)}
_DAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+)"
_MONTH = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*"
_YMD = r"(?P<year>[0-9]{4})([-/])(?P<month>[0-9]{2})\2(?P<day>[0-9]{2})"
_DIGITS = (
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T?"
    r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
)
_DMY = rf"{_DAY}?(?P<day>[0-9]{{1,2}})[\s-]+{_MONTH}[\s-]+(?P<year>[0-9]{{4}}|[0-9]{{2}})"
_MD = rf"{_DAY}{_MONTH}\s+(?P<day>[0-9]{{1,2}})"
_FORMS = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        rf"{_YMD}(?:[T\s]\s*{_CLOCK}\s*{_OFFSET}?)?",
        rf"{_DIGITS}\s*{_OFFSET}?",
        rf"{_DMY}\s+{_CLOCK}\s*{_OFFSET}?",
        rf"{_MD}\s+{_CLOCK}\s+(?:{_OFFSET}\s+)?(?P<year>[0-9]{{4}})",
    )
)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_DOT_NET = re.compile(r"/Date\((-?[0-9]{1,20})(?:[+-][0-9]{4})?\)/", re.ASCII)
_ZONE_NAME = re.compile(r"(?<=[Zz0-9])\[[A-Za-z0-9_+/-]{1,32}\]\Z", re.ASCII)
_HOURS = {"z": 0, "ut": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7}
_HOURS |= {"mdt": -6, "pst": -8, "pdt": -7}
"""The zones of RFC 2822 by name; other names mean different zones to different people."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_CHARS = 64
_MAX_NUMBER = 10**20


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantForms:
    """How instants are read: the zone of those without one, and the unit of numbers."""

    timezone: str = "UTC"
    epoch: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInstant:
    """An instant in RFC 3339, in UTC, and what was decided when it was read.

    Attributes:
        notes: ``local`` (it has no zone), ``day`` (it has no time), ``epoch_s`` and so on (a number in this
            unit), ``cut`` (it had digits below a microsecond).
    """

    text: str
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=16)
def zone_of(name: str) -> tzinfo:
    """Return a time zone by its IANA name or its offset.

    >>> zone_of("+05:30").utcoffset(None)
    datetime.timedelta(seconds=19800)

    Raises:
        ValueError: if no zone has this name.
    """
    from datetime import timezone
    from zoneinfo import ZoneInfo

    if name.upper() == "UTC":
        return UTC
    if found := re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", name):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"no time zone is called {name!r}") from None


def read_instant(value: Any, forms: InstantForms) -> ReadInstant | None:
    """Read an instant in any of the forms of this module; None if it is in none of them.

    >>> read_instant("Wed, 01 May 2024 10:00:00 GMT", InstantForms()).text
    '2024-05-01T10:00:00.000000Z'
    >>> read_instant(1714557600, InstantForms())
    ReadInstant(text='2024-05-01T10:00:00.000000Z', notes=('epoch_s',))
    """
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name == "$date":
            return read_instant(inner, InstantForms(timezone="UTC", epoch="ms"))
        return read_instant(inner, forms) if name == "$numberLong" and isinstance(inner, str) else None
    if isinstance(value, str):
        return _of_text(value.strip(), forms) if len(value) <= _MAX_CHARS else None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _of_number(value, forms)
    return None


def _of_text(text: str, forms: InstantForms) -> ReadInstant | None:
    if text.startswith("/") and (found := _DOT_NET.fullmatch(text)):
        return _of_number(Decimal(found[1]), InstantForms(epoch="ms"))
    text, n_names = _ZONE_NAME.subn("", text) if text.endswith("]") else (text, 0)
    for form in _FORMS:
        if (found := form.fullmatch(text)) and (found.groupdict().get("zone") or not n_names):
            return _of_parts(found.groupdict(), forms)
    if _NUMBER.fullmatch(text):
        return _of_number(Decimal(text), forms)
    return None


def _of_parts(parts: dict[str, str | None], forms: InstantForms) -> ReadInstant | None:
    fraction = parts.get("fraction") or ""
    month = parts.get("month") or _MONTHS[(parts.get("name") or "").lower()]
    try:
        local = datetime(
            _year(parts["year"] or ""),
            int(month),
            int(parts["day"] or 0),
            int(parts.get("hour") or 0),
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int(fraction[:6].ljust(6, "0")),
        )
        zone = _zone(parts.get("zone"))
        instant = local.replace(tzinfo=zone or zone_of(forms.timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    facts = {"local": not zone, "day": not parts.get("hour"), "cut": fraction[6:].strip("0")}
    return ReadInstant(text=_written(instant), notes=tuple(name for name, holds in facts.items() if holds))


def _year(digits: str) -> int:
    """Return a year; two digits are a year of 1970 to 2069 (as RFC 9110, section 5.6.7, asks until 2019)."""
    year = int(digits)
    return year if len(digits) == 4 else year + (1900 if year >= 70 else 2000)


def _zone(text: str | None) -> tzinfo | None:
    """Return the zone that a text names; None without one.

    Raises:
        ValueError: if the name is not known.
    """
    if text is None:
        return None
    if text[0] in "+-":
        digits = text[1:].replace(":", "").ljust(4, "0")
        return zone_of(f"{text[0]}{digits[:2]}:{digits[2:]}")
    if text.lower() not in _HOURS:
        raise ValueError(text)
    hours = _HOURS[text.lower()]
    return zone_of(f"{'-' if hours < 0 else '+'}{abs(hours):02}:00")


def _of_number(value: float | Decimal, forms: InstantForms) -> ReadInstant | None:
    digits = str(value)
    if forms.epoch == "auto" and len(digits) == 14 and digits.isdigit() and digits[:2] in ("19", "20"):
        return _of_text(digits, forms)
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) > _MAX_NUMBER:
        return None
    unit = forms.epoch if forms.epoch != "auto" else _unit(abs(number))
    microseconds = number * _PER_UNIT[unit]
    whole = int(microseconds.to_integral_value(ROUND_FLOOR))
    if not FIRST_INSTANT_US <= whole <= LAST_INSTANT_US:
        return None
    notes = (f"epoch_{unit}", *(("cut",) if whole != microseconds else ()))
    return ReadInstant(text=_written(_EPOCH + whole * _MICROSECOND), notes=notes)


def _unit(number: Decimal) -> str:
    return next((unit for limit, unit in _LIMITS if number < limit), "ns")


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
