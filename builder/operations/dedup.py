"""``dedup``: remove exact and near duplicates from files, without a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.place import corpus_folder
from builder.domain.addresses import public_address
from builder.domain.contract.contract import Contract, schema_digest
from builder.domain.contract.mapping import map_schema
from builder.domain.progress import Progress, ignore_progress
from builder.errors import Fault, RecipeError
from builder.operations.build import build
from builder.operations.dedup_columns import check_column
from builder.progress.phases import BUILD_PHASES
from builder.progress.shown import shows_progress
from builder.recipe import Recipe
from builder.recipe.one_or_more import OneOrMore, as_texts

if TYPE_CHECKING:
    from builder.release.result import BuildResult

_KINDS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".csv": "csv",
    ".txt": "text",
}
_CODECS = (".gz", ".zst", ".bz2", ".lz4")


@shows_progress(phases=BUILD_PHASES, compiles=True)
def dedup(
    files: OneOrMore[str | Path],
    *,
    output: str | Path,
    threshold: float = 0.8,
    column: str = "text",
    workers: int | None = None,
    max_memory: int | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> BuildResult:
    """Remove exact and then near duplicates from files, and write a corpus of one version.

    Records need only the column ``column``. All other columns of tables are published with their types, and
    all other members of JSON records with the type of their values. If an input has a column ``id``, the
    document id is in the column ``document_id``.

    Args:
        column: the column with the text that is compared.
        threshold: minimum Jaccard similarity of near duplicates, above 0.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        RecipeError: if a file does not exist, the end of its name does not show its format, or it does not
            have the column.

    >>> dedup("my-corpus/pages/pages.jsonl", output="clean", threshold=0.8).version
    '1.0.0'
    """
    output = corpus_folder(output, where="--output")
    document: dict[str, Any] = {
        "name": output.name,
        "columns": {"text": column},
        "publish": "all",
        "sources": [{kind_of(public_address(str(path))): {"path": str(path)}} for path in as_texts(files)],
        "stages": [{"dedup_exact": {}}, {"dedup_near": {"threshold": threshold}}],
        "corpus": str(output),
    }
    recipe = Recipe.from_dict(document, folder=Path.cwd(), contract=text_contract(column))
    check_column(recipe.sources, column)
    return build(recipe, workers=workers, max_memory=max_memory, advance=advance)


def text_contract(column: str) -> Contract:
    """Return a contract that requires one text column; other columns are carried along and not judged."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": [column],
        "properties": {column: {"type": "string"}},
        "additionalProperties": False,
    }
    return Contract(
        name="records",
        major=1,
        schema=schema,
        documents={},
        columns=map_schema(schema, {}, reserved=("id",)),
        digest=schema_digest(schema, {}),
    )


def kind_of(path: str) -> str:
    """Return the source kind that reads a file, by the end of the file's name.

    >>> kind_of("crawl/part-1.jsonl.zst")
    'jsonl'

    Raises:
        RecipeError: if the end of the name is not known.
    """
    stem = next((path.removesuffix(codec) for codec in _CODECS if path.endswith(codec)), path)
    for suffix, kind in _KINDS.items():
        if stem.lower().endswith(suffix):
            return kind
    known = ", ".join(_KINDS)
    raise RecipeError(
        Fault(
            where=path,
            what="the file name does not show the format",
            advice=f"rename the file so that its name ends in one of {known}",
        )
    )
