"""``signals``: measure the quality of each text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.rejection import no_rejections
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.quality.signals import SIGNALS, unknown_signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.protocols import Guard, Resources

USUAL = ("words", "sentences", "mean_word_length", "line_punct", "dup_line_frac", "top_2gram", "dup_5gram")
"""The signals that become columns if the recipe names none; the card shows their histograms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """Measure signals of each text, and write them as columns.

    The stage only measures: the stage ``filter`` judges. A signal is null where it is not defined, such as a
    ratio to the words of a text without words. Ratios are rounded to six digits.

    A stage that edits the text afterwards drops these columns, because they describe another text.

    The audit of a version has all signals of the published texts: `signals/train-00000-of-00001.parquet` has
    the rows of the shard `data/train-00000-of-00001.parquet`, with the column `id`. builder measures these
    texts when it writes the shards, after all edits. The manifest has a histogram of each signal. See
    [the corpus folder](../corpus-folder.md#signals-of-published-rows).
    """

    name: ClassVar[str] = "signals"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {}

    columns: list[str] = option(  # noqa: RUF009 - it makes a field
        list(USUAL), help="Signals to write as columns of the same name; `[all]` for all signals."
    )

    side_file: bool = option(
        True, help="Whether to write all signals of the published texts to files next to the shards."
    )

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns that the stage writes."""
        return tuple(SIGNALS) if list(self.columns) == ["all"] else tuple(self.columns)

    @property
    def column_notes(self) -> dict[str, str]:
        """The descriptions of the columns that the stage writes."""
        return {name: f"Signal: {SIGNALS[name].help}." for name in self.measures if name in SIGNALS}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Add the columns of the signals.

        Raises:
            RecipeError: if a signal is unknown, a column exists already, or there is nothing to measure.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="measure")
        for i, name in enumerate(self.measures):
            where = f"columns[{i}]"
            if name not in SIGNALS:
                what, advice = unknown_signal(name)
                faults.append(Fault(where=where, what=what, advice=advice))
            elif name in schema.names or name in self.measures[:i]:
                what = f"the column {name!r} exists already"
                faults.append(
                    Fault(where=where, what=what, advice="remove the name, or rename the other column")
                )
        if faults:
            raise RecipeError(*faults)
        for name in self.measures:
            schema = schema.append(pa.field(name, SIGNALS[name].type))
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Measure the texts of a batch."""
        from builder.stages.quality.measuring import measure_signals

        columns = measure_signals(batch.column(resources.columns.text), self.measures)
        for name, column in columns.items():
            batch = batch.append_column(pa.field(name, SIGNALS[name].type), column)
        return Outcome(kept=batch, rejected=no_rejections())
