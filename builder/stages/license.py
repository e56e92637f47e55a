"""``license``: find the licence that a page names, and keep the licences that you choose."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.reserving.page_licenses import (
    LICENSE_CONFLICT,
    PLACES,
    STRENGTHS,
    choose_license,
    page_licenses,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.protocols import Guard, Resources
    from builder.stages.reserving.page_licenses import FoundLicense

LICENSE_COLUMNS = ("license", "license_place", "license_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """Find the licence that a page names, and keep the licences that you choose.

    | strength | `license_place` | where |
    |---|---|---|
    | 7 | `rel` | `<link rel=license>`; `<a rel=license>` in the head, the footer or the article |
    | 6 | `json_ld` | `license` of an article or page in JSON-LD, unless that is another page |
    | 5 | `meta` | `<meta>` with a name such as `dcterms.license`, `dc.rights`, `rights` or `copyright` |
    | 4 | `markup` | `itemprop=license`, `property=cc:license` and the like; `<a rel=license>` elsewhere |
    | 3 | `header` | the response header `Link` with `rel=license` |
    | 2 | `footer_link` | a link to a licence in the footer |
    | 1 | `link` | a link to a licence anywhere else, often that of an image or a source: a candidate only |

    The stage adds three columns: `license` in a normal form, such as `cc-by-nc-sa-4.0`, `cc-by-2.0-de`,
    `cc0-1.0` or `pdm-1.0`; `license_place`; and `license_url`, the URL or text that names it. They are null
    if the page names no licence. The strongest place decides. If it names several licences, `license` is
    `conflict`. A licence at a weaker place that differs is counted as `other_licence_at_weaker_place`.

    Licences are known by their URL: Creative Commons, GFDL, GPL, MIT, Apache, the Open Government Licence and
    Etalab. JSON-LD, tags and attributes may also name one by its sign, as in `CC BY-SA 4.0`.

    With `allow`, pages with another licence are rejected, and so are pages without one. A name without a
    version allows all versions: `cc-by` allows `cc-by-4.0` and `cc-by-2.0-de`, and not `cc-by-sa-4.0`. With
    `strength`, licences at weaker places do not count: the page has none. A licence is what a page says, and
    no proof that the page may say so.
    """

    name: ClassVar[str] = "license"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("html",)
    rules: ClassVar[int] = 1
    reasons: ClassVar[Mapping[str, str]] = {
        "license_not_allowed": "The licence is not in `allow`; `value` is the licence.",
        "license_conflict": "The strongest place names several licences, and `allow` is given.",
        "no_license": "The page names no licence that is strong enough, and `allow` is given.",
    }

    allow: list[str] | None = option(  # noqa: RUF009 - it makes a field
        None, help="Licences to keep, in normal form, such as `[cc0-1.0, cc-by]`. Default: all pages."
    )
    strength: int = option(
        1, help="Minimum strength of the place of a licence, from 1 to 7.", minimum=1, maximum=len(PLACES)
    )

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check the columns, and add those of the licence.

        Raises:
            RecipeError: if the contract lacks HTML, or a column has the name of another type.
        """
        faults = contract_column_faults(self.name, schema, resources, "html")
        faults += [
            Fault(
                where=self.name,
                what=f"the column {one!r} must be text, but its type is {schema.field(one).type}",
                advice="rename the column with `rename` of the source",
            )
            for one in LICENSE_COLUMNS
            if one in schema.names and not pa.types.is_string(schema.field(one).type)
        ]
        if faults:
            raise RecipeError(*faults)
        added = [pa.field(one, pa.string()) for one in LICENSE_COLUMNS if one not in schema.names]
        return pa.schema([*schema, *added])

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Find the licence of each page; with ``allow``, reject the others."""
        from builder.stages.reserving.page_sketch import headers_of
        from builder.stages.reserving.page_tags import tags_of_pages

        columns = resources.columns
        has_url = columns.url in batch.schema.names
        urls = batch.column(columns.url).to_pylist() if has_url else [None] * batch.num_rows
        pages = zip(tags_of_pages(batch.column(columns.html)), headers_of(batch), urls, strict=True)
        chosen: list[FoundLicense | None] = []
        counts: Counter[str] = Counter()
        for tags, headers, url in pages:
            found = page_licenses(tags, headers, url) if tags or "link" in headers else []
            strong = [one for one in found if STRENGTHS[one.place] >= self.strength]
            best = choose_license(strong)
            chosen.append(best)
            counts["found"] += best is not None
            counts["conflict"] += best is not None and best.name == LICENSE_CONFLICT
            counts["other_licence_at_weaker_place"] += best is not None and any(
                one.place != best.place and one.name != best.name for one in found
            )
        kept = _with_columns(batch, chosen)
        faults = {row: fault for row, one in enumerate(chosen) if (fault := self._fault(one))}
        rejected = rejection_batch(
            Rejection(
                record=batch.column(RECORD)[row].as_py(),
                stage=self.name,
                reason=reason,
                url=urls[row],
                value=one.name if (one := chosen[row]) else None,
                limit=", ".join(self.allow or ()),
                message=f"{one.place}: {one.url}" if one else None,
            )
            for row, reason in faults.items()
        )
        if faults:
            stays = np.ones(batch.num_rows, np.bool_)
            stays[list(faults)] = False
            kept = kept.filter(pa.array(stays))
        return Outcome(kept=kept, rejected=rejected, counts=+counts)

    def _fault(self, found: FoundLicense | None) -> str | None:
        """Return the reason to reject a page with a licence; None if it stays."""
        if self.allow is None:
            return None
        if found is None:
            return "no_license"
        if found.name == LICENSE_CONFLICT:
            return "license_conflict"
        return None if any(is_allowed(found.name, one) for one in self.allow) else "license_not_allowed"


def is_allowed(name: str, allowed: str) -> bool:
    """Return whether a licence is the allowed one, or a version of it.

    >>> is_allowed("cc-by-4.0", "CC-BY"), is_allowed("cc-by-sa-4.0", "cc-by")
    (True, False)
    >>> is_allowed("cc-by-2.0-de", "cc-by-2.0"), is_allowed("cc-by-2.0-de", "cc-by-2")
    (True, False)
    """
    allowed = allowed.strip().lower()
    if name == allowed:
        return True
    rest = name.removeprefix(f"{allowed}-")
    is_version = rest[:1].isdigit() or any(char.isdigit() for char in allowed)
    return rest != name and is_version


def _with_columns(batch: pa.RecordBatch, chosen: list[FoundLicense | None]) -> pa.RecordBatch:
    """Return the batch with the columns of the licence, in place of columns with these names."""
    values = {
        "license": [one.name if one else None for one in chosen],
        "license_place": [one.place if one else None for one in chosen],
        "license_url": [_clean(one.url) if one else None for one in chosen],
    }
    for name, column in values.items():
        at = batch.schema.get_field_index(name)
        field, array = pa.field(name, pa.string()), pa.array(column, pa.string())
        batch = batch.set_column(at, field, array) if at >= 0 else batch.append_column(field, array)
    return batch


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
