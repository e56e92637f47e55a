"""Arguments of the Python API that are a list, or one value in place of a list with one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")

OneOrMore: TypeAlias = _T | Sequence[_T]


def as_texts(given: OneOrMore[str | Path]) -> list[str]:
    """Return a list of texts; a text or a path is one value, not a sequence.

    >>> as_texts("a.jsonl"), as_texts((Path("a.jsonl"), "b.jsonl"))
    (['a.jsonl'], ['a.jsonl', 'b.jsonl'])
    """
    return [str(given)] if isinstance(given, (str, Path)) else [str(one) for one in given]
