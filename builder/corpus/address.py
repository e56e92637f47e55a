"""The address of a version of a corpus: ``FOLDER@VERSION``."""

from __future__ import annotations

from pathlib import Path

from builder.corpus.names import STOPPED
from builder.corpus.near import NEWEST_WORDS, version_near
from builder.domain.version import Version
from builder.errors import Fault, VersionError


def split_address(address: str | Path) -> tuple[Path, str | None]:
    """Split ``FOLDER`` or ``FOLDER@VERSION`` into folder and version; ``stopped`` is the last stopped build.

    An existing folder whose own name contains ``@`` is returned as it is, without a version.

    Raises:
        VersionError: if the text after the ``@`` is not a version number.
    """
    folder, at, version = str(address).rpartition("@")
    if not at or Path(address).exists():
        return Path(address), None
    if version == STOPPED:
        return Path(folder), STOPPED
    try:
        return Path(folder), str(Version.parse(version))
    except VersionError as error:
        advice = version_near(Path(folder), version)
        if version in NEWEST_WORDS and advice:
            advice = f"leave out @{version}: without a version, {folder} is its newest; {advice}"
        faults = [Fault(where=str(address), what=f.what, advice=advice or f.advice) for f in error.faults]
        raise VersionError(*faults) from None
