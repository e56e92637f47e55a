"""Commit a version to a corpus: all of it or nothing, whenever the machine stops.

A builder first writes all files to a staging folder, including the seals. Then it writes the list of steps
as ``commit.json``, by an atomic rename. Before this rename the corpus is the old one, and the next builder
deletes the staging folder. After it the corpus is the new one, and the next builder checks all steps
(``builder.corpus.journal``) and does those that are left. Each step can be repeated without harm.

Between any two steps, ``load_dataset`` on the folder finds a complete corpus. Therefore rows come before the
card that names them, and ``latest`` and the root seal come last.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from builder.corpus.durable import (
    freeze,
    point,
    remove,
    rename_new,
    sync_folder,
    sync_folders,
    sync_tree,
    write_file,
)
from builder.corpus.journal import JOURNAL, check_steps, find_staged, has_journal, read_journal
from builder.corpus.names import AUDIT, INDEX, LATEST, OBJECTS, ROOT_SEAL, SEALS
from builder.corpus.opening import JOURNAL_BYTES
from builder.corpus.seals import RootSeal, Sealed, VersionSeal, newest_of
from builder.domain.json.canonical import canonical_json
from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from builder.corpus.staging import Staging


def add_version_steps(
    staging: Staging, digest: str, *, old: RootSeal, root_files: Mapping[str, bytes]
) -> list[list[str]]:
    """Write new seals and root files next to a staged version, and list the steps of its commit.

    Args:
        digest: digest of the version.
        old: the root seal of the corpus without the version.
        root_files: new contents of files that belong to the corpus as a whole, by name.
    """
    version = staging.version
    sealed = VersionSeal(version=version, digest=digest, files=staging.seal_private()).to_bytes()
    versions = {
        **old.versions,
        version: {"digest": digest, "seal": Sealed.of(sealed).sha256, "yanked": None},
    }
    root = RootSeal(
        name=old.name,
        latest=newest_of(versions),
        versions=versions,
        unused=tuple(one for one in old.unused if one not in staging.shards.values()),
        files={**old.files, **{name: Sealed.of(data) for name, data in root_files.items()}},
    )
    fresh = {f"{SEALS}/{version}.json": sealed, **root_files, ROOT_SEAL: root.to_bytes()}
    for name, data in fresh.items():
        write_file(staging.root / Path(name).name, data)
    objects = sorted(path.relative_to(staging.place) for path in staging.place.glob(f"{OBJECTS}/*/*"))
    steps = [["move", str(path), str(path)] for path in objects]
    steps += [["move", "audit", f"{AUDIT}/{version}"], ["move", "index", f"{INDEX}/{version}"]]
    steps += [["move", "version", version], ["freeze", version]]
    steps += [["replace", f"root/{Path(name).name}", name] for name in fresh if name != ROOT_SEAL]
    return [
        *steps,
        ["point", LATEST, str(root.latest)],
        ["replace", f"root/{Path(ROOT_SEAL).name}", ROOT_SEAL],
    ]


def commit_steps(corpus: Path, staged: Path, steps: Sequence[Sequence[str]]) -> None:
    """Sync the staged files, write the journal, and do its steps.

    Args:
        steps: each one a verb of ``_VERBS`` and its arguments; paths in ``staged`` come before paths in
            ``corpus``.
    """
    if staged.stat().st_dev != corpus.stat().st_dev:
        what = "is on another file system than the corpus, so files cannot be renamed from it"
        raise CorpusError(Fault(where=str(staged.parent), what=what, advice="replace it with a plain folder"))
    promised = [list(step) for step in steps]
    check_steps(corpus, staged, promised)
    journal = canonical_json(promised)
    if len(journal) > JOURNAL_BYTES:
        what = f"the journal of the commit would have {len(journal):,} bytes; the limit is {JOURNAL_BYTES:,}"
        raise CorpusError(Fault(where=str(corpus), what=what, advice="build with fewer, larger shards"))
    sync_tree(staged)
    sync_folder(staged.parent)
    write_file(staged / JOURNAL, journal)
    _do(corpus, staged, promised)


def finish_pending(corpus: Path) -> None:
    """Finish the commits of a killed builder, and delete its staging folders without a journal.

    The caller holds the lock.

    Raises:
        TamperedError: if a journal is not one that a builder writes; then nothing is changed.
    """
    found = find_staged(corpus)
    promised = {staged: read_journal(corpus, staged) for staged in found if has_journal(staged)}
    for staged in found:
        if staged in promised:
            _do(corpus, staged, promised[staged])
        else:
            shutil.rmtree(staged)


def is_pending(corpus: Path) -> bool:
    """Return whether a journal has steps that are not done yet."""
    return any(has_journal(staged) for staged in find_staged(corpus))


def _do(corpus: Path, staged: Path, steps: Sequence[Sequence[str]]) -> None:
    """Do the steps of a journal. Consecutive moves are synced together, before the next other step."""
    moved: dict[Path, None] = {}
    for verb, *arguments in steps:
        if verb == "move":
            moved |= dict.fromkeys(_move(corpus, staged, *arguments))
            continue
        sync_folders(moved)
        moved = {}
        _VERBS[verb](corpus, staged, *arguments)
    sync_folders(moved)
    (staged / JOURNAL).unlink()
    sync_folder(staged)
    shutil.rmtree(staged)
    sync_folder(staged.parent)


def _move(corpus: Path, staged: Path, source: str, target: str) -> list[Path]:
    """Move a file or folder to a free name, and return the folders to sync."""
    have, want = staged / source, corpus / target
    if os.path.lexists(have):
        want.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_new(have, want)
        except FileExistsError:
            what = "is in the way of the version that this command writes"
            raise CorpusError(Fault(where=str(want), what=what, advice="move it to another folder")) from None
    elif not os.path.lexists(want):
        raise CorpusError(Fault(where=str(want), what="was lost during the commit"))
    return [want.parent, want.parent.parent, have.parent]


def _replace(corpus: Path, staged: Path, source: str, target: str) -> None:
    """Move a file and replace the file at the target. A read-only target folder becomes writable."""
    if os.path.lexists(staged / source):
        folder = (corpus / target).parent
        folder.chmod(folder.stat().st_mode | stat.S_IWUSR)
        (staged / source).replace(corpus / target)
        sync_folder(folder)


def _freeze(corpus: Path, staged: Path, target: str) -> None:  # noqa: ARG001 - a verb
    freeze(corpus / target)


def _point(corpus: Path, staged: Path, link: str, target: str) -> None:  # noqa: ARG001 - a verb
    point(corpus / link, target)


def _remove(corpus: Path, staged: Path, target: str) -> None:  # noqa: ARG001 - a verb
    remove(corpus / target)


def _free(corpus: Path, staged: Path, target: str) -> None:  # noqa: ARG001 - a verb
    """Remove an object, and its folder if the folder is empty then."""
    remove(corpus / target)
    with suppress(OSError):
        (corpus / target).parent.rmdir()
        sync_folder((corpus / target).parent.parent)


_VERBS: Mapping[str, Callable[..., None]] = {
    "replace": _replace,
    "freeze": _freeze,
    "point": _point,
    "remove": _remove,
    "free": _free,
}
