"""Read the changes that shim.c recorded, and replay a prefix of them as a disk may after power loss."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SECTOR = 512
NAME_VERBS = frozenset({"open", "create", "rename", "link", "symlink", "unlink", "mkdir"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """One recorded change.

    Attributes:
        node: the inode of the file; of a folder for `sync` of a folder.
        where: the offset of a `write`, or the new size of a `truncate`.
        one, two: paths; a `symlink` has its target as `two`.
    """

    verb: str
    node: int
    where: int
    one: str
    two: str
    data: bytes


def read_changes(path: Path) -> list[Change]:
    return list(_changes(path.read_bytes()))


def _changes(record: bytes) -> Iterator[Change]:
    at = 0
    while at < len(record):
        end = record.index(b"\n", at)
        verb, node, where, *sizes = record[at:end].split()
        at = end + 1
        pieces = []
        for size in map(int, sizes):
            pieces.append(record[at : at + size])
            at += size
        yield Change(
            verb=verb.decode(),
            node=int(node),
            where=int(where),
            one=os.fsdecode(pieces[0]),
            two=os.fsdecode(pieces[1]),
            data=pieces[2],
        )


# -- the disk --------------------------------------------------------------------------------------


@dataclass
class Disk:
    """The files of a folder by inode, and their names. A name maps to an inode, None (a folder) or a link."""

    root: str
    names: dict[str, int | str | None] = field(default_factory=dict)
    files: dict[int, bytearray] = field(default_factory=dict)
    modes: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> Disk:
        disk = cls(str(root))
        for path in [root, *sorted(root.rglob("*"))]:
            if path.is_symlink():
                disk.names[str(path)] = str(path.readlink())
            elif path.is_dir():
                disk.names[str(path)] = None
            else:
                facts = path.lstat()
                disk.names[str(path)] = facts.st_ino
                disk.files[facts.st_ino] = bytearray(path.read_bytes())
                disk.modes[facts.st_ino] = facts.st_mode & 0o777
        return disk

    def copy(self) -> Disk:
        files = {node: bytearray(data) for node, data in self.files.items()}
        return Disk(self.root, dict(self.names), files, dict(self.modes))

    def apply(self, change: Change) -> None:
        """Apply one change; a change of names whose source is not there has no effect."""
        {"write": self._write, "truncate": self._truncate}.get(change.verb, self._name)(change)

    def _write(self, change: Change) -> None:
        data = self.files.setdefault(change.node, bytearray())
        data.extend(bytes(max(0, change.where - len(data))))
        data[change.where : change.where + len(change.data)] = change.data

    def _truncate(self, change: Change) -> None:
        data = self.files.setdefault(change.node, bytearray())
        del data[change.where :]
        data.extend(bytes(change.where - len(data)))

    def _name(self, change: Change) -> None:
        verb, one, two = change.verb, change.one, change.two
        if verb in ("open", "create"):
            self.names.setdefault(one, change.node)
            self.files.setdefault(change.node, bytearray())
        elif verb == "mkdir":
            self.names.setdefault(one, None)
        elif verb == "symlink":
            self.names[one] = two
        elif verb == "unlink":
            self.names.pop(one, None)
        elif verb == "link" and one in self.names:
            self.names[two] = self.names[one]
        elif verb == "rename" and one in self.names:
            moved = {name: to for name, to in self.names.items() if name == one or name.startswith(one + "/")}
            for name in moved:
                del self.names[name]
            for name, to in moved.items():
                self.names[two + name.removeprefix(one)] = to

    def write_to(self, target: Path) -> None:
        """Write all names whose folders exist to another folder."""
        written: dict[int, Path] = {}
        for name in sorted(self.names, key=lambda one: (one.count("/"), one)):
            to = self.names[name]
            path = target / PurePosixPath(name).relative_to(self.root)
            if not path.parent.is_dir() or path.parent.is_symlink():
                continue
            if to is None:
                path.mkdir(exist_ok=True)
            elif isinstance(to, str):
                path.symlink_to(to)
            elif to in written:
                path.hardlink_to(written[to])
            else:
                path.write_bytes(self.files[to])
                path.chmod(self.modes.get(to, 0o644) | 0o400)
                written[to] = path


# -- power loss ------------------------------------------------------------------------------------

MODES = ("unsynced changes are lost", "names before bytes", "torn", "reordered")


def after_power_loss(before: Disk, changes: list[Change], mode: str, *, chance: random.Random) -> Disk:
    """Return the disk when the power fails behind the last of the changes.

    What was synced is there. Of the rest, by mode: nothing; all names, but no bytes; all names and a part of
    the bytes; or any changes, each with an even chance.
    """
    durable = _durable(before, changes)
    disk = before.copy()
    for number, change in enumerate(changes):
        if change.verb in ("sync", "map"):
            continue
        is_name = change.verb in NAME_VERBS
        if is_name and change.verb in ("open", "create") and change.one in disk.names:
            if change.verb == "create" and number in durable:
                disk.files[change.node] = bytearray()
            continue
        if number in durable or (is_name and mode in ("names before bytes", "torn")):
            disk.apply(change)
        elif mode == "torn":
            _apply_torn(disk, change, chance)
        elif mode == "reordered" and chance.random() < 0.5:
            disk.apply(change)
    return disk


def _apply_torn(disk: Disk, change: Change, chance: random.Random) -> None:
    """Apply some sectors of a write; others are as they were, or zeros."""
    if change.verb != "write":
        return
    for first in range(0, len(change.data), SECTOR):
        piece = change.data[first : first + SECTOR]
        fate = chance.randrange(3)
        if fate:
            data = piece if fate == 1 else bytes(len(piece))
            disk.apply(
                Change(verb="write", node=change.node, where=change.where + first, one="", two="", data=data)
            )


def _durable(before: Disk, changes: list[Change]) -> set[int]:
    """Return the numbers of the changes that a later sync brought to the disk.

    A name that was moved or linked to a synced folder is there, so the change that made it is there too.
    """
    folders = _folder_nodes(changes)
    durable: set[int] = set()
    makers: dict[str, int] = {}
    sources: dict[int, int] = {}
    waiting: dict[tuple[str, object], list[int]] = {}
    for number, change in enumerate(changes):
        if change.verb == "sync":
            durable.update(waiting.pop(("file", change.node), ()))
            for path in folders.get(change.node, ()):
                durable.update(waiting.pop(("folder", path), ()))
        elif change.verb in NAME_VERBS:
            last = change.two if change.verb in ("rename", "link") else change.one
            if last != change.one and change.one in makers:
                sources[number] = makers[change.one]
            makers[last] = number
            waiting.setdefault(("folder", str(PurePosixPath(last).parent)), []).append(number)
            if change.verb == "create":
                waiting.setdefault(("file", change.node), []).append(number)
        elif change.verb != "map":
            waiting.setdefault(("file", change.node), []).append(number)
    for number in range(len(changes) - 1, -1, -1):
        if number in durable and number in sources:
            durable.add(sources[number])
    return durable


def _folder_nodes(changes: list[Change]) -> Mapping[int, list[str]]:
    """Return the paths that a folder has had, by its inode, as far as it was synced."""
    found: dict[int, list[str]] = {}
    for change in changes:
        if change.verb == "sync" and change.one:
            found.setdefault(change.node, []).append(change.one)
    return found
