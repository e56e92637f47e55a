"""Count cells that were made null because their values are bad (``on_bad_value: nullify``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NULLED = "nulled."
"""The prefix of a count of cells that ``validate`` made null; the pointer of the column follows."""

_COUNTED = f"validate.{NULLED}"

WARNED_SHARE = 0.05
"""A column of which a larger share of the records lost its value is worth a warning."""


def nulled_cells(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the number of cells that were made null by the pointer of their column, largest number first.

    >>> nulled_cells({"validate.nulled./date": 1, "validate.nulled./status": 3, "repair_text.changed": 7})
    {'/status': 3, '/date': 1}
    """
    found = {name.removeprefix(_COUNTED): n for name, n in counts.items() if name.startswith(_COUNTED)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def columns_above(nulled: Mapping[str, int], n_records: int, *, share: float) -> dict[str, float]:
    """Return the columns of which more than a share of the records lost its value, with their shares.

    >>> columns_above({"/status": 3, "/date": 1}, 10, share=0.25)
    {'/status': 0.3}
    """
    return {pointer: n / n_records for pointer, n in nulled.items() if n > share * n_records}
