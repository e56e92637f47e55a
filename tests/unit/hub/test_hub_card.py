"""The card on the Hub names its repository, and keeps the text that people wrote there."""

from __future__ import annotations

import pytest

from builder.card.front_matter import read_front_matter
from builder.errors import PublishError
from builder.hub.hub_card import hub_card

SEALED = """\
---
pretty_name: Tides
size_categories:
- n<1K
tags:
- nlp-corpus-builder
configs:
- config_name: default
  version: "1.0.0"
  data_files:
  - split: train
    path:
    - data/train-00000-of-00001.parquet
dataset_info:
  config_name: default
  features:
  - name: id
    dtype: string
  splits:
  - name: train
    num_bytes: 1
    num_examples: 1
  download_size: 1
  dataset_size: 1
---
<!-- builder:begin what -->
# Tides, also called "USER/tides"
<!-- builder:end what -->
<!-- builder:begin load -->
load_dataset("USER/tides", revision="v1.0.0")
<!-- builder:end load -->
"""


def card(there: str | None) -> str:
    """Create the card of a repository."""
    return hub_card(SEALED, name="tides", repo="harbour/sea", there=there)


def test_the_load_example_names_the_repository() -> None:
    """Other text that contains the placeholder stays unchanged."""
    assert 'load_dataset("harbour/sea", revision="v1.0.0")' in card(None)
    assert 'also called "USER/tides"' in card(None)


def test_sections_and_keys_of_people_stay() -> None:
    """A second run changes nothing."""
    theirs = card(None).replace("pretty_name: Tides", "pretty_name: Mine\nviewer: false") + "## Thanks\n"
    merged = card(theirs)
    assert merged.endswith("## Thanks\n")
    front = read_front_matter(merged)
    assert (front["pretty_name"], front["viewer"]) == ("Tides", False)
    assert card(merged) == merged


@pytest.mark.parametrize("front", ["a: [", "- a list"])
def test_a_card_that_cannot_be_read_is_not_overwritten(front: str) -> None:
    """The error asks the user to fix the card on the Hub."""
    with pytest.raises(PublishError, match="fix the card on the Hub"):
        card(f"---\n{front}\n---\nMine.\n")
