"""The address of a version of a corpus: ``FOLDER@VERSION``."""

from __future__ import annotations

from pathlib import Path

from builder.corpus.names import STOPPED
from builder.domain.version import Version


def split_address(address: str | Path) -> tuple[Path, str | None]:
    """Split ``FOLDER`` or ``FOLDER@VERSION`` into folder and version; ``stopped`` is the last stopped build.

    An existing folder whose own name contains ``@`` is returned as it is, without a version.

    Raises:
        VersionError: if the text after the ``@`` is not a version number.
    """
    folder, at, version = str(address).rpartition("@")
    if not at or Path(address).exists():
        return Path(address), None
    return Path(folder), STOPPED if version == STOPPED else str(Version.parse(version))
