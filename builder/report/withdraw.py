"""Print the results of ``yank``, ``drop`` and ``gc``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.progress.amounts import size_text
from builder.report.json_text import print_json
from builder.report.printer import print_line
from builder.report.table import counted

if TYPE_CHECKING:
    from builder.operations.withdraw import Drop, Sweep, Yank


def print_yank(done: Yank, *, as_json: bool) -> None:
    """Print whether a version is yanked, and which version the folder loads."""
    if as_json:
        print_json(
            {"corpus": done.corpus, "version": done.version, "yanked": done.because, "newest": done.newest}
        )
        return
    state = "is no longer yanked" if done.because is None else f"is yanked: {done.because}"
    loads = (
        f"load_dataset({str(done.corpus)!r}) loads {done.newest}"
        if done.newest
        else "every version is yanked"
    )
    print_line(f"{done.version} {state}; {loads}")


def print_drop(done: Drop, *, as_json: bool) -> None:
    """Print what was deleted and what stays."""
    if as_json:
        print_json(
            {
                "corpus": done.corpus,
                "version": done.version,
                "digest": done.digest,
                "shards": done.n_shards,
                "bytes": done.n_bytes,
            }
        )
        return
    shards = counted(done.n_shards, "shard") + " that no other version uses"
    print_line(f"{done.version} was dropped: {shards} deleted, {size_text(done.n_bytes)} freed")
    print_line(f"its number, manifest and ledger stay; digest {done.digest}")


def print_gc(done: Sweep, *, as_json: bool) -> None:
    """Print what was deleted, or what would be."""
    found = done.garbage
    if as_json:
        print_json(
            {
                "corpus": done.corpus,
                "removed": done.removed,
                "objects": {"count": found.n_objects, "bytes": found.object_bytes},
                "spools": {"count": found.n_spools, "bytes": found.spool_bytes},
            }
        )
        return
    what = f"{counted(found.n_objects, 'object')} and {counted(found.n_spools, 'spool')}"
    verb = "freed" if done.removed else "can be freed"
    print_line(f"{done.corpus}: {what}, {size_text(found.object_bytes + found.spool_bytes)} {verb}")
