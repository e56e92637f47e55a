"""``publish``: a version goes to the Hub in one commit and one tag, and is read back.

Each round looks at what is there and does what is missing, so a round that was cut short, by a fault, by
Ctrl-C or by a kill, is mended by the next, and a round that finds everything in place does nothing.
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
from builder.hub.diff import CARD, SEALED_CARD
from builder.hub.guard import check_version
from builder.hub.job import PublishJob
from builder.hub.plan import make_plan
from builder.hub.remote import MAIN, Repository, State
from builder.hub.result import PublishResult
from builder.hub.retry_policy import RetryPolicy, network_errors
from builder.hub.wanted import wanted_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from builder.errors import Fault
    from builder.hub.diff import Local
    from builder.hub.plan import PublishPlan


def publish(
    address: str | Path,
    repo: str,
    *,
    dry_run: bool = False,
    private: bool = False,
    token: str | None = None,
    with_ledger: bool = False,
    every_row: bool = False,
    advance: Progress = ignore_progress,
    retry_policy: RetryPolicy | None = None,
) -> PublishResult:
    """Publish a version of a corpus (the newest if none is named) to a dataset repository on the Hub.

    Whoever loads the dataset meanwhile gets the old version or the new one. ``main`` is always the newest
    version; an older one gets its tag only. A tag is never moved. What is published already is only read
    back. Nothing but the version's folder leaves the machine.

    Args:
        repo: ``USER/NAME``; it is made if it is not there.
        dry_run: only tell what would be done.
        private: make the repository a private one, and refuse one that is not.
        token: for the Hub; else the clients' own login counts.
        with_ledger: publish ledger and clusters too, with the URLs of pages that were rejected.
        every_row: read back every row, not only the first and last row group of each shard.
        retry_policy: what is borne of the Hub and the line to it.

    Raises:
        CorpusError: if there is no such version, or it is not as it was sealed.
        PublishError: if it is not fit to be published, or the repository holds something else.
        HubError: if the Hub is out of reach or refuses; the same call goes on from there.
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
        every_row=every_row,
        dry_run=dry_run,
        advance=advance,
        retry_policy=retry_policy or RetryPolicy(),
    )
    warnings = _guard(job)
    with quiet():
        return replace(_persist(job, _hash(job)), warnings=warnings)


@contextmanager
def quiet() -> Iterator[None]:
    """Show no bars of the clients' own; what goes on is told by ``advance``."""
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
    """Do not publish what would not load; return the warnings."""
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

    return wanted_files(job.corpus, job.version, with_ledger=job.with_ledger, hashed=hashed)


def _persist(job: PublishJob, files: Mapping[str, Local]) -> PublishResult:
    """Go round until everything is in place, or a fault does not pass."""
    while True:
        try:
            return _round(job, files)
        except network_errors() as error:
            if not job.retry_policy.should_retry(error):
                raise HubError(job.repository.fault(error)) from None


def _round(job: PublishJob, files: Mapping[str, Local]) -> PublishResult:
    """Look, do what is missing, read back."""
    state = job.repository.look()
    if state is None and not job.dry_run:
        job.repository.create(private=job.private)
        state = job.repository.look()
        if state is None:
            raise ConnectionError("the repository was made and is not there")
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
