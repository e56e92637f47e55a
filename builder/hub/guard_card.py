"""Check that the card names all shards, with names that ``load_dataset`` accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from builder.card.features import yaml_features
from builder.card.front_matter import check_front_matter, read_front_matter
from builder.corpus.opening import CARD_BYTES, read_file
from builder.errors import BuilderError, ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from builder.domain.manifest import Manifest
    from builder.hub.guard_shards import Footers

_SPLIT = re.compile(r"\w+(\.\w+)*")
_UNFIT_FOR_A_CONFIG = re.compile(r'[<>:/\\|?*"]')


def name_faults(manifest: Manifest) -> Iterator[Fault]:
    """Find names of splits that ``load_dataset`` refuses."""
    for split in manifest.splits:
        if not _SPLIT.fullmatch(split) or split == "all":
            advice = "use letters, digits and underscores, and not the name `all`"
            yield Fault(where=split, what="load_dataset does not accept this name of a split", advice=advice)


def card_faults(manifest: Manifest, folder: Path, footers: Footers, rows: dict[str, int]) -> Iterator[Fault]:
    """Read the card as ``load_dataset`` does; count the rows of its files into ``rows``."""
    where = f"{manifest.version}/README.md"
    try:
        front = read_front_matter(read_file(folder, "README.md", limit=CARD_BYTES).decode())
    except (BuilderError, OSError, UnicodeDecodeError) as error:
        what = f"does not name files to load: {error}"
        yield Fault(where=where, what=what, advice="run `builder verify`")
        return
    for fault in check_front_matter(front):
        yield Fault(where=f"{where} {fault.where}".strip(), what=fault.what)
    if (files := _files(front)) is None:
        yield Fault(where=where, what="does not name files to load", advice="run `builder verify`")
        return
    for split, names in files.items():
        found = [footers.read(name) for name in names]
        rows[split] = sum(footer[0].num_rows for footer in found if footer is not None)
        for name, footer in zip(names, found, strict=True):
            if footer is None:
                yield Fault(where=where, what=f"names {name}, which cannot be opened")
    told = {name: split.rows for name, split in manifest.splits.items()}
    if rows != told:
        yield Fault(where=where, what=f"lists the splits {rows}, but the manifest says {told}")
    yield from _contradictions(manifest, front, where)


def _files(front: Mapping[str, Any]) -> dict[str, list[str]] | None:
    """Return the files of each split, as the first config of the card lists them."""
    try:
        return {one["split"]: list(one["path"]) for one in front["configs"][0]["data_files"]}
    except (IndexError, KeyError, TypeError):
        return None


def _contradictions(manifest: Manifest, front: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """Compare the card with the manifest, because ``load_dataset`` relies on the card."""
    config, info = front["configs"][0], front.get("dataset_info")
    name = str(config.get("config_name", ""))
    if not name or _UNFIT_FOR_A_CONFIG.search(name):
        yield Fault(where=where, what=f"load_dataset does not accept the config name {name!r}")
    if config.get("version") != manifest.version:
        yield Fault(where=where, what=f"belongs to version {config.get('version')}")
    if not isinstance(info, dict):
        yield Fault(where=where, what="lacks dataset_info")
        return
    counts = {one["name"]: one["num_examples"] for one in info.get("splits", ())}
    told = {split: entry.rows for split, entry in manifest.splits.items() if entry.rows}
    if counts != told:
        yield Fault(where=where, what=f"counts {counts}, but the manifest says {told}")
    try:
        if info.get("features") != yaml_features(manifest.columns):
            yield Fault(where=where, what="lists other columns than the manifest")
    except ContractError:
        return
