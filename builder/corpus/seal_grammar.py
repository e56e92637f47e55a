"""The grammar of seals and ``purged.json``: allowed keys, types, names and hashes.

A seal contains its own digest, but a stranger can compute this digest too. Every name in a seal becomes a
path, so only names that a builder writes are allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.domain.plain_names import is_plain_path, is_sha256, is_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ROOT_KEYS = frozenset({"name", "latest", "versions", "unused", "files"})
_ROOT_FILES = frozenset({"README.md", "tombstones.jsonl"})
_FACTS_NEEDED = frozenset({"digest", "seal", "yanked"})
_FACTS: Mapping[str, Callable[[Any], bool]] = {
    "digest": is_sha256,
    "seal": is_sha256,
    "yanked": lambda value: value is None or isinstance(value, str),
    "dropped": lambda value: value is True,
    "purged": lambda value: is_count(value),
}
_PURGED_KEYS = frozenset({"version", "digest", "rows", "shards", "files", "ledger"})
_OUTCOMES = ("kept", "rejected", "merged", "failed")
_SHARD_KEYS = frozenset({"path", "old", "new", "rows", "raw_bytes"})
_MAX_SIZE = 1 << 62


def is_count(value: Any) -> bool:
    """Return whether a value is a non-negative integer; booleans are not."""
    return type(value) is int and 0 <= value < _MAX_SIZE


def is_sealed(value: Any) -> bool:
    """Return whether a value has a SHA-256 and a size, and nothing else."""
    if not isinstance(value, dict) or value.keys() != {"sha256", "bytes"}:
        return False
    return is_sha256(value["sha256"]) and is_count(value["bytes"])


def wrong_root_seal(document: Mapping[str, Any]) -> str:
    """Return what is wrong with a root seal; empty if nothing is wrong."""
    return next(_wrong_root(document), "")


def wrong_version_seal(document: Mapping[str, Any]) -> str:
    """Return what is wrong with the seal of a version; empty if nothing is wrong."""
    return next(_wrong_version(document), "")


def wrong_purged(document: Mapping[str, Any]) -> str:
    """Return what is wrong with a ``purged.json``; empty if nothing is wrong."""
    return next(_wrong_purged(document), "")


def _wrong_root(document: Mapping[str, Any]) -> Iterator[str]:
    if document.keys() != _ROOT_KEYS:
        yield "its keys are not those of a root seal"
        return
    if not isinstance(document["name"], str):
        yield "the name is not text"
    yield from _wrong_versions(document["versions"], document["latest"])
    yield from _wrong_files(document["files"], lambda path: path in _ROOT_FILES)
    unused = document["unused"]
    if not isinstance(unused, list) or not all(map(is_sha256, unused)):
        yield "unused is not a list of SHA-256 hashes"


def _wrong_versions(versions: Any, latest: Any) -> Iterator[str]:
    if not isinstance(versions, dict):
        yield "versions is not an object"
        return
    for number, facts in versions.items():
        if not is_version(number):
            yield f"{number[:100]!r} is not a version number"
        elif not isinstance(facts, dict) or not _FACTS_NEEDED <= facts.keys() <= _FACTS.keys():
            yield f"version {number} has unknown or missing keys"
        elif wrong := [name for name, value in facts.items() if not _FACTS[name](value)]:
            yield f"version {number} has an invalid value of {wrong[0]!r}"
    if latest is not None and latest not in versions:
        yield "latest is not one of the versions"


def _wrong_version(document: Mapping[str, Any]) -> Iterator[str]:
    if document.keys() != {"version", "digest", "files"}:
        yield "its keys are not those of the seal of a version"
        return
    version = document["version"]
    if not is_version(version):
        yield "the version is not a version number"
        return
    if not is_sha256(document["digest"]):
        yield "the digest is not a SHA-256"
    places = tuple(f"{place}{version}/" for place in (".audit/", ".index/", ""))
    yield from _wrong_files(
        document["files"],
        lambda path: any(path.startswith(one) and is_plain_path(path[len(one) :]) for one in places),
    )


def _wrong_files(files: Any, is_ours: Callable[[str], bool]) -> Iterator[str]:
    if not isinstance(files, dict):
        yield "files is not an object"
        return
    for path, sealed in files.items():
        if not is_ours(path):
            yield f"it must not list the file {path[:200]!r}"
        elif not is_sealed(sealed):
            yield f"{path} does not have a SHA-256 and a size"


def _wrong_purged(document: Mapping[str, Any]) -> Iterator[str]:
    if document.keys() != _PURGED_KEYS:
        yield "it has unknown or missing keys"
        return
    if not (is_version(document["version"]) and is_sha256(document["digest"])):
        yield "its version or digest is invalid"
    for name in ("shards", "files"):
        if not isinstance(document[name], list):
            yield f"{name} is not a list"
            return
    for one in document["shards"]:
        if not (isinstance(one, dict) and one.keys() == _SHARD_KEYS and _is_change(one, may_go=True)):
            yield "the entry of a shard is invalid"
        elif not (is_count(one["rows"]) and is_count(one["raw_bytes"])):
            yield "the rows or raw_bytes of a shard are not a count"
    for one in document["files"]:
        if not (isinstance(one, dict) and one.keys() == {"path", "old", "new"} and _is_change(one)):
            yield "the entry of a file is invalid"
    if not _is_ledger(document["ledger"]):
        yield "the ledger does not contain counts"


def _is_change(one: Mapping[str, Any], *, may_go: bool = False) -> bool:
    new_is_right = is_sealed(one["new"]) or (may_go and one["new"] is None)
    return is_plain_path(one["path"]) and is_sealed(one["old"]) and new_is_right


def _is_ledger(value: Any) -> bool:
    """Return whether a value has counts of ledger rows: by outcome, and by outcome, stage and reason."""
    if not isinstance(value, dict) or not value.keys() <= {*_OUTCOMES, "reasons"}:
        return False
    counts = [one for name, one in value.items() if name != "reasons"]
    return all(map(is_count, counts)) and _are_counts(value.get("reasons", {}), depth=3)


def _are_counts(value: Any, *, depth: int) -> bool:
    if not depth:
        return is_count(value)
    return isinstance(value, dict) and all(_are_counts(one, depth=depth - 1) for one in value.values())
