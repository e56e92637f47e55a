"""Load the version as its users will, and count."""

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
"""A loaded dataset is written to the cache as Arrow; this many times its raw bytes must be free."""

_MAX_WAIT_S = 10.0


def load_faults(
    manifest: Manifest, folder: Path, loaded: dict[str, int], *, advance: Progress
) -> Iterator[Fault]:
    """Call ``load_dataset`` with an empty cache, which is removed again; the rows go into ``loaded``.

    Where the disk has no room for the cache, rows are counted as they stream.
    """
    raw_bytes = sum(split.raw_bytes for split in manifest.splits.values())
    told = {name: split.rows for name, split in manifest.splits.items() if split.rows}
    advance("load", done=0, total=manifest.rows, unit="rows")
    fault: Fault | None = None
    try:
        with _cache() as cache:
            streaming = shutil.disk_usage(cache).free < raw_bytes * _ROOM
            loaded.update(_count(folder, cache, streaming=streaming))
    except Exception as error:  # noqa: BLE001 - whatever it says, its users would meet it
        what = f"load_dataset fails: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        advice = "free some space, or see to the disk" if is_of_the_disk(error) else ""
        fault = Fault(where=manifest.version, what=what, advice=advice)
    if fault:
        wait_until_closed(folder)
        yield fault
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


def wait_until_closed(folder: Path) -> None:
    """Wait until nobody holds a file of a folder any more.

    Where ``load_dataset`` fails, threads of Arrow still hold the shard that it read, as a Python file. One
    that lets go of it while the interpreter ends takes the process down (apache/arrow issue 45214).
    """
    end = time.monotonic() + _MAX_WAIT_S
    gc.collect()
    while _is_held(folder) and time.monotonic() < end:
        time.sleep(0.01)


def _is_held(folder: Path) -> bool:
    files = [one for one in gc.get_objects() if isinstance(one, io.BufferedReader)]
    with suppress(ValueError):  # one of them was detached from what it read
        return any(str(file.name).startswith(str(folder)) for file in files)
    return False
