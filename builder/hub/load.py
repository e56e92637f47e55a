"""``load``: load exactly the requested version, from the Hub or from a folder, or fail.

When the Hub cannot be reached, ``load_dataset("USER/NAME", revision="v1.2.0")`` returns any version from its
cache, with only a warning. ``load`` does not.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus import Corpus
from builder.corpus.names import MANIFEST
from builder.corpus.opening import MANIFEST_BYTES, check_path, read_file
from builder.domain.manifest import Manifest
from builder.domain.version import Version
from builder.errors import Fault, HubError, VersionError
from builder.hub.address import split_repo, tag_of
from builder.hub.diff import CARD, HUB_AUDIT
from builder.hub.fetch import check_identity, is_corpus, published_files
from builder.hub.retry_policy import network_errors, status_of
from builder.hub.wanted import local_file
from builder.pipeline.disk import reports_disk_faults

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike


@reports_disk_faults
def load(
    address: str | PathLike[str],
    version: str | None = None,
    *,
    split: str | None = None,
    streaming: bool = False,
    token: str | None = None,
    digest: str | None = None,
    check_hashes: bool = True,
    **options: Any,
) -> Any:
    """Load one version of a dataset, from the Hub (``USER/NAME``) or from a corpus folder.

    A version from the Hub is downloaded completely, into the Hub client's cache. Its number, its digest and
    the hash of each file are compared with the manifest before loading, and the number of rows after it.

    Args:
        version: the version number; default for a folder: its newest version that is not yanked.
        digest: digest that the version must have, if you know it from another source.
        check_hashes: False skips hashing every byte of the version.
        options: passed to ``datasets.load_dataset``.

    Returns:
        What ``datasets.load_dataset`` returns.

    Raises:
        HubError: if this version cannot be loaded, even if a cache has another version.
        CorpusError: if a folder does not have this version.

    >>> load("my-corpus/corpus", "1.0.0", split="train", cache_dir="cache").num_rows
    3
    """
    folder, number = _find(address, version, token=token)
    where = f"{os.fspath(address)}@{number}"
    manifest = _manifest(folder, where)
    check_identity(manifest, version=number, digest=digest, where=where)
    if faults := list(_file_faults(folder, manifest, where, hashes=check_hashes)):
        raise HubError(*faults)
    return _load(folder, manifest, where, split=split, streaming=streaming, options=options)


def _find(address: str | PathLike[str], version: str | None, *, token: str | None) -> tuple[Path, str]:
    """Return the folder of the version, and its number."""
    folder = Path(address)
    if is_corpus(folder):
        corpus = Corpus(folder)
        number = str(Version.parse(version)) if version else corpus.newest()
        return corpus.version_folder(number), number
    if folder.is_dir() and (folder / MANIFEST).is_file():
        return folder, version or _manifest(folder, str(folder)).version
    name, named = split_repo(os.fspath(address))
    number = version or named or ""
    if not number:
        what, advice = "the version is missing", 'name it, as in load("USER/NAME", "1.2.0")'
        raise VersionError(Fault(where=name, what=what, advice=advice))
    return _download(name, str(Version.parse(number)), token=token), number


def _download(name: str, version: str, *, token: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    options: dict[str, Any] = {"repo_type": "dataset", "ignore_patterns": [f"{HUB_AUDIT}/*"]}
    try:
        return Path(snapshot_download(name, revision=tag_of(version), token=token, **options))
    except (RevisionNotFoundError, RepositoryNotFoundError):
        what = f"the Hub has no version {version}, or no dataset of this name"
        advice = "check name and number, or log in if the dataset is private"
        raise HubError(Fault(where=name, what=what, advice=advice)) from None
    except network_errors() as error:
        status = status_of(error)
        why = f"the Hub answered with status {status}" if status else "the Hub cannot be reached"
        what = f"version {version} cannot be loaded: {why}, and it is not in the cache"
        raise HubError(
            Fault(where=name, what=what, advice="try again later; another version is never used instead")
        ) from None


def _manifest(folder: Path, where: str) -> Manifest:
    try:
        data = read_file(*_place(folder, MANIFEST), limit=MANIFEST_BYTES)
    except OSError as error:
        raise HubError(Fault(where=where, what=f"the manifest cannot be read: {error.strerror}")) from None
    return Manifest.parse(data, where=where)


def _place(folder: Path, name: str) -> tuple[Path, str]:
    """Return a file's folder and its name there; the clients' cache holds links, a corpus does not."""
    path = folder / name if is_corpus(folder.parent) else (folder / name).resolve()
    return path.parent, path.name


def _file_faults(folder: Path, manifest: Manifest, where: str, *, hashes: bool) -> Iterator[Fault]:
    """Find files that are missing or differ from the manifest: a download may be incomplete."""
    for path, (there, sha256, n_bytes) in published_files(manifest).items():
        name = there if (folder / there).exists() else path
        if path == CARD and name == CARD and not (folder / CARD).is_file():
            yield Fault(where=f"{where}: {CARD}", what="is missing")
            continue
        try:
            here = check_path(*_place(folder, name))
            right = here.stat().st_size == n_bytes
            right = right and (not hashes or local_file(here).sha256 == sha256)
        except OSError:
            yield Fault(
                where=f"{where}: {path}",
                what="is missing",
                advice="load it again while the Hub can be reached",
            )
            continue
        if not right:
            yield Fault(where=f"{where}: {path}", what="has other bytes than the manifest says")


def _load(
    folder: Path,
    manifest: Manifest,
    where: str,
    *,
    split: str | None,
    streaming: bool,
    options: dict[str, Any],
) -> Any:
    import datasets

    loaded = datasets.load_dataset(str(folder), split=split, streaming=streaming, **options)
    parts = loaded if split is None else {split: loaded}
    for name, part in parts.items():
        if str(part.info.version) != manifest.version:
            raise HubError(Fault(where=where, what=f"load_dataset returned version {part.info.version}"))
        told = manifest.splits[name].rows if name in manifest.splits else None
        if not streaming and told is not None and len(part) != told:
            raise HubError(
                Fault(where=where, what=f"split {name} has {len(part):,} rows instead of {told:,}")
            )
    return loaded
