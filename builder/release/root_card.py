"""Render the README.md of a corpus from the manifests and the states of its versions."""

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
    """Return the README.md of a corpus, as it is now or after a change that is not committed yet.

    Args:
        fresh: the manifest of a version that will be added.
        without: a version that will be dropped.
        yanked: versions that will be yanked, with the reason; None as the reason removes a yank.
        purged: manifests of versions as a purge will leave them. A version without rows is left out.
    """
    existing = [one for one in corpus.versions() if one != without and not corpus.dropped(one)]
    known = [(purged or {}).get(one) or corpus.as_is(one) for one in existing]
    manifests = [one for one in (*known, *([fresh] if fresh else [])) if one.rows]
    states = {one: corpus.yanked(one) for one in existing} | dict(yanked or {})
    return corpus_card(corpus.name, manifests, yanked=states)
