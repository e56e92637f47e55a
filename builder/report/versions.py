"""Print the versions of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.progress.amounts import size_text
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from builder.corpus import Corpus


def print_versions(corpus: Corpus, *, as_json: bool) -> None:
    """Print one line per version, newest first."""
    rows = [_row(corpus, version) for version in reversed(corpus.versions())]
    if as_json:
        print_json({"corpus": str(corpus.path), "versions": rows})
        return
    if not rows:
        print_line(f"{corpus.path} has no version yet")
        return
    cells = [[r["version"], r["rows"], size_text(r["bytes"]), r["digest"][:12], _why(r)] for r in rows]
    print_lines(table_lines(cells, header=["version", "rows", "size", "digest", "reason"]))


def _why(row: dict[str, Any]) -> str:
    if row["dropped"]:
        return "dropped: its rows were deleted"
    text = row["reason"] if row["yanked"] is None else f"yanked: {row['yanked']}"
    return f"{counted(row['purged'], 'row')} purged; {text}" if row["purged"] else text


def _row(corpus: Corpus, version: str) -> dict[str, Any]:
    manifest = corpus.as_is(version)
    purged = corpus.purged(version)
    return {
        "version": version,
        "rows": sum(split.rows for split in manifest.splits.values()),
        "bytes": sum(split.bytes for split in manifest.splits.values()),
        "splits": {name: split.rows for name, split in manifest.splits.items()},
        "digest": corpus.digest(version),
        "parent": manifest.parent,
        "reason": manifest.reason,
        "yanked": corpus.yanked(version),
        "dropped": corpus.dropped(version),
        "purged": purged.rows if purged else 0,
    }
