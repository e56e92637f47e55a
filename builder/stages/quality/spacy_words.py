"""Take words and sentences from spaCy, as datatrove 0.10 does for English."""

from __future__ import annotations

from functools import cache
from typing import Any

from builder.errors import Fault

DISTRIBUTION = "spacy"
_INSTALL = "pip install 'nlp-corpus-builder[spacy]'"
_ROOM = 10
"""Characters that spaCy may see more than the text has; its own limit is lower than long documents."""

_BREAKS_SPACY = "IS_ALPHA"
"""A string with which spaCy fails; datatrove removes it from the text then."""


def spacy_faults(preset: str) -> list[Fault]:
    """Return the fault of a preset that needs spaCy where it cannot be imported."""
    try:
        _pipeline()
    except ImportError as error:
        what = f"the preset {preset!r} takes its words from spaCy: {' '.join(str(error).split())}"
        return [Fault(where="preset", what=what, advice=f"install it: {_INSTALL}")]
    return []


def spacy_words(text: str) -> list[str]:
    """Return the tokens of a text, signs included, without white space."""
    with _pipeline().memory_zone():
        return _stripped(token.text for token in _read(text))


def count_sentences(text: str) -> int:
    """Return the number of sentences that hold more than white space."""
    with _pipeline().memory_zone():
        return len(_stripped(sentence.text for sentence in _read(text).sents))


def _read(text: str) -> Any:
    pipeline = _pipeline()
    pipeline.max_length = len(text) + _ROOM
    try:
        return pipeline(text)
    except Exception:
        if _BREAKS_SPACY not in text:
            raise
        return pipeline(text.replace(_BREAKS_SPACY, ""))


def _stripped(parts: Any) -> list[str]:
    return [part for part in (one.strip() for one in parts) if part]


@cache
def _pipeline() -> Any:
    import spacy

    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    return pipeline
