"""``fetch``: download a version from the Hub into a corpus folder, byte for byte."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from builder.card.manifest_facts import corpus_card
from builder.corpus import FETCHED, Corpus
from builder.corpus.names import MANIFEST
from builder.corpus.place import corpus_folder
from builder.domain.manifest import Manifest
from builder.domain.progress import Progress, ignore_progress
from builder.domain.version import Version
from builder.errors import CorpusError, Fault, HubError, VersionError
from builder.hub.address import split_repo, tag_of, version_of
from builder.hub.diff import CARD, HUB_AUDIT, SEALED_CARD
from builder.hub.publish import quiet
from builder.hub.remote import Repository
from builder.hub.result import FetchResult
from builder.hub.retry_policy import RetryPolicy, network_errors
from builder.hub.wanted import SHOWN, local_file, side_files
from builder.progress.shown import shows_progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from builder.corpus import Staging
    from builder.domain.manifest import FileEntry, ShardEntry
    from builder.hub.diff import Remote
    from builder.hub.remote import State

NOT_HERE = ("ledger.parquet", "clusters.parquet", "rejected.parquet", "index", "tombstones")


@shows_progress()
def fetch(
    address: str,
    folder: str | Path,
    *,
    token: str | None = None,
    digest: str | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
    retry_policy: RetryPolicy | None = None,
) -> FetchResult:
    """Download ``USER/NAME@VERSION`` into a corpus folder. Create the folder if it does not exist.

    Nothing is written unless number, name and digest match the manifest at the version's tag, and every file
    has the hash in the manifest. If the call is interrupted, downloaded files are kept, and the next call
    resumes.

    Args:
        digest: digest that the version must have, if you know it from another source.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.
        retry_policy: how often and how long to retry transient failures.

    Raises:
        HubError: if the Hub cannot be reached, or does not have the requested version.
        CorpusError: if the folder contains something else.

    >>> fetch("harbour/tides@1.0.0", "fetched").version
    '1.0.0'
    """
    name, version = split_repo(address)
    folder = corpus_folder(folder, where="FOLDER")
    repository, policy = Repository(name, token=token), retry_policy or RetryPolicy()

    def go_on(phase: str, *, done: int, total: int, unit: str) -> None:
        policy.reset()
        advance(phase, done=done, total=total, unit=unit)

    with quiet():
        while True:
            try:
                return _fetch(repository, version, folder, digest=digest, advance=go_on)
            except network_errors() as error:
                if not policy.should_retry(error):
                    raise HubError(repository.fault(error)) from None


def _fetch(
    repository: Repository, version: str | None, folder: Path, *, digest: str | None, advance: Progress
) -> FetchResult:
    state = repository.look()
    commit = find_tag(repository, state, version)
    version = str(version)
    files = repository.files(commit)
    manifest = read_manifest(repository, files, commit, version=version, digest=digest)
    corpus = Corpus.open_or_create(folder, name=manifest.name)
    audit = _audit_there(manifest, files)
    ledger = set(SHOWN) <= set(audit)
    with corpus.lock():
        fresh = not _has(corpus, manifest)
        if fresh:
            spool = corpus.spool(f"fetch-{manifest.digest[:24]}")
            _download(repository, manifest, files, commit, spool, audit=audit, advance=advance)
            _put_into_place(corpus, manifest, repository, commit, spool, audit=audit)
            shutil.rmtree(spool, ignore_errors=True)
    return FetchResult(
        repo=repository.name,
        version=version,
        digest=manifest.digest,
        corpus=corpus.path,
        commit=commit,
        rows=manifest.rows,
        bytes=sum(split.bytes for split in manifest.splits.values()),
        ledger=ledger,
        nothing_new=not fresh,
    )


def find_tag(repository: Repository, state: State | None, version: str | None) -> str:
    """Return the commit of a version's tag.

    Raises:
        HubError: if the tag does not exist; the message lists the versions that do.
    """
    if state is None:
        what, advice = (
            "no dataset of this name on the Hub",
            "check the name, or log in if the dataset is private",
        )
        raise HubError(Fault(where=repository.name, what=what, advice=advice))
    commit = state.tags.get(tag_of(version)) if version else None
    if commit:
        return commit
    there = sorted(found for tag in state.tags if (found := version_of(tag)))
    advice = "versions on the Hub: " + (", ".join(map(str, there)) or "none")
    what = f"has no version {version}" if version else "name a version, as in USER/NAME@1.0.0"
    raise HubError(Fault(where=repository.name, what=what, advice=advice))


def read_manifest(
    repository: Repository, files: Mapping[str, Remote], commit: str, *, version: str, digest: str | None
) -> Manifest:
    """Read the manifest of a version and check that it is the requested one.

    Raises:
        HubError: if it is another one, or is missing.
    """
    where = f"{repository.name}@{version}"
    if MANIFEST not in files:
        what = "the tag has no manifest, so it was not published by builder"
        raise HubError(Fault(where=where, what=what))
    manifest = Manifest.parse(repository.read(MANIFEST, commit), where=f"{where}: {MANIFEST}")
    check_identity(manifest, version=version, digest=digest, where=where)
    return manifest


def check_identity(manifest: Manifest, *, version: str, digest: str | None, where: str) -> None:
    """Check the version number and the digest of a manifest.

    Raises:
        HubError: if one of them differs.
    """
    if Version.parse(manifest.version) != Version.parse(version):
        raise HubError(Fault(where=where, what=f"the tag contains version {manifest.version}"))
    if digest is not None and manifest.digest != digest:
        raise HubError(Fault(where=where, what=f"has the digest {manifest.digest}, not {digest}"))


def _has(corpus: Corpus, manifest: Manifest) -> bool:
    """Return whether the corpus already has the version.

    Raises:
        VersionError: if it has another version with this number.
    """
    version = manifest.version
    if version not in corpus.versions():
        return False
    if corpus.digest(version) != manifest.digest:
        what = f"has another version {version}, with the digest {corpus.digest(version)}"
        raise VersionError(Fault(where=str(corpus.path), what=what, advice="fetch into another folder"))
    return True


def published_files(manifest: Manifest) -> dict[str, tuple[str, str, int]]:
    """Return the path on the Hub, SHA-256 and size of each file of a version, by its path in the version."""
    listed: list[FileEntry | ShardEntry] = [*manifest.files, *(shard for _, shard in manifest.shards())]
    return {
        one.path: (SEALED_CARD if one.path == CARD else one.path, one.sha256, one.bytes) for one in listed
    }


def _audit_there(manifest: Manifest, files: Mapping[str, Remote]) -> list[str]:
    """Return the files of the audit that were published, each group only if it is complete."""
    groups = (SHOWN, side_files(manifest))
    there = [group for group in groups if all(f"{HUB_AUDIT}/{one}" in files for one in group)]
    return [name for group in there for name in group]


def _download(
    repository: Repository,
    manifest: Manifest,
    files: Mapping[str, Remote],
    commit: str,
    spool: Path,
    *,
    audit: Sequence[str],
    advance: Progress,
) -> None:
    """Download every file into the spool and check its hash; keep files that are already there."""
    wanted = {there: (sha256, size) for there, sha256, size in published_files(manifest).values()}
    for name in audit:
        one = files[f"{HUB_AUDIT}/{name}"]
        wanted[f"{HUB_AUDIT}/{name}"] = (one.sha256 or "", one.bytes)
    total, done = sum(size for _, size in wanted.values()), 0
    for path, (sha256, size) in wanted.items():
        if path not in files:
            raise HubError(
                Fault(where=f"{repository.name}@{manifest.version}: {path}", what="is missing on the Hub")
            )
        here = spool / path
        if not (here.is_file() and _is(here, sha256)):
            here.unlink(missing_ok=True)
            repository.download(path, commit, into=spool)
            if not _is(here, sha256):
                here.unlink()
                where = f"{repository.name}@{manifest.version}: {path}"
                raise HubError(Fault(where=where, what="has other bytes than the manifest says"))
        done += size
        advance("download", done=done, total=total, unit="bytes")


def _is(path: Path, sha256: str) -> bool:
    """Return whether a file has a hash; an empty hash (small audit files on the Hub) matches any file."""
    return not sha256 or local_file(path).sha256 == sha256


def _put_into_place(
    corpus: Corpus,
    manifest: Manifest,
    repository: Repository,
    commit: str,
    spool: Path,
    *,
    audit: Sequence[str],
) -> None:
    staging = corpus.begin(manifest.version)
    shards = {shard.path for _, shard in manifest.shards()}
    for path, (there, sha256, _) in published_files(manifest).items():
        if path in shards:
            staging.add_shard(spool / there, name=path, sha256=sha256)
        else:
            (staging.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(spool / there, staging.folder / path)
    _note_what_is_not_here(staging, repository, commit, spool, audit=audit)
    known = [version for version in corpus.versions() if not corpus.dropped(version)]
    manifests = [*map(corpus.manifest, known), manifest]
    yanked = {version: corpus.yanked(version) for version in known}
    card = corpus_card(manifest.name, manifests, yanked=yanked)
    corpus.commit(staging, manifest, card, spent=[spool])


def _note_what_is_not_here(
    staging: Staging, repository: Repository, commit: str, spool: Path, *, audit: Sequence[str]
) -> None:
    for name in audit:
        (staging.audit / name).parent.mkdir(exist_ok=True)
        shutil.move(spool / HUB_AUDIT / name, staging.audit / name)
    facts = {
        "repo": repository.name,
        "commit": commit,
        "not_here": [name for name in NOT_HERE if name not in audit],
    }
    (staging.audit / FETCHED).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def is_corpus(folder: Path) -> bool:
    """Return whether a folder is a corpus."""
    try:
        Corpus(folder)
    except CorpusError:
        return False
    return True
