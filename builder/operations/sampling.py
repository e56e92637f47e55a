"""Take a sample that is spread over the inputs, and measure how much of the inputs it covers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from builder.io.streams.streams import compression_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from builder.pipeline.parts import Part
    from builder.pipeline.spool import Spool
    from builder.protocols import Task

Item = TypeVar("Item")

_COMPRESSION = 4
"""Approximate compression ratio of an input; it only scales an estimate."""


def take_evenly(items: Sequence[Item], n: int) -> list[Item]:
    """Return up to ``n`` items at even distances; the first and the last are among them.

    >>> take_evenly(range(10), 4), take_evenly("ab", 4)
    ([0, 3, 6, 9], ['a', 'b'])
    """
    if len(items) <= n:
        return list(items)
    return [items[round(i * (len(items) - 1) / (n - 1))] for i in range(n)] if n > 1 else [items[0]]


def covered_share(spool: Spool, sampled: Sequence[Task], tasks: Sequence[Task]) -> float:
    """Return the approximate share of the input bytes that the parts of a sample have read.

    Each task was read up to the last record in its parts.
    """
    parts: dict[int, Part] = {}
    for part in spool.parts:
        parts[int(Path(part.files["account"].path).parent.name)] = part
    total = sum(task.size_bytes for task in tasks)
    read = sum(_bytes_read(sampled[number], part) for number, part in parts.items())
    return min(1.0, read / total) if read and total else 1.0


def _bytes_read(task: Task, last: Part) -> int:
    """Estimate the bytes of a task up to the last record of its last part."""
    account: pa.Table = last.table("account")
    if not account.num_rows:
        return task.size_bytes
    path: str = account["path"][-1].as_py()
    offset: int = account["offset"][-1].as_py()
    if task.files:
        names = [name for _, name, _ in task.files]
        return sum(size for _, _, size in task.files[: names.index(path) + 1])
    ratio = _COMPRESSION if compression_of(task.name) else 1
    return max(1, min(task.size_bytes, (offset - task.start) // ratio + 1))
