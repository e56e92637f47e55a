"""``takedown``: remove documents in a new version, and keep them out of later versions."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builder.corpus import Corpus
from builder.corpus.names import SPOOL
from builder.domain.document_ids import is_id, parse_id
from builder.domain.progress import Progress, ignore_progress
from builder.domain.url import domain
from builder.errors import CorpusError, Fault, NothingKeptError
from builder.history.past import Past
from builder.history.rebuild import open_lineage
from builder.operations.purge import purge as purge_documents
from builder.pipeline.disk import reports_disk_faults
from builder.pipeline.tombstone_filter import are_taken_down
from builder.pipeline.tombstones import STAGE, Tombstones
from builder.progress.shown import shows_progress
from builder.protocols import Columns
from builder.recipe.one_or_more import OneOrMore, as_texts
from builder.release.draft import commit_draft
from builder.release.edits import Edits, Removal
from builder.release.from_parent import VersionFromParent, no_rows
from builder.release.plan import plan_shards
from builder.removal.make_tombstones import make_tombstones, new_tombstones
from builder.removal.nearby import Nearby, find_nearby
from builder.removal.purge_scope import find_named
from builder.removal.targets import TakedownRequest, Targets, find_targets
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.manifest import Manifest
    from builder.operations.purge import PurgeResult

TAKEN_DOWN = "taken_down"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TakedownResult(Summarised):
    """The documents that were taken down, and similar documents for you to decide on.

    Attributes:
        documents: id and URL of each document that was taken down.
        merged: requested pages that were merged into a document: the URL or record id of each page, and the
            id of the document that was taken down with it.
        nearby: similar documents that stay.
        unknown: requested URLs, domains and ids that are not published. URLs and domains are kept out of
            later versions too; an id alone keeps nothing out.
        n_restated: number of records whose outcome changed.
        dry_run: whether nothing was written; ``version`` is then the newest version.
        purged: the result of the purge of older versions, if requested.
    """

    corpus: Path
    version: str
    reason: str
    digest: str
    documents: Sequence[tuple[str, str | None]]
    merged: Sequence[tuple[str, str]] = ()
    nearby: Sequence[Nearby] = ()
    unknown: Sequence[str] = ()
    n_restated: int = 0
    nothing_new: bool = False
    dry_run: bool = False
    purged: PurgeResult | None = None

    def document(self) -> dict[str, Any]:
        """Return the result as ``--json`` prints it."""
        return {
            "corpus": str(self.corpus),
            "version": self.version,
            "reason": self.reason,
            "digest": self.digest,
            "nothing_new": self.nothing_new,
            "dry_run": self.dry_run,
            "documents": [{"id": one, "url": url} for one, url in self.documents],
            "merged": [{"page": page, "id": one} for page, one in self.merged],
            "nearby": [one.document() for one in self.nearby],
            "unknown": list(self.unknown),
            "restated": self.n_restated,
            "purged": self.purged.document() if self.purged else None,
        }

    def _summary(self) -> dict[str, object]:
        return {
            "corpus": str(self.corpus),
            "version": self.version,
            "documents": len(self.documents),
            "unknown": list(self.unknown),
            "dry_run": self.dry_run,
        }


@shows_progress()
@reports_disk_faults
def takedown(
    folder: str | Path,
    *,
    urls: OneOrMore[str] = (),
    domains: OneOrMore[str] = (),
    ids: OneOrMore[str] = (),
    file: str | Path | None = None,
    because: str,
    and_near: bool = False,
    only_this: bool = False,
    purge: bool = False,
    dry_run: bool = False,
    workers: int | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> TakedownResult:
    """Write a version without some documents, and keep them out of all later versions.

    Pages that were merged into a document are taken down with it. Only the shards that have the rows are
    written again. Older versions keep the rows, unless ``purge`` is set.

    Args:
        domains: domains whose pages are taken down, with all subdomains. Later versions take no page of them.
        because: the reason, which is written to the ledger and the tombstones.
        and_near: also take down the similar documents that ``nearby`` would list.
        only_this: stop if a requested page was merged into a document that was not requested itself.
        purge: also delete the documents from all older versions, from ledgers and from the index. This
            includes requested documents that were taken down before.
        dry_run: only list what would be taken down; nothing is written.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        CorpusError: if a requested URL, domain or id is not valid, or ``only_this`` stops the takedown.
        NothingKeptError: if no row would be left.
        LockedError: if another builder process works on this corpus.

    >>> takedown("my-corpus/corpus", urls="https://example.org/tides", because="asked by the author").version
    '2.0.0'
    """
    request = TakedownRequest.parse(
        urls=as_texts(urls), domains=as_texts(domains), ids=as_texts(ids), file=file
    )
    corpus = Corpus(folder)
    with corpus.lock():
        request = request.under(corpus.manifest(corpus.newest()).url_rules)
        result = _take_down(
            corpus,
            request,
            because,
            and_near=and_near,
            only_this=only_this,
            dry_run=dry_run,
            workers=workers,
            advance=advance,
        )
        if dry_run or not purge:
            return result
        named, records = find_named(corpus, request)
        documents = {one for one, _ in result.documents} | named
        purged = purge_documents(
            corpus, document_ids=documents, record_ids=records, workers=workers or 1, advance=advance
        )
        return replace(result, purged=purged)


def _take_down(
    corpus: Corpus,
    request: TakedownRequest,
    because: str,
    *,
    and_near: bool,
    only_this: bool,
    dry_run: bool,
    workers: int | None,
    advance: Progress,
) -> TakedownResult:
    with tempfile.TemporaryDirectory(dir=corpus.path / SPOOL, prefix="takedown-") as name:
        newest = corpus.newest()
        text_column = Columns.of_manifest(corpus.manifest(newest)).text
        past = Past(open_lineage(corpus, newest, folder=Path(name)), text_column)
        targets = find_targets(past.lineage, request)
        if only_this and targets.merged:
            raise CorpusError(*map(_not_only_this, targets.merged))
        documents = dict(targets.documents)
        nearby = find_nearby(past, documents)
        if and_near:
            documents |= {parse_id(one.id): one.url for one in nearby}
        left = [] if and_near else nearby
        if dry_run:
            manifest = corpus.manifest(newest)
            return replace(_result(corpus, manifest, targets, documents, left), dry_run=True)
        tombstones = Tombstones.parse(corpus.tombstones()) or new_tombstones()
        extended = make_tombstones(tombstones, past, documents, request=request, because=because)
        if len(extended.entries) == len(tombstones.entries) and not documents:
            return _result(corpus, corpus.manifest(newest), targets, {}, nearby, nothing_new=True)
        removal = Removal(outcome="rejected", stage=STAGE, reason=TAKEN_DOWN, message=because)
        edits = Edits(
            removed=dict.fromkeys(documents, removal),
            retired=tuple(past.represented_by(set(documents)).tolist()),
        )
        plan = plan_shards(no_rows(list(past.lineage.manifest.splits)), lineage=past.lineage, edits=edits)
        if not plan.shards:
            raise NothingKeptError(Fault(where=str(corpus.path), what="the takedown would leave no row"))
        from_parent = VersionFromParent(past=past, edits=edits, plan=plan, folder=Path(name))
        draft = from_parent.draft(
            tombstones=extended,
            workers=workers or 1,
            advance=advance,
            kept_out=_count_kept_out(tombstones, targets),
        )
        manifest = commit_draft(corpus, draft)
        restated = draft.facts["counts"]["restated"]
        return _result(corpus, manifest, targets, documents, left, n_restated=restated)


def _count_kept_out(before: Tombstones, targets: Targets) -> int:
    """Count the requested URLs and domains without a published row that nothing kept out before."""
    named = [one for one in targets.unknown if not is_id(one)]
    urls = [one for one in named if "/" in one]
    domains = [one for one in named if "/" not in one]
    hosts = [*domains, *(domain(url) for url in urls)]
    n_known = int(np.sum(are_taken_down(before, urls) | before.match_hosts(hosts[len(domains) :])))
    return len(named) - n_known - int(np.sum(before.match_hosts(domains)))


def _not_only_this(merged: tuple[dict[str, Any], bytes]) -> Fault:
    row, key = merged
    what = f"was merged into {key.hex()}, which would be taken down with it"
    return Fault(
        where=row["url"] or row["record_id"],
        what=what,
        advice="name both pages, or neither",
    )


def _result(
    corpus: Corpus,
    manifest: Manifest,
    targets: Targets,
    documents: dict[bytes, str | None],
    nearby: Sequence[Nearby],
    *,
    n_restated: int = 0,
    nothing_new: bool = False,
) -> TakedownResult:
    return TakedownResult(
        corpus=corpus.path,
        version=manifest.version,
        reason=manifest.reason,
        digest=manifest.digest,
        documents=[(key.hex(), url) for key, url in documents.items()],
        merged=[(row["url"] or row["record_id"], key.hex()) for row, key in targets.merged],
        nearby=nearby,
        unknown=targets.unknown,
        n_restated=n_restated,
        nothing_new=nothing_new,
    )
