"""Run a build as a trial, in scratch: it reports what a build would write, and leaves nothing."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from builder.corpus import Corpus
from builder.corpus.address import looks_like_corpus
from builder.corpus.create import check_new_folder, copy_corpus, create_empty
from builder.corpus.names import SPOOL
from builder.errors import BuilderError
from builder.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builder.release.result import BuildResult

_P = ParamSpec("_P")

_PREFIX = "trial-"
_NO_LEDGER = "a trial keeps no ledger; run the build without --limit and --dry-run to read it"


def tries_in_scratch(build: Callable[_P, BuildResult]) -> Callable[_P, BuildResult]:
    """Let ``build`` run in scratch if it is called with ``limit`` or ``dry_run``.

    With ``dry_run``, scratch has a copy of the corpus, so the result is that of a build. With ``limit``, the
    records are tried as a first version, because a sample of the inputs says nothing about an addition.
    """

    @wraps(build)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> BuildResult:
        if kwargs.get("limit") is None and not kwargs.get("dry_run"):
            return build(*args, **kwargs)
        given: Any = args[0] if args else kwargs.pop("recipe")
        allowed = bool(kwargs.get("allow_code"))
        recipe = given if isinstance(given, Recipe) else Recipe.load(given, allow_code=allowed)
        spool: Any = kwargs.pop("spool", None)
        is_sample = kwargs.get("limit") is not None
        with _scratch(recipe, is_sample=is_sample, spool=spool) as tried:
            run: Callable[..., BuildResult] = build
            try:
                result = run(tried, **kwargs)
            except BuilderError as error:
                _without_scratch(error, scratch=tried.corpus, corpus=recipe.corpus)
                raise
        is_known = result.nothing_new or not is_sample
        return replace(result, corpus=recipe.corpus, trial=True, version=result.version if is_known else "")

    return called


@contextmanager
def _scratch(recipe: Recipe, *, is_sample: bool, spool: str | Path | None) -> Iterator[Recipe]:
    """Yield the recipe with a corpus in scratch, which is removed at the end.

    Scratch is in the spool of the corpus, where a purge reaches it, or in the folder for temporary files if
    the corpus does not exist.
    """
    with ExitStack() as stack:
        corpus = None
        if looks_like_corpus(recipe.corpus):
            corpus = Corpus.open_or_create(recipe.corpus, name=recipe.name)
            stack.enter_context(corpus.lock())
        else:
            check_new_folder(recipe.corpus)
        place = spool or (corpus.path / SPOOL if corpus else None)
        if place:
            Path(place).mkdir(parents=True, exist_ok=True)
        name = stack.enter_context(tempfile.TemporaryDirectory(dir=place, prefix=_PREFIX))
        scratch = Path(name).resolve() / "corpus"
        if corpus and not is_sample:
            copy_corpus(corpus.path, scratch, cache=corpus.hash_cache())
        else:
            create_empty(scratch, recipe.name, tombstones=corpus.tombstones() if corpus else b"")
        yield replace(recipe, corpus=scratch)


def _without_scratch(error: BuilderError, *, scratch: Path, corpus: Path) -> None:
    """Name the corpus of the recipe in an error, not the scratch that is removed."""
    there, here = str(scratch), str(corpus)
    error.faults = tuple(
        replace(
            fault,
            where=fault.where.replace(there, here),
            what=fault.what.replace(there, here),
            advice=_NO_LEDGER if there in fault.advice else fault.advice,
        )
        for fault in error.faults
    )
    error.args = error.faults
    if (stopped := getattr(error, "result", None)) is not None:
        error.result = replace(stopped, corpus=corpus, trial=True)  # type: ignore[attr-defined]
