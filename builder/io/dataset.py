"""Hugging Face datasets, from a folder or from the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD_FIELD, record_column, record_id, with_record
from builder.domain.rejection import Rejection, no_rejections, rejection_batch
from builder.errors import Fault, RecipeError, SourceError
from builder.io.reading.columns import ColumnsError, plain_batch, public_columns
from builder.io.reading.file_source import GUARD_REASONS
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.streams.paths import Found, find_inputs
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.protocols import Guard

N_PARTS = 32
"""Tasks of equal numbers of rows; how many rows there are is only known in the worker."""

_HUB = "hf://datasets/"
_LOAD_LIMIT_S = 24 * 3600.0
_BATCH_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """Read a Hugging Face dataset.

    ``path`` is a folder that ``load_dataset`` opens or ``save_to_disk`` wrote, or a name on the Hub
    (``user/name``), which is read at the commit that ``revision`` stands for when the build begins. Each row
    is a record, with the columns of the dataset as they are typed there. A column whose name begins with an
    underscore is called as ``rename`` says, else without it. The library downloads and caches as it is set
    up to.
    """

    kind: ClassVar[str] = "dataset"
    untrusted: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "dataset_unreadable": "The files of the dataset, or these rows of it, cannot be read.",
        "dataset_columns": "The names of the columns cannot be told apart.",
        **GUARD_REASONS,
    }

    path: str = option(help="A folder, or the name of a dataset on the Hub.")
    name: str | None = option(None, help="What records of this source are named by; its kind if not given.")
    config: str | None = option(None, help="The configuration (subset); the default one if not given.")
    split: str = option("train", help="The split that is read.")
    revision: str | None = option(None, help="Branch, tag or commit on the Hub; `main` if not given.")
    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="Columns to be called otherwise: dotted path -> column."
    )

    @property
    def label(self) -> str:
        """The name of this source, or its kind."""
        return self.name or self.kind

    def inputs(self) -> list[Found]:
        """List the files of a folder; a dataset on the Hub is one input without an address.

        Raises:
            RecipeError: if there is no such folder, and no such dataset on the Hub either.
        """
        if Path(self.path).is_dir():
            return find_inputs(self.path)
        return [Found(path="", name=f"{self.path}@{self._commit()}", size_bytes=0)]

    def tasks(self) -> list[Task]:
        """Cut the rows into parts; nothing is loaded yet.

        Raises:
            RecipeError: as for ``inputs``.
        """
        local = Path(self.path).is_dir()
        address = self.path if local else f"{_HUB}{self.path}@{self._commit()}"
        n_bytes = sum(found.size_bytes for found in self.inputs()) if local else 0
        name = "/".join(filter(None, (self.config, self.split)))
        return [
            Task(
                source=self.label,
                path=address,
                name=name,
                size_bytes=n_bytes // N_PARTS,
                start=part,
                stop=part + 1,
            )
            for part in range(N_PARTS)
        ]

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Give one part of the rows.

        Raises:
            RecipeError: if the dataset has no such configuration or split.
            SourceError: if the Hub stays out of reach.
        """
        if (reason := guard.enter(self.kind, 0, limit_s=_LOAD_LIMIT_S)) is not None:
            loaded: Any = _Broken(reason=reason, message="loading it ended or hung a worker")
        else:
            loaded = self._load(task.path)
            guard.leave()
        if isinstance(loaded, _Broken):
            if task.start == 0:
                yield self._failure(task, loaded, row=0, ordinal=0)
            return
        dataset, names = loaded
        first, last = (len(dataset) * part // N_PARTS for part in (task.start, task.start + 1))
        mean_bytes = dataset.data.nbytes // max(len(dataset), 1) + 1
        step = max(1, min(batch_rows, BATCH_BYTES // mean_bytes))
        for unit, row in enumerate(range(first, last, step), start=1):
            rows = range(row, min(row + step, last))
            if (reason := guard.enter(self.kind, unit, limit_s=_BATCH_LIMIT_S)) is not None:
                broken = _Broken(
                    reason=reason, message=f"rows {row} to {last - 1}: reading ended or hung a worker"
                )
                yield self._failure(task, broken, row=row, ordinal=row - first)
                return
            batch = plain_batch(_batch(dataset, rows), names)
            guard.leave()
            yield self._reading(task, batch, row=row, ordinal=row - first)

    def _commit(self) -> str:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

        try:
            return str(HfApi().dataset_info(self.path, revision=self.revision).sha)
        except (RepositoryNotFoundError, HFValidationError) as error:
            what = "there is no such folder, and no such dataset on the Hub"
            raise RecipeError(
                Fault(where=self.path, what=what, advice="check the name, or log in if it is private")
            ) from error
        except Exception as error:
            advice = "check network and `revision`; a dataset in a folder needs no network"
            raise RecipeError(Fault(where=self.path, what=f"the Hub says: {error}", advice=advice)) from error

    def _load(self, address: str) -> tuple[Any, list[str]] | _Broken:
        import datasets
        from datasets.exceptions import DatasetGenerationError

        datasets.disable_progress_bars()
        try:
            dataset = self._open(datasets, address).with_format("arrow")
            return dataset, public_columns(dataset.column_names, rename=self.rename)
        except ColumnsError as error:
            return _Broken(reason="dataset_columns", message=str(error))
        except (DatasetGenerationError, pa.ArrowException, UnicodeDecodeError) as error:
            message = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            return _Broken(reason="dataset_unreadable", message=message)
        except (ValueError, KeyError, FileNotFoundError) as error:
            advice = "check `config` and `split`"
            raise RecipeError(Fault(where=self.path, what=str(error), advice=advice)) from error
        except OSError as error:
            advice = "mend disk or network, and build again: finished parts are kept"
            raise SourceError(
                Fault(where=self.path, what=f"cannot be loaded: {error}", advice=advice)
            ) from error

    def _open(self, datasets: Any, address: str) -> Any:
        if address.startswith(_HUB):
            path, commit = address.removeprefix(_HUB).rsplit("@", 1)
            return datasets.load_dataset(path, self.config, split=self.split, revision=commit)
        folder = Path(address)
        if (folder / "dataset_dict.json").is_file():
            return datasets.load_from_disk(address)[self.split]
        if (folder / "state.json").is_file():
            return datasets.load_from_disk(address)
        return datasets.load_dataset(address, self.config, split=self.split)

    def _reading(self, task: Task, batch: pa.RecordBatch, *, row: int, ordinal: int) -> Reading:
        rows = np.arange(batch.num_rows)
        record = record_column(source=self.label, path=task.name, ordinals=ordinal + rows, offsets=row + rows)
        return Reading(batch=with_record(batch, record), rejected=no_rejections(), n_records=len(rows))

    def _failure(self, task: Task, broken: _Broken, *, row: int, ordinal: int) -> Reading:
        record = {
            "id": record_id(self.label, task.name, row),
            "source": self.label,
            "path": task.name,
            "ordinal": ordinal,
            "offset": row,
        }
        failed = Rejection(
            record=record, stage=self.kind, reason=broken.reason, outcome="failed", message=broken.message
        )
        nothing = pa.RecordBatch.from_pylist([], schema=pa.schema([RECORD_FIELD]))
        return Reading(batch=nothing, rejected=rejection_batch([failed]), n_records=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """Why there are no rows."""

    reason: str
    message: str


def _batch(dataset: Any, rows: range) -> pa.RecordBatch:
    table: pa.Table = dataset[rows.start : rows.stop]
    (batch,) = table.combine_chunks().to_batches()
    return batch
