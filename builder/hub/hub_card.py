"""Merge the card of a version with what people wrote into the card on the Hub."""

from __future__ import annotations

from builder.card.front_matter import check_front_matter, read_front_matter
from builder.card.sections import merge_cards, sections
from builder.errors import BuilderError, Fault, PublishError


def hub_card(sealed: str, *, name: str, repo: str, there: str | None) -> str:
    """Return the README.md to publish.

    Args:
        sealed: the card of the version.
        name: the dataset's name.
        there: the card that is on the Hub, or None.

    Raises:
        PublishError: if the card on the Hub cannot be read, or what people added makes it invalid.
    """
    card = _with_repo(sealed, name=name, repo=repo)
    where = f"{repo}: README.md"
    if there is None:
        return card
    try:
        merged = merge_cards(there, card)
        faults = check_front_matter(read_front_matter(merged))
    except BuilderError as error:
        advice = "fix the card on the Hub"
        raise PublishError(*(Fault(where=where, what=str(f), advice=advice) for f in error.faults)) from None
    if faults:
        raise PublishError(*(Fault(where=f"{where}: {f.where}", what=f.what) for f in faults))
    return merged


def _with_repo(card: str, *, name: str, repo: str) -> str:
    """Insert the repository's name into the section on loading."""
    return "".join(
        part.text.replace(f'"USER/{name}"', f'"{repo}"') if part.name == "load" else part.text
        for part in sections(card)
    )
