"""Turn errors of a full or broken disk, and of damaged files, into messages for people."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pyarrow as pa

from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_P = ParamSpec("_P")
_R = TypeVar("_R")

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_UNWRITABLE = frozenset(
    {errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.ELOOP, *_FULL}
)
_BUSY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_RESUME = "finished work is kept; run the same command again to resume"


@contextmanager
def disk_faults(*places: Path) -> Iterator[None]:
    """Turn every error of the disk into a CorpusError.

    The error of a lost connection is not an error of the disk, and is raised unchanged.

    Args:
        places: the folders that builder works on, for the message.
    """
    try:
        yield
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:
        raise CorpusError(disk_fault(error, *places)) from error


def reports_disk_faults(operation: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let an operation on a corpus raise a CorpusError where the disk fails, or a file is damaged.

    The first argument of the operation is the corpus, by its folder or address.
    """

    @wraps(operation)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        corpus = next(iter((*args, *kwargs.values())), "")
        place = Path(str(getattr(corpus, "path", corpus)))
        try:
            with disk_faults(place):
                return operation(*args, **kwargs)
        except pa.ArrowException as error:
            what = f"a file of the corpus cannot be read: {_first_line(error)}"
            raise CorpusError(Fault(where=str(place), what=what, advice="run `builder verify`")) from error

    return called


def disk_fault(error: OSError, *places: Path) -> Fault:
    """Return what an error of the disk means, where it is, and what to do."""
    code = _code(error)
    reason = os.strerror(code) if code else _first_line(error)
    verb = "written" if code in _UNWRITABLE else "read or written"
    if code in _FULL:
        advice = f"free some space; {_RESUME}"
    elif code in _BUSY:
        advice = f"close other programs, or raise the limit (ulimit); {_RESUME}"
    elif code == errno.ENOENT:
        advice = "run `builder verify`"
    else:
        advice = f"fix the disk or its permissions, or use another folder; {_RESUME}"
    where = _name(error) or " or ".join(map(str, places))
    return Fault(where=where, what=f"cannot be {verb}: {reason}", advice=advice)


def _name(error: OSError) -> str:
    name = error.filename
    return os.fsdecode(name) if isinstance(name, (str, bytes)) else ""


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _code(error: OSError) -> int:
    """Return the error's number; NumPy sets none if a full disk cuts a file short."""
    cut_short = error.errno is None and "requested and" in str(error)
    return errno.ENOSPC if cut_short else error.errno or 0
