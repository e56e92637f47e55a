"""Keep the rules of all lists in one file, sorted by hash, that every worker maps into its memory.

A row takes about 45 bytes: hash, list, line and the text of the rule. The file is in the cache folder of the
user, under a name that depends on the SHA-256 of each list, so it is written once for each state of the
lists, and no worker holds a copy.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_intdigest

from builder.domain.hosts.registrable_domain import PUBLIC_SUFFIXES_SHA256, registrable_domain
from builder.errors import Fault, RecipeError
from builder.stages.blocking.list_files import ListFile, digest_of
from builder.stages.blocking.list_lines import DOMAIN, HOST, PHRASE, Rule, read_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_FORMAT: Final = 1
_KEPT_TABLES: Final = 8
_SCHEMA: Final = pa.schema(
    [("hash", pa.uint64()), ("list", pa.uint16()), ("line", pa.uint32()), ("rule", pa.large_binary())]
)
_KINDS, _WORDS_AT_MOST, _ALLOWS = b"kinds", b"words", b"allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """The rules of all lists, ascending by hash; rules with one hash are in the order of the lists.

    Attributes:
        kinds: the kinds of rules that occur; those that keep pages are in upper case.
        max_words: words of the longest rule of words.
        names: the names of the lists.
    """

    hashes: NDArray[np.uint64]
    table: pa.Table
    kinds: str
    max_words: int
    names: tuple[str, ...]

    def find(self, keys: Sequence[bytes]) -> list[tuple[int, int] | None]:
        """Return list and line of the first rule with each key; None without one."""
        wanted = np.fromiter(map(xxh3_64_intdigest, keys), np.uint64, len(keys))
        at = np.searchsorted(self.hashes, wanted)
        inside = np.minimum(at, max(len(self.hashes) - 1, 0))
        hits = (self.hashes[inside] == wanted) if len(self.hashes) else np.zeros(len(keys), np.bool_)
        found: list[tuple[int, int] | None] = [None] * len(keys)
        for place in np.flatnonzero(hits).tolist():
            found[place] = self._exact(int(at[place]), keys[place])
        return found

    def _exact(self, row: int, key: bytes) -> tuple[int, int] | None:
        """Return the first row from ``row`` with this key: two keys can have one hash."""
        first = self.hashes[row]
        while row < len(self.hashes) and self.hashes[row] == first:
            if self.table["rule"][row].as_py() == key:
                return self.table["list"][row].as_py(), self.table["line"][row].as_py()
            row += 1
        return None


def key_of(kind: str, text: str) -> bytes:
    """Return what is hashed for a rule, or for a part of a URL."""
    return f"{kind}{text}".encode("utf-8", "surrogateescape")


def open_rules(files: Sequence[ListFile]) -> RuleTable:
    """Return the rules of the lists; the first process that asks for them writes the file.

    Raises:
        RecipeError: if a list cannot be read or has no rule.
    """
    try:
        marks = tuple((one, one.path.stat().st_size, one.path.stat().st_mtime_ns) for one in files)
    except OSError as error:
        what = f"a list cannot be read: {error.strerror or error}"
        raise RecipeError(Fault(where="lists", what=what, advice="check the path in the recipe")) from None
    return _open(marks)


@lru_cache(maxsize=4)
def _open(marks: tuple[tuple[ListFile, int, int], ...]) -> RuleTable:
    files = [one for one, _, _ in marks]
    facts = [[one.name, one.rules, one.allows, digest_of(one.path)] for one in files]
    name = hashlib.sha256(orjson.dumps([_FORMAT, PUBLIC_SUFFIXES_SHA256, facts])).hexdigest()[:32]
    path = _cache_folder() / f"{name}.arrow"
    if not path.exists():
        _write(path, files)
        _remove_old(path)
    return _load(path, tuple(one.name for one in files))


def _load(path: Path, names: tuple[str, ...]) -> RuleTable:
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    facts = table.schema.metadata
    column = table["hash"]
    hashes = column.chunk(0).to_numpy() if column.num_chunks else np.empty(0, np.uint64)
    return RuleTable(
        hashes=hashes,
        table=table,
        kinds=facts[_KINDS].decode(),
        max_words=int(facts[_WORDS_AT_MOST]),
        names=names,
    )


def _write(path: Path, files: Sequence[ListFile]) -> None:
    """Write the table of all rules, and put it into place when it is complete."""
    hashes, lists, lines, offsets = array("Q"), array("H"), array("I"), array("q", [0])
    text = bytearray()
    kinds: set[str] = set()
    max_words = 0
    for number, one in enumerate(files):
        n_before = len(lines)
        for line, rule in read_list(_lines(one), rules=one.rules):
            kind, key = _applied(rule)
            kind = kind.upper() if one.allows else kind
            kinds.add(kind)
            if rule.kind == PHRASE:
                max_words = max(max_words, key.count(" ") + 1)
            encoded = key_of(kind, key)
            hashes.append(xxh3_64_intdigest(encoded))
            lists.append(number)
            lines.append(line)
            text += encoded
            offsets.append(len(text))
        if len(lines) == n_before:
            raise RecipeError(_no_rule(one))
    metadata = {_KINDS: "".join(sorted(kinds)), _WORDS_AT_MOST: str(max_words)}
    keys = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(hashes), [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    )
    order = np.argsort(np.frombuffer(hashes, np.uint64), kind="stable").astype(np.uint32)
    arrays = [pa.array(np.frombuffer(hashes, np.uint64)[order])]
    del hashes  # each array of a long list has tens of megabytes
    arrays += [pa.array(np.frombuffer(lists, np.uint16)[order])]
    arrays += [pa.array(np.frombuffer(lines, np.uint32)[order])]
    del lists, lines
    arrays.append(pc.take(keys, pa.array(order)))
    del keys, text, offsets
    table = pa.table(arrays, schema=_SCHEMA.with_metadata(metadata))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.stem}.", delete=False) as unfinished:
        try:
            with pa.ipc.new_file(unfinished, table.schema) as writer:
                writer.write_table(table, max_chunksize=max(table.num_rows, 1))
            unfinished.close()
            Path(unfinished.name).replace(path)
        finally:
            Path(unfinished.name).unlink(missing_ok=True)


def _applied(rule: Rule) -> tuple[str, str]:
    """Return kind and key as they apply: a public suffix is a host, unless it is written as ``*.suffix``.

    Otherwise one line ``github.io`` or ``co.uk`` would block all sites below it.
    """
    if rule.kind == DOMAIN and not rule.is_below and _is_suffix(rule.key):
        return HOST, rule.key
    return rule.kind, rule.key


def _is_suffix(host: str) -> bool:
    is_address = host.startswith("[") or host.replace(".", "").isdecimal()
    return not is_address and registrable_domain(host) is None


def _lines(one: ListFile) -> Iterator[str]:
    try:
        with one.path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from file
    except OSError as error:
        what = f"{one.name} cannot be read: {error.strerror or error}"
        raise RecipeError(Fault(where="lists", what=what, advice="check the path in the recipe")) from None


def _no_rule(one: ListFile) -> Fault:
    what = f"{one.name} has no line that is a rule"
    kinds = "a domain, a line of a hosts file, a URL, or with rules: words a word"
    return Fault(
        where="allow" if one.allows else "lists", what=what, advice=f"write one rule in a line: {kinds}"
    )


def _cache_folder() -> Path:
    """Return the folder of the tables, and create it: in the user's cache, else among temporary files."""
    user = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    temporary = Path(tempfile.gettempdir()) / f"builder-{os.getuid()}-lists"
    for folder in (Path(user) / "builder" / "lists", temporary):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            facts = folder.lstat()
        except OSError:
            continue
        if facts.st_uid == os.getuid() and os.access(folder, os.W_OK):
            return folder
    advice = "set XDG_CACHE_HOME to a folder that you can write to"
    raise RecipeError(Fault(where="lists", what="no cache folder can be written", advice=advice))


def _remove_old(newest: Path) -> None:
    """Remove all tables except the newest ones; a worker that has mapped one keeps it."""
    tables = sorted(newest.parent.glob("*.arrow"), key=lambda one: one.stat().st_mtime_ns, reverse=True)
    for old in tables[_KEPT_TABLES:]:
        old.unlink(missing_ok=True)
