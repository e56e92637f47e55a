"""Limits that depend only on the bytes of a file, so that a file fails on every machine or on none.

``docs/limits.md`` lists them.
"""

from __future__ import annotations

MAX_TABLE_COLUMNS = 16_384
"""Columns of a table; spreadsheets have the same limit. Each batch has an object for each column."""

MAX_ROW_LINES = 1 << 18
"""Lines of a CSV row. A quote that is not closed makes a row of all lines that follow."""

MAX_ROW_VALUES = 1 << 20
"""Values of a CSV row that are parsed; far more than ``MAX_TABLE_COLUMNS``, because they are estimated."""

MAX_SWELLING = 1_000
"""Bytes that a file may give for each of its own bytes. Deflate gives at most 1,032."""

SWELLING_BYTES = 256 << 20
"""Bytes that any file may give, however small it is."""

ROW_BYTES = 64
"""Bytes that a row counts in addition to its values: what its place in the ledger takes at least."""

SWELLING = {
    "swelling": f"The file expands to over {MAX_SWELLING:,} times its size; the data before were read."
}
TOO_MANY_COLUMNS = {
    "too_many_columns": f"The table has over {MAX_TABLE_COLUMNS:,} columns; it is not read.",
}
"""Reasons with the text for ``docs/reasons.md``."""


def swells(n_out: int, n_in: int) -> bool:
    """Return whether ``n_out`` bytes are too many for a file, or the part of it, of ``n_in`` bytes.

    >>> swells(SWELLING_BYTES, 1), swells(SWELLING_BYTES + 1, 1), swells(SWELLING_BYTES + 1, 1 << 20)
    (False, True, False)
    """
    return n_out > max(SWELLING_BYTES, MAX_SWELLING * n_in)


def swelling_message(n_in: int) -> str:
    """Say what the limit is for ``n_in`` bytes, and what to do."""
    limit = max(SWELLING_BYTES, MAX_SWELLING * n_in)
    return (
        f"{n_in} bytes expand to over {limit} bytes; the rest is not read. If the file is genuine, "
        "decompress it, or write it with another encoding or in several files"
    )
