"""The name that the Hub's `datasets` library gives to an Arrow type; cards and Parquet files both hold it.

Importing ``datasets`` for this would cost more than a second; tests compare the names with its own on every
type that can be published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as pat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NAMES: Mapping[pa.DataType, str] = {
    pa.null(): "null",
    pa.bool_(): "bool",
    pa.float16(): "float16",
    pa.float32(): "float32",
    pa.float64(): "float64",
    pa.date32(): "date32",
    pa.date64(): "date64",
    pa.string(): "string",
    pa.large_string(): "large_string",
    pa.string_view(): "string_view",
    pa.binary(): "binary",
    pa.large_binary(): "large_binary",
    pa.binary_view(): "binary_view",
}

_PATTERNS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], str]]] = (
    (lambda t: pat.is_integer(t) or pat.is_time(t) or pat.is_duration(t) or pat.is_timestamp(t), str),
    (
        lambda t: pat.is_decimal128(t) or pat.is_decimal256(t),
        lambda t: f"decimal{t.bit_width}({t.precision}, {t.scale})",
    ),
    (pat.is_fixed_size_binary, lambda t: f"fixed_size_binary[{t.byte_width}]"),
)


def feature_type(kind: pa.DataType) -> str:
    """Return the name of a type that contains no other type.

    >>> feature_type(pa.timestamp("us", tz="UTC"))
    'timestamp[us, tz=UTC]'

    Raises:
        TypeError: if ``load_dataset`` cannot open a column of this type.
    """
    if kind in _NAMES:
        return _NAMES[kind]
    for matches, name in _PATTERNS:
        if matches(kind):
            return name(kind)
    raise TypeError(f"load_dataset cannot open a column of type {kind}")
