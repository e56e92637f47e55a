"""``build``: from a recipe to a version.

The way of a batch: tasks are read and taken through the first pass into the spool; at each barrier the
corpus stages decide over all rows; later passes go on from there; what is left gets ids, splits and
shards; the ledger is closed and added up; the version is renamed into its place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from builder.corpus import Corpus
from builder.corpus.leftovers import OVER, sweep_spools
from builder.domain.progress import Progress, ignore_notice, ignore_progress
from builder.engines.local import LocalEngine
from builder.errors import Fault, NothingKeptError, RecipeError, TooManyRejectedError
from builder.history.index import open_arrow
from builder.inputs.hash_cache import HashCache
from builder.inputs.hashing import hash_inputs
from builder.inputs.inputs import inputs_digest, list_inputs
from builder.inputs.selection import select_inputs
from builder.pipeline.chain import bind_chain
from builder.pipeline.context import BuildContext
from builder.pipeline.disk import disk_faults
from builder.pipeline.known_records import write_known
from builder.pipeline.preload import PRELOAD, number_of_workers
from builder.pipeline.run import run_chain
from builder.pipeline.timings import PhaseTimer
from builder.pipeline.tombstones import Tombstones
from builder.recipe import Recipe
from builder.release.finish import close
from builder.release.from_build import tool_versions, unchanged, write_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from builder.inputs.inputs import Input
    from builder.inputs.selection import InputSelection
    from builder.pipeline.chain import Chain
    from builder.release.finish import Closed
    from builder.release.result import BuildResult

BATCH_ROWS = 8_192
"""Rows of a batch at most; sources of pages close a batch earlier, by bytes."""

MEMORY_SHARE = 0.6
"""Share of the machine's memory that workers may take together if nothing is said: a net, so that a hostile
file ends its worker and not the machine."""

_SMALL_BYTES = 4 << 20
"""An input below this is built faster in this process than workers are started."""


def build(
    recipe: Recipe | str | Path,
    *,
    workers: int | None = None,
    max_memory: int | None = None,
    engine: str = "local",
    version: str | None = None,
    max_rejected: float | None = None,
    limit: int | None = None,
    spool: str | Path | None = None,
    batch_rows: int | None = None,
    full: bool = False,
    prune: bool = False,
    rehash: bool = False,
    advance: Progress = ignore_progress,
    notice: Callable[[str], None] = ignore_notice,
) -> BuildResult:
    """Build a new version of a corpus.

    On a corpus that has a version, only new inputs are read and added to it, unless the recipe has changed in
    what rows depend on. A build that was stopped goes on where it was when it is called again with the same
    recipe and inputs.

    Args:
        workers: processes; one for each core if not given. The outcome does not depend on it.
        max_memory: bytes that the workers together may take; a worker that takes more loses the page or
            file that it was at. 60 % of the machine's memory if not given.
        version: a higher number than the computed one.
        max_rejected: share of the records read that may be rejected or failed; merged ones do not count.
        limit: records to read, to try a recipe.
        spool: folder for unfinished work; in the corpus if not given.
        batch_rows: rows of a batch at most. The outcome does not depend on it.
        full: build everything anew.
        prune: leave out the rows of inputs that are no longer there.
        rehash: hash every input, however untouched it looks.
        notice: told what should be known before the work begins.

    Raises:
        RecipeError: if the stages do not chain, or an input is not there; before anything is read.
        TooManyRejectedError: above ``max_rejected``; no version is written.
        NothingKeptError: if no row would be published; no version is written.
        LockedError: if another builder works on this corpus.
        CorpusError: if the disk is full or cannot be written to.
    """
    timer = PhaseTimer(advance)
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    chain = bind_chain(recipe)
    inputs = list_inputs(recipe.sources)
    places = (recipe.corpus, *([Path(spool)] if spool else ()))
    with disk_faults(*places):
        corpus = Corpus.open_or_create(recipe.corpus, name=recipe.name)
    with (
        disk_faults(*places),
        corpus.lock(),
        _engine(engine, workers, max_memory, advance) as running,
    ):
        if spool:
            sweep_spools(Path(spool), {one: corpus.digest(one) for one in corpus.versions()})
        if _needs_workers(chain, recipe, inputs, n_workers=running.workers):
            running.start()
        cache = HashCache(corpus.hash_cache(), ignored=rehash)
        inputs = hash_inputs(inputs, n_threads=running.workers, cache=cache, advance=timer)
        selection = select_inputs(corpus, recipe, inputs, limit=limit, full=full, prune=prune)
        for text in selection.notices:
            notice(text)
        if selection.nothing_new:
            return unchanged(corpus, recipe)
        tombstones = Tombstones.parse(corpus.tombstones())
        key = _spool_key(recipe, selection, tombstones=tombstones, limit=limit, batch_rows=batch_rows)
        context = BuildContext(
            recipe=recipe,
            chain=bind_chain(recipe, tombstones=tombstones) if tombstones else chain,
            engine=running,
            folder=Path(spool).resolve() / key if spool else corpus.spool(key),
            batch_rows=batch_rows or BATCH_ROWS,
            advance=timer,
            timer=timer,
            limit=limit,
            past=selection.past,
            tombstones=tombstones,
            pruned=selection.pruned,
            marks={one.address: one.mark for one in inputs if one.mark is not None},
        )
        context.folder.mkdir(parents=True, exist_ok=True)
        context = _recall(context, selection)
        tasks = [task for source in recipe.sources for task in source.tasks()]
        closed = close(context, run_chain(context, selection.choose(tasks)))
        _judge(closed, max_rejected=max_rejected, goes_on=selection.past is not None)
        result = write_version(
            corpus, context=context, closed=closed, inputs=selection.inputs, version=version
        )
        _discard(context.folder)
        if selection.past and selection.past.lineage.borrowed:
            _discard(selection.past.lineage.folders[-1].parent)
    return result


def _recall(context: BuildContext, selection: InputSelection) -> BuildContext:
    """Let readers know the records that were accounted for, where a file is read again."""
    if context.past is None or not selection.reread:
        return context
    path = context.folder / "known.npy"
    folders = context.past.lineage.folders
    freed = selection.pruned.keys if selection.pruned else frozenset()
    write_known(path, [open_arrow(folder / "records.arrow")["key"] for folder in folders], excluding=freed)
    return replace(context, known=str(path))


def _needs_workers(chain: Chain, recipe: Recipe, inputs: Sequence[Input], *, n_workers: int) -> bool:
    untrusted = chain.untrusted or any(source.untrusted for source in recipe.sources)
    return untrusted or (n_workers > 1 and sum(one.n_bytes for one in inputs) > _SMALL_BYTES)


def _engine(name: str, workers: int | None, max_memory: int | None, advance: Progress) -> LocalEngine:
    if name != "local":
        raise RecipeError(Fault(where="--engine", what=f"no engine is called {name!r}", advice="local"))
    n_workers = number_of_workers(workers)
    memory_bytes = max_memory or int(_physical_memory() * MEMORY_SHARE)
    n_records = 0

    def count(more_records: int, more_bytes: int) -> None:  # noqa: ARG001 - the engine tells both
        nonlocal n_records
        n_records += more_records
        advance("records", done=n_records, total=0, unit="records")

    return LocalEngine(
        workers=n_workers, memory_bytes=memory_bytes // n_workers, on_progress=count, preload=PRELOAD
    )


def _physical_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _spool_key(
    recipe: Recipe,
    selection: InputSelection,
    *,
    tombstones: Tombstones | None,
    limit: int | None,
    batch_rows: int | None,
) -> str:
    """Name unfinished work by all that it depends on: recipe, inputs, parent, libraries, how it is cut."""
    digests = [recipe.digest(), recipe.contract.digest, inputs_digest(selection.inputs)]
    parent = selection.past.lineage.manifest.digest if selection.past else None
    stones = tombstones.facts() if tombstones else None
    pruned = sorted(one.hex() for one in selection.pruned.documents) if selection.pruned else []
    facts = [*digests, parent, stones, pruned, tool_versions(), limit, batch_rows]
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _discard(folder: Path) -> None:
    """Remove a spool that the commit did not remove: a build without a new version, a spool elsewhere.

    It is renamed first: half of one must not be taken for unfinished work.
    """
    if not folder.is_dir():
        return
    over = folder.with_name(folder.name + OVER)
    folder.rename(over)
    shutil.rmtree(over)


def _judge(closed: Closed, *, max_rejected: float | None, goes_on: bool) -> None:
    """Stop before a version is written that nobody would want."""
    outcomes, n_records = closed.sums.outcomes, closed.sums.n_records
    n_lost = outcomes["rejected"] + outcomes["failed"]
    advice = f"the ledger tells why: {closed.ledger}"
    if not outcomes["kept"] and not goes_on:
        raise NothingKeptError(Fault(where="", what=f"none of {n_records:,} records was kept", advice=advice))
    if max_rejected is not None and n_lost > max_rejected * n_records:
        what = (
            f"{n_lost:,} of {n_records:,} records were rejected or failed ({n_lost / n_records:.1%}), "
            f"more than --max-rejected {max_rejected:.1%}"
        )
        raise TooManyRejectedError(Fault(where="", what=what, advice=advice))
