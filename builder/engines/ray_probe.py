"""Check each node of a cluster before the work begins: storage, libraries, files, environment."""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.engines.hidden_values import proof_of
from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNeeds:
    """What every node must have.

    Attributes:
        folder: the folder of unfinished work.
        token: name and content of a file that the driver has written to the folder.
        versions: the driver's versions of Python, builder and libraries.
        files: local files, with their sizes in bytes.
        variables: names of environment variables, with a salted digest of their values.
        salt: the salt.
    """

    folder: str
    token: str
    versions: Mapping[str, str]
    files: Mapping[str, int]
    variables: Mapping[str, str]
    salt: bytes


def probe(expected: NodeNeeds, versions: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what is wrong on this machine, each with the next step. Runs on a node.

    Args:
        versions: the versions of this machine.
    """
    faults = _wrong_versions(expected.versions, versions)
    faults += _wrong_storage(Path(expected.folder), expected.token)
    for path, size in expected.files.items():
        try:
            same = Path(path).stat().st_size == size
        except OSError:
            same = False
        if not same:
            faults.append((f"has another file or none at {path}", "mount the same folders on all nodes"))
    for name, digest in expected.variables.items():
        if name not in os.environ:
            faults.append((f"has no environment variable {name}", "set it where the node is started"))
        elif proof_of([os.environ[name]], expected.salt) != digest:
            faults.append((f"has another value of {name}", "set the same value where the node is started"))
    return faults


def _wrong_versions(expected: Mapping[str, str], versions: Mapping[str, str]) -> list[tuple[str, str]]:
    advice = "install the same versions on all nodes: other libraries can give other bytes"
    return [
        (f"has {name} {versions.get(name, '(none)')}, not {version} as here", advice)
        for name, version in expected.items()
        if versions.get(name) != version
    ]


def _wrong_storage(folder: Path, token: str) -> list[tuple[str, str]]:
    """Try what a build needs of the storage: see files of others, rename, link, lock, map."""
    advice = "use --spool or a corpus on a file system that all nodes share, such as NFS 4"
    try:
        if (folder / token).read_text(encoding="ascii") != token:
            return [(f"does not share {folder}", advice)]
    except OSError:
        return [(f"does not see the files of this machine in {folder}", advice)]
    own = folder / f"{token}-{secrets.token_hex(8)}"
    other = own.with_name(own.name + "-renamed")
    try:
        for what, attempt in _ATTEMPTS.items():
            try:
                attempt(own, other)
            except OSError as error:
                return [(f"cannot {what} files in {folder}: {error.strerror}", advice)]
    finally:
        for path in (own, other):
            path.unlink(missing_ok=True)
    return []


def _write(own: Path, other: Path) -> None:  # noqa: ARG001 - one signature for all
    own.write_bytes(b"probe")


def _rename(own: Path, other: Path) -> None:
    own.replace(other)


def _link(own: Path, other: Path) -> None:
    os.link(other, own)


def _lock(own: Path, other: Path) -> None:  # noqa: ARG001 - one signature for all
    with own.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _map(own: Path, other: Path) -> None:  # noqa: ARG001 - one signature for all
    with own.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if mapped[:] != b"probe":
            raise OSError(0, "another content was read")


_ATTEMPTS = {"write": _write, "rename": _rename, "link": _link, "lock": _lock, "map": _map}


def node_faults(node: str, found: Sequence[tuple[str, str]]) -> list[Fault]:
    """Return the faults of a node, with its name."""
    return [Fault(where=f"node {node}", what=what, advice=advice) for what, advice in found]
