"""Write what sources noted and counted: ``site_records``, ``crawlers`` and ``domains`` in the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.domain.hosts.domain_counts import DOMAINS, DOMAINS_SCHEMA, merge_counts
from builder.domain.ledger import NOTED_SCHEMAS, audit_schema, audit_table
from builder.pipeline.tombstone_filter import are_taken_down

if TYPE_CHECKING:
    from pathlib import Path

    from builder.pipeline.context import BuildContext
    from builder.pipeline.run import ChainResult
    from builder.pipeline.tombstones import Tombstones


def write_noted(folder: Path, context: BuildContext, chain_result: ChainResult) -> list[Path]:
    """Write one file for each table of ``NOTED_SCHEMAS``, in the order of the build, whatever ``audit`` says.

    Rows of URLs and hosts that were taken down are left out.
    """
    paths = []
    for name in NOTED_SCHEMAS:
        paths.append(folder / f"{name}.parquet")
        with pq.ParquetWriter(paths[-1], audit_schema(name), compression="zstd") as writer:
            for part in chain_result.first.parts:
                if name in part.files:
                    table = audit_table(name, part.table(name))
                    if context.tombstones and "url" in table.column_names:
                        table = table.filter(pa.array(~_is_tombstoned(table, context.tombstones)))
                    writer.write_table(table)
    return paths


def write_domains(folder: Path, context: BuildContext, chain_result: ChainResult) -> Path:
    """Write the pages, bytes and dates of each registrable domain and source, sorted by both.

    Domains that were taken down are left out.
    """
    parts = (part for part in chain_result.first.parts if DOMAINS in part.files)
    counts = merge_counts(part.table(DOMAINS) for part in parts)
    if context.tombstones:
        hosts = counts["domain"].fill_null("").to_pylist()
        counts = counts.filter(pa.array(~context.tombstones.match_hosts(hosts)))
    path = folder / f"{DOMAINS}.parquet"
    with pq.ParquetWriter(path, DOMAINS_SCHEMA, compression="zstd") as writer:
        writer.write_table(counts)
    return path


def _is_tombstoned(table: pa.Table, tombstones: Tombstones) -> np.ndarray:
    """Return bool[n_rows]: the rows whose URL or host was taken down."""
    hosts = tombstones.match_hosts(table["host"].to_pylist())
    return np.asarray(are_taken_down(tombstones, table["url"].to_pylist()) | hosts)
