"""Define the tables of the audit: outcomes of records, and what sources noted of sites and crawlers."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD, RECORD_FIELD
from builder.domain.rejection import FAULT_TYPE

OUTCOMES = ("kept", "rejected", "merged", "failed")

LEDGER_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("stage", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("pointer", pa.string()),
        pa.field("value", pa.string()),
        pa.field("limit", pa.string()),
        pa.field("message", pa.string()),
        pa.field("document_id", pa.string()),
        pa.field("kept_id", pa.string()),
        pa.field("merged_into", pa.string()),
        pa.field("similarity", pa.float64()),
        pa.field("split", pa.string()),
        pa.field("shard", pa.string()),
    ]
)
"""``ledger.parquet``: exactly one row for each record that was read, in the order of the build.

``stage`` and ``reason`` are null for kept records; ``split`` and ``shard`` (the path below the version's
folder) are null for all others. ``merged_into`` is the document that the record was compared with, and
``similarity`` is the similarity of that pair. ``kept_id`` is the published document that represents the
record in the end; it is null if a later stage rejected that document.
"""

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("faults", pa.list_(FAULT_TYPE)),
        pa.field("record", pa.large_binary()),
    ]
)
"""``rejected.parquet``: the original records that a contract rejected or a reader failed on, to be fixed.

The ledger shows the first fault.
"""

CLUSTERS_SCHEMA = pa.schema(
    [
        pa.field("kept_id", pa.string()),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("merged_into", pa.string(), nullable=False),
        pa.field("similarity", pa.float64()),
    ]
)
"""``clusters.parquet``: one row for each merged record; the rows with one ``kept_id`` form a cluster.

Rows are in the order of the build. ``merged_into`` and ``similarity`` are the values of the ledger: they
belong to the pair that was compared. ``merged_into`` differs from ``kept_id`` if a later stage merged that
document into another one. ``kept_id`` is null if a later stage rejected that document.
"""

SITE_RECORDS = "site_records"
CRAWLERS = "crawlers"

MAX_SITE_RECORD_BYTES = 500 << 10
"""Bytes of a site record that are kept: those that RFC 9309 asks a crawler to read at least."""

NOTED_SCHEMAS = {
    SITE_RECORDS: pa.schema(
        [
            RECORD_FIELD,
            pa.field("host", pa.string()),
            pa.field("url", pa.string(), nullable=False),
            pa.field("fetched_at", pa.string()),
            pa.field("status", pa.int64()),
            pa.field("content_type", pa.string()),
            pa.field("headers", pa.string()),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("body", pa.large_binary(), nullable=False),
        ]
    ),
    CRAWLERS: pa.schema(
        [
            RECORD_FIELD,
            pa.field("written_at", pa.string()),
            pa.field("software", pa.string()),
            pa.field("user_agent", pa.string()),
            pa.field("robots", pa.string()),
        ]
    ),
}
"""The columns of each table, as sources note them."""


OPT_OUT = "opt_out"

OPT_OUT_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("signal", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("answer", pa.string(), nullable=False),
        pa.field("token", pa.string()),
        pa.field("counts", pa.bool_(), nullable=False),
        pa.field("text", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("at", pa.string()),
        pa.field("site_record", pa.string()),
        pa.field("is_later", pa.bool_(), nullable=False),
    ]
)
"""``opt_out.parquet``: one row for each signal that was found for a page, in the order of the build.

``answer`` is ``no``, ``yes`` or ``unknown``; ``counts`` says whether the policy counts the signal. ``text``
is the line, header or tag as it came, ``line`` its number in a file. ``at`` is the time of the fetch of what
has the signal, and ``site_record`` the record of a file of the site. ``is_later`` says that this file was
fetched after the page.
"""


def audit_schema(name: str) -> pa.Schema:
    """Return the columns of ``NAME.parquet`` in the audit: id, source and path of the record, its facts."""
    record = [pa.field(one, pa.string(), nullable=False) for one in ("record_id", "source", "path")]
    return pa.schema([*record, *list(NOTED_SCHEMAS[name])[1:]])


def audit_table(name: str, noted: pa.Table) -> pa.Table:
    """Convert rows of ``NOTED_SCHEMAS`` to rows of the audit file."""
    record = noted.column(RECORD)
    columns = {"record_id": pc.struct_field(record, "id")}
    columns |= {one: pc.struct_field(record, one) for one in ("source", "path")}
    columns |= {one: noted.column(one) for one in NOTED_SCHEMAS[name].names[1:]}
    schema = audit_schema(name)
    return pa.table([columns[one] for one in schema.names], schema=schema)
