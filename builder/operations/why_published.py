"""``why`` without a ledger: find a page among the published documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.url import canonical_url
from builder.protocols import Columns

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from builder.corpus import Corpus


def find_published(corpus: Corpus, version: str, page: str) -> list[dict[str, Any]]:
    """Look a page up by document id, URL or canonical URL in the shards of a version; keep their order."""
    manifest = corpus.manifest(version)
    rules = manifest.url_rules
    canonical = canonical_url(page, rules)
    url_column = Columns.of_manifest(manifest).url
    return [
        {"document_id": row["id"], "url": row.get("url"), "split": split, "shard": shard.path}
        for split, shard in manifest.shards()
        for row in _rows(corpus.version_file(version, shard.path), url_column, page, canonical, rules)
    ]


def _rows(
    path: Path, url_column: str | None, page: str, canonical: str | None, rules: int
) -> list[dict[str, Any]]:
    """Return ``id`` and ``url`` of each row of a shard that is the page."""
    id_column = pq.read_schema(path).names[0]
    table = pq.read_table(path, columns=[id_column, *([url_column] if url_column else [])])
    table = table.rename_columns(["id", "url"][: table.num_columns])
    rows: list[dict[str, Any]] = table.filter(_named(table, page, canonical)).to_pylist()
    return [row for row in rows if _is(row, page, canonical, rules)]


def _named(table: pa.Table, page: str, canonical: str | None) -> Any:
    """Return a mask of the rows that may be the page: equal id, equal URL, or the same host."""
    found = pc.equal(table["id"], page)
    if "url" in table.column_names and str(table.schema.field("url").type) == "string":
        found = pc.or_(found, pc.fill_null(pc.equal(table["url"], page), False))
        if canonical:
            host = canonical.split("/")[2].split(":")[0]
            same_host = pc.match_substring(table["url"], host, ignore_case=True)
            found = pc.or_(found, pc.fill_null(same_host, False))
    return found


def _is(row: dict[str, Any], page: str, canonical: str | None, rules: int) -> bool:
    url = row.get("url")
    if page in (row["id"], url):
        return True
    return canonical is not None and url is not None and canonical_url(url, rules) == canonical
