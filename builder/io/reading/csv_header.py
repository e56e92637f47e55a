"""Find out whether the first row of a text table is its header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from builder.io.reading.columns import ColumnsError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DATA = re.compile(
    r"""https?://            # an address
    | \d{4}-\d\d-\d\d(?:[T ]\d\d:|\Z)   # a date or an instant
    | -?\d+\.\d+\Z         # a number with decimals
    | .{200}               # a text""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_SENTENCE = re.compile(r"(?:\S+\s+){7}.*[.!?]\s*\Z", re.DOTALL)
_TYPE_LINE = re.compile(r"#TYPE\s")
_OTHER_DELIMITERS = {";": "';'", "\t": r'"\t"', "|": "'|'"}


def is_preamble(values: Sequence[str | None], *, delimiter: str) -> bool:
    r"""Return whether a first row is a line that PowerShell or a spreadsheet writes before the header.

    >>> is_preamble(["#TYPE System.Object"], delimiter=","), is_preamble(["sep=;"], delimiter=";")
    (True, True)
    """
    first, rest = (values[0] or "") if values else "", [value for value in values[1:] if value]
    if _TYPE_LINE.match(first):
        return True
    mark = delimiter.join(value or "" for value in values) if not rest else ""
    return mark == f"sep={delimiter}"


def check_header(values: Sequence[str], *, delimiter: str | None) -> None:
    """Check that a first row can be a header.

    Raises:
        ColumnsError: if it looks like a row of data, or like columns with another delimiter.
    """
    if found := next((value for value in values if _DATA.match(value) or _SENTENCE.match(value)), None):
        message = f"the first row is not a header, it has the value {found[:80]!r}"
        raise ColumnsError(f"{message}: name the columns of the file, as in columns: [url, text]")
    if len(values) == 1 and delimiter is None:
        for other, shown in _OTHER_DELIMITERS.items():
            if other in values[0]:
                message = f"the header has one column, {values[0][:80]!r}"
                raise ColumnsError(f"{message}: set delimiter: {shown} for the source")
    if not any(values):
        raise ColumnsError("no column has a name: name the columns of the file, as in columns: [url, text]")
