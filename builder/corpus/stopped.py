"""Keep the audit of the last build that wrote no version, until the next build.

A build stops if it keeps nothing, or loses more than allowed. Its ledger and its rejected records are copied
to the spool, where a purge removes them with all unfinished work.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from builder.corpus.names import SPOOL, STOPPED
from builder.corpus.opening import check_path, file_kind
from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from builder.corpus.folder import Corpus


def keep_stopped(corpus: Corpus, files: Sequence[Path]) -> Path:
    """Copy the audit files of a stopped build; return their folder. The caller holds the lock."""
    corpus.need_lock()
    forget_stopped(corpus)
    folder = corpus.spool(STOPPED)
    for path in files:
        copy = folder / path.name
        copy.touch(mode=0o600)
        shutil.copyfile(path, copy)
    return folder


def forget_stopped(corpus: Corpus) -> None:
    """Remove the audit of the last stopped build. The caller holds the lock."""
    corpus.need_lock()
    folder = corpus.path / SPOOL / STOPPED
    if file_kind(folder) == "a folder":
        shutil.rmtree(folder)


def has_stopped(corpus: Corpus) -> bool:
    """Return whether the last build wrote no version, and its audit is there."""
    return check_path(corpus.path, f"{SPOOL}/{STOPPED}/ledger.parquet").is_file()


def version_to_read(corpus: Corpus, version: str | None) -> str:
    """Return the version that a command reads: the newest one; without a version, the stopped build.

    Raises:
        VersionError: if the corpus has neither.
    """
    if version is None and corpus.find_newest() is None and has_stopped(corpus):
        return STOPPED
    return version or corpus.newest()


def audit_file(corpus: Corpus, version: str, name: str) -> Path:
    """Return the path of an audit file of a version or of the stopped build.

    Raises:
        CorpusError: if the corpus does not have a stopped build.
    """
    if version != STOPPED:
        return corpus.audit_file(version, name)
    if not has_stopped(corpus):
        what = "does not have a stopped build: the last build wrote a version"
        raise CorpusError(
            Fault(where=str(corpus.path), what=what, advice="name a version, or only the folder")
        )
    return check_path(corpus.path, f"{SPOOL}/{STOPPED}/{name}")
