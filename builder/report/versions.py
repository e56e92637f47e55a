"""Print the versions of a corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.progress.amounts import size_text
from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest


_HEADER = ("version", "rows", "change", "size", "change", "digest", "reason")


def print_versions(corpus: Corpus, *, as_json: bool) -> None:
    """Print one line for each version, newest first, with its change against the version before."""
    rows = [_row(corpus, version) for version in reversed(corpus.versions())]
    if as_json:
        print_json({"corpus": str(corpus.path), "versions": rows})
        return
    if not rows:
        print_line(f"{corpus.path} has no version yet")
        return
    print_lines(table_lines([_cells(one) for one in rows], header=_HEADER))


def _cells(row: dict[str, Any]) -> list[object]:
    return [
        row["version"],
        row["rows"],
        _rows_change(row["rows_change"]),
        size_text(row["bytes"]),
        _bytes_change(row["bytes_change"]),
        row["digest"][:12],
        _why(row),
    ]


def _rows_change(change: int | None) -> str:
    return "" if change is None else f"{change:+,}" if change else "0"


def _bytes_change(change: int | None) -> str:
    if not change:
        return "" if change is None else "0"
    return ("+" if change > 0 else "-") + size_text(abs(change))


def _why(row: dict[str, Any]) -> str:
    if row["dropped"]:
        return "dropped: its rows were deleted"
    text = row["reason"] if row["yanked"] is None else f"yanked: {row['yanked']}"
    return f"{counted(row['purged'], 'row')} purged; {text}" if row["purged"] else text


def _row(corpus: Corpus, version: str) -> dict[str, Any]:
    manifest = corpus.as_is(version)
    purged = corpus.purged(version)
    rows, n_bytes = _size(manifest)
    before = manifest.parent["version"] if manifest.parent else None
    before = before if before in corpus.versions() else None
    old_rows, old_bytes = _size(corpus.as_is(before)) if before else (None, None)
    return {
        "version": version,
        "rows": rows,
        "rows_change": None if old_rows is None else rows - old_rows,
        "bytes": n_bytes,
        "bytes_change": None if old_bytes is None else n_bytes - old_bytes,
        "splits": {name: split.rows for name, split in manifest.splits.items()},
        "digest": corpus.digest(version),
        "parent": manifest.parent,
        "reason": manifest.reason,
        "yanked": corpus.yanked(version),
        "dropped": corpus.dropped(version),
        "purged": purged.rows if purged else 0,
    }


def _size(manifest: Manifest) -> tuple[int, int]:
    """Return the rows and the bytes of a version."""
    splits = manifest.splits.values()
    return sum(split.rows for split in splits), sum(split.bytes for split in splits)
