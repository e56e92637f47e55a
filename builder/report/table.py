"""Format plain tables for terminals and log files: aligned columns, no colours, no boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.domain.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence


def table_lines(rows: Sequence[Sequence[object]], *, header: Sequence[str] = ()) -> list[str]:
    r"""Align cells in columns, numbers on the right.

    >>> print("\n".join(table_lines([["kept", 12], ["merged", 3]])))
    kept    12
    merged   3
    """
    cells = [[_text(cell) for cell in row] for row in ([header] if header else []) + [list(r) for r in rows]]
    widths = [max((len(row[i]) for row in cells), default=0) for i in range(max(map(len, cells), default=0))]
    right = [
        all(isinstance(row[i], (int, float)) for row in rows if i < len(row)) for i in range(len(widths))
    ]
    return [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=False)
        ).rstrip()
        for row in cells
    ]


def counted(n: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> counted(1, "record"), counted(1200, "record")
    ('1 record', '1,200 records')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _text(cell: object) -> str:
    if isinstance(cell, bool) or cell is None:
        return "" if cell is None else str(cell).lower()
    return f"{cell:,}" if isinstance(cell, int) else visible(str(cell))
