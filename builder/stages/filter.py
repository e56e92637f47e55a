"""``filter``: reject documents by rules on signals and columns, and by a function of your own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.types as kinds

from builder.domain.rejection import CODE_REASONS, no_rejections, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import nearest, option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.functions.refused_rows import refuse_rows, refused_rows
from builder.stages.functions.row_view import LazyColumns
from builder.stages.quality.dialects import DIALECTS, SystemDialect
from builder.stages.quality.presets import PRESETS, Preset
from builder.stages.quality.rules import (
    GROUPS,
    LIMIT_ENDS,
    NO_ALTERNATIVE,
    RULE_SCHEMA,
    Condition,
    read_rules,
)
from builder.stages.quality.signals import SIGNALS, unknown_signal
from builder.stages.quality.spacy_words import DISTRIBUTION as SPACY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.protocols import Guard, Resources
    from builder.stages.functions.called import CalledFunction
    from builder.stages.quality.evidence import Evidence
    from builder.stages.quality.rules import Alternatives

_ENDS = {
    "min": "is below `min`",
    "max": "is above `max`",
}


def _reasons() -> dict[str, str]:
    names = dict.fromkeys([*SIGNALS, *(name for one in DIALECTS.values() for name in one.names)])
    return {
        **{
            f"{name}_{LIMIT_ENDS[limit]}": f"The signal `{name}` {end}."
            for name in names
            for limit, end in _ENDS.items()
        },
        **CODE_REASONS,
        NO_ALTERNATIVE: "The document meets none of the alternatives of `any`.",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Reject documents that do not meet rules, or by a function of your own.

    A rule names a signal or a column and its limits: ``words: {min: 50, max: 100000}``, ``language: [en]``.
    Rules are keys of the stage, next to its options. ``all`` and ``any`` are lists of rules. A preset is a
    set of rules; a rule of the recipe replaces the rule of the preset with the same name, and null turns it
    off.

    Each limit has a reason code: the signal's name with ``_below`` (``min``), ``_above`` (``max``),
    ``_not_in`` (``in``) or ``_excluded`` (``not_in``). The ledger has the value and the limit of the first
    limit that the document does not meet, and as message all others and all values that the rules look at.
    A null value meets every limit.

    The stage measures the signals of its rules, unless a stage ``signals`` before it wrote them as columns.
    The build counts for each limit how often it was the first to fire, and how often it would have fired
    alone. With `min_fired: 3`, a document is rejected if it misses at least three limits; its reason is the
    first of them. A rule with `weight: 3` counts as three limits.

    A rule with `where` applies to some documents only: ``stop_words: {min: 2, where: {language: [en]}}``.

    In a recipe with `call`: `- filter: {call: ./keep.py:keep}`. [Your own stage](../your-own-stage.md) has an
    example. Only rows that meet all rules come to the function. It takes a row and returns True to keep it.
    It returns False, or a reason code in lower_snake_case, to reject it. `row["title"]` is the value of a
    column, `row.text` and `row.url` are the columns with these roles, and `row.source` is the name of the
    source. If the function raises, the row is `failed` and the build continues.

    A recipe with `call` runs code, so `builder check` and `builder build` need `--allow-code`. The manifest
    has a hash of that code. If it changes, the next build is a full rebuild and says so. The hash covers a
    file alone, or all Python files of a package. `version` is for what it does not cover.
    """

    name: ClassVar[str] = "filter"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    collects: ClassVar[str] = "limits"
    schemas: ClassVar[Mapping[str, Any]] = {
        "limits": {"type": "object", "additionalProperties": RULE_SCHEMA},
        "all": {"type": "array", "items": {"type": "object"}},
        "any": {"type": "array", "items": {"type": "object"}},
    }
    collected_schema: ClassVar[Mapping[str, Any]] = RULE_SCHEMA
    reasons: ClassVar[Mapping[str, str]] = _reasons()

    preset: str | None = option(None, help="A set of rules.", choices=tuple(PRESETS))
    limits: dict[str, Any] = option(  # noqa: RUF009 - it makes a field
        {}, help="Rules by the name of a signal or column; the same as rules as keys of the stage."
    )
    all: list[Any] = option(  # noqa: RUF009
        [], help="Rules that a document must all meet; a list, so that a name can repeat."
    )
    any: list[Any] = option(  # noqa: RUF009
        [], help="Rules of which a document must meet at least one."
    )
    min_fired: int | None = option(
        None,
        help="How many limits a document must miss to be rejected. Null: the number of the preset, or 1.",
        minimum=1,
    )
    mode: str = option(
        "drop",
        help="`drop` rejects; `tag` keeps all and writes the reason code to `column`; `report` only counts.",
        choices=("drop", "tag", "report"),
    )
    column: str = option("filter_reason", help="Column for the reason code in `mode: tag`; null if none.")
    call: str | None = option(
        None,
        help="The function: `package.module:function`, or `./file.py:function` next to the recipe.",
    )
    version: str | None = option(
        None,
        help="Version of the function. Change it if code that the function imports has changed.",
    )
    called: CalledFunction | None = field(default=None, repr=False)

    def with_function(self, called: CalledFunction) -> Filter:
        """Return the stage with the function that ``call`` names; the recipe finds it."""
        return replace(self, called=called)

    @property
    def uses(self) -> tuple[str, ...]:
        """The columns that the rules may read."""
        return tuple(dict.fromkeys(name for one in self.conditions for name in one.names()))

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns that the stage writes."""
        return (self.column,) if self.mode == "tag" else ()

    @property
    def edits_text(self) -> bool:
        """Whether the preset drops lines; only ``mode: drop`` does."""
        dialect = self._dialect()
        return self.mode == "drop" and dialect is not None and dialect.edit is not None

    @property
    def libraries(self) -> tuple[str, ...]:
        """The library that decides what a word is."""
        dialect = self._dialect()
        return (SPACY,) if dialect is not None and dialect.needs_spacy else ()

    @property
    def column_notes(self) -> dict[str, str]:
        """The descriptions of the columns that the stage writes."""
        return {self.column: "Reason code of the first rule that the document fails; null if none."}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that each rule names a signal, or a column of a fitting type.

        Raises:
            RecipeError: if a rule is not valid, a name is unknown, the rows do not have a text column, or the
                preset needs a package that is not installed.
        """
        faults = [*self._preset_faults(), *self._name_faults(schema)]
        faults = faults or [*read_rules(self._rules())[1]] or [*self._kind_faults(schema)]
        if self._measured(schema) or self.edits_text:
            faults += text_column_faults(self.name, schema, resources, purpose="measure")
        faults += self._function_faults(has_rules=bool(faults or self.conditions))
        if self.mode == "tag" and self.column in schema.names:
            what = f"the column {self.column!r} exists already"
            faults.append(Fault(where="column", what=what, advice="give this stage another `column`"))
        if faults:
            raise RecipeError(*faults)
        if self.called is not None:
            self.called.load()
        return schema.append(pa.field(self.column, pa.string())) if self.mode == "tag" else schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Judge the documents of a batch by the rules, and ask the function about those that stay."""
        return self.decide(batch, self.evidence(batch, resources=resources), resources=resources)

    def decide(self, batch: pa.RecordBatch, evidence: Evidence, *, resources: Resources) -> Outcome:
        """Judge the documents by their values, and ask the function about those that stay."""
        outcome = self._judge(batch, evidence, resources)
        if self.called is None:
            return outcome
        kept = outcome.kept
        columns = LazyColumns(kept, resources.columns)
        refused = refused_rows(self.called.load(), columns, kept.num_rows)
        asked = refuse_rows(self.name, kept, refused, resources.columns)
        rejected = pa.concat_batches([outcome.rejected, asked.rejected])
        return replace(outcome, kept=asked.kept, rejected=rejected)

    def evidence(self, batch: pa.RecordBatch, *, resources: Resources, also: Sequence[str] = ()) -> Evidence:
        """Return the values of the signals and columns that the rules name.

        Args:
            also: more signals to measure, which no rule names.
        """
        from builder.stages.quality.evidence import gather_evidence

        names = tuple(dict.fromkeys((*self.uses, *also)))
        measured = [*self._measured(batch.schema)]
        measured += [one for one in also if one not in measured and one not in batch.schema.names]
        return gather_evidence(
            batch, names, measured=measured, text=resources.columns.text, dialect=self._dialect()
        )

    @property
    def conditions(self) -> tuple[Condition | Alternatives, ...]:
        """All limits, in the order in which they are checked; those of `all` and `any` come last."""
        return read_rules(self._rules())[0]

    @property
    def named_rules(self) -> dict[str, Any]:
        """The rules by the name of a signal or column; rules of the recipe replace those of the preset."""
        preset = self._preset()
        return {**(preset.rules if preset else {}), **self.limits}

    @property
    def least_fired(self) -> int:
        """How many limits a document must miss to be rejected."""
        preset = self._preset()
        return self.min_fired or (preset.min_fired if preset else 1)

    def _judge(self, batch: pa.RecordBatch, evidence: Evidence, resources: Resources) -> Outcome:
        """Judge the documents of a batch by the rules."""
        from builder.stages.quality.evidence import (
            edited_batch,
            is_text,
            removed_spans,
            signals_of_rejected,
        )
        from builder.stages.quality.judging import NONE, judge_batch

        text = resources.columns.text
        judged = judge_batch(self.conditions, evidence.values, batch.num_rows, min_fired=self.least_fired)
        counts = dict(judged.counts())
        if self.mode != "drop":
            kept = batch.append_column(self.column, judged.codes()) if self.mode == "tag" else batch
            return Outcome(kept=kept, rejected=no_rejections(), counts=counts)
        rejections = judged.rejections(batch, stage=self.name, url=resources.columns.url)
        kept, removed, measured = batch, None, None
        gone = batch.filter(pa.array(judged.first != NONE))
        if text is not None and is_text(batch.schema, text):
            measured = signals_of_rejected(gone, text=text, stage=self.name)
        if evidence.edits is not None and text is not None:
            kept = edited_batch(batch, evidence.edits, text=text)
            removed = removed_spans(batch, evidence.edits, stage=self.name)
        kept = kept.filter(pa.array(judged.first == NONE))
        return Outcome(
            kept=kept,
            rejected=rejection_batch(rejections),
            counts=counts,
            removed=removed,
            measured=measured,
        )

    # -- rules ---------------------------------------------------------------------------------------------

    def _preset(self) -> Preset | None:
        return PRESETS.get(self.preset) if self.preset is not None else None

    def _optional(self) -> tuple[str, ...]:
        preset = self._preset()
        return preset.optional if preset else ()

    def _rules(self) -> dict[str, Any]:
        return {**self.named_rules, "all": self.all, "any": self.any}

    def _dialect(self) -> SystemDialect | None:
        preset = self._preset()
        return DIALECTS[preset.dialect] if preset and preset.dialect else None

    def _own_names(self) -> tuple[str, ...]:
        """Return the signals that the preset's dialect measures in its own way."""
        dialect = self._dialect()
        return dialect.names if dialect else ()

    def _measured(self, schema: pa.Schema) -> list[str]:
        """Return the signals that the stage has to measure."""
        own = self._own_names()
        return [name for name in self.uses if name in own or (name in SIGNALS and name not in schema.names)]

    # -- faults --------------------------------------------------------------------------------------------

    def _preset_faults(self) -> Iterator[Fault]:
        if self.preset is not None and self.preset not in PRESETS:
            what = f"no preset is called {self.preset!r}"
            yield Fault(where="preset", what=what, advice=nearest(self.preset, list(PRESETS)))
        if self.preset is not None and self.libraries:
            from builder.stages.quality.spacy_words import spacy_faults

            yield from spacy_faults(self.preset)

    def _function_faults(self, *, has_rules: bool) -> Iterator[Fault]:
        if self.called is None and not has_rules:
            advice = (
                "name a function, as in call: ./keep.py:keep, a preset, or a rule, as in words: {min: 50}"
            )
            yield Fault(where="", what="the stage has nothing to filter by", advice=advice)
        if self.called is not None and self.mode != "drop":
            what = f"a function works in mode: drop only, and the mode is {self.mode}"
            yield Fault(
                where="mode", what=what, advice="remove `mode`, or put the function into a filter of its own"
            )

    def _name_faults(self, schema: pa.Schema) -> Iterator[Fault]:
        columns = [name for name in schema.names if not name.startswith("_")]
        options = [name for name in self.__slots__ if name not in GROUPS]
        for name in dict.fromkeys([*self.limits, *self.uses]):
            known = (*columns, *self._optional())
            if name not in SIGNALS and name not in self._own_names() and name not in known:
                what, advice = unknown_signal(name, columns=[*columns, *options])
                yield Fault(where=name, what=what, advice=advice)

    def _kind_faults(self, schema: pa.Schema) -> Iterator[Fault]:
        measured = self._measured(schema)
        for one in self._flat():
            if one.name in measured or one.name not in schema.names:
                continue
            kind = schema.field(one.name).type
            is_number = kinds.is_integer(kind) or kinds.is_floating(kind)
            if one.limit in ("min", "max") and not is_number:
                what = f"the column {one.name!r} is {kind}, so it cannot be compared with a number"
                yield Fault(
                    where=f"{one.name}.{one.limit}", what=what, advice="use in: [...] or not_in: [...]"
                )
            elif one.limit in ("in", "not_in"):
                try:
                    pa.array(one.bound, kind)
                except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
                    what = f"the column {one.name!r} is {kind}, and {list(one.bound)!r} are not such values"
                    yield Fault(
                        where=f"{one.name}.{one.limit}", what=what, advice=f"give values of type {kind}"
                    )

    def _flat(self) -> Iterator[Condition]:
        pending = list(self.conditions)
        while pending:
            one = pending.pop(0)
            if isinstance(one, Condition):
                yield one
                pending = [*one.where, *pending]
            else:
                pending = [*(c for some in one.alternatives for c in some), *pending]
