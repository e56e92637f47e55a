"""Model files are read completely, or refused with what is wrong before memory is taken."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_calls import fewer, identified
from language_models import FORMS, LABELS, LOSSES, WORDS, SmallModel

from builder.stages.identification.model import arrange_model
from builder.stages.identification.model_file import ModelFileError, read_model_file

SMALL = {"n_buckets": 12, "words": ["</s>", "a"], "labels": [("en", 2), ("de", 1)], "dim": 2, "group": 1}
PRUNED = SmallModel.random(1, **{**FORMS["pruned"], **SMALL})
PLAIN = SmallModel.random(1, **SMALL)
FILES = [PLAIN.packed(), PRUNED.packed()]

OPTIONS = {"dim": 8, "words": 28, "loss": 32, "kind": 36, "bucket": 40, "minn": 44, "maxn": 48}
"""Offsets of options in a file."""

DICTIONARY = 64


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(loss: str, form: str) -> None:
    """The matrices are those of the definition of the format, value by value."""
    model = SmallModel.random(2, loss=loss, **FORMS[form])
    file = read_model_file(model.packed())
    assert (file.rows == model.decoded(model.rows)).all()
    assert (file.output == model.decoded(model.output)).all()
    assert [word.decode() for word in file.words] == WORDS
    assert [label.decode() for label in file.labels] == [f"__label__{label}" for label, _ in LABELS]
    assert file.label_counts.tolist() == [count for _, count in LABELS]
    assert (file.pruned is None) == (model.pruned is None)


@pytest.mark.parametrize("data", FILES, ids=["plain", "pruned"])
def test_a_file_that_is_cut_is_refused_wherever_it_is_cut(data: bytes) -> None:
    """A download that stopped, or a disk that was full."""
    step = max(len(data) // fewer(1500, 150), 1)
    for n in [*range(0, len(data), step), *range(min(len(data), 400)), len(data) - 1]:
        with pytest.raises(ModelFileError, match=r"ends in the middle|first bytes"):
            read_model_file(data[:n])


def test_bytes_after_the_end_are_refused() -> None:
    """They are the rest of another file, or of another version of the format."""
    with pytest.raises(ModelFileError, match="has 1 bytes after its end"):
        read_model_file(FILES[0] + b"\0")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("dim", 0, "dim is 0, not between 1 and"),
        ("dim", 1 << 30, "dim is 1,073,741,824"),
        ("dim", 3, "input matrix has 14 rows and 2 columns, not 14 and 3"),
        ("words", 65, "wordNgrams is 65"),
        ("loss", 5, "its loss has the number 5, not one of 1, 2, 3, 4"),
        ("kind", 1, "a model of word vectors"),
        ("bucket", 0, "bucket is 0"),
        ("bucket", -1, "bucket is -1"),
        ("bucket", 13, "input matrix has 14 rows and 2 columns, not 15 and 2"),
        ("maxn", 65, "maxn is 65"),
        ("minn", -1, "minn is -1"),
    ],
)
def test_an_option_out_of_bounds_is_named(option: str, value: int, message: str) -> None:
    """With its value, and with what it should be."""
    data = bytearray(FILES[0])
    struct.pack_into("<i", data, OPTIONS[option], value)
    with pytest.raises(ModelFileError, match=message):
        read_model_file(bytes(data))


@pytest.mark.parametrize(
    ("offset", "form", "value", "message"),
    [
        (0, "<i", 1, "first bytes are not those of a fastText model"),
        (4, "<i", 13, "first bytes"),
        (DICTIONARY, "<i", 0, "number of entries is 0"),
        (DICTIONARY, "<i", 2**31 - 1, "number of entries is 2,147,483,647"),
        (DICTIONARY + 4, "<i", 3, "4 entries, but 3 words and 2 labels"),
        (DICTIONARY + 20, "<q", 1 << 40, "size of the table of buckets"),
        (DICTIONARY + 20, "<q", 0, "table of buckets, but its input matrix is not quantised"),
    ],
)
def test_a_count_out_of_bounds_is_refused(offset: int, form: str, value: int, message: str) -> None:
    """Before memory for it is taken."""
    data = bytearray(FILES[0])
    struct.pack_into(form, data, offset, value)
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=message):
            read_model_file(bytes(data))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([("en", 1), ("en", 1)], "a label is in its dictionary twice"),
        ([("en", 10**15)], "has the count 1,000,000,000,000,000"),
        ([("en", -1)], "has the count -1"),
    ],
)
def test_labels_must_be_distinct_and_counted(labels: list[tuple[str, int]], message: str) -> None:
    """The tree of labels is made from the counts."""
    with pytest.raises(ModelFileError, match=message):
        read_model_file(SmallModel.random(1, labels=labels).packed())


def test_values_that_are_not_numbers_are_refused() -> None:
    """A score of NaN would be neither above nor below a limit."""
    data = SmallModel.random(1).packed()
    with pytest.raises(ModelFileError, match="values that are not finite"):
        read_model_file(data[:-4] + struct.pack("<f", np.nan))


@settings(max_examples=fewer(400, 60))
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=4),
    st.sampled_from([None, b"", b"\xff\xff\xff\x7f"]),
)
def test_a_mutated_file_is_refused_or_gives_labels(
    data: bytes, changes: list[tuple[int, int]], inserted: bytes | None
) -> None:
    """Never another exception, and never an index outside of an array."""
    mutant = bytearray(data)
    for place, byte in changes:
        mutant[place % len(mutant)] = byte
    if inserted is not None:
        place = changes[0][0] % len(mutant)
        mutant[place : place + len(inserted)] = inserted
    try:
        model = arrange_model(bytes(mutant))
    except ModelFileError as error:
        assert str(error)
        return
    labels, scores = identified(model, ["a b </s>", "", "日本 a", "x" * 2000])
    assert ((labels >= -1) & (labels < len(model.labels))).all()
    assert (labels[:, 0] != labels[:, 1])[labels[:, 1] >= 0].all()
    assert ((scores >= 0) & (scores < 1.1)).all()
