"""Cache the hashes of inputs, so that an unchanged file is not read again only to hash it.

A local file counts as unchanged if its address, size, modification time and inode are the same; a remote one
if its ETag is the same. The cache is in the spool and belongs to no version. You may delete it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.durable import write_file
from builder.io.streams.address import is_local, local_path
from builder.io.streams.remote import remote_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.inputs.inputs import Input

_SETTLED_S = 2.0
"""A file that changed less than this many seconds ago may change again and keep its modification time."""


@dataclass(frozen=True)
class HashCache:
    """The cache of one corpus.

    Attributes:
        ignored: whether every input is hashed again; the new hashes are stored all the same.
    """

    path: Path
    ignored: bool = False

    def look_up(self, one: Input) -> Input | None:
        """Return an input with its hash, or None if the hash is unknown or the input may have changed."""
        mark = None if self.ignored else _fingerprint(one)
        found = self._kept.get(_key(one)) if mark else None
        if found is None or found["mark"] != mark:
            return None
        return replace(one, sha256=found["sha256"], n_bytes=found["bytes"])

    def keep(self, hashed: Mapping[Input, Input]) -> None:
        """Store the hashes of these inputs, and of no others."""
        kept = {}
        for one, found in hashed.items():
            if (mark := _fingerprint(one)) is not None:
                kept[_key(one)] = {"mark": mark, "sha256": found.sha256, "bytes": found.n_bytes}
        write_file(self.path, json.dumps(kept).encode())

    @cached_property
    def _kept(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found


def _key(one: Input) -> str:
    """Return the key of an input; public addresses of different sources may be equal."""
    return one.address if is_local(one.address) else f"{one.source} {one.address}"


def _fingerprint(one: Input) -> list[Any] | None:
    """Return values that change when an input changes; None if it has no such values."""
    if not one.address:
        return None
    if not is_local(one.address):
        return _remote_fingerprint(one.address)
    try:
        facts = Path(local_path(one.address)).stat()
    except OSError:
        return None
    if time.time() - facts.st_mtime < _SETTLED_S:
        return None
    return [facts.st_size, facts.st_mtime_ns, facts.st_ino]


def _remote_fingerprint(address: str) -> list[Any] | None:
    facts = remote_facts(address)
    tags = [facts[name] for name in ("ETag", "etag", "e_tag") if facts.get(name)]
    return [str(tags[0])] if tags else None
