"""Pickle values without the values of environment variables; the other machine has its own environment."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.addresses import Variables

_SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}


def pickle_hidden(value: Any, variables: Variables) -> bytes:
    """Pickle a value; in each string, the values of variables are replaced by their names.

    >>> b"s3cret" in pickle_hidden({"path": "https://host/a?key=s3cret"}, [("KEY", "s3cret")])
    False
    """
    buffer = io.BytesIO()
    _Hiding(buffer, variables).dump(value)
    return buffer.getvalue()


def unpickle_hidden(data: bytes) -> Any:
    """Return the value, with the values of this process's environment variables.

    >>> os.environ["KEY"] = "s3cret"
    >>> unpickle_hidden(pickle_hidden(["?key=s3cret"], [("KEY", "s3cret")]))
    ['?key=s3cret']
    >>> del os.environ["KEY"]
    """
    return _Filling(io.BytesIO(data)).load()


def proof_of(values: Sequence[str], salt: bytes) -> str:
    """Return a salted digest of values, which is too slow to compute for guessing them."""
    return hashlib.scrypt("\0".join(values).encode(), salt=salt, dklen=32, **_SCRYPT).hex()


class _Hiding(pickle.Pickler):
    def __init__(self, file: io.BytesIO, variables: Variables) -> None:
        super().__init__(file, protocol=5)
        self._names = {value: name for name, value in variables if value}
        longest_first = sorted(self._names, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def persistent_id(self, obj: Any) -> Any:
        """Return the pieces of a string with values in it: text, name, text, name, ..., text."""
        if self._values is None or type(obj) is not str or self._values.search(obj) is None:
            return None
        pieces, end = [], 0
        for found in self._values.finditer(obj):
            pieces += [obj[end : found.start()], self._names[found[0]]]
            end = found.end()
        return [*pieces, obj[end:]]


class _Filling(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> str:
        """Join the pieces of a string with this environment's values."""
        return "".join(os.environ[piece] if n % 2 else piece for n, piece in enumerate(pid))
