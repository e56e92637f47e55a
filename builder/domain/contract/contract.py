"""A contract: what a record must be, and the columns that it becomes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.domain.json.writer import canonical_text
from builder.domain.record import JSON_FIELD

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

HERE = "https://contract.invalid/here/"
"""What a relative reference in a contract is resolved against; no host of this name can exist (RFC 2606)."""

ROOT_URI = HERE + "-"
"""The schema's own address; a name that no file has, so that a schema may refer to itself by its file."""

OUTSIDE = "https://contract.invalid/"
"""What a relative reference that leads out of the folder becomes."""

EXTRA = "extra"
"""The column, or the field of a struct, that takes what an open object does not declare."""

EXTRA_FIELD = {**JSON_FIELD, b"builder.extra": b"1"}
"""Field metadata of such a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A JSON Schema, the Arrow schema derived from it, a name and a major version.

    Two contracts are the same if name, major version and digest are; so a contract can be the key of a cache.

    Attributes:
        documents: every schema document that ``schema`` refers to, by absolute URI; nothing else is ever
            looked up.
        columns: what accepted records become; JSON columns carry ``JSON_FIELD`` as field metadata.
        outgoing: what is published in place of it; None if that is this contract itself.
        digest: SHA-256 over schema and documents, so over all that can change a verdict.
    """

    name: str
    major: int
    schema: Any = field(compare=False)
    documents: Mapping[str, Any] = field(compare=False)
    columns: pa.Schema = field(compare=False)
    digest: str
    outgoing: Contract | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """Name and major version, as recipes write them.

        >>> Contract(name="page", major=1, schema={}, documents={}, columns=None, digest="").label
        'page-1'
        """
        return f"{self.name}-{self.major}"

    def __str__(self) -> str:
        return self.label


def schema_digest(schema: Any, documents: Mapping[str, Any]) -> str:
    """Digest a schema and every document that it refers to, as canonical JSON."""
    text = canonical_text({"schema": schema, "documents": dict(documents)})
    return hashlib.sha256(text.encode()).hexdigest()


def is_json_field(arrow_field: pa.Field) -> bool:
    """Say whether a column holds JSON text."""
    return (arrow_field.metadata or {}).get(b"builder.json") == b"1"


def is_extra_field(arrow_field: pa.Field) -> bool:
    """Say whether a column holds what an open object does not declare."""
    return (arrow_field.metadata or {}).get(b"builder.extra") == b"1"
