"""``build``: build a version from a recipe.

The phases of a build:

1. Workers read the tasks, run each batch through the first pass, and write the rows to the spool.
2. At each barrier the corpus stages decide over all rows. The next pass starts from these decisions.
3. The remaining rows get ids, splits and shards.
4. The ledger is written, and its sums are compared with what the readers counted.
5. The version folder is renamed into its final place.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from builder.corpus import Corpus
from builder.corpus.leftovers import OVER, sweep_spools
from builder.corpus.names import SPOOL, STOPPED
from builder.corpus.place import local_folder
from builder.corpus.stopped import forget_stopped, keep_stopped
from builder.domain.contract.nulled import columns_above, nulled_cells
from builder.domain.progress import Progress, ignore_notice, ignore_progress
from builder.errors import Fault, NothingKeptError, TooManyNulledError, TooManyRejectedError
from builder.history.index import open_arrow
from builder.inputs.hash_cache import HashCache
from builder.inputs.hashing import hash_inputs
from builder.inputs.inputs import inputs_digest, list_inputs, list_passed_over, list_tasks
from builder.inputs.selection import Wanted
from builder.operations.secrecy import hides_variables
from builder.operations.select_for import select_for
from builder.operations.trial import tries_in_scratch
from builder.pipeline.chain import bind_chain
from builder.pipeline.choose_engine import EngineOptions, choose_engine
from builder.pipeline.context import BuildContext
from builder.pipeline.disk import disk_faults
from builder.pipeline.known_records import write_known
from builder.pipeline.run import run_chain
from builder.pipeline.timings import PhaseTimer
from builder.pipeline.tombstones import Tombstones
from builder.progress.phases import BUILD_PHASES
from builder.progress.shown import shows_progress
from builder.release.finish import close
from builder.release.from_build import stopped, tool_versions, unchanged, write_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from builder.inputs.inputs import Input
    from builder.inputs.selection import InputSelection
    from builder.pipeline.chain import Chain
    from builder.recipe import Recipe
    from builder.recipe.identity import Identity
    from builder.recipe.one_or_more import OneOrMore
    from builder.recipe.text import Settings
    from builder.release.finish import Closed
    from builder.release.result import BuildResult

BATCH_ROWS = 8_192
"""Maximum number of rows in a batch. Sources of pages end a batch earlier, by its bytes."""

_SMALL_BYTES = 4 << 20
"""Total input bytes up to which a build in this process is faster than starting workers."""


@shows_progress(phases=BUILD_PHASES, compiles=True)
@hides_variables
@tries_in_scratch
def build(
    recipe: Recipe,
    *,
    workers: int | None = None,
    max_memory: int | None = None,
    engine: str = "local",
    ray_address: str | None = None,
    version: str | None = None,
    max_rejected: float | None = None,
    max_nulled: float | None = None,
    limit: int | None = None,
    spool: str | Path | None = None,
    break_lock: bool = False,
    batch_rows: int | None = None,
    full: bool = False,
    prune: bool = False,
    rehash: bool = False,
    accept_libraries: bool = False,
    dry_run: bool = False,  # noqa: ARG001 - the decorator reads it
    settings: Settings | str = (),  # noqa: ARG001 - the decorator reads it
    schemas: OneOrMore[str | Path] = (),  # noqa: ARG001 - the decorator reads it
    allow_code: bool = False,  # noqa: ARG001 - the decorator reads it
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
    notice: Callable[[str], None] = ignore_notice,
) -> BuildResult:
    """Build a new version of a corpus.

    If the corpus already has a version, the build reads only new inputs and adds their rows. If the recipe
    has changed in a way that affects rows, the build reads all inputs again. A build that was stopped resumes
    when you call this function again with the same recipe and inputs.

    Args:
        recipe: the recipe, or the path of its file.
        workers: number of worker processes; default: one for each core. The result does not depend on it.
        max_memory: bytes that all workers together may use; default: 60 % of the machine's memory. If a
            worker uses more, the page or file that it reads fails.
        engine: ``local``, or ``ray`` for a Ray cluster, which needs the extra ``builder[ray]``.
        ray_address: address of the cluster; default: ``RAY_ADDRESS``, else a new cluster on this machine.
        version: version number to use. It must not be lower than the computed number.
        max_rejected: maximum share of the records read that may be rejected or fail. Merged records do not
            count.
        max_nulled: maximum share of the records read whose value in one column may be made null because it
            is bad.
        limit: number of records to read, to try a recipe as a first version. Writes no version.
        spool: folder for unfinished work; default: a folder inside the corpus.
        break_lock: take the lock of the corpus from a builder on another machine, which is lost.
        batch_rows: maximum number of rows in a batch. The result does not depend on it.
        full: read all inputs again, not only new ones.
        prune: remove the rows of inputs that no longer exist.
        rehash: hash every input, even if it looks unchanged.
        accept_libraries: add to the newest version even if other versions of the libraries made its rows.
        dry_run: do everything that a build does, in a copy of the corpus that is removed. Writes no version.
        settings: values to override in a recipe that is given as a path, as in ``Recipe.load``.
        schemas: as in ``Recipe.load``, for a recipe that is given as a path.
        allow_code: allow a recipe, given as a path, that calls functions of its author.
        progress: show progress and notices in a terminal and in a notebook.
        advance: receives the progress in place of the display.
        notice: called with each notice that the user reads before the work begins, in place of the display.

    Raises:
        RecipeError: if the stages do not chain, or an input does not exist. Nothing is read then.
        TooManyRejectedError: if more records than ``max_rejected`` are rejected or fail. No version is
            written.
        TooManyNulledError: if bad values of one column are made null in more records than ``max_nulled``.
        NothingKeptError: if no row would be published. No version is written.
        LockedError: if another builder process works on this corpus.
        CorpusError: if the disk is full or not writable.

    >>> build("my-corpus/recipe.yaml", full=True).outcomes
    {'kept': 3, 'rejected': 1, 'merged': 2, 'failed': 0}
    """
    timer = PhaseTimer(advance)
    chain = bind_chain(recipe)
    identity = recipe.identity()
    inputs = list_inputs(recipe.sources)
    passed_over = list_passed_over(recipe.sources, inputs)
    spool = local_folder(spool, where="--spool") if spool else None
    places = (recipe.corpus, *([Path(spool)] if spool else ()))
    with disk_faults(*places):
        corpus = Corpus.open_or_create(recipe.corpus, name=recipe.name)
    with (
        disk_faults(*places),
        corpus.lock(break_it=break_lock),
        choose_engine(
            EngineOptions(name=engine, ray_address=ray_address, workers=workers, max_memory=max_memory),
            recipe=recipe,
            inputs=inputs,
            folder=Path(spool).resolve() if spool else corpus.path / SPOOL,
            versions=tool_versions,
            advance=advance,
        ) as running,
    ):
        _sweep(spool, corpus)
        if _needs_workers(chain, recipe, inputs, n_workers=running.workers):
            running.start()
        cache = HashCache(corpus.hash_cache(), ignored=rehash)
        inputs = hash_inputs(inputs, n_threads=running.threads, cache=cache, advance=timer)
        wanted = Wanted(full=full, prune=prune, accept_libraries=accept_libraries)
        recipe, selection = select_for(recipe, corpus, inputs, running, identity=identity, wanted=wanted)
        _give_notices(notice, chain, selection)
        if selection.nothing_new:
            return replace(unchanged(corpus, recipe), passed_over=passed_over)
        tombstones = Tombstones.parse(corpus.tombstones())
        key = _spool_key(recipe, identity, selection, tombstones, limit=limit, batch_rows=batch_rows)
        context = BuildContext(
            recipe=recipe,
            identity=identity,
            chain=bind_chain(recipe, tombstones=tombstones, url_rules=selection.url_rules),
            engine=running,
            folder=Path(spool).resolve() / key if spool else corpus.spool(key),
            batch_rows=batch_rows or BATCH_ROWS,
            advance=timer,
            timer=timer,
            limit=limit,
            past=selection.past,
            tombstones=tombstones,
            pruned=selection.pruned,
            input_rules=selection.input_rules,
            libraries=selection.libraries,
            marks={one.address: one.mark for one in inputs if one.mark is not None},
        )
        context = _with_known_records(context, selection)
        tasks = list_tasks(recipe.sources)
        closed = close(context, run_chain(context, selection.choose(tasks)))
        forget_stopped(corpus)
        _refuse_unwanted(corpus, context, closed, max_rejected=max_rejected, max_nulled=max_nulled)
        result = write_version(
            corpus, context=context, closed=closed, inputs=selection.inputs, version=version
        )
        _remove_spools(context, selection)
    return replace(result, passed_over=passed_over)


def _sweep(spool: str | Path | None, corpus: Corpus) -> None:
    """Remove the spools outside the corpus that became a version of it."""
    if spool:
        sweep_spools(Path(spool), {one: corpus.digest(one) for one in corpus.versions()})


def _remove_spools(context: BuildContext, selection: InputSelection) -> None:
    """Remove the unfinished work of this build, and an index that was made for it."""
    _remove_spool(context.folder)
    if selection.past and selection.past.lineage.borrowed:
        _remove_spool(selection.past.lineage.folders[-1].parent)


def _with_known_records(context: BuildContext, selection: InputSelection) -> BuildContext:
    """Create the folder of the build, and the keys of records that readers skip if they read files again."""
    context.folder.mkdir(parents=True, exist_ok=True)
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


def _give_notices(notice: Callable[[str], None], chain: Chain, selection: InputSelection) -> None:
    """Say what the user reads before the work begins, also which measured columns are not published."""
    for name, stage in chain.dropped.items():
        notice(f"the column {name!r} is not published: {stage} edits the text after the measurement")
    for text in selection.notices:
        notice(text)


def _spool_key(
    recipe: Recipe,
    identity: Identity,
    selection: InputSelection,
    tombstones: Tombstones | None,
    *,
    limit: int | None,
    batch_rows: int | None,
) -> str:
    """Hash what unfinished work depends on: recipe, inputs, parent, libraries, limit, batch size."""
    digests = [recipe.digest(), recipe.contract.digest, inputs_digest(selection.inputs), identity.digest()]
    digests += [*identity.source_digests().values(), str(selection.url_rules)]
    parent = selection.past.lineage.manifest.digest if selection.past else None
    tombstone_facts = tombstones.facts() if tombstones else None
    pruned = sorted(one.hex() for one in selection.pruned.documents) if selection.pruned else []
    options = [limit, batch_rows, recipe.audit_texts]
    facts = [*digests, parent, tombstone_facts, pruned, tool_versions(), options]
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _remove_spool(folder: Path) -> None:
    """Remove a spool that the commit did not remove: of a build without a new version, or in another folder.

    It is renamed first. Without the new name, a build would resume from a half-removed spool.
    """
    if not folder.is_dir():
        return
    finished = folder.with_name(folder.name + OVER)
    folder.rename(finished)
    shutil.rmtree(finished)


def _refuse_unwanted(
    corpus: Corpus,
    context: BuildContext,
    closed: Closed,
    *,
    max_rejected: float | None,
    max_nulled: float | None,
) -> None:
    """Stop before a version without rows, or with too few of its records or values, is written.

    The ledger and the rejected records stay in the corpus until the next build.
    """
    what = _loss(closed, max_rejected=max_rejected)
    is_empty = not closed.sums.outcomes["kept"] and context.past is None
    if is_empty:
        what = f"0 of {closed.sums.n_records:,} records were kept"
    nulled = _nulled_faults(closed, max_nulled=max_nulled)
    if what is None and not nulled:
        return
    folder = keep_stopped(corpus, closed.audit)
    ledger = folder / closed.ledger.name
    advice = f"run `builder show {corpus.path}@{STOPPED}` to see records and their reasons; ledger: {ledger}"
    faults = [replace(one, advice=advice) for one in nulled]
    if what is not None:
        faults.insert(0, Fault(where="", what=what, advice=advice))
    kind = NothingKeptError if is_empty else TooManyRejectedError if what else TooManyNulledError
    error = kind(*faults)
    error.result = stopped(corpus, context.recipe, closed, ledger=ledger, reason=what or faults[0].what)
    raise error


def _loss(closed: Closed, *, max_rejected: float | None) -> str | None:
    """Say how more was lost than ``--max-rejected`` allows; None if it was not."""
    if max_rejected is None:
        return None
    if files := closed.losses.unreadable:
        number = "1 input file" if len(files) == 1 else f"{len(files):,} input files"
        return (
            f"{number} cannot be read, so the number of rejected records is unknown and may be more than "
            f"--max-rejected {max_rejected:.1%}: {files[0].source}/{files[0].path} ({files[0].reason})"
        )
    outcomes, n_records = closed.sums.outcomes, closed.sums.n_records
    n_lost = outcomes["rejected"] + outcomes["failed"]
    if n_lost <= max_rejected * n_records:
        return None
    return (
        f"{n_lost:,} of {n_records:,} records were rejected or failed ({n_lost / n_records:.1%}), "
        f"more than --max-rejected {max_rejected:.1%}"
    )


def _nulled_faults(closed: Closed, *, max_nulled: float | None) -> list[Fault]:
    """Find the columns of which more values were made null than ``--max-nulled`` allows."""
    if max_nulled is None:
        return []
    n_records = closed.sums.n_records - closed.n_restated
    shares = columns_above(nulled_cells(closed.counts), n_records, share=max_nulled)
    over = f"more than --max-nulled {max_nulled:.1%}"
    return [
        Fault(where=pointer, what=f"bad values were made null in {share:.1%} of the records, {over}")
        for pointer, share in shares.items()
    ]
