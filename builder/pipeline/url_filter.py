"""Reject the records whose URL their source does not select, before any stage works on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.domain.url_patterns import UrlPatterns
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.protocols import Guard, Resources, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlFilter:
    """The stage after ``validate``, where URLs are known; the ledger names the source as the stage.

    Attributes:
        patterns: the patterns of each source that has any, by the name of the source.
    """

    name: ClassVar[str] = "url_filter"
    untrusted: ClassVar[bool] = False
    patterns: Mapping[str, UrlPatterns]

    @classmethod
    def of(cls, sources: Sequence[Source]) -> UrlFilter | None:
        """Return the filter of all sources; None if no source has patterns."""
        patterns = {}
        for source in sources:
            options = {name: getattr(source, name, ()) for name in ("urls", "skip_urls", "schemes")}
            if any(options.values()):
                patterns[source.label] = UrlPatterns(**options)
        return cls(patterns=patterns) if patterns else None

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check that there is a column of URLs.

        Raises:
            RecipeError: if the contract has none.
        """
        if resources.columns.url not in schema.names:
            what = f"{', '.join(self.patterns)}: patterns of URLs need a column with URLs"
            advice = "name it in the recipe: columns: {url: COLUMN}"
            raise RecipeError(Fault(where="sources", what=what, advice=advice))
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Split a batch of one source by the URLs of its rows."""
        source = batch.column(RECORD)[0]["source"].as_py() if batch.num_rows else ""
        patterns = self.patterns.get(source)
        if patterns is None:
            return Outcome(kept=batch, rejected=rejection_batch([]))
        urls = batch.column(resources.columns.url)
        reasons: dict[int, str] = {}
        for reason, refused in patterns.refuse(urls):
            reasons |= dict.fromkeys(np.flatnonzero(refused.to_numpy(zero_copy_only=False)).tolist(), reason)
        kept = np.ones(batch.num_rows, np.bool_)
        kept[list(reasons)] = False
        rejected = rejection_batch(
            Rejection(
                record=batch.column(RECORD)[row].as_py(),
                stage=resources.kinds.get(source, source),
                reason=reasons[row],
                url=urls[row].as_py(),
            )
            for row in sorted(reasons)
        )
        return Outcome(kept=batch.filter(pa.array(kept)), rejected=rejected)
