"""Write numbers, shares and sizes as charts and pages show them, and choose the marks of an axis."""

from __future__ import annotations

import math

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def count_text(value: float) -> str:
    """Return a number for a table: thousands with commas, at most four significant digits of a fraction.

    >>> count_text(1234567), count_text(0.123456), count_text(12.0)
    ('1,234,567', '0.1235', '12')
    """
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def counted_text(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> counted_text(1, "part"), counted_text(1200, "part")
    ('1 part', '1,200 parts')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def short_number(value: float) -> str:
    """Return a number for a mark of an axis.

    >>> short_number(12500), short_number(2e6), short_number(0.25)
    ('12.5k', '2M', '0.25')
    """
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{suffix}"
    return f"{value:.4g}"


def share_text(part: float, whole: float) -> str:
    """Return a share in percent; a part that is there is never ``0 %``, and a rest never hides in ``100 %``.

    >>> [share_text(n, 100_000) for n in (33_300, 1, 99_999, 0, 100_000)]
    ['33.3 %', '< 0.1 %', '> 99.9 %', '0 %', '100 %']
    """
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 0.1:
        return "< 0.1 %"
    if part < whole and percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.1f} %" if part != whole else "100 %"


def bytes_text(n_bytes: float) -> str:
    """Return a size in bytes with its decimal unit.

    >>> bytes_text(999), bytes_text(12_345_678)
    ('999 B', '12.3 MB')
    """
    value, unit = float(n_bytes), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g} {_UNITS[unit]}"


def axis_marks(low: float, high: float, *, n: int = 4) -> list[float]:
    """Return about ``n`` round numbers from ``low`` to ``high``.

    >>> axis_marks(0, 970), axis_marks(0.5, 1.0, n=5)
    ([0.0, 250.0, 500.0, 750.0], [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    """
    if not high > low:
        return [low]
    rough = (high - low) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in _STEPS if one * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [_clean(i * step) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_marks(low: float, high: float) -> list[float]:
    """Return powers of ten from ``low`` to ``high``; with few of them also their double and fivefold.

    >>> log_marks(80, 20_000), log_marks(2, 60)
    ([100.0, 1000.0, 10000.0], [2.0, 5.0, 10.0, 20.0, 50.0])
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 2, 5)):
        found = [_clean(f * 10.0**p) for p in powers for f in factors if low <= f * 10.0**p <= high]
        if len(found) >= 3:
            break
    return found[:: 1 + len(found) // 7]


def _clean(value: float) -> float:
    """Remove the noise of binary fractions."""
    return float(f"{value:.10g}")
