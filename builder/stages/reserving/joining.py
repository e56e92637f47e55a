"""Join the pages of a build with the files of their sites, and decide about each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.domain.ledger import OPT_OUT_SCHEMA
from builder.domain.merging import NO_INSTANT
from builder.domain.rejection import REFUSED_SCHEMA
from builder.domain.reservations.path_patterns import path_of
from builder.domain.reservations.site_signals import site_signals
from builder.domain.url import canonical_url
from builder.stages.reserving.page_sketch import read_signals
from builder.stages.reserving.policy import OPTED_OUT, FoundSignal, PageDecision
from builder.stages.reserving.site_files import SiteFiles, authority_and_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from builder.domain.reservations.tokens import Tokens
    from builder.protocols import Noted, Sketches
    from builder.stages.reserving.policy import Policy

_EVIDENCE = pa.schema(
    [pa.field("row", pa.int64()), *(f for f in OPT_OUT_SCHEMA if f.name not in ("record_id", "stage"))]
)


@dataclass(kw_only=True)
class JudgedPages:
    """The decisions about all pages: rejections, marks of each row, evidence, and counts.

    Attributes:
        private: int64[n], the rows whose use is reserved, also among those that are not alive.
    """

    refused: pa.Table
    marks: pa.Table
    evidence: pa.Table
    counts: Counter[str]
    private: NDArray[np.int64]


@dataclass
class _Rows:
    """Columns of a table, filled row by row."""

    schema: pa.Schema
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {name: [] for name in self.schema.names}

    def add(self, **values: Any) -> None:
        for name, column in self.columns.items():
            column.append(values.get(name))

    def table(self) -> pa.Table:
        return pa.table(self.columns, schema=self.schema)


def judge_pages(
    sketches: Sketches,
    alive: NDArray[np.bool_],
    *,
    noted: Noted | None,
    tokens: Tokens,
    policy: Policy,
    uses_later: bool,
    limit: str,
    drops: bool,
) -> JudgedPages:
    """Decide about the rows that are alive; the result depends on nothing but them and the files of sites.

    Rows that are not alive are only judged to learn whether they are private.

    Args:
        uses_later: whether a file that was fetched after a page counts if no file is older.
        limit: the purposes, as the ledger has them.
        drops: whether all rejected pages are private, or those with a reservation alone.
    """
    urls = sketches.column("url").to_pylist() if sketches.n_rows else []
    instants = sketches.column("fetched_at").to_pylist() if sketches.n_rows else []
    written = sketches.column("signals").to_pylist() if sketches.n_rows else []
    canonical = [canonical_url(one) if one else None for one in urls]
    sites = SiteFiles.of(noted, authorities=_authorities(canonical)) if noted else SiteFiles({}, [])
    refused, evidence = _Rows(REFUSED_SCHEMA), _Rows(_EVIDENCE)
    answers: list[str | None] = [None] * len(urls)
    texts: list[list[str] | None] = [None] * len(urls)
    counts: Counter[str] = Counter()
    private: list[int] = []
    for row, is_alive in enumerate(alive.tolist()):
        site = _site_signals(canonical[row], instants[row], sites, tokens, uses_later=uses_later)
        found = [*site, *_own_signals(instants[row], written[row])]
        decision = policy.decide(found)
        if decision.reason == OPTED_OUT or (drops and decision.reason is not None):
            private.append(row)
        if not is_alive:
            continue
        answers[row], texts[row] = decision.answer, [_clean(str(one)) for one in found]
        _count(counts, found, decision)
        for one, is_counted in zip(found, decision.counts, strict=True):
            evidence.add(row=row, url=urls[row], counts=is_counted, **_facts(one))
        if decision.reason is not None:
            counts[decision.reason] += 1
            decisive = decision.decisive
            refused.add(
                row=row,
                reason=decision.reason,
                value=decisive.signal.token if decisive else None,
                limit=limit,
                message=_clean(str(decisive)) if decisive else "no signal permits the use",
            )
    asked = _authorities([one for one, is_alive in zip(canonical, alive.tolist(), strict=True) if is_alive])
    counts["hosts_without_robots"] = len(asked - sites.authorities_with_robots)
    marks = pa.table({"opt_out": pa.array(answers, pa.string()), "opt_out_evidence": pa.array(texts, _TEXTS)})
    return JudgedPages(
        refused=refused.table(),
        marks=marks,
        evidence=evidence.table(),
        counts=+counts,
        private=np.array(private, np.int64),
    )


def _authorities(canonical: Iterable[str | None]) -> set[str]:
    return {authority_and_path(one)[0] for one in canonical if one}


_TEXTS = pa.list_(pa.string())


def _site_signals(
    canonical: str | None, instant: int, sites: SiteFiles, tokens: Tokens, *, uses_later: bool
) -> Iterator[FoundSignal]:
    if canonical is None:
        return
    authority, _ = authority_and_path(canonical)
    path = path_of(canonical)
    for one in sites.in_force(authority, instant, later=uses_later):
        for signal in site_signals(one.file, path, tokens):
            yield FoundSignal(signal=signal, at=one.at, site_record=one.record_id, is_later=one.is_later)


def _own_signals(instant: int, written: bytes | None) -> Iterator[FoundSignal]:
    at = _written_time(instant)
    for signal in read_signals(written):
        yield FoundSignal(signal=signal, at=at)


def _written_time(instant: int) -> str | None:
    if instant == NO_INSTANT:
        return None
    try:
        return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def _facts(found: FoundSignal) -> dict[str, Any]:
    one = found.signal
    facts = {name: getattr(one, name) for name in ("signal", "place", "answer", "token", "line")}
    clean = {name: _clean(value) if isinstance(value, str) else value for name, value in facts.items()}
    return {
        **clean,
        "text": _clean(one.text),
        "at": found.at,
        "site_record": found.site_record,
        "is_later": found.is_later,
    }


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _count(counts: Counter[str], found: Sequence[FoundSignal], decision: PageDecision) -> None:
    kinds = {one.signal.signal for one in found}
    counts.update(f"signal.{kind}" for kind in kinds)
    counts[f"answer.{decision.answer}"] += 1
    counted = {
        one.signal.answer for one, is_counted in zip(found, decision.counts, strict=True) if is_counted
    }
    counts["disagreement"] += {"no", "yes"} <= counted
