"""Decide about a page by the signals that were found: the strictest answer wins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from builder.domain.reservations.page_signals import with_tdm_order
from builder.domain.reservations.signal import UseAnswer, UseSignal, combine

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

OPTED_OUT = "opted_out"
UNREADABLE = "opt_out_unreadable"
SILENT = "no_permission"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSignal:
    """A signal, the time of what has it, and the record of a file of the site; None for the page itself."""

    signal: UseSignal
    at: str | None
    site_record: str | None = None
    is_later: bool = False

    def __str__(self) -> str:
        line = f", line {self.signal.line}" if self.signal.line else ""
        fetched = f", fetched {self.at}" if self.at else ""
        after = " (after the page)" if self.is_later else ""
        place = f"{self.signal.signal} in {self.signal.place}{line}"
        return f"{place}{fetched}{after}: {self.signal.text.strip() or self.signal.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageDecision:
    """What the signals say together, and the reason to reject the page; None if it may stay.

    Attributes:
        counts: for each signal, whether it counts.
        decisive: the signal that decides; None without one.
    """

    answer: UseAnswer
    reason: str | None
    counts: tuple[bool, ...]
    decisive: FoundSignal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a recipe decides about signals.

    Attributes:
        signals: the kinds that count.
        rejects_silence: whether a page without any permission is rejected.
        rejects_unreadable: whether a page is rejected if a file or terms cannot be read.
    """

    signals: Collection[str]
    rejects_silence: bool = False
    rejects_unreadable: bool = False

    def decide(self, found: Sequence[FoundSignal]) -> PageDecision:
        """Combine the signals of a page: any no wins, then any yes."""
        ordered = with_tdm_order([one.signal for one in found])
        counts = tuple(is_last and one.signal in self.signals for one, is_last in ordered)
        counted = [one for one, is_counted in zip(found, counts, strict=True) if is_counted]
        answer = combine(one.signal.answer for one in counted)
        decisive = next((one for one in counted if one.signal.answer == answer), None)
        reason = OPTED_OUT if answer == "no" else None
        missing = next((one for one in counted if one.signal.is_missing), None)
        if reason is None and missing is not None and self.rejects_unreadable:
            reason, decisive = UNREADABLE, missing
        if reason is None and answer == "unknown" and self.rejects_silence:
            reason = SILENT
        return PageDecision(answer=answer, reason=reason, counts=counts, decisive=decisive)
