"""Replace existing files of a corpus and their seals: all or nothing."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

from builder.corpus.commit import commit_steps
from builder.corpus.durable import write_file
from builder.corpus.names import LATEST, ROOT_SEAL, SEALS, SPOOL, STAGING_PREFIX
from builder.corpus.objects import take
from builder.corpus.seals import Sealed, newest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any, TypeAlias

    from builder.corpus.folder import Corpus

    Step: TypeAlias = list[str]


class Resealing:
    """A staging folder with new files that replace existing ones; ``commit`` moves them all at once."""

    def __init__(self, corpus: Corpus, name: str) -> None:
        corpus.need_lock()
        self._corpus = corpus
        self._place = corpus.path / SPOOL / f"{STAGING_PREFIX}{name}"
        self._n_files = 0
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir(parents=True)

    def write(self, target: str, data: bytes, *, mode: int = 0o644) -> Step:
        """Stage the new contents of ``target``, and return the step that moves the file there."""
        staged = self.new_path()
        write_file(staged, data, mode=mode)
        return ["replace", staged.name, target]

    def take(self, target: str, path: Path, *, mode: int = 0o644) -> Step:
        """Stage a finished file for ``target``; from another file system it is copied.

        Returns:
            the step that moves the file to ``target``.
        """
        staged = self.new_path()
        shutil.move(path, staged)
        staged.chmod(mode)
        return ["replace", staged.name, target]

    def commit(
        self,
        versions: Mapping[str, Mapping[str, Any]],
        *,
        root_files: Mapping[str, bytes],
        seals: Mapping[str, bytes] | None = None,
        unused: Sequence[str] | None = None,
        before: Sequence[Step] = (),
        after: Sequence[Step] = (),
    ) -> None:
        """Do the steps ``before``, replace root files and seals, and do the steps ``after``.

        Args:
            versions: the new entries of the root seal, by version.
            root_files: new README.md and other files that the root seal covers, by name.
            seals: new seals, by version; this function sets their digests in the root seal.
            unused: SHA-256 of the unused objects for the root seal; None keeps the list.
        """
        old = self._corpus.seal()
        seals = seals or {}
        known = {
            number: {**facts, "seal": Sealed.of(seals[number]).sha256} if number in seals else dict(facts)
            for number, facts in versions.items()
        }
        root = dataclasses.replace(
            old,
            latest=newest_of(known),
            versions=known,
            unused=old.unused if unused is None else tuple(unused),
            files={**old.files, **{name: Sealed.of(data) for name, data in root_files.items()}},
        )
        steps = [*before, *(self.write(name, data) for name, data in root_files.items())]
        steps.append(["point", LATEST, root.latest] if root.latest else ["remove", LATEST])
        steps += [self.write(f"{SEALS}/{number}.json", data) for number, data in seals.items()]
        steps.append(self.write(ROOT_SEAL, root.to_bytes()))
        commit_steps(self._corpus.path, self._place, [*steps, *after])

    def take_object(self, name: str, path: Path) -> Path:
        """Stage a finished shard, and return its path until a step moves it to ``name``."""
        staged = self._place / name
        staged.parent.mkdir(parents=True, exist_ok=True)
        take(path, staged)
        return staged

    def new_path(self) -> Path:
        """Return an unused path in the staging folder."""
        self._n_files += 1
        return self._place / f"{self._n_files:06d}"
