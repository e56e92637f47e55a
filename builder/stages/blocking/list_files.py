"""Find the files of the lists that a recipe names: files, globs, and folders in the layout of UT1."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RULE_KINDS: Final = ("auto", "domains", "hosts", "urls", "words")
_KEYS: Final = ("path", "rules")
_UT1_FILES: Final = {"domains": "domains", "urls": "urls", "hosts": "hosts", "words": "words"}
_SUFFIXES: Final = (".txt", ".hosts", ".list")
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFile:
    """A file with rules.

    Attributes:
        name: the name to publish: the path below the folder of the recipe, or the last two parts of another.
        rules: the kind of its rules, one of ``RULE_KINDS``.
        allows: whether its rules keep pages.
    """

    path: Path
    name: str
    rules: str
    allows: bool = False


def find_lists(lists: Sequence[Any], allow: Sequence[Any], folder: Path | None) -> tuple[ListFile, ...]:
    """Return all files in the order of the recipe, those of a folder or glob by name; ``allow`` is last.

    Raises:
        RecipeError: if an entry is not valid, or names nothing.
    """
    found: list[ListFile] = []
    faults: list[Fault] = []
    for key, entries in (("lists", lists), ("allow", allow)):
        for entry in entries:
            try:
                found += _files_of(entry, key, (folder or Path()).absolute())
            except RecipeError as error:
                faults += error.faults
    if faults:
        raise RecipeError(*faults)
    return _named_apart(found)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        RecipeError: if it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        what = f"{path.name} cannot be read: {error.strerror or error}"
        raise RecipeError(Fault(where="lists", what=what, advice="check the path in the recipe")) from None
    return digest.hexdigest()


def _files_of(entry: Any, key: str, folder: Path) -> Iterator[ListFile]:
    facts = {"path": entry} if isinstance(entry, str) else entry
    facts = facts if isinstance(facts, Mapping) else {}
    written, rules = facts.get("path"), facts.get("rules", "auto")
    if not written or rules not in RULE_KINDS or set(facts) - set(_KEYS):
        what = f"{entry!r} is not a list"
        advice = f"write a path, or {{path: FILE, rules: KIND}} with one of {', '.join(RULE_KINDS)}"
        raise RecipeError(Fault(where=key, what=what, advice=advice))
    paths = list(_paths(Path(str(written)).expanduser(), folder))
    if not paths:
        advice = f"check the path, which is relative to {folder}; in a folder, files called domains, urls or "
        advice += "hosts are read, and files that end with .txt"
        raise RecipeError(Fault(where=key, what=f"{written!r} names no list", advice=advice))
    for path in paths:
        kind = rules if rules != "auto" else _kind_by_name(path)
        yield ListFile(path=path, name=_public_name(path, folder), rules=kind, allows=key == "allow")


def _paths(written: Path, folder: Path) -> Iterator[Path]:
    place = Path(os.path.normpath(folder / written))
    if place.is_dir():
        yield from (one for one in sorted(place.rglob("*")) if one.is_file() and _is_list(one))
    elif place.is_file():
        yield place
    elif any(sign in str(written) for sign in "*?["):
        base = Path(written.anchor) if written.is_absolute() else folder
        pattern = str(written.relative_to(written.anchor)) if written.is_absolute() else str(written)
        yield from (one for one in sorted(base.glob(pattern)) if one.is_file())


def _is_list(path: Path) -> bool:
    return path.name in _UT1_FILES or path.suffix in _SUFFIXES


def _kind_by_name(path: Path) -> str:
    """Return the kind of the rules in a file with a name of UT1, or with a name such as ``words.txt``."""
    stem = path.stem.lower()
    if stem == "words" or stem.endswith(("-words", "_words")):
        return "words"
    return _UT1_FILES.get(path.name, "auto")


def _public_name(path: Path, folder: Path) -> str:
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    return "/".join(path.parts[-2:])


def _named_apart(files: Sequence[ListFile]) -> tuple[ListFile, ...]:
    """Return the files without repetitions; a name that two of them have gets a number."""
    unique = {(one.path, one.allows): one for one in files}
    named: dict[str, Path] = {}
    result = []
    for one in unique.values():
        name, n = one.name, 2
        while named.setdefault(name, one.path) != one.path:
            name, n = f"{one.name}-{n}", n + 1
        result.append(ListFile(path=one.path, name=name, rules=one.rules, allows=one.allows))
    return tuple(result)
