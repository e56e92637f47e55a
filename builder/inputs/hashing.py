"""Compute the SHA-256 of inputs, several at a time in threads: reading and hashing release the GIL.

Hashing needs no worker process, and runs while the workers start.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from builder.domain.progress import Progress, ignore_progress
from builder.io.streams.paths import file_mark
from builder.io.streams.streams import open_input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.inputs.hash_cache import HashCache
    from builder.inputs.inputs import Input

_CHUNK_BYTES = 1 << 20
_PROGRESS_EVERY_S = 0.1
"""Seconds between two reports of progress."""


def hash_inputs(
    inputs: Sequence[Input], *, n_threads: int, cache: HashCache, advance: Progress = ignore_progress
) -> list[Input]:
    """Return the inputs with their SHA-256; inputs whose hash is in the cache are not read.

    Raises:
        SourceError: if an input cannot be read.
    """
    inputs = [replace(one, mark=file_mark(one.address)) if one.address else one for one in inputs]
    known = {one: found for one in inputs if (found := cache.look_up(one))}
    unknown = [one for one in dict.fromkeys(inputs) if one not in known]
    hashed = known | dict(zip(unknown, _hash_all(unknown, n_threads=n_threads, advance=advance), strict=True))
    cache.keep(hashed)
    return [hashed[one] for one in inputs]


def _hash_all(inputs: Sequence[Input], *, n_threads: int, advance: Progress) -> list[Input]:
    meter = Meter(n_bytes=[0] * len(inputs))
    total = sum(one.n_bytes for one in inputs)
    with ThreadPoolExecutor(n_threads) as pool:
        futures = [pool.submit(hash_input, one, number, meter) for number, one in enumerate(inputs)]
        try:
            while any(not future.done() for future in futures):
                wait(futures, timeout=_PROGRESS_EVERY_S, return_when=FIRST_EXCEPTION)
                advance("hash", done=sum(meter.n_bytes), total=total, unit="bytes")
                for future in futures:
                    if future.done():
                        future.result()
            return [future.result() for future in futures]
        finally:
            meter.stopped = True


@dataclass(slots=True)
class Meter:
    """The hashed bytes of each input, and whether hashing should stop because nobody needs the result."""

    n_bytes: list[int]
    stopped: bool = False


def hash_input(one: Input, number: int, meter: Meter) -> Input:
    """Hash one input, a megabyte at a time.

    An input without an address is a dataset on the Hub: its name is hashed, which contains the commit.
    """
    if not one.address:
        return replace(one, sha256=hashlib.sha256(one.path.encode()).hexdigest())
    digest = hashlib.sha256()
    if meter.stopped:
        return one
    with open_input(one.address) as file:
        while (chunk := file.read(_CHUNK_BYTES)) and not meter.stopped:
            digest.update(chunk)
            meter.n_bytes[number] += len(chunk)
    return replace(one, n_bytes=meter.n_bytes[number], sha256=digest.hexdigest())
