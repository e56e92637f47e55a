"""JSON from strangers: every way in which it can be wrong is one exception."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read_json(data: bytes) -> Any:
    """Read JSON; NaN and infinities are not JSON.

    >>> read_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}

    Raises:
        ValueError: if it is not JSON, is nested too deep, or holds a number of too many digits.
    """
    try:
        return json.loads(data, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
