"""Find out whether the first row of a text table is its header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from builder.io.reading.columns import ColumnsError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADDRESS = re.compile("https?://", re.IGNORECASE)
_OTHER_DELIMITERS = {";": "';'", "\t": r'"\t"', "|": "'|'"}


def check_header(values: Sequence[str], *, delimiter: str | None) -> None:
    """Check that a first row can be a header.

    Raises:
        ColumnsError: if it looks like a row of data, or like columns with another delimiter.
    """
    if address := next((value for value in values if _ADDRESS.match(value)), None):
        message = f"the first row is not a header, it has the value {address[:80]!r}"
        raise ColumnsError(f"{message}: name the columns of the file, as in columns: [url, text]")
    if len(values) == 1 and delimiter is None:
        for other, shown in _OTHER_DELIMITERS.items():
            if other in values[0]:
                message = f"the header has one column, {values[0][:80]!r}"
                raise ColumnsError(f"{message}: set delimiter: {shown} for the source")
    if not any(values):
        raise ColumnsError("no column has a name: name the columns of the file, as in columns: [url, text]")
