"""A disk that is full or cannot be written to, told to a person."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BROKEN = frozenset({errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP})


@contextmanager
def disk_faults(*places: Path) -> Iterator[None]:
    """Turn errors of the disk into a CorpusError; any other OSError is a bug and passes.

    Args:
        places: folders that are written to, for the message.
    """
    try:
        yield
    except OSError as error:
        code = _code(error)
        if code not in _FULL | _BROKEN:
            raise
        where = str(error.filename or " or ".join(map(str, places)))
        what = f"cannot be written: {os.strerror(code)}"
        advice = (
            "free some space" if code in _FULL else "mend the disk or its rights, or choose another folder"
        )
        advice += "; what was finished is kept, the same command goes on from there"
        raise CorpusError(Fault(where=where, what=what, advice=advice)) from error


def _code(error: OSError) -> int:
    """Return the error's number; numpy gives none where a file is cut short, which a full disk does."""
    cut_short = error.errno is None and "requested and" in str(error)
    return errno.ENOSPC if cut_short else error.errno or 0
