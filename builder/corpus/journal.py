"""The journal of a commit, and the only steps that it may contain.

Every command that takes the lock reads ``commit.json``, and the file may come from a stranger. Its grammar is
closed: a few verbs, each with the few paths that a builder writes. All steps, and the files at their paths,
are checked before the first step is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from builder.corpus.names import (
    AUDIT,
    INDEX,
    LATEST,
    OBJECTS,
    SEALS,
    SIDE_FOLDER,
    SPOOL,
    STAGING_PREFIX,
    is_report,
)
from builder.corpus.objects import object_name
from builder.corpus.opening import JOURNAL_BYTES, check_folder, check_tree, file_kind, read_file
from builder.domain.json.strict import read_json
from builder.domain.plain_names import is_plain_path, is_sha256, is_version
from builder.errors import BuilderError, Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_Step: TypeAlias = "list[str]"

JOURNAL = "commit.json"
_ROOT_FILES = frozenset({"README.md", "tombstones.jsonl"})
_NOT_A_SPOOL = frozenset({"lock", "hashes.json"})
_ADVICE = (
    "nothing was done; do not use a corpus of a stranger that has this file; "
    "if the corpus is yours, delete the folder of this file and run `builder verify`"
)


def find_staged(corpus: Path) -> list[Path]:
    """List the staging folders of unfinished commits.

    Raises:
        TamperedError: if such a path is a link or not a folder.
    """
    check_folder(corpus, SPOOL)
    found = sorted((corpus / SPOOL).glob(f"{STAGING_PREFIX}*"))
    return [check_folder(corpus, f"{SPOOL}/{one.name}") for one in found]


def has_journal(staged: Path) -> bool:
    """Return whether a staging folder has a journal, so that its commit must be finished."""
    return bool(file_kind(staged / JOURNAL))


def read_journal(corpus: Path, staged: Path) -> list[_Step]:
    """Read the steps of a journal and check all of them. Nothing is changed.

    Raises:
        FileNotFoundError: if the journal does not exist.
        TamperedError: if a builder does not write such a journal, or a step leads out of the corpus.
    """
    name = _name(staged)
    data = read_file(corpus, name, limit=JOURNAL_BYTES)
    try:
        steps = read_json(data)
    except ValueError as error:
        raise TamperedError(Fault(where=name, what=f"is not JSON: {error}", advice=_ADVICE)) from None
    check_steps(corpus, staged, steps)
    return [list(step) for step in steps]


def check_steps(corpus: Path, staged: Path, steps: Any) -> None:
    """Check that a builder writes such steps, and that no path of a step goes through a link.

    Raises:
        TamperedError: for the first step that does not pass.
    """
    name = _name(staged)
    if not isinstance(steps, list):
        raise TamperedError(Fault(where=name, what="is not a list of steps", advice=_ADVICE))
    for number, step in enumerate(steps, 1):
        if not _is_step(step):
            what = f"step {number} is not one that a builder writes: {str(step)[:200]}"
            raise TamperedError(Fault(where=name, what=what, advice=_ADVICE))
    try:
        check_folder(corpus, f"{SPOOL}/{staged.name}")
        check_tree(staged, where=f"{SPOOL}/{staged.name}")
        for folder in sorted({folder for step in steps for folder in _folders(step)}):
            check_folder(corpus, folder)
        for step in steps:
            _check_end(corpus, step)
    except BuilderError as error:
        faults = [Fault(where=one.where, what=one.what, advice=_ADVICE) for one in error.faults]
        raise TamperedError(*faults) from None


def is_spool_name(name: str) -> bool:
    """Return whether a name below ``.spool`` is the name of an unfinished build or a scratch folder."""
    return _are_names(name, n_names=1) and name not in _NOT_A_SPOOL and not name.startswith(STAGING_PREFIX)


def _name(staged: Path) -> str:
    return f"{SPOOL}/{staged.name}/{JOURNAL}"


# -- the grammar -----------------------------------------------------------------------------------


def _is_step(step: Any) -> bool:
    if not isinstance(step, list) or not step or not all(isinstance(one, str) for one in step):
        return False
    verb, *arguments = step
    if verb not in _GRAMMAR or len(arguments) != _GRAMMAR[verb][0]:
        return False
    return _GRAMMAR[verb][1](*arguments)


def _is_move(source: str, target: str) -> bool:
    if source == "version":
        return is_version(target)
    if source in ("audit", "index"):
        folder, _, version = target.partition("/")
        return folder == {"audit": AUDIT, "index": INDEX}[source] and is_version(version)
    return source == target and _is_object(target)


def _is_replace(source: str, target: str) -> bool:
    return is_plain_path(source) and (target in _ROOT_FILES or _is_seal(target) or _is_version_file(target))


def _is_point(link: str, target: str) -> bool:
    return link == LATEST and is_version(target)


def _is_remove(target: str) -> bool:
    folder, _, name = target.partition("/")
    if folder == SPOOL:
        return is_spool_name(name)
    if folder == AUDIT:
        version, _, rest = name.partition("/")
        return is_version(version) and rest == SIDE_FOLDER
    return target == LATEST or is_report(target) or (is_version(folder) and _are_names(name))


def _is_object(path: str) -> bool:
    sha256 = path.rpartition("/")[2].removesuffix(".parquet")
    return is_sha256(sha256) and path == object_name(sha256)


def _is_stray_object(path: str) -> bool:
    """Return whether a path is two names below the objects. Files that ``gc`` removes may have any name."""
    return path.startswith(f"{OBJECTS}/") and _are_names(path.removeprefix(f"{OBJECTS}/"), n_names=2)


def _are_names(path: str, *, n_names: int | None = None) -> bool:
    """Return whether a path has no empty name, no ``.``, no ``..`` and no null character."""
    names = path.split("/")
    is_right = n_names is None or len(names) == n_names
    return is_right and all(name not in ("", ".", "..") and "\0" not in name for name in names)


def _is_seal(path: str) -> bool:
    folder, _, name = path.partition("/")
    number = name.removesuffix(".json")
    return folder == SEALS and name.endswith(".json") and (number == "root" or is_version(number))


def _is_version_file(path: str) -> bool:
    """Return whether a path is below a version's folder, in ``.audit`` or in ``.index``."""
    first, _, rest = path.partition("/")
    if first in (AUDIT, INDEX):
        first, _, rest = rest.partition("/")
    return is_version(first) and is_plain_path(rest)


_GRAMMAR: Mapping[str, tuple[int, Callable[..., bool]]] = {
    "move": (2, _is_move),
    "replace": (2, _is_replace),
    "freeze": (1, is_version),
    "point": (2, _is_point),
    "remove": (1, _is_remove),
    "free": (1, _is_stray_object),
}
"""For each verb: the number of its arguments, and the check of their values."""


# -- the paths -------------------------------------------------------------------------------------

_ENDS: Mapping[str, frozenset[str]] = {
    "replace": frozenset({"a file"}),
    "freeze": frozenset({"a folder"}),
    "point": frozenset({"a symbolic link"}),
}
"""What a step may find at the path that it changes. Links are replaced, never followed."""


def _target(step: Sequence[str]) -> str:
    return step[1] if step[0] == "point" else step[-1]


def _folders(step: Sequence[str]) -> list[str]:
    """Return the parent folder of the path that a step changes; empty at the top of the corpus."""
    folder = _target(step).rpartition("/")[0]
    return [folder] if folder else []


def _check_end(corpus: Path, step: Sequence[str]) -> None:
    verb, target = step[0], _target(step)
    kind = file_kind(corpus / target)
    if kind and verb in _ENDS and kind not in _ENDS[verb]:
        raise TamperedError(Fault(where=target, what=f"is {kind}"))
