"""``publish``: upload a version to the Hub in one commit with one tag, and read it back.

Each round looks at what is on the Hub and does what is missing. If a round is interrupted, by a fault, by
Ctrl-C or by a kill, the next round completes it. A round that finds everything in place does nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from builder.corpus import Corpus, split_address
from builder.domain.progress import Progress, ignore_progress
from builder.errors import HubError, PublishError
from builder.hub.address import check_repo
from builder.hub.apply_plan import apply_plan
from builder.hub.diff import CARD, REPORT, SEALED_CARD
from builder.hub.guard import check_version
from builder.hub.job import PublishJob
from builder.hub.plan import make_plan
from builder.hub.remote import MAIN, Repository, State
from builder.hub.result import PublishResult
from builder.hub.retry_policy import RetryPolicy, network_errors
from builder.hub.wanted import local_file, refuse_private, wanted_files
from builder.pipeline.disk import reports_disk_faults
from builder.progress.shown import shows_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from builder.errors import Fault
    from builder.hub.diff import Local
    from builder.hub.plan import PublishPlan


@shows_progress()
@reports_disk_faults
def publish(
    address: str | PathLike[str],
    repo: str,
    *,
    dry_run: bool = False,
    private: bool = False,
    token: str | None = None,
    with_ledger: bool = False,
    with_signals: bool = False,
    report: bytes | None = None,
    every_row: bool = False,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
    retry_policy: RetryPolicy | None = None,
) -> PublishResult:
    """Publish a version of a corpus (default: the newest) to a dataset repository on the Hub.

    Anyone who loads the dataset meanwhile gets the old version or the new one. ``main`` always points to the
    newest version; an older version gets only its tag. A tag is never moved. A version that is already
    published is only read back. Nothing but the version's folder leaves the machine.

    Args:
        repo: ``USER/NAME``; created if it does not exist.
        dry_run: only return what would be done.
        private: create a private repository, and refuse a public one.
        token: access token; the default is the Hub client's own login.
        with_ledger: also publish ledger and clusters, with the URLs of rejected pages.
        with_signals: also publish the signals of all rows, if the recipe has the stage ``signals``.
        report: also publish this page, which must be the public report of the version.
        every_row: read back every row, not only the first and last row group of each shard.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.
        retry_policy: how often and how long to retry transient failures.

    Raises:
        CorpusError: if the version does not exist, or differs from its seal.
        PublishError: if it is not fit to be published, or the repository contains something else.
        HubError: if the Hub cannot be reached or refuses; call again to resume.

    >>> publish("my-corpus/corpus", "harbour/tides").tag
    'v1.0.0'
    """
    folder, number = split_address(address)
    corpus = Corpus(folder)
    version = number or corpus.newest()
    job = PublishJob(
        corpus=corpus,
        version=version,
        manifest=corpus.manifest(version),
        repository=Repository(check_repo(repo), token=token),
        private=private,
        with_ledger=with_ledger,
        with_signals=with_signals,
        report=report,
        every_row=every_row,
        dry_run=dry_run,
        advance=advance,
        retry_policy=retry_policy or RetryPolicy(),
    )
    if report is not None:
        refuse_private(report, job.manifest)
    warnings = _guard(job)
    with quiet():
        return replace(_persist(job, _hash(job)), warnings=warnings)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the Hub client's own progress bars; ``advance`` reports progress."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


def _guard(job: PublishJob) -> tuple[Fault, ...]:
    """Refuse a version that would not load; return the warnings."""
    check = check_version(f"{job.corpus.path}@{job.version}", advance=job.advance)
    if check.faults:
        raise PublishError(*check.faults)
    return tuple(check.warnings)


def _hash(job: PublishJob) -> dict[str, Local]:
    total = sum(file.bytes for file in job.manifest.files) + sum(s.bytes for _, s in job.manifest.shards())
    done = 0

    def hashed(n_bytes: int) -> None:
        nonlocal done
        done += n_bytes
        job.advance("hash", done=done, total=total, unit="bytes")

    files = wanted_files(
        job.corpus,
        job.version,
        with_ledger=job.with_ledger,
        with_signals=job.with_signals,
        hashed=hashed,
    )
    return files if job.report is None else {**files, REPORT: local_file(job.report)}


def _persist(job: PublishJob, files: Mapping[str, Local]) -> PublishResult:
    """Run rounds until everything is in place, or until the retry policy gives up."""
    while True:
        try:
            return _round(job, files)
        except network_errors() as error:
            if not job.retry_policy.should_retry(error):
                raise HubError(job.repository.fault(error)) from None


def _round(job: PublishJob, files: Mapping[str, Local]) -> PublishResult:
    """Look at the repository, do what is missing, and read back."""
    state = job.repository.look()
    if state is None and not job.dry_run:
        job.repository.create(private=job.private)
        state = job.repository.look()
        if state is None:
            raise ConnectionError("the repository was created but cannot be found")
    state = state or State()
    plan = make_plan(job, state, files)
    return _result(job, plan if job.dry_run else apply_plan(job, state, plan))


def _result(job: PublishJob, plan: PublishPlan) -> PublishResult:
    card = plan.wanted.get(CARD, plan.wanted[SEALED_CARD]).content
    text = card.decode() if isinstance(card, bytes) else card.read_text(encoding="utf-8")
    diff = job.tried[0] if job.tried else plan.diff
    return PublishResult(
        repo=job.repository.name,
        version=job.version,
        digest=job.manifest.digest,
        tag=job.tag,
        url=f"{job.repository.url}/tree/{job.tag}",
        main=plan.branch == MAIN,
        dry_run=job.dry_run,
        nothing_new=plan.nothing_new and not job.tried,
        commit=plan.commit or plan.tagged,
        add=diff.add,
        copy=diff.copy,
        delete=diff.delete,
        left_alone=diff.left_alone,
        read_back=plan.read,
        card=text if job.dry_run else None,
    )
