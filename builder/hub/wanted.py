"""The files of a version to publish: its folder and, if requested, ledger, clusters and signals."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from builder.charts.page import GENERATOR
from builder.corpus.names import MANIFEST, SIDE_FOLDER
from builder.errors import Fault, PublishError, TamperedError, VersionError
from builder.hub.diff import CARD, HUB_AUDIT, REPORT, SEALED_CARD, Local

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest

SHOWN = ("ledger.parquet", "clusters.parquet")
"""Files that ``--with-ledger`` adds. Other audit files, tombstones and the index are never published."""

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 4_096


def wanted_files(
    corpus: Corpus,
    version: str,
    *,
    with_ledger: bool,
    with_signals: bool = False,
    hashed: Callable[[int], None],
) -> dict[str, Local]:
    """Hash every file of a version and compare it with the manifest.

    Args:
        hashed: called with the size of each file in bytes.

    Raises:
        TamperedError: if a file differs from its seal.
        VersionError: if the ledger or the signals are requested but are not in this corpus.
    """
    manifest = corpus.manifest(version)
    told = {file.path: file.sha256 for file in manifest.files}
    told |= {shard.path: shard.sha256 for _, shard in manifest.shards()}
    found: dict[str, Local] = {}
    for path, sha256 in told.items():
        found[path] = local_file(corpus.version_file(version, path))
        hashed(found[path].bytes)
        if found[path].sha256 != sha256:
            raise TamperedError(
                Fault(where=f"{version}/{path}", what="was changed", advice="run `builder verify`")
            )
    found[SEALED_CARD] = found.pop(CARD)
    found[MANIFEST] = local_file(corpus.version_file(version, MANIFEST))
    if with_ledger:
        found |= _audit_files(corpus, version, SHOWN, option="--with-ledger")
    if with_signals:
        found |= _audit_files(corpus, version, side_files(manifest), option="--with-signals")
    return found


def side_files(manifest: Manifest) -> tuple[str, ...]:
    """Return the paths of the files with the signals of the rows of a version, below its audit."""
    return tuple(f"{SIDE_FOLDER}/{PurePosixPath(shard.path).name}" for _, shard in manifest.shards())


def local_file(content: Path | bytes) -> Local:
    """Hash a file or bytes in the two ways that the Hub uses for large and small files."""
    if isinstance(content, bytes):
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        sha256 = hashlib.sha256(content)
        n_bytes = len(content)
    else:
        n_bytes = content.stat().st_size
        git = hashlib.sha1(b"blob %d\0" % n_bytes, usedforsecurity=False)
        sha256 = hashlib.sha256()
        with content.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                git.update(chunk)
                sha256.update(chunk)
    return Local(content=content, sha256=sha256.hexdigest(), git_oid=git.hexdigest(), bytes=n_bytes)


def refuse_private(report: bytes, manifest: Manifest) -> None:
    """Refuse a page that is not the public report of a version.

    Raises:
        PublishError: if the page says that it is anything else.
    """
    kind = f'content="{GENERATOR}report public {manifest.version} {manifest.digest}"'
    if kind.encode() not in report[:_HEAD_BYTES]:
        what = f"is not the public report of version {manifest.version}"
        raise PublishError(Fault(where=REPORT, what=what, advice="use builder report --public"))


def _audit_files(corpus: Corpus, version: str, names: Sequence[str], *, option: str) -> dict[str, Local]:
    files = {name: corpus.audit_file(version, name) for name in names}
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        what = f"version {version} has no {missing[0]} in this corpus"
        advice = f"publish it without {option}, or from the corpus that built it"
        raise VersionError(Fault(where=str(corpus.path), what=what, advice=advice))
    return {f"{HUB_AUDIT}/{name}": local_file(path) for name, path in files.items()}
