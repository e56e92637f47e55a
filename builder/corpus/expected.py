"""The expected contents of a corpus, from those seals and manifests that can be trusted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from builder.corpus.names import AUDIT, INDEX, LATEST, MANIFEST, OBJECTS, ROOT_SEAL, SEALS
from builder.corpus.objects import object_name
from builder.corpus.opening import MANIFEST_BYTES, PURGED_BYTES, SEAL_BYTES, check_folder
from builder.corpus.purged import PURGED, Purged
from builder.corpus.seals import RootSeal, Sealed, VersionSeal
from builder.domain.manifest import Manifest
from builder.domain.plain_names import is_version
from builder.domain.version import Version
from builder.errors import BuilderError, Fault, VersionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.corpus.inspection import Inspection

_ALWAYS = (OBJECTS, AUDIT, INDEX, SEALS)


@dataclass(slots=True)
class Expected:
    """The expected files, links and folders, by path below the corpus.

    ``open`` has the folders with unknown contents, because the file that lists them is damaged. A file in
    such a folder is never reported as added.
    """

    files: dict[str, Sealed | None] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)

    def add_file(self, name: str, sealed: Sealed | None) -> None:
        """Expect a file; ``sealed`` is None if its bytes were compared already."""
        self.files[name] = sealed
        self.add_folder(str(PurePosixPath(name).parent))

    def add_folder(self, name: str) -> None:
        """Expect a folder and its parent folders."""
        self.folders.update(str(one) for one in (PurePosixPath(name), *PurePosixPath(name).parents))

    def is_open(self, name: str) -> bool:
        """Return whether a path is in a folder with unknown contents."""
        return any(name == one or name.startswith(f"{one}/") for one in self.open)

    def names(self) -> Iterator[str]:
        """Yield the paths of all files and links, sorted."""
        yield from sorted({*self.files, *self.links})


def expect(corpus: Path, version: str | None, inspection: Inspection) -> Expected:
    """Read seals and manifests, and add their faults to the inspection.

    Raises:
        VersionError: if the corpus does not have this version.
    """
    expected = Expected()
    for folder in _ALWAYS:
        expected.add_folder(folder)
    root = _expect_root(corpus, expected, inspection, whole=version is None)
    try:
        versions = list(root.versions) if root else _version_names(corpus)
    except BuilderError as error:
        inspection.add(error)
        return expected
    if version is not None and version not in versions:
        raise VersionError(Fault(where=str(corpus), what=f"has no version {version}"))
    for one in versions if version is None else [version]:
        _expect_version(one, root, expected, inspection)
    return expected


def _expect_root(corpus: Path, expected: Expected, inspection: Inspection, *, whole: bool) -> RootSeal | None:
    expected.add_file(ROOT_SEAL, None)
    data = inspection.read(ROOT_SEAL, limit=SEAL_BYTES)
    try:
        root = RootSeal.parse(data, where=ROOT_SEAL) if data is not None else None
    except BuilderError as error:
        inspection.add(error)
        root = None
    if root and whole:
        for name, sealed in root.files.items():
            expected.add_file(name, sealed)
        if root.latest:
            expected.links[LATEST] = root.latest
        for sha256 in root.unused:
            expected.add_file(object_name(sha256), inspection.of_object(sha256))
    elif not root:
        expected.open.update(one.name for one in corpus.iterdir() if not one.name.startswith("."))
    return root


def _version_names(corpus: Path) -> list[str]:
    """List the versions by their seals, for a corpus without a readable root seal."""
    names = [one.stem for one in sorted(check_folder(corpus, SEALS).glob("[0-9]*.json"))]
    return [name for name in names if is_version(name)]


def _expect_version(version: str, root: RootSeal | None, expected: Expected, inspection: Inspection) -> None:
    seal = _expect_seal(version, root, expected, inspection)
    digest = root.versions[version]["digest"] if root else seal.digest if seal else None
    manifest = _expect_manifest(version, digest, expected, inspection)
    if manifest and root:
        _compare_names(version, manifest, root, inspection)
    if root.versions[version].get("dropped") if root else seal and seal.dropped:
        expected.open.update([version] if seal is None else [])
        return
    if not manifest:
        expected.open.update((version, OBJECTS))
        return
    if "purged" in root.versions[version] if root else seal and f"{version}/{PURGED}" in seal.files:
        manifest = _expect_purged(version, manifest, expected, inspection)
    for file in manifest.files:
        expected.add_file(f"{version}/{file.path}", Sealed(sha256=file.sha256, bytes=file.bytes))
    for _, shard in manifest.shards():
        sealed = Sealed(sha256=shard.sha256, bytes=shard.bytes)
        expected.add_file(f"{version}/{shard.path}", sealed)
        expected.add_file(object_name(shard.sha256), sealed)


def _expect_seal(
    version: str, root: RootSeal | None, expected: Expected, inspection: Inspection
) -> VersionSeal | None:
    name = f"{SEALS}/{version}.json"
    expected.add_file(name, None)
    expected.add_folder(f"{AUDIT}/{version}")
    expected.add_folder(f"{INDEX}/{version}")
    data = inspection.read(name, limit=SEAL_BYTES)
    try:
        if data is not None:
            seal = VersionSeal.parse(data, where=name)
            if not root or Sealed.of(data).sha256 == root.versions[version]["seal"]:
                for path, sealed in seal.files.items():
                    expected.add_file(path, sealed)
                return seal
            inspection.find(name, "was changed: the root seal has another digest for it")
    except BuilderError as error:
        inspection.add(error)
    expected.open.update((f"{AUDIT}/{version}", f"{INDEX}/{version}"))
    return None


def _expect_manifest(
    version: str, digest: str | None, expected: Expected, inspection: Inspection
) -> Manifest | None:
    name = f"{version}/{MANIFEST}"
    expected.add_file(name, None)
    data = inspection.read(name, limit=MANIFEST_BYTES)
    if data is None:
        return None
    if digest is not None and Sealed.of(data).sha256 != digest:
        inspection.find(name, "was changed: its SHA-256 is not the digest of the version")
        return None
    try:
        return Manifest.parse(data, where=name)
    except BuilderError as error:
        inspection.add(error)
        return None


def _expect_purged(version: str, manifest: Manifest, expected: Expected, inspection: Inspection) -> Manifest:
    """Return the manifest as the purge changed it; without a valid ``purged.json``, mark folders as open."""
    name = f"{version}/{PURGED}"
    expected.files.setdefault(name, None)
    data = inspection.read(name, limit=PURGED_BYTES)
    try:
        if data is not None:
            purged = Purged.parse(data, where=name)
            if purged.digest == Sealed.of(manifest.to_bytes()).sha256:
                return purged.apply(manifest)
            inspection.find(name, "belongs to another manifest")
    except BuilderError as error:
        inspection.add(error)
    expected.open.update((version, OBJECTS))
    return dataclasses.replace(manifest, files=(), splits={})


def _compare_names(version: str, manifest: Manifest, root: RootSeal, inspection: Inspection) -> None:
    name = f"{version}/{MANIFEST}"
    if manifest.version != version:
        inspection.find(name, f"is the manifest of version {manifest.version}")
    if manifest.name != root.name:
        inspection.find(name, f"is a manifest of {manifest.name!r}, not of {root.name!r}")
    parent = manifest.parent
    if parent and parent["version"] in root.versions:
        known = root.versions[parent["version"]]["digest"]
        if Version.parse(parent["version"]) >= Version.parse(version) or parent["digest"] != known:
            inspection.find(
                name,
                f"names a parent {parent['version']} that is not version {parent['version']} of this corpus",
            )
