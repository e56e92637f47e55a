"""How people name a version of a corpus: ``FOLDER@VERSION``."""

from __future__ import annotations

from pathlib import Path

from builder.domain.version import Version


def split_address(address: str | Path) -> tuple[Path, str | None]:
    """Take ``FOLDER`` or ``FOLDER@VERSION`` apart; a folder whose own name holds ``@`` is found as it is.

    Raises:
        VersionError: if what stands behind the ``@`` is no version number.
    """
    folder, at, version = str(address).rpartition("@")
    if not at or Path(address).exists():
        return Path(address), None
    return Path(folder), str(Version.parse(version))
