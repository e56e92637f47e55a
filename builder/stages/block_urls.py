"""``block_urls``: reject pages whose URL is on a list of domains, hosts, URLs or words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.hosts.registrable_domain import PUBLIC_SUFFIXES_SHA256
from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import RecipeError
from builder.protocols import Outcome
from builder.registry import option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.blocking.list_files import RULE_KINDS, find_lists

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from builder.protocols import Guard, Resources

_LIST_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "required": ["path"],
            "additionalProperties": False,
            "properties": {"path": {"type": "string", "minLength": 1}, "rules": {"enum": list(RULE_KINDS)}},
        },
    ]
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockUrls:
    """Reject pages whose URL is on a list.

    A list is a file with one rule in each line. A glob or a folder names several files. In a folder, the
    files of the UT1 lists (`domains`, `urls`) are read, and files that end with `.txt`, `.hosts` or `.list`.

    | line | kind of rule | matches |
    |---|---|---|
    | `b.co.uk` | domain | `b.co.uk` and each host below it, such as `a.b.co.uk`, and not `xb.co.uk` |
    | `*.b.co.uk`, `.b.co.uk` | domain | the same |
    | <code>&#124;&#124;b.co.uk^</code> | domain | the same (other rules of AdBlock lists are not read) |
    | `0.0.0.0 ads.b.co.uk` | host | this host alone (hosts files) |
    | `b.co.uk/news` | url | this URL with any scheme, and all URLs below it, and not `b.co.uk/newsletter` |
    | `https://b.co.uk/?p=3` | url | this URL with any scheme; a URL with a query has no URLs below it |
    | `free games` | word | URLs with these whole words in this order, as in `/free-games/1` |

    A word needs a list of words: a file called `words`, or one whose name ends with `-words.txt`, or
    `rules: words`, as in `{path: mine.txt, rules: words}`. Lines that begin with `#` or `!` are comments.
    All other lines are skipped.

    URLs and rules are compared in canonical form: hosts are in lower case and Punycode, and tracking
    parameters do not count. A URL rule also matches the host with `www.` before it. A domain that is a public
    suffix, such as `co.uk` or `github.io`, blocks only the host of that name, because the sites below it
    belong to others. Write `*.github.io` to block them all. The public suffix list is part of the package.

    A rule of `allow` wins over all rules of `lists`. The ledger has the matched rule as `value`, and list,
    line and rule in `message`. If several rules match, it is the first, in the order of the recipe. The count
    `allowed` is the number of pages that a rule of `allow` keeps. Pages without a URL pass (`no_url`).

    The rules are sorted once into a file in the cache folder of the user, which all workers map into memory:
    about 45 bytes for a domain. The manifest has the SHA-256 of each list.
    """

    name: ClassVar[str] = "block_urls"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("url",)
    rules: ClassVar[int] = 1
    schemas: ClassVar[Mapping[str, Any]] = {
        "lists": {"type": "array", "minItems": 1, "items": _LIST_SCHEMA},
        "allow": {"type": "array", "items": _LIST_SCHEMA},
    }
    reasons: ClassVar[Mapping[str, str]] = {
        "blocked_domain": "A list names the domain of the URL; `value` is the rule.",
        "blocked_host": "A list names the host of the URL; `value` is the rule.",
        "blocked_url": "A list names the URL, or one above it; `value` is the rule.",
        "blocked_word": "The URL has words of a list; `value` is the rule.",
    }

    lists: list[Any] = option(  # noqa: RUF009 - it makes a field
        help="Files, globs or folders with rules, relative to the recipe: a path, or `{path: FILE, rules: "
        "KIND}` with one of `domains`, `hosts`, `urls` and `words` for all lines."
    )
    allow: list[Any] = option(  # noqa: RUF009
        [], help="Lists of the same form; their rules win over those of `lists`."
    )

    @property
    def recorded_options(self) -> dict[str, Any]:
        """What is recorded of the options: kinds of rules, as `files` has the lists; and the suffix list."""
        kinds = {
            name: [one.get("rules", "auto") if isinstance(one, dict) else "auto" for one in given]
            for name, given in (("lists", self.lists), ("allow", self.allow))
        }
        return {**kinds, "public_suffixes": PUBLIC_SUFFIXES_SHA256}

    def files(self, folder: Path) -> dict[str, Path]:
        """Return the lists.

        Raises:
            RecipeError: if a list does not exist.
        """
        return {one.name: one.path for one in find_lists(self.lists, self.allow, folder)}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check the column of URLs, and read the lists.

        Raises:
            RecipeError: if the column is missing, or a list does not exist or has no rule.
        """
        if faults := contract_column_faults(self.name, schema, resources, "url"):
            raise RecipeError(*faults)
        self._rules(resources)
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Reject the pages whose URL a rule matches, unless another rule allows it."""
        from builder.stages.blocking.matching import find_hits

        urls = batch.column(resources.columns.url).to_pylist()
        hits = find_hits(urls, self._rules(resources), url_rules=resources.url_rules)
        blocked = {row: hit for row, hit in enumerate(hits) if hit is not None and not hit.allows}
        stays = np.ones(batch.num_rows, np.bool_)
        stays[list(blocked)] = False
        rejected = rejection_batch(
            Rejection(
                record=batch.column(RECORD)[row].as_py(),
                stage=self.name,
                reason=hit.reason,
                url=urls[row],
                value=hit.rule,
                message=str(hit),
            )
            for row, hit in blocked.items()
        )
        n_allowed = sum(hit is not None and hit.allows for hit in hits)
        counts = {"allowed": n_allowed, "no_url": urls.count(None)}
        kept = batch.filter(pa.array(stays)) if blocked else batch
        return Outcome(kept=kept, rejected=rejected, counts={name: n for name, n in counts.items() if n})

    def _rules(self, resources: Resources) -> Any:
        from builder.stages.blocking.rule_table import open_rules

        return open_rules(find_lists(self.lists, self.allow, resources.folder))
