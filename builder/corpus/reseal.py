"""A change of what is there already: root files, seals and what they cover, all together or not at all."""

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
    """Files that are to replace others, beside their places; ``publish`` moves them there all together."""

    def __init__(self, corpus: Corpus, name: str) -> None:
        corpus.need_lock()
        self._corpus = corpus
        self._place = corpus.path / SPOOL / f"{STAGING_PREFIX}{name}"
        self._n_files = 0
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir(parents=True)

    def write(self, target: str, data: bytes, *, mode: int = 0o644) -> Step:
        """Write a file that is to be at ``target``, and return the step that brings it there."""
        beside = self.beside()
        write_file(beside, data, mode=mode)
        return ["replace", beside.name, target]

    def take(self, target: str, path: Path, *, mode: int = 0o644) -> Step:
        """Take a finished file from the same file system, or a copy of one from elsewhere."""
        beside = self.beside()
        shutil.move(path, beside)
        beside.chmod(mode)
        return ["replace", beside.name, target]

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
            versions: what the root seal is to know of each.
            root_files: README.md and others that the root seal covers, by name.
            seals: new seals of versions; their digests in ``versions`` are set here.
            unused: what the root seal is to list as unused objects, if it changes.
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
        """Take a finished shard, and return where it lies until it is moved to ``name``."""
        beside = self._place / name
        beside.parent.mkdir(parents=True, exist_ok=True)
        take(path, beside)
        return beside

    def beside(self) -> Path:
        """Return a new path for a file that is to replace another one."""
        self._n_files += 1
        return self._place / f"{self._n_files:06d}"
