"""Apply the plan of one round of publishing: commit, tag, read back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.errors import PublishError
from builder.hub.diff import CARD
from builder.hub.read_back import compare_files, read_back

if TYPE_CHECKING:
    from builder.hub.job import PublishJob
    from builder.hub.plan import PublishPlan
    from builder.hub.remote import State
    from builder.hub.result import ReadBack


def apply_plan(job: PublishJob, state: State, plan: PublishPlan) -> PublishPlan:
    """Commit, tag and read back; return the plan with the commit and what was read back."""
    commit = plan.head
    aside = plan.branch == job.aside
    if aside and not plan.tagged and job.aside not in state.branches:
        job.repository.branch(job.aside, str(plan.head))
    if not plan.nothing_new:
        job.tried.append(plan.diff)
    if not plan.diff.empty:
        commit = _commit(job, plan)
    if not plan.tagged:
        job.repository.tag(job.tag, str(commit), message=job.manifest.reason)
    if aside and (not plan.tagged or job.aside in state.branches):
        job.repository.drop_branch(job.aside)
    tagged = plan.tagged or str(commit)
    return replace(plan, commit=tagged, read=_read_back(job, tagged, plan))


def _commit(job: PublishJob, plan: PublishPlan) -> str:
    total = sum(one.bytes for one in plan.diff.add)
    done = 0

    def arrived(n_bytes: int) -> None:
        nonlocal done
        done += n_bytes
        job.retry_policy.reset()
        job.advance("upload", done=done, total=total, unit="bytes")

    message = f"Version {job.version}\n{job.manifest.reason}\n\nDigest {job.manifest.digest}"
    return job.repository.commit(
        plan.diff, plan.wanted, branch=plan.branch, parent=str(plan.head), message=message, advance=arrived
    )


def _read_back(job: PublishJob, commit: str, plan: PublishPlan) -> ReadBack:
    wanted = {path: file for path, file in plan.wanted.items() if path != CARD or not plan.tagged}
    where = f"{job.repository.name}@{job.tag}"
    if faults := compare_files(wanted, job.repository.files(commit), where=where):
        raise PublishError(*faults)
    n_shards = sum(1 for _ in job.manifest.shards())

    def advance(done: int) -> None:
        job.advance("read back", done=done, total=n_shards, unit="shards")

    folder = job.corpus.version_folder(job.version)
    read = read_back(job.repository, commit, job.manifest, folder, every_row=job.every_row, advance=advance)
    return replace(read, files=len(wanted))
