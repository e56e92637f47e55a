"""Format amounts and rates of work that is being done."""

from __future__ import annotations

_SECONDS_WITHOUT_RATE = 0.5
_SINGULAR = {"batches": "batch"}


def size_text(n_bytes: int) -> str:
    """Return a size with a decimal unit (1 kB is 1,000 bytes).

    >>> size_text(1_234_567)
    '1.2 MB'
    """
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def amount_text(done: int, total: int, unit: str) -> str:
    """Format how much is done.

    >>> amount_text(3, 8, "shards"), amount_text(1, 1, "shards"), amount_text(1200, 87_242, "bytes")
    ('3 of 8 shards', '1 shard', '1.2 kB of 87.2 kB')
    """
    if unit == "bytes":
        return size_text(done) + (f" of {size_text(total)}" if total else "")
    name = _SINGULAR.get(unit, unit.removesuffix("s")) if (total or done) == 1 else unit
    return f"{done:,} of {total:,} {name}" if done < total else f"{done:,} {name}"


def rate_text(done: int, unit: str, *, elapsed_s: float) -> str:
    """Format the rate of records, bytes or rows; empty before half a second has passed.

    >>> rate_text(2_468, "records", elapsed_s=2.0), rate_text(1, "records", elapsed_s=0.1)
    ('1,234/s', '')
    """
    if unit not in ("bytes", "records", "rows") or elapsed_s < _SECONDS_WITHOUT_RATE:
        return ""
    rate = int(done / elapsed_s)
    return f"{size_text(rate)}/s" if unit == "bytes" else f"{rate:,}/s"
