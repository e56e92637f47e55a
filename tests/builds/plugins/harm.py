"""Plug-ins for tests: a text can harm the worker that processes it, and a reader can take all memory."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.io.jsonl import JsonlSource
from builder.protocols import Outcome, Reading
from builder.registry import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Hoard(JsonlSource):
    """Read JSON lines, and take all memory after some of them."""

    kind: ClassVar[str] = "hoard"

    readings: int = option(2, help="Number of batches that are read.")

    @property
    def untrusted(self) -> bool:
        """Always true."""
        return True

    def read(self, task: Any, *, guard: Any, batch_rows: int) -> Iterator[Reading]:
        """Yield some batches, then take memory outside of any unit."""
        yield from islice(JsonlSource.read(self, task, guard=guard, batch_rows=batch_rows), self.readings)
        _take_all_memory()


def _take_all_memory() -> None:
    raise AssertionError(len([bytearray(1 << 20) for _ in range(100_000)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Do the harm that a text beginning with ``harm:`` names."""

    name: ClassVar[str] = "harm"
    untrusted: ClassVar[bool] = True
    reasons: ClassVar[dict[str, str]] = {}

    folder: str = option("", help="Folder in which the stage records the deaths of its workers.")
    limit_s: float = option(60.0, help="Maximum seconds for one text.")

    def bind(self, schema: pa.Schema, resources: Any) -> pa.Schema:
        """Return the columns unchanged."""
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Any, guard: Any) -> Outcome:
        """Process each text under the guard."""
        refused: dict[int, str] = {}
        for row, text in enumerate(batch.column("text").to_pylist()):
            if text.startswith("outside "):
                self._obey(text.removeprefix("outside "))
            record = batch.column(RECORD)[row].as_py()
            reason = guard.enter(self.name, record["ordinal"], limit_s=self.limit_s)
            if reason is not None:
                refused[row] = reason
                continue
            try:
                self._obey(text)
            finally:
                guard.leave()
        kept = batch.filter(pa.array([row not in refused for row in range(batch.num_rows)], pa.bool_()))
        rejected = rejection_batch(
            Rejection(
                record=batch.column(RECORD)[row].as_py(), stage=self.name, reason=reason, outcome="failed"
            )
            for row, reason in refused.items()
        )
        return Outcome(kept=kept, rejected=rejected, counts={})

    def _obey(self, text: str) -> None:
        harm, _, rest = text.partition(" ")
        if harm == "harm:hang":
            time.sleep(1000)
        elif harm == "harm:crash":
            ctypes.string_at(0)
        elif harm == "harm:memory":
            _take_all_memory()
        elif harm in ("harm:killed-once", "harm:zygote-once"):
            note = Path(self.folder) / rest.split()[0]
            if not note.exists():
                note.touch()
                os.kill(os.getpid() if harm == "harm:killed-once" else os.getppid(), signal.SIGKILL)
                time.sleep(1000)
