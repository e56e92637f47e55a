"""Load the dated lists of agents and labels for each purpose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOKEN_LISTS: Final = ("2026-11",)
"""The dates of the lists that the package has, the newest last."""

PURPOSES: Final = ("train-ai", "search", "ai-input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What names the purposes of a policy in each kind of signal.

    Attributes:
        agents: product tokens of robots.txt, in lower case, with the spelling of the list.
        usage: labels of ``Content-Usage``.
        signals: labels of ``Content-Signal``.
        tags: directives of robots tags, in lower case.
        rsl: usages of RSL.
        text_kinds: file extensions of ai.txt that mean text.
    """

    agents: Mapping[str, str]
    usage: frozenset[str]
    signals: frozenset[str]
    tags: frozenset[str]
    rsl: frozenset[str]
    text_kinds: frozenset[str]

    @classmethod
    def of(
        cls, purposes: Sequence[str], *, agents: Sequence[str] | None = None, date: str = TOKEN_LISTS[-1]
    ) -> Tokens:
        """Return the tokens of some purposes.

        Args:
            agents: the agents of the policy; None for those of the list.
        """
        written = read_token_list(date)
        named = [one for purpose in purposes for one in written["agents"][purpose]]
        labels = {
            key: frozenset(one for purpose in purposes for one in written[key][purpose])
            for key in ("content_usage", "content_signal", "robot_tags", "rsl")
        }
        return cls(
            agents={one.lower(): one for one in (named if agents is None else agents)},
            usage=labels["content_usage"],
            signals=labels["content_signal"],
            tags=labels["robot_tags"],
            rsl=labels["rsl"],
            text_kinds=frozenset(written["text_kinds"]),
        )


def token_list_path(date: str) -> Path:
    """Return the file of a list."""
    return Path(__file__).with_name(f"tokens_{date.replace('-', '_')}.json")


@cache
def read_token_list(date: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Return a list as it is written."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = orjson.loads(token_list_path(date).read_bytes())
    return found
