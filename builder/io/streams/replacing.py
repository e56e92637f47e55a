"""Write a file under a name of its own, then rename it into place: two writers of one file do no harm."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a free name next to ``path`` for writing; rename the file to ``path`` if the block succeeds.

    A reader sees the old file, the new file or none, never a part. A process that has mapped the old file
    keeps it. If the block fails, only the file under the free name is removed. The file is not synced.
    """
    beside = path.with_name(f".{path.name}.{attempt_name()}")
    try:
        yield beside
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def attempt_name() -> str:
    """Return a name that no other attempt has, on any machine.

    >>> len(attempt_name()), attempt_name() == attempt_name()
    (16, False)
    """
    return secrets.token_hex(8)


def write_replacing(path: Path, data: bytes) -> None:
    """Write a whole file; see ``replacing``."""
    with replacing(path) as beside:
        beside.write_bytes(data)


def save_array(path: Path, array: NDArray[Any]) -> Path:
    """Write an array as ``.npy``, and return the path; see ``replacing``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside, beside.open("wb") as file:
        np.save(file, array)
    return path
