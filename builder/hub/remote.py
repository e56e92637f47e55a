"""A dataset repository on the Hub: what is there, and the few things that are done to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, PublishError
from builder.hub.diff import Local, Remote, TreeChanges
from builder.hub.retry_policy import is_of_the_disk, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MAIN = "main"
CONFLICT = 409
_BATCH_FILES = 50
_BATCH_BYTES = 256 << 20
_KIND = "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Branches and tags of a repository, each with its commit."""

    branches: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    private: bool = False


class Repository:
    """One repository, through the clients' own library; the token goes there and nowhere else."""

    def __init__(self, name: str, *, token: str | None = None) -> None:
        from huggingface_hub import HfApi

        self.name = name
        self.url = ""
        self._token = token
        self._api = HfApi(token=token)
        self.url = f"{self._api.endpoint}/datasets/{name}"

    # -- what is there -----------------------------------------------------------------------------

    def look(self) -> State | None:
        """Read branches and tags; None if there is no such repository, or it is not shown."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            refs = self._api.list_repo_refs(self.name, repo_type=_KIND)
            private = bool(self._api.dataset_info(self.name).private)
        except RepositoryNotFoundError:
            return None
        return State(
            branches={one.name: one.target_commit for one in refs.branches},
            tags={one.name: one.target_commit for one in refs.tags},
            private=private,
        )

    def files(self, commit: str) -> dict[str, Remote]:
        """List the files of a commit."""
        from huggingface_hub import RepoFile

        tree = self._api.list_repo_tree(self.name, recursive=True, revision=commit, repo_type=_KIND)
        return {
            one.path: Remote(
                git_oid=one.blob_id, sha256=one.lfs.sha256 if one.lfs else None, bytes=int(one.size)
            )
            for one in tree
            if isinstance(one, RepoFile)
        }

    def read(self, path: str, commit: str) -> bytes:
        """Read a small file."""
        return self.download(path, commit).read_bytes()

    def download(self, path: str, commit: str, *, into: Path | None = None) -> Path:
        """Download a file, into the clients' cache or a folder; what was begun goes on."""
        found = self._api.hf_hub_download(
            self.name, path, repo_type=_KIND, revision=commit, local_dir=str(into) if into else None
        )
        return Path(found)

    def open(self, path: str, commit: str) -> Any:
        """Open a file for reading here and there; only what is read comes over the wire."""
        from huggingface_hub import HfFileSystem

        system = HfFileSystem(token=self._token, skip_instance_cache=True)
        return system.open(f"datasets/{self.name}@{commit}/{path}", "rb", block_size=1 << 20)

    # -- what is done ------------------------------------------------------------------------------

    def create(self, *, private: bool) -> None:
        """Make the repository, if nobody has.

        A conflict may say that it is there, or that the Hub is busy; who looks again finds out which.
        """
        from huggingface_hub.errors import HfHubHTTPError

        try:
            self._api.create_repo(self.name, repo_type=_KIND, private=private or None)
        except HfHubHTTPError as error:
            if status_of(error) != CONFLICT:
                raise

    def commit(
        self,
        diff: TreeChanges,
        wanted: Mapping[str, Local],
        *,
        branch: str,
        parent: str,
        message: str,
        advance: Callable[[int], None],
    ) -> str:
        """Send what is new, a batch at a time, then make one commit of it all, and return its id.

        Args:
            parent: the commit that the diff is against; if the branch has moved on, nothing is done.
            advance: told the bytes of each batch that has arrived.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

        adds = [
            CommitOperationAdd(
                one.path, str(found) if isinstance(found := wanted[one.path].content, Path) else found
            )
            for one in diff.add
        ]
        for batch in _batches(adds, [one.bytes for one in diff.add]):
            # a .gitignore that people put there must not keep shards out without a word
            self._api.preupload_lfs_files(
                self.name,
                batch,
                repo_type=_KIND,
                revision=branch,
                free_memory=False,
                gitignore_content="",
            )
            advance(sum(wanted[op.path_in_repo].bytes for op in batch))
        copies = [CommitOperationCopy(one.source, one.path, src_revision=parent) for one in diff.copy]
        deletions = [CommitOperationDelete(path, is_folder=False) for path in diff.delete]
        title, _, text = message.partition("\n")
        try:
            done = self._api.create_commit(
                self.name,
                [*deletions, *copies, *adds],
                commit_message=title,
                commit_description=text.strip(),
                repo_type=_KIND,
                revision=branch,
                parent_commit=parent,
            )
        except ValueError as error:  # what the Hub has against the card
            raise PublishError(Fault(where=self.name, what=self._hide(str(error)))) from None
        return str(done.oid)

    def tag(self, name: str, commit: str, *, message: str) -> None:
        """Name a commit for ever."""
        self._api.create_tag(self.name, tag=name, revision=commit, tag_message=message, repo_type=_KIND)

    def branch(self, name: str, commit: str) -> None:
        """Begin a branch."""
        self._api.create_branch(self.name, branch=name, revision=commit, repo_type=_KIND)

    def drop_branch(self, name: str) -> None:
        """End a branch."""
        self._api.delete_branch(self.name, branch=name, repo_type=_KIND)

    # -- what went wrong ---------------------------------------------------------------------------

    def fault(self, error: BaseException) -> Fault:
        """Say in one line what the Hub or the line to it did, and what can be done; without the token."""
        advice = _ADVICE.get(status_of(error) or 0, "the same command goes on from here")
        if is_of_the_disk(error):
            advice = "free some space, or see to the disk; the same command goes on from here"
        what = " ".join(str(error).split())[:400]
        if isinstance(error, json.JSONDecodeError):
            what, advice = "the answer is no JSON", "see whether a proxy or a login page stands in between"
        return Fault(where=self.name, what=self._hide(what), advice=advice)

    def _hide(self, text: str) -> str:
        from huggingface_hub import get_token

        for secret in (self._token, get_token()):
            text = text.replace(secret, "…") if secret else text
        return text


_ADVICE = {
    401: "log in with `hf auth login`, or give --token",
    403: "the token may not write there; one with write access is needed",
    404: "check the name, or log in if it is private",
    409: "somebody else changes the repository; the same command goes on from here",
    412: "somebody else changes the repository; the same command goes on from here",
    429: "the Hub asks for a pause; the same command goes on from here",
}


def _batches(adds: Sequence[Any], sizes: Sequence[int]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    n_bytes = 0
    for one, size in zip(adds, sizes, strict=True):
        if batch and (len(batch) >= _BATCH_FILES or n_bytes + size > _BATCH_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append(one)
        n_bytes += size
    if batch:
        yield batch
