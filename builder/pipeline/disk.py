"""Turn errors of a full or broken disk into messages for people."""

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
    """Turn errors of the disk into a CorpusError; any other OSError is a bug, and is raised unchanged.

    Args:
        places: the folders that builder writes to, for the message.
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
            "free some space" if code in _FULL else "fix the disk or its permissions, or use another folder"
        )
        advice += "; finished work is kept; run the same command again to resume"
        raise CorpusError(Fault(where=where, what=what, advice=advice)) from error


def _code(error: OSError) -> int:
    """Return the error's number; NumPy sets none if a full disk cuts a file short."""
    cut_short = error.errno is None and "requested and" in str(error)
    return errno.ENOSPC if cut_short else error.errno or 0
