"""The card on the Hub tells where it is loaded from, and keeps what people wrote there."""

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
    """Make the card of a repository."""
    return hub_card(SEALED, name="tides", repo="harbour/sea", there=there)


def test_the_repository_is_filled_in() -> None:
    """Where it tells how to load, and nowhere else."""
    assert 'load_dataset("harbour/sea", revision="v1.0.0")' in card(None)
    assert 'also called "USER/tides"' in card(None)


def test_people_keep_theirs_and_it_settles() -> None:
    """Their sections and keys stay; a second time changes nothing."""
    theirs = card(None).replace("pretty_name: Tides", "pretty_name: Mine\nviewer: false") + "## Thanks\n"
    merged = card(theirs)
    assert merged.endswith("## Thanks\n")
    front = read_front_matter(merged)
    assert (front["pretty_name"], front["viewer"]) == ("Tides", False)
    assert card(merged) == merged


@pytest.mark.parametrize("front", ["a: [", "- a list"])
def test_a_card_that_cannot_be_read_is_not_overwritten(front: str) -> None:
    """It is told where to mend it."""
    with pytest.raises(PublishError, match="fix the card on the Hub"):
        card(f"---\n{front}\n---\nMine.\n")
