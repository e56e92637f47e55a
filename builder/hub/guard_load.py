"""Load a version with ``load_dataset``, as its users will, and count the rows."""

from __future__ import annotations

import gc
import io
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault
from builder.hub.retry_policy import is_of_the_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.domain.manifest import Manifest
    from builder.domain.progress import Progress

_ROOM = 1.3
"""Free disk space that loading needs, as a multiple of the raw bytes: the cache holds the rows as Arrow."""

_MAX_WAIT_S = 10.0


def load_faults(
    manifest: Manifest, folder: Path, loaded: dict[str, int], *, advance: Progress
) -> Iterator[Fault]:
    """Call ``load_dataset`` with an empty temporary cache; count the rows into ``loaded``.

    If the disk has no room for the cache, stream the rows and count them.
    """
    raw_bytes = sum(split.raw_bytes for split in manifest.splits.values())
    told = {name: split.rows for name, split in manifest.splits.items() if split.rows}
    advance("load", done=0, total=manifest.rows, unit="rows")
    fault: Fault | None = None
    try:
        with _cache() as cache:
            streaming = shutil.disk_usage(cache).free < raw_bytes * _ROOM
            loaded.update(_count(folder, cache, streaming=streaming))
    except Exception as error:  # noqa: BLE001 - users would see any error that it raises
        what = f"load_dataset fails: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        advice = "free some space, or check the disk" if is_of_the_disk(error) else ""
        fault = Fault(where=manifest.version, what=what, advice=advice)
    if fault:
        wait_until_closed(folder)
        yield fault
        return
    advance("load", done=manifest.rows, total=manifest.rows, unit="rows")
    if loaded != told:
        yield Fault(
            where=manifest.version, what=f"load_dataset returns {loaded}, but the manifest says {told}"
        )


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
    """Create a temporary cache next to the library's own, and hide its progress bars."""
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


def wait_until_closed(folder: Path) -> None:
    """Wait until no file of a folder is open any more.

    When ``load_dataset`` fails, Arrow threads still hold the shard that it read, as a Python file. A thread
    that releases it while the interpreter ends crashes the process (apache/arrow issue 45214).
    """
    end = time.monotonic() + _MAX_WAIT_S
    gc.collect()
    while _is_held(folder) and time.monotonic() < end:
        time.sleep(0.01)


def _is_held(folder: Path) -> bool:
    # type() and not isinstance(): the latter asks a weak proxy of a dead object, which raises ReferenceError.
    files = [one for one in gc.get_objects() if issubclass(type(one), io.BufferedReader)]
    with suppress(ValueError):  # one of them was detached from its raw stream
        return any(str(file.name).startswith(str(folder)) for file in files)
    return False
