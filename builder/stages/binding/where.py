"""Decide which rows a stage works on: those of some sources, those in some languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LANGUAGE = "language"
"""The column that ``where: {language: [...]}`` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The rows that a stage works on; all other rows pass unchanged.

    A row matches if it meets every condition that is not empty. A language matches its variants: ``en``
    matches ``en`` and ``en-GB``. A row without a language matches no language.
    """

    sources: tuple[str, ...] = ()
    language: tuple[str, ...] = ()

    @classmethod
    def of(cls, written: Mapping[str, Any] | None) -> Where:
        """Read the option ``where``; the order of its values does not matter.

        >>> Where.of({"language": ["en", "de", "en"]})
        Where(sources=(), language=('de', 'en'))
        """
        written = written or {}
        return cls(
            sources=tuple(sorted(set(written.get("sources") or ()))),
            language=tuple(sorted(set(written.get("language") or ()))),
        )

    def __bool__(self) -> bool:
        return bool(self.sources or self.language)

    def document(self) -> dict[str, list[str]]:
        """Return the conditions as plain JSON values."""
        conditions = {"sources": list(self.sources), "language": list(self.language)}
        return {name: values for name, values in conditions.items() if values}

    def faults(self, schema: pa.Schema) -> list[Fault]:
        """Find the conditions that cannot be checked at this place of the chain."""
        if not self.language or _is_text(schema, LANGUAGE):
            return []
        what = f"`where` names languages, but the rows do not have a text column {LANGUAGE!r} here"
        return [Fault(where="", what=what, advice="add the column to the contract, or use `sources`")]

    def mask(self, batch: pa.RecordBatch) -> NDArray[np.bool_]:
        """Return bool[n_rows], whether each row matches.

        Published rows do not have ``_record``. There the condition on sources counts as met.
        """
        matches = np.ones(batch.num_rows, np.bool_)
        if self.sources and RECORD in batch.schema.names:
            named = pc.struct_field(batch.column(RECORD), "source")
            matches &= _as_bools(pc.is_in(named, value_set=pa.array(self.sources, named.type)))
        if self.language:
            tags = pc.utf8_lower(batch.column(LANGUAGE))
            primary = pc.replace_substring_regex(tags, "[-_].*$", "")
            wanted = pa.array([one.lower() for one in self.language], tags.type)
            matches &= _as_bools(pc.or_(pc.is_in(tags, wanted), pc.is_in(primary, wanted)))
        return matches


def _is_text(schema: pa.Schema, name: str) -> bool:
    if name not in schema.names:
        return False
    kind = schema.field(name).type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _as_bools(array: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False), np.bool_)
