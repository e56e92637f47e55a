"""``optout``: list published pages that the newest files of their sites, or later fetches, reserve."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from builder.corpus import Corpus
from builder.corpus.address import split_address
from builder.domain.ledger import OPT_OUT
from builder.domain.reservations.path_patterns import path_of
from builder.domain.reservations.signal import UseSignal
from builder.domain.reservations.site_signals import site_signals
from builder.domain.url import canonical_url
from builder.errors import CorpusError, Fault
from builder.pipeline.disk import reports_disk_faults
from builder.pipeline.judgements import NotedFiles
from builder.protocols import Columns
from builder.recipe.built import built_stages
from builder.stages.binding.placed import inner_stage
from builder.stages.opt_out import OptOut
from builder.stages.reserving.policy import OPTED_OUT, FoundSignal
from builder.stages.reserving.site_files import SiteFiles, authority_and_path
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.domain.manifest import Manifest


_SIGNAL_COLUMNS = ("signal", "place", "answer", "token", "text", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredPage:
    """A published page that a reservation covers, and the evidence."""

    id: str
    url: str
    token: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OptOutFindings(Summarised):
    """The published pages that a reservation covers.

    Attributes:
        policy: the policy of the version's recipe, or the default one.
        hosts_without_robots: sites with published pages of which no robots.txt was ever read.
    """

    corpus: str
    version: str
    policy: dict[str, Any]
    n_pages: int
    covered: Sequence[CoveredPage]
    hosts_without_robots: Sequence[str]

    def _summary(self) -> dict[str, object]:
        return {"corpus": self.corpus, "version": self.version, "covered": len(self.covered)}


@reports_disk_faults
def optout(folder: str | Path) -> OptOutFindings:
    """Compare the published pages with the newest files of their sites, and with later fetches of each page.

    Nothing is fetched or written. The audits of all versions are read.

    Args:
        folder: the folder of the corpus, with ``@VERSION`` for another version than the newest.

    Raises:
        CorpusError: if the corpus has no such version, or does not publish URLs.
    """
    path, version = split_address(str(folder))
    corpus = Corpus(path)
    version = version or corpus.newest()
    manifest = corpus.manifest(version)
    url = Columns.of_manifest(manifest).url
    if url is None:
        what = "the version does not publish URLs, so its pages cannot be compared with files of sites"
        raise CorpusError(Fault(where=str(folder), what=what, advice="publish the column url"))
    stage = _stage_of(manifest)
    rows = corpus.rows(version).to_table(columns=[manifest.columns.names[0], url])
    pages = [
        (one, address, canonical)
        for one, address in zip(rows[0].to_pylist(), rows[1].to_pylist(), strict=True)
        if address and (canonical := canonical_url(address))
    ]
    audits = [one for name in corpus.versions() if (one := corpus.audit_folder(name)).is_dir()]
    hosts = sorted({authority_and_path(canonical)[0] for _, _, canonical in pages})
    sites = SiteFiles.of(NotedFiles((), audits), authorities=hosts)
    own = _own_reservations(audits)
    return OptOutFindings(
        corpus=str(path),
        version=version,
        policy={"purposes": list(stage.purposes), "agents": stage.agents, "signals": list(stage.signals)},
        n_pages=rows.num_rows,
        covered=list(_covered(pages, sites, own, stage)),
        hosts_without_robots=[one for one in hosts if one not in sites.authorities_with_robots],
    )


def write_urls(path: str | Path, findings: OptOutFindings) -> None:
    """Write the URLs of the covered pages, one per line, as ``builder takedown --file`` reads them."""
    beside = Path(f"{os.fspath(path)}.tmp")
    beside.write_text("".join(f"{one.url}\n" for one in findings.covered), encoding="utf-8")
    beside.replace(path)


def _stage_of(manifest: Manifest) -> OptOut:
    """Return the first stage ``opt_out`` of the version's recipe; one with all defaults without it."""
    made = (inner_stage(one.make()) for one in built_stages(manifest.recipe) if one.kind == OptOut.name)
    return next((one for one in made if isinstance(one, OptOut)), OptOut())


def _covered(
    pages: Sequence[tuple[str, str, str]],
    sites: SiteFiles,
    own: dict[str, FoundSignal],
    stage: OptOut,
) -> Iterator[CoveredPage]:
    tokens, policy = stage.token_list(), stage.policy()
    for one, url, canonical in pages:
        authority, _ = authority_and_path(canonical)
        found = [
            FoundSignal(signal=signal, at=file.at, site_record=file.record_id)
            for file in sites.newest(authority)
            for signal in site_signals(file.file, path_of(canonical), tokens)
        ]
        found += [own[canonical]] if canonical in own else []
        decision = policy.decide(found)
        if decision.reason == OPTED_OUT and decision.decisive is not None:
            token = decision.decisive.signal.token
            yield CoveredPage(id=one, url=url, token=token, evidence=str(decision.decisive))


def _own_reservations(audits: Sequence[Path]) -> dict[str, FoundSignal]:
    """Return the newest reservation by headers or tags of each page that any version refused or marked."""
    found: dict[str, FoundSignal] = {}
    for folder in audits:
        path = folder / f"{OPT_OUT}.parquet"
        if not path.exists():
            continue
        for row in pq.read_table(path, partitioning=None).to_pylist():
            canonical = canonical_url(row["url"]) if row["url"] else None
            if canonical is None or row["site_record"] or row["answer"] != "no" or not row["counts"]:
                continue
            signal = UseSignal(**{name: row[name] for name in _SIGNAL_COLUMNS})
            if canonical not in found or (found[canonical].at or "") <= (row["at"] or ""):
                found[canonical] = FoundSignal(signal=signal, at=row["at"])
    return found
