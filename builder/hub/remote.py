"""A dataset repository on the Hub, through the Hub client's library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.domain.addresses import redact_urls
from builder.errors import Fault, PublishError
from builder.hub.diff import Local, Remote, TreeChanges
from builder.hub.retry_policy import is_of_the_disk, is_unreachable, status_of, without_number

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
    """One repository. The token goes to the Hub client and nowhere else."""

    def __init__(self, name: str, *, token: str | None = None) -> None:
        from huggingface_hub import HfApi

        self.name = name
        self.url = ""
        self._token = token
        self._api = HfApi(token=token)
        self.url = f"{self._api.endpoint}/datasets/{name}"

    # -- reading ----------------------------------------------------------------------------------

    def look(self) -> State | None:
        """Return branches and tags, or None if the repository does not exist or is hidden."""
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
        """Download a file into the client's cache or a folder; resume an incomplete download."""
        found = self._api.hf_hub_download(
            self.name, path, repo_type=_KIND, revision=commit, local_dir=str(into) if into else None
        )
        return Path(found)

    def open(self, path: str, commit: str) -> Any:
        """Open a file for random access; only the bytes that are read are transferred."""
        from huggingface_hub import HfFileSystem

        system = HfFileSystem(token=self._token, skip_instance_cache=True)
        return system.open(f"datasets/{self.name}@{commit}/{path}", "rb", block_size=1 << 20)

    # -- writing -----------------------------------------------------------------------------------

    def create(self, *, private: bool) -> None:
        """Create the repository, unless it exists.

        A conflict means that it exists or that the Hub is busy; the next look tells which.
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
        """Upload new files in batches, then create one commit of all changes, and return its id.

        Args:
            parent: the commit that the diff is based on; if the branch has moved, the Hub refuses the commit.
            advance: called with the bytes of each batch that has arrived.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete

        adds = [
            CommitOperationAdd(
                one.path, str(found) if isinstance(found := wanted[one.path].content, Path) else found
            )
            for one in diff.add
        ]
        for batch in _batches(adds, [one.bytes for one in diff.add]):
            # a .gitignore in the repository must not silently exclude shards
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
        except ValueError as error:  # the Hub rejects the card
            raise PublishError(Fault(where=self.name, what=self._hide(str(error)))) from None
        return str(done.oid)

    def tag(self, name: str, commit: str, *, message: str) -> None:
        """Create a tag for a commit."""
        self._api.create_tag(self.name, tag=name, revision=commit, tag_message=message, repo_type=_KIND)

    def branch(self, name: str, commit: str) -> None:
        """Create a branch."""
        self._api.create_branch(self.name, branch=name, revision=commit, repo_type=_KIND)

    def drop_branch(self, name: str) -> None:
        """Delete a branch."""
        self._api.delete_branch(self.name, branch=name, repo_type=_KIND)

    # -- faults ------------------------------------------------------------------------------------

    def fault(self, error: BaseException) -> Fault:
        """Return one line that says what went wrong and what to do, without the token."""
        advice = _ADVICE.get(status_of(error) or 0, "run the same command again to resume")
        if is_of_the_disk(error):
            advice = "free some space, or check the disk; then run the same command again to resume"
        what = " ".join(str(error).split())[:400]
        if is_unreachable(error):
            what = f"the Hub cannot be reached at {self._api.endpoint}: {without_number(what)}"
            advice = "check the network, then run the same command again to resume"
        if isinstance(error, json.JSONDecodeError):
            what, advice = (
                "the answer is not JSON",
                "check whether a proxy or a login page answers instead of the Hub",
            )
        return Fault(where=self.name, what=self._hide(what), advice=advice)

    def _hide(self, text: str) -> str:
        from huggingface_hub import get_token

        for secret in (self._token, get_token()):
            text = text.replace(secret, "…") if secret else text
        return redact_urls(text)  # the Hub redirects to signed URLs


_ADVICE = {
    401: "log in with `hf auth login`, or give --token",
    403: "the token has no write access to this repository; use one that has",
    404: "check the name, or log in if the dataset is private",
    409: "somebody else is changing the repository; run the same command again to resume",
    412: "somebody else is changing the repository; run the same command again to resume",
    429: "the Hub limits the rate of requests; wait, then run the same command again to resume",
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
