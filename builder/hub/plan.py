"""Plan one round of publishing: compare what the Hub holds with what it should hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.corpus.names import MANIFEST
from builder.corpus.opening import CARD_BYTES, read_file
from builder.domain.version import Version
from builder.errors import Fault, PublishError, VersionError
from builder.hub.address import version_of
from builder.hub.diff import CARD, REPORT, Local, Remote, TreeChanges, compare_trees, find_obeyed
from builder.hub.hub_card import hub_card
from builder.hub.read_back import compare_files
from builder.hub.remote import MAIN
from builder.hub.result import ReadBack
from builder.hub.wanted import local_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.hub.job import PublishJob
    from builder.hub.remote import State


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPlan:
    """The plan of one round: bring ``branch`` from ``head`` to ``wanted``, and tag it."""

    branch: str
    head: str | None
    wanted: Mapping[str, Local]
    diff: TreeChanges
    tagged: str | None
    commit: str | None = None
    read: ReadBack = field(default_factory=ReadBack)

    @property
    def nothing_new(self) -> bool:
        """Whether everything is in place."""
        return self.diff.empty and self.tagged is not None


def make_plan(job: PublishJob, state: State, files: Mapping[str, Local]) -> PublishPlan:
    """Compare the files on the Hub with the files to publish.

    Raises:
        PublishError: if the state of the repository prevents publication.
    """
    _refuse_what_is_in_the_way(job, state)
    tagged = state.tags.get(job.tag)
    main = state.branches.get(MAIN)
    there = job.repository.files(main) if main else {}
    if obeyed := find_obeyed(there, job.repository.name):
        what = f"contains {obeyed[0]}, which load_dataset uses instead of the card"
        raise job.refuse(what, "delete the file on the Hub")
    on_main = _manifest_there(job, there, main)
    newest = _is_newest(job, state, on_main)
    at_tag = _files_at_tag(job, tagged, files) if tagged else {}
    if tagged and not newest:
        return PublishPlan(branch=job.aside, head=None, wanted=files, diff=TreeChanges(), tagged=tagged)
    branch, head = (MAIN, main) if newest else (job.aside, state.branches.get(job.aside, main))
    if head != main:
        there = job.repository.files(str(head))
        on_main = _manifest_there(job, there, head)
    wanted = {**files, CARD: local_file(_card(job, there, head).encode())}
    diff = compare_trees(wanted, there, ours=_ours(on_main), keep=frozenset(at_tag))
    return PublishPlan(branch=branch, head=head, wanted=wanted, diff=diff, tagged=tagged)


def _manifest_there(job: PublishJob, there: Mapping[str, Remote], commit: str | None) -> dict[str, Any]:
    """Read the manifest of a commit; return an empty dict if it has none.

    Raises:
        PublishError: if it belongs to another dataset.
    """
    if MANIFEST not in there or not commit:
        return {}
    try:
        found = json.loads(job.repository.read(MANIFEST, commit))
        name, _ = found["name"], Version.parse(found["version"])
    except (ValueError, KeyError, TypeError, VersionError):
        return {}
    if name != job.manifest.name:
        what = f"contains the dataset {name!r}, not {job.manifest.name!r}"
        raise job.refuse(what, "publish to another repository")
    return dict(found)


def _is_newest(job: PublishJob, state: State, on_main: Mapping[str, Any]) -> bool:
    """Return whether the Hub has no newer version, tagged or on ``main``."""
    others = [version for tag in state.tags if (version := version_of(tag))]
    if on_main:
        others.append(Version.parse(str(on_main["version"])))
    return all(version <= Version.parse(job.version) for version in others)


def _files_at_tag(job: PublishJob, tagged: str, files: Mapping[str, Local]) -> Mapping[str, Remote]:
    """List the files at the tag. Refuse a tag that holds another version, because tags are never moved."""
    there = job.repository.files(tagged)
    if MANIFEST not in there or not there[MANIFEST].holds(files[MANIFEST]):
        what = f"the tag {job.tag} exists and contains other files"
        raise job.refuse(what, "a published version never changes; build a new version")
    known = {path: file for path, file in files.items() if path != REPORT or path not in there}
    if faults := compare_files(known, there, where=f"{job.repository.name}@{job.tag}"):
        raise PublishError(*faults, Fault(where=job.repository.name, what="a tag is never moved"))
    return there


def _card(job: PublishJob, there: Mapping[str, Remote], head: str | None) -> str:
    known = job.repository.read(CARD, head).decode(errors="replace") if CARD in there and head else None
    sealed = read_file(job.corpus.version_folder(job.version), CARD, limit=CARD_BYTES).decode()
    return hub_card(sealed, name=job.manifest.name, repo=job.repository.name, there=known)


def _ours(manifest: Mapping[str, Any]) -> frozenset[str]:
    shards = [shard for split in manifest.get("splits", {}).values() for shard in split["shards"]]
    return frozenset(one["path"] for one in (*manifest.get("files", ()), *shards)) - {CARD}


def _refuse_what_is_in_the_way(job: PublishJob, state: State) -> None:
    if job.private and state.branches and not state.private:
        raise job.refuse(
            "is public, but --private was given", "make it private on the Hub, or name another repository"
        )
    if job.tag in state.branches:
        what = f"has a branch {job.tag}, so the tag would not be found"
        raise job.refuse(what, "delete the branch on the Hub")
