"""A plug-in stage for tests: a text can kill or block the worker that processes it."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.protocols import Outcome
from builder.registry import option


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
            record = batch.column(RECORD)[row].as_py()
            reason = guard.enter(self.name, record["ordinal"], limit_s=self.limit_s)
            if reason is not None:
                refused[row] = reason
                continue
            try:
                self._obey(text)
            finally:
                guard.leave()
        kept = batch.filter(pa.array([row not in refused for row in range(batch.num_rows)]))
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
            raise AssertionError(len([bytearray(1 << 20) for _ in range(100_000)]))
        elif harm in ("harm:killed-once", "harm:zygote-once"):
            note = Path(self.folder) / rest.split()[0]
            if not note.exists():
                note.touch()
                os.kill(os.getpid() if harm == "harm:killed-once" else os.getppid(), signal.SIGKILL)
                time.sleep(1000)
