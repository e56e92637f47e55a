"""Read Hugging Face datasets from a folder or from the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.addresses import redact_urls
from builder.domain.record import RECORD_FIELD, record_column, record_id, with_record
from builder.domain.rejection import Rejection, no_rejections, rejection_batch
from builder.domain.url_patterns import URL_REASONS
from builder.errors import Fault, RecipeError, SourceError
from builder.io.reading.columns import ColumnsError, TooManyColumnsError, plain_batch, public_columns
from builder.io.reading.file_source import GUARD_REASONS
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.streams.limits import TOO_MANY_COLUMNS
from builder.io.streams.paths import Found, find_inputs
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.protocols import Guard

N_PARTS = 32
"""Number of tasks, each with the same number of rows. It is fixed: only a worker knows the number of rows."""

_HUB = "hf://datasets/"
_LOAD_LIMIT_S = 24 * 3600.0
_BATCH_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSource:
    """Read a Hugging Face dataset.

    ``path`` is a folder that ``load_dataset`` can open, a folder that ``save_to_disk`` wrote, or the name of
    a dataset on the Hub (``user/name``). A dataset on the Hub is read at the commit to which ``revision``
    points when the build begins. Each row is a record, with the columns and types of the dataset. A column
    whose name begins with an underscore gets its name in ``rename``, else it loses the underscores. The
    library ``datasets`` downloads and caches as configured.
    """

    kind: ClassVar[str] = "dataset"
    rules: ClassVar[int] = 1
    untrusted: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        "dataset_unreadable": "The files of the dataset cannot be read.",
        **TOO_MANY_COLUMNS,
        "dataset_columns": "The column names are empty or not unique.",
        **GUARD_REASONS,
        **URL_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(reasons)

    path: str = option(help="A folder, or the name of a dataset on the Hub.")
    name: str | None = option(
        None, help="Name of this source in the records' ids and the ledger. Default: its kind."
    )
    config: str | None = option(
        None, help="Configuration (subset) of the dataset. Default: its default configuration."
    )
    split: str = option("train", help="The split to read.")
    revision: str | None = option(None, help="Branch, tag or commit on the Hub. Default: `main`.")
    urls: list[str] = option(  # noqa: RUF009
        [],
        help="Patterns of URLs; records with other URLs are rejected. `*` is any text: `https://*.example.org/*`.",
    )
    skip_urls: list[str] = option(  # noqa: RUF009
        [], help="Patterns of URLs; records with such a URL are rejected."
    )
    schemes: list[str] = option(  # noqa: RUF009
        [], help="Schemes of URLs, such as `https`; records with other URLs are rejected."
    )
    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="New names for fields: dotted path -> column."
    )

    @property
    def label(self) -> str:
        """The name of this source, else its kind."""
        return self.name or self.kind

    def inputs(self) -> list[Found]:
        """List the files of a folder; a dataset on the Hub is one input with an empty path.

        Raises:
            RecipeError: if neither a folder nor a dataset on the Hub has this name.
        """
        if Path(self.path).is_dir():
            return find_inputs(self.path)
        return [Found(path="", name=f"{self.path}@{self._commit()}", size_bytes=0)]

    def tasks(self) -> list[Task]:
        """Return one task for each part of the rows; no data is loaded.

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
        """Yield one part of the rows.

        Raises:
            RecipeError: if the dataset does not have this configuration or split.
            SourceError: if the dataset cannot be loaded because of the disk or the network.
        """
        if (reason := guard.enter(self.kind, 0, limit_s=_LOAD_LIMIT_S)) is not None:
            loaded: Any = _Broken(reason=reason, message="loading it crashed or hung a worker process")
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
                message = f"rows {row} to {last - 1}: reading them crashed or hung a worker process"
                broken = _Broken(reason=reason, message=message)
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
            what = "no such folder, and no such dataset on the Hub"
            advice = "check `path`; for a private dataset, run: hf auth login"
            raise RecipeError(Fault(where=self.path, what=what, advice=advice)) from error
        except Exception as error:
            what = f"the Hub returned an error: {redact_urls(str(error))}"
            advice = "check `revision` and the network; a dataset in a folder needs no network"
            raise RecipeError(Fault(where=self.path, what=what, advice=advice)) from error

    def _load(self, address: str) -> tuple[Any, list[str]] | _Broken:
        import datasets
        from datasets.exceptions import DatasetGenerationError

        datasets.disable_progress_bars()
        try:
            dataset = self._open(datasets, address).with_format("arrow")
            return dataset, public_columns(dataset.column_names, rename=self.rename)
        except TooManyColumnsError as error:
            return _Broken(reason="too_many_columns", message=str(error))
        except ColumnsError as error:
            return _Broken(reason="dataset_columns", message=str(error))
        except (DatasetGenerationError, pa.ArrowException, UnicodeDecodeError) as error:
            message = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            return _Broken(reason="dataset_unreadable", message=redact_urls(message))
        except (ValueError, KeyError, FileNotFoundError) as error:
            advice = "check the options `config` and `split` of the source"
            raise RecipeError(Fault(where=self.path, what=redact_urls(str(error)), advice=advice)) from error
        except OSError as error:
            what = f"the dataset cannot be loaded: {redact_urls(str(error))}"
            advice = "check the disk or the network, then run the same command again; finished parts are kept"
            raise SourceError(Fault(where=self.path, what=what, advice=advice)) from error

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
    """The reason why rows cannot be read."""

    reason: str
    message: str


def _batch(dataset: Any, rows: range) -> pa.RecordBatch:
    table: pa.Table = dataset[rows.start : rows.stop]
    (batch,) = table.combine_chunks().to_batches()
    return batch
