"""The corpus's own card, from the manifests of its versions and what was done to them since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.card.manifest_facts import corpus_card

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest


def root_card(
    corpus: Corpus,
    *,
    fresh: Manifest | None = None,
    without: str | None = None,
    yanked: Mapping[str, str | None] | None = None,
    purged: Mapping[str, Manifest] | None = None,
) -> str:
    """Write the README.md of a corpus as it is, or as it is to be.

    Args:
        fresh: a version that is about to come.
        without: a version whose rows are about to go.
        yanked: why versions are yanked, or None where one is taken back, as it is to be.
        purged: manifests of versions as they are to be when a purge is over; one without rows is left out.
    """
    there = [one for one in corpus.versions() if one != without and not corpus.dropped(one)]
    known = [(purged or {}).get(one) or corpus.as_is(one) for one in there]
    manifests = [one for one in (*known, *([fresh] if fresh else [])) if one.rows]
    states = {one: corpus.yanked(one) for one in there} | dict(yanked or {})
    return corpus_card(corpus.name, manifests, yanked=states)
