"""Define a contract: the rules that a record must meet, and the columns that it becomes."""

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
"""The base URI of relative references in a contract; no host with this name can exist (RFC 2606)."""

ROOT_URI = HERE + "-"
"""The schema's own URI. No file has this name, so a schema can refer to itself by its file name."""

OUTSIDE = "https://contract.invalid/"
"""The start of the URI of a relative reference that leads out of the schema's folder."""

EXTRA = "extra"
"""The name of the column or struct field that holds the undeclared members of an open object."""

EXTRA_FIELD = {**JSON_FIELD, b"builder.extra": b"1"}
"""The field metadata of a column or field ``extra``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A JSON Schema, the Arrow schema derived from it, a name and a major version.

    Two contracts are equal if their names, major versions and digests are equal, so a contract can be the key
    of a cache.

    Attributes:
        documents: every schema document that ``schema`` refers to, by absolute URI; no other document is
            ever looked up.
        columns: the columns of accepted records; JSON columns have the field metadata ``JSON_FIELD``.
        outgoing: the contract of the published rows; None if it is this contract.
        digest: SHA-256 over schema and documents, so over everything that can change a verdict.
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
    """Return the SHA-256 of a schema and of every document that it refers to, as canonical JSON."""
    text = canonical_text({"schema": schema, "documents": dict(documents)})
    return hashlib.sha256(text.encode()).hexdigest()


def is_json_field(arrow_field: pa.Field) -> bool:
    """Return whether a column holds JSON text."""
    return (arrow_field.metadata or {}).get(b"builder.json") == b"1"


def is_extra_field(arrow_field: pa.Field) -> bool:
    """Return whether a column holds the undeclared members of an open object."""
    return (arrow_field.metadata or {}).get(b"builder.extra") == b"1"
