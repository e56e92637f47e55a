"""Delete documents from the signals of published rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from builder.corpus.names import SIDE_FOLDER
from builder.release.side_files import rewrite_without

if TYPE_CHECKING:
    from pathlib import Path

    from builder.corpus import Corpus
    from builder.removal.purge_scope import Scope


def clean_signals(corpus: Corpus, version: str, scope: Scope, folder: Path) -> dict[str, Path]:
    """Write the side files of a version again if they have a document of the purge.

    Returns:
        The new files, by the path of the old file below the corpus.
    """
    gone = pa.array(sorted(scope.documents), pa.string())
    files: dict[str, Path] = {}
    for path in sorted((corpus.audit_folder(version) / SIDE_FOLDER).glob("*.parquet")):
        checked = corpus.audit_file(version, f"{SIDE_FOLDER}/{path.name}")
        fresh = folder / f"{version}.{SIDE_FOLDER}.{path.name}"
        if rewrite_without(checked, fresh, gone):
            files[checked.relative_to(corpus.path).as_posix()] = fresh
    return files
