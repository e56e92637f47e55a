"""Instants in the forms that scrapers write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.contract.instant_forms import InstantForms, read_instant, zone_of
from builder.domain.contract.instants import instant_us

TEN = "2024-05-01T10:00:00.000000Z"
instants = st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))

FORMS: tuple[tuple[Any, str], ...] = (
    ("2024-05-01 10:00:00", "local"),
    ("2024-05-01T10:00:00", "local"),
    ("2024-05-01T10:00", "local"),
    ("2024/05/01 10:00:00", "local"),
    ("2024-05-01T10:00:00+0000", ""),
    ("2024-05-01 10:00:00+00:00", ""),
    ("2024-05-01 12:00:00.000 +02", ""),
    ("2024-05-01T10:00:00,000Z", ""),
    ("2024-05-01 10:00:00 UTC", ""),
    ("20240501T100000Z", ""),
    ("20240501100000", "local"),
    (20240501100000, "local"),
    ("Wed, 01 May 2024 10:00:00 GMT", ""),
    ("Wed, 01 May 2024 06:00:00 -0400", ""),
    ("01 May 2024 10:00 UT", ""),
    ("Wednesday, 01-May-24 10:00:00 GMT", ""),
    ("Wed May  1 10:00:00 2024", "local"),
    (1714557600, "epoch_s"),
    (1714557600.0, "epoch_s"),
    (Decimal("1714557600"), "epoch_s"),
    ("1714557600", "epoch_s"),
    (1714557600000, "epoch_ms"),
    (1714557600000000, "epoch_us"),
    (1714557600000000000, "epoch_ns"),
    ("/Date(1714557600000)/", "epoch_ms"),
    ("/Date(1714557600000+0200)/", "epoch_ms"),
    ("2024-05-01T10:00:00Z[UTC]", ""),
    ("2024-05-01T12:00:00+02:00[Europe/Berlin]", ""),
    ({"$date": "2024-05-01T10:00:00Z"}, ""),
    ({"$date": 1714557600000}, "epoch_ms"),
    ({"$date": {"$numberLong": "1714557600000"}}, "epoch_ms"),
)


@pytest.mark.parametrize(("value", "note"), FORMS)
def test_each_form_is_the_same_instant(value: Any, note: str) -> None:
    """The note says what had to be decided."""
    found = read_instant(value, InstantForms())
    assert found is not None
    assert (found.text, found.notes) == (TEN, (note,) if note else ())


WITHOUT_MEANING: tuple[Any, ...] = (
    "", "soon", "10:00", "2024-13-01 10:00:00", "2024-02-30", "01/05/2024 10:00", "2024-05-01T10:00:00 CEST",
    "2024-05-01T12:00:00[Europe/Berlin]", "/Date(soon)/",
    "2016-12-31T23:59:60Z", True, None, [], {}, {"date": 1}, 1e300, float("nan"), 10**30, "9" * 60,
)  # fmt: skip


@pytest.mark.parametrize("value", WITHOUT_MEANING)
def test_a_value_without_one_meaning_is_not_read(value: Any) -> None:
    """Day and month that can be exchanged, names of zones that differ by country, what is no instant."""
    assert read_instant(value, InstantForms()) is None


def test_the_zone_of_an_instant_without_one_is_an_option() -> None:
    """By name, with its summer time, or by offset; an instant with a zone keeps its own."""
    berlin, india = InstantForms(timezone="Europe/Berlin"), InstantForms(timezone="+05:30")
    texts = ("2024-05-01 10:00:00", "2024-12-01 10:00:00", "2024-05-01T10:00:00Z")
    assert [found.text[11:16] for text in texts if (found := read_instant(text, berlin))] == [
        "08:00",
        "09:00",
        "10:00",
    ]
    assert [found.text[11:16] for text in texts if (found := read_instant(text, india))] == [
        "04:30",
        "04:30",
        "10:00",
    ]
    with pytest.raises(ValueError, match="no time zone is called 'Mars/Base'"):
        zone_of("Mars/Base")


def test_the_unit_of_a_number_is_an_option() -> None:
    """Without it, the size of the number decides."""
    for unit in ("s", "ms", "us", "ns"):
        found = read_instant(1_000_000_000, InstantForms(epoch=unit))
        assert found is not None
        assert found.notes == (f"epoch_{unit}",)
    assert read_instant(20240501100000, InstantForms(epoch="ms")) != read_instant(
        20240501100000, InstantForms()
    )


def test_digits_below_a_microsecond_are_cut_and_noted() -> None:
    """Of text and of numbers, towards the past."""
    for value in ("2024-05-01T10:00:00.123456789Z", 1714557600123456789, Decimal("1714557600.1234561")):
        found = read_instant(value, InstantForms())
        assert found is not None
        assert (found.text, found.notes[-1]) == ("2024-05-01T10:00:00.123456Z", "cut")
    assert read_instant(-1, InstantForms(epoch="ns")).text == "1969-12-31T23:59:59.999999Z"  # type: ignore[union-attr]


@given(instants, offsets)
def test_what_python_writes_is_read_back(instant: datetime, zone: timezone) -> None:
    """`isoformat`, `str`, `ctime`, the dates of mail, and numbers in each unit."""
    microseconds = instant_us(instant.isoformat())
    whole = instant.replace(microsecond=0)
    for value, expected in (
        (instant.isoformat(), instant),
        (str(instant.astimezone(zone)), instant),
        (str(instant.replace(tzinfo=None)), instant),
        (whole.ctime(), whole),
        (format_datetime(whole, usegmt=True), whole),
        (format_datetime(whole.astimezone(zone)), whole),
    ):
        found = read_instant(value, InstantForms())
        assert found is not None, value
        assert instant_us(found.text) == instant_us(expected.isoformat())
    for unit, per_microsecond in (("us", 1), ("ns", 1000)):
        found = read_instant(microseconds * per_microsecond, InstantForms(epoch=unit))
        assert found is not None
        assert instant_us(found.text) == microseconds


@given(st.text(max_size=30) | st.floats() | st.integers() | st.binary())
def test_any_value_gives_an_instant_that_can_be_stored_or_none(value: Any) -> None:
    """No value raises an exception."""
    found = read_instant(value, InstantForms())
    assert found is None or instant_us(found.text) is not None
