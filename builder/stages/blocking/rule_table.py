"""Keep the rules of all lists in one file, sorted by hash, that every worker maps into its memory.

A row takes about 45 bytes: hash, list, line and the text of the rule. The file is in the cache folder of the
user, under a name that depends on the SHA-256 of each list, so it is written once for each state of the
lists, and no worker holds a copy.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from builder.domain.hosts.registrable_domain import PUBLIC_SUFFIXES_SHA256, public_suffixes
from builder.errors import Fault, RecipeError
from builder.stages.blocking.list_files import ListFile, digest_of
from builder.stages.blocking.list_lines import DOMAIN, HOST, PHRASE, Rule, read_list
from builder.stages.blocking.sorted_rules import LISTED_SCHEMA, SortedRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_FORMAT: Final = 2
_KEPT_TABLES: Final = 8
_KINDS, _WORDS_AT_MOST, _ALLOWS = b"kinds", b"words", b"allows"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """The rules of all lists, ascending by hash; rules with one hash are in the order of the lists.

    Attributes:
        hashes: uint64[n] of each chunk of the table; no hash is in two chunks.
        kinds: the kinds of rules that occur; those that keep pages are in upper case.
        max_words: words of the longest rule of words.
        names: the names of the lists.
    """

    hashes: Sequence[NDArray[np.uint64]]
    table: pa.Table
    kinds: str
    max_words: int
    names: tuple[str, ...]

    def find(self, keys: Sequence[bytes]) -> list[tuple[int, int] | None]:
        """Return list and line of the first rule with each key; None without one."""
        wanted = np.fromiter(map(xxh3_64_intdigest, keys), np.uint64, len(keys))
        found: list[tuple[int, int] | None] = [None] * len(keys)
        owners = np.searchsorted([chunk[-1] for chunk in self.hashes], wanted)
        first_row = 0
        for number, chunk in enumerate(self.hashes):
            mine = np.flatnonzero(owners == number)
            at = np.searchsorted(chunk, wanted[mine])
            hits = chunk[at] == wanted[mine]
            for place, row in zip(mine[hits].tolist(), at[hits].tolist(), strict=True):
                found[place] = self._exact(first_row + row, keys[place])
            first_row += len(chunk)
        return found

    def _exact(self, row: int, key: bytes) -> tuple[int, int] | None:
        """Return list and line of the first row from ``row`` with this key: two keys can have one hash."""
        first = self.table["hash"][row]
        while row < self.table.num_rows and self.table["hash"][row] == first:
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
    return RuleTable(
        hashes=[chunk.to_numpy() for chunk in table["hash"].chunks if len(chunk)],
        table=table,
        kinds=facts[_KINDS].decode(),
        max_words=int(facts[_WORDS_AT_MOST]),
        names=names,
    )


def _write(path: Path, files: Sequence[ListFile]) -> None:
    """Write the table of all rules, and put it into place when it is complete."""
    kinds: set[str] = set()
    max_words = 0
    with SortedRules(path.parent) as rules:
        for number, one in enumerate(files):
            n_before = rules.n_rules
            for line, rule in read_list(_lines(one), rules=one.rules):
                kind, key = _applied(rule)
                kind = kind.upper() if one.allows else kind
                kinds.add(kind)
                if rule.kind == PHRASE:
                    max_words = max(max_words, key.count(" ") + 1)
                rules.add(key_of(kind, key), number=number, line=line)
            if rules.n_rules == n_before:
                raise RecipeError(_no_rule(one))
        facts = {_KINDS: "".join(sorted(kinds)), _WORDS_AT_MOST: str(max_words)}
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.stem}.", delete=False) as unfinished:
            try:
                with pa.ipc.new_file(unfinished, LISTED_SCHEMA.with_metadata(facts)) as writer:
                    for table in rules.tables():
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
    return not is_address and public_suffixes().is_suffix(host)


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
