"""Print the result of a takedown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.domain.document_ids import is_id
from builder.report.json_text import print_json
from builder.report.printer import print_lines
from builder.report.table import counted, table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.operations.purge import PurgeResult
    from builder.operations.takedown import TakedownResult

MAX_LINES = 20
"""Maximum number of documents to show of each kind; ``--json`` lists all."""


_UNKNOWN_IDS = "not published; an id alone keeps nothing out, so name the page by its URL as well:"


def print_takedown(result: TakedownResult, *, as_json: bool, lost_reports: Sequence[str] = ()) -> None:
    """Print what was taken down, as text or as one JSON document.

    Args:
        lost_reports: reports in the corpus folder that a purge deleted, and that could not be written again.
    """
    if as_json:
        print_json(result.document())
        return
    print_lines([*_lines(result), *_report_lines(result, lost_reports)])


def _lines(result: TakedownResult) -> Iterator[str]:
    if result.dry_run:
        yield f"{result.corpus} {result.version}: a trial, nothing was written"
        yield f"{counted(len(result.documents), 'document')} would be taken down"
    elif result.nothing_new:
        yield f"nothing new: this is already taken down in {result.corpus} {result.version}"
    else:
        yield f"{result.corpus} {result.version}  {result.reason}"
        taken = f"{counted(len(result.documents), 'document')} taken down"
        in_all = f"{counted(result.n_restated, 'record')} in all"
        yield f"{taken}, {in_all}" if result.documents else "no published document was taken down"
    yield from _list([[one, url or ""] for one, url in result.documents], header=["document", "url"])
    if result.merged:
        verb = "which would be removed" if result.dry_run else "removed"
        yield f"merged pages, {verb} with the document they were merged into:"
        yield from _list([[page, one] for page, one in result.merged], header=["page", "document"])
    verb = "would reject" if result.dry_run else "reject"
    for ids, text in (
        (False, f"no published page has this URL; later builds {verb} it:"),
        (True, _UNKNOWN_IDS),
    ):
        if unknown := [[one] for one in result.unknown if is_id(one) == ids]:
            yield text
            yield from _list(unknown, header=["asked for"])
    if result.nearby:
        yield "near-duplicates at other URLs, which stay:"
        rows = [[f"{one.similarity:.3f}", one.id, one.url or ""] for one in result.nearby]
        yield from _list(rows, header=["similarity", "document", "url"])
    if result.purged:
        yield from _purged_lines(result.purged)


def _purged_lines(purged: PurgeResult) -> Iterator[str]:
    rows = ", ".join(f"{version} {n:,}" for version, n in purged.rows.items())
    yield f"purged {counted(sum(purged.rows.values()), 'row')}" + (f" ({rows})" if rows else "")
    yield f"{counted(purged.n_records, 'record')} removed from ledgers and index; unfinished builds deleted"
    if not purged.rows:
        return
    yield "if you published these versions to the Hub, the Hub still holds the rows"
    yield f"  at {'the tag' if len(purged.rows) == 1 else 'the tags'} {', '.join(purged.hub_tags)},"
    yield "  in the files below. This code deletes them permanently from every revision:"
    yield "    api = huggingface_hub.HfApi()"
    yield '    files = api.list_lfs_files("USER/NAME", repo_type="dataset")'
    yield "    gone = [file for file in files if file.file_oid in OLD_SHARDS]"
    yield '    api.permanently_delete_lfs_files("USER/NAME", gone, repo_type="dataset")'
    yield from (f"  {one}" for one in purged.old_shards[:MAX_LINES])
    if (left := len(purged.old_shards) - MAX_LINES) > 0:
        yield f"  {left:,} more (use --json to list all)"
    yield "  Then delete these tags, because they can no longer be loaded."


def _report_lines(result: TakedownResult, lost: Sequence[str]) -> Iterator[str]:
    """List the reports that a purge deleted or wrote again."""
    if result.purged is None:
        return
    written = [one.name for one in result.purged.reports if one.name not in lost]
    if written:
        yield f"{counted(len(written), 'report')} in the corpus folder written again: {', '.join(written)}"
    if lost:
        yield f"{counted(len(lost), 'report')} deleted from the corpus folder: {', '.join(lost)}"
    yield "reports outside of the corpus folder are not changed: write them again with builder report"


def _list(rows: list[list[str]], *, header: list[str]) -> Iterator[str]:
    if rows:
        yield from table_lines(rows[:MAX_LINES], header=header)
    if (left := len(rows) - MAX_LINES) > 0:
        yield f"{left:,} more (use --json to list all)"
