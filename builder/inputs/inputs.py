"""List the inputs of a build: each file with its SHA-256, as ``inputs.parquet`` stores them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from builder.errors import Fault, RecipeError
from builder.registry import blame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from builder.domain.passed_over import PassedOver
    from builder.io.streams.paths import FileMark
    from builder.protocols import Source, Task

INPUTS_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input: the address to open, and the facts that ``inputs.parquet`` stores.

    An input that is not a file (a dataset on the Hub) has an empty address and the hash of its name.

    Attributes:
        former_path: the path by the first rule of input names, if it is another one.
        mark: the mark of a local file before it was hashed, which shows whether the file changes later.
    """

    source: str
    address: str
    path: str
    n_bytes: int
    sha256: str = ""
    former_path: str | None = None
    mark: FileMark | None = field(default=None, compare=False)


def list_inputs(sources: Sequence[Source]) -> list[Input]:
    """List the inputs of all sources, in the order of the build.

    Raises:
        RecipeError: if the path of a source does not exist; it has the faults of all sources.
    """
    inputs: list[Input] = []
    faults: list[Fault] = []
    for source in sources:
        try:
            with blame(source.kind, kind="source", code=type(source)):
                inputs += [
                    Input(
                        source=source.label,
                        address=found.path,
                        path=found.name,
                        n_bytes=found.size_bytes,
                        former_path=getattr(found, "former_name", None),
                    )
                    for found in source.inputs()
                ]
        except RecipeError as error:
            faults += error.faults
    if faults:
        raise RecipeError(*faults)
    return inputs


def list_tasks(sources: Sequence[Source]) -> list[Task]:
    """List the tasks of all sources, in the order of the build.

    Raises:
        RecipeError: if the path of a source does not exist.
    """
    tasks: list[Task] = []
    for source in sources:
        with blame(source.kind, kind="source", code=type(source)):
            tasks += source.tasks()
    return tasks


def list_passed_over(sources: Sequence[Source], inputs: Iterable[Input]) -> list[PassedOver]:
    """Count what the paths of all sources together pass over; a source of another package need not count."""
    elsewhere: set[str] = set()
    for one in inputs:
        folder = one.address
        while folder not in elsewhere:
            elsewhere.add(folder)
            folder = folder.rpartition("/")[0]
    counting = [source for source in sources if hasattr(source, "passed_over")]
    return [one for source in counting for one in source.passed_over(elsewhere)]


def inputs_digest(inputs: Iterable[Input]) -> str:
    """Return the SHA-256 over the list of inputs, in the order of the build."""
    lines = b"".join(orjson.dumps([one.source, one.path, one.n_bytes, one.sha256]) + b"\n" for one in inputs)
    return hashlib.sha256(lines).hexdigest()


def read_inputs(path: Path) -> list[Input]:
    """Read ``inputs.parquet``, which stores no addresses."""
    rows = pq.ParquetFile(path).read().to_pylist()
    return [
        Input(source=r["source"], address="", path=r["path"], n_bytes=r["bytes"], sha256=r["sha256"])
        for r in rows
    ]


def write_inputs(path: Path, inputs: Sequence[Input]) -> None:
    """Write ``inputs.parquet``."""
    columns = [
        pa.array([one.source for one in inputs], pa.string()),
        pa.array([one.path for one in inputs], pa.string()),
        pa.array([one.n_bytes for one in inputs], pa.int64()),
        pa.array([one.sha256 for one in inputs], pa.string()),
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=INPUTS_SCHEMA), path, compression="zstd")
