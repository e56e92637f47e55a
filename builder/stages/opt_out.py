"""``opt_out``: reject pages whose site or whose own headers and tags reserve their use."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.outcome import Outcome
from builder.domain.rejection import no_rejections
from builder.domain.reservations.signal import RESERVATION_SIGNALS
from builder.domain.reservations.tokens import PURPOSES, TOKEN_LISTS, Tokens, token_list_path
from builder.domain.row_numbers import BarrierOrMemory
from builder.errors import Fault, RecipeError
from builder.protocols import Verdicts
from builder.registry import nearest, option
from builder.stages.binding.required_columns import contract_column_faults
from builder.stages.reserving.policy import OPTED_OUT, SILENT, UNREADABLE, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import Noted, Remembered, Resources, Sketches, Texts, Threads
    from builder.stages.reserving.joining import JudgedPages

_SITE_SIGNALS = frozenset(("robots", "content_usage", "content_signal", "tdmrep", "rsl", "ai_txt"))
MARK_COLUMNS = pa.schema([("opt_out", pa.string()), ("opt_out_evidence", pa.list_(pa.string()))])
"""The columns of ``mode: tag``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Reject pages whose site or whose own headers and tags reserve their use.

    The stage reads what the archives hold, and never asks a site. Sources of web archives keep robots.txt,
    tdmrep.json and ai.txt of each site. For each page, the stage takes the last of each that was fetched
    before the page. It also reads the headers and the tags of the page itself.

    | signal | places | a reservation is |
    |---|---|---|
    | `robots` | robots.txt (RFC 9309) | the path is disallowed for one of the `agents` |
    | `content_usage` | robots.txt, header | `Content-Usage: train-ai=n` (IETF AIPREF) |
    | `content_signal` | robots.txt, header | `Content-Signal: ai-train=no` |
    | `x_robots` | header | `X-Robots-Tag: noai`, also for one of the `agents` |
    | `meta_robots` | tag | `<meta name="robots" content="noai">`, or the name of one of the `agents` |
    | `tdmrep` | tdmrep.json, header, tag | `tdm-reservation` is 1; the last of these places counts |
    | `rsl` | tag | terms of RSL in the page prohibit the use, or permit it only for a payment |
    | `ai_txt` | ai.txt | `Disallow` for text files or for the path |

    Any reservation wins over any permission, whatever their signals. A page that no signal mentions is kept,
    unless `silence` is `drop`. A status of 400 to 499 says that the site has no such file. A file with
    another status, a broken tdmrep.json, and terms of RSL that are only linked are unreadable: the option
    `unreadable` decides.

    `agents` and labels are those of a dated list that the package contains. Every signal that was found is in
    `opt_out.parquet` of the audit, with place, time and text, whether it counts or not. The audit keeps no
    text of a page whose use is reserved, also if another stage drops the page.
    [What you can prove](../opt-out.md) has the columns.

    The decision on a page can change with later inputs: an addition may have an older robots.txt, or the
    first one of a site. A build that adds pages decides about them alone. `builder optout` lists published
    pages that a later reservation covers.
    """

    name: ClassVar[str] = "opt_out"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("url",)
    rules: ClassVar[int] = 1
    joins: ClassVar[bool] = True
    reasons: ClassVar[Mapping[str, str]] = {
        OPTED_OUT: "A signal reserves the use; `value` is its token, and `message` says where it is.",
        UNREADABLE: "A file of the site or terms of the page cannot be read; only if the recipe says so.",
        SILENT: "No signal permits the use; only if the recipe says so.",
    }

    purposes: list[str] = option(  # noqa: RUF009 - it makes a field
        ["train-ai"], help="The uses that are planned: `train-ai`, `search`, `ai-input`."
    )
    agents: list[str] | None = option(  # noqa: RUF009
        None, help="Agents that must not be disallowed. Default: those that the list names for the purposes."
    )
    signals: list[str] = option(  # noqa: RUF009
        list(RESERVATION_SIGNALS), help="The signals that count; all others are only evidence."
    )
    silence: str = option(
        "keep", help="What to do with pages that no signal permits.", choices=("keep", "drop")
    )
    unreadable: str = option(
        "keep",
        help="What to do with pages whose site has a file that cannot be read.",
        choices=("keep", "drop"),
    )
    later: str = option(
        "use",
        help="If no file of a site is older than the page: `use` the next one, or `ignore` it.",
        choices=("use", "ignore"),
    )
    noindex: str = option(
        "ignore",
        help="Whether `noindex` and `none` are reservations: `ignore` or `drop`.",
        choices=("ignore", "drop"),
    )
    tokens: str = option(
        TOKEN_LISTS[-1], help="The date of the list of agents and labels.", choices=TOKEN_LISTS
    )
    mode: str = option(
        "drop",
        help="`drop` rejects; `tag` keeps all pages and writes `opt_out` (`no`, `yes`, `unknown`) and "
        "`opt_out_evidence`; `report` only counts.",
        choices=("drop", "tag", "report"),
    )
    noted: Noted | None = field(default=None, repr=False, compare=False)

    @property
    def append_stable(self) -> bool:
        """Whether later records never change a decision: only if no file of a site counts."""
        return not _SITE_SIGNALS & set(self.signals)

    def files(self, folder: Path) -> dict[str, Path]:  # noqa: ARG002 - the list is part of the package
        """Return the list of agents and labels."""
        path = token_list_path(self.tokens)
        return {path.name: path}

    def with_noted(self, noted: Noted) -> OptOut:
        """Return the stage with the files of sites."""
        return replace(self, noted=noted)

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Check the options and the column of URLs; in ``mode: tag``, add the columns.

        Raises:
            RecipeError: if an option has an unknown value, or a column is missing or there already.
        """
        faults = contract_column_faults(self.name, schema, resources, "url")
        for key, given, known in (
            ("purposes", self.purposes, PURPOSES),
            ("signals", self.signals, RESERVATION_SIGNALS),
        ):
            faults += [
                Fault(where=key, what=f"{one!r} is not one of `{key}`", advice=nearest(one, known))
                for one in given
                if one not in known
            ]
        if not self.purposes:
            faults.append(Fault(where="purposes", what="no purpose is given", advice="name at least one use"))
        if self.mode == "tag":
            faults += [
                Fault(where="mode", what=f"the column {one!r} exists already", advice="rename that column")
                for one in MARK_COLUMNS.names
                if one in schema.names
            ]
        if faults:
            raise RecipeError(*faults)
        return pa.schema([*schema, *MARK_COLUMNS]) if self.mode == "tag" else schema

    def sketch(self, batch: pa.RecordBatch, *, resources: Resources) -> pa.RecordBatch:
        """Return the URL, the instant of the fetch, and what the page itself says."""
        from builder.stages.reserving.page_sketch import sketch_pages

        return sketch_pages(batch, resources=resources, tokens=self.token_list())

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,  # noqa: ARG002 - earlier pages decide nothing
        texts: Texts,  # noqa: ARG002
        threads: Threads,  # noqa: ARG002
    ) -> Verdicts:
        """Join each page with the files of its site, and decide."""
        judged = self._judge(sketches, alive)
        n_rows = len(alive)
        return Verdicts(
            keeper=BarrierOrMemory(np.full(n_rows, -1, np.int64)),
            similarity=np.full(n_rows, np.nan),
            reason=OPTED_OUT,
            refused=judged.refused if self.mode == "drop" else None,
            marks=judged.marks if self.mode == "tag" else None,
            private=judged.private,
            evidence={"opt_out": judged.evidence},
            counts=judged.counts,
        )

    def find_private(self, sketches: Sketches) -> NDArray[np.bool_]:
        """Return bool[n_rows]: the pages whose use is reserved; their texts are not kept in the audit."""
        found = np.zeros(sketches.n_rows, np.bool_)
        found[self._judge(sketches, found).private] = True
        return found

    def _judge(self, sketches: Sketches, alive: NDArray[np.bool_]) -> JudgedPages:
        from builder.stages.reserving.joining import judge_pages

        return judge_pages(
            sketches,
            alive,
            noted=self.noted,
            tokens=self.token_list(),
            policy=self.policy(),
            uses_later=self.later == "use",
            limit=", ".join(self.purposes),
            drops=self.mode == "drop",
        )

    def settle(
        self,
        batch: pa.RecordBatch,
        keeper_rows: NDArray[np.int64],  # noqa: ARG002
        rows: NDArray[np.int64],  # noqa: ARG002
    ) -> Outcome:
        """Return the batch: the build removes the rejected rows, and adds the marks."""
        return Outcome(kept=batch, rejected=no_rejections())

    def remember(self, sketches: Sketches, verdicts: Verdicts) -> pa.Table:  # noqa: ARG002
        """Return no row: later versions read the files of sites in the audit."""
        return pa.table({"row": pa.array([], pa.int64())})

    def token_list(self) -> Tokens:
        """Return the agents and labels that count."""
        found = Tokens.of(self.purposes, agents=self.agents, date=self.tokens)
        return replace(found, tags=found.tags | {"noindex", "none"}) if self.noindex == "drop" else found

    def policy(self) -> Policy:
        """Return what decides."""
        return Policy(
            signals=frozenset(self.signals),
            rejects_silence=self.silence == "drop",
            rejects_unreadable=self.unreadable == "drop",
        )
