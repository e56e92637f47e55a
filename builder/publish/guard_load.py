"""Load the version as its users will, and count."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault
from builder.publish.patience import is_of_the_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.domain.manifest import Manifest
    from builder.publish.result import Advance

_ROOM = 1.3
"""A loaded dataset is written to the cache as Arrow; this many times its raw bytes must be free."""


def load_faults(
    manifest: Manifest, folder: Path, loaded: dict[str, int], *, advance: Advance
) -> Iterator[Fault]:
    """Call ``load_dataset`` with an empty cache, which is removed again; the rows go into ``loaded``.

    Where the disk has no room for the cache, rows are counted as they stream.
    """
    raw_bytes = sum(split.raw_bytes for split in manifest.splits.values())
    told = {name: split.rows for name, split in manifest.splits.items() if split.rows}
    advance("load", done=0, total=manifest.rows, unit="rows")
    try:
        with _cache() as cache:
            streaming = shutil.disk_usage(cache).free < raw_bytes * _ROOM
            loaded.update(_count(folder, cache, streaming=streaming))
    except Exception as error:  # noqa: BLE001 - whatever it says, its users would meet it
        what = f"load_dataset fails: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        advice = "free some space, or see to the disk" if is_of_the_disk(error) else ""
        yield Fault(where=manifest.version, what=what, advice=advice)
        return
    advance("load", done=manifest.rows, total=manifest.rows, unit="rows")
    if loaded != told:
        yield Fault(where=manifest.version, what=f"load_dataset gives {loaded}, the manifest says {told}")


def _count(folder: Path, cache: Path, *, streaming: bool) -> dict[str, int]:
    import datasets

    options: dict[str, Any] = {"cache_dir": str(cache), "streaming": streaming}
    found = datasets.load_dataset(str(folder), **options)
    if not streaming:
        return {str(name): len(split) for name, split in found.items()}
    return {
        str(name): sum(len(batch[next(iter(batch))]) for batch in split.iter(batch_size=1_000))
        for name, split in found.items()
    }


@contextmanager
def _cache() -> Iterator[Path]:
    """Make an empty cache where the library has its own; show no bars meanwhile."""
    import datasets

    place = Path(datasets.config.HF_DATASETS_CACHE).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    bars = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        with tempfile.TemporaryDirectory(prefix="builder-check-", dir=place) as folder:
            yield Path(folder)
    finally:
        if not bars:
            datasets.enable_progress_bars()
