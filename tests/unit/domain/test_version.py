"""The rule of version numbers: the lowest number that a change allows, and the text of the decision."""

from __future__ import annotations

import pyarrow as pa
import pytest

from builder.domain.version import (
    FIRST,
    Changes,
    Level,
    SplitChanges,
    Version,
    compare_columns,
    decide_version,
)
from builder.errors import VersionError

OLD = pa.schema([pa.field("id", pa.string()), pa.field("text", pa.string()), pa.field("n", pa.int64())])
PARENT = Version(1, 4, 2)


def decide(**facts: object) -> str:
    decision = decide_version(PARENT, Changes(**facts))
    return f"{decision.version} {decision.reason}"


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1.0.0\n", " 1.0.0", "1.-1.0", "١.0.0"]
)
def test_other_forms_are_not_version_numbers(text: str) -> None:
    """Only MAJOR.MINOR.PATCH in plain digits is a version number."""
    with pytest.raises(VersionError, match="is not a version number"):
        Version.parse(text)


def test_versions_are_ordered_as_numbers() -> None:
    """1.10.0 is above 1.9.9, and a written number reads back as the same number."""
    texts = ["0.0.1", "1.0.0", "1.9.9", "1.10.0", "2.0.0", "10.0.0"]
    mixed = ["10.0.0", "1.10.0", "0.0.1", "2.0.0", "1.9.9", "1.0.0"]
    assert sorted(mixed, key=Version.parse) == texts
    assert [str(Version.parse(text)) for text in texts] == texts


def test_each_level_has_its_next_number() -> None:
    """The numbers after that of the level become zero."""
    assert [str(PARENT.bump(level)) for level in Level] == ["1.4.3", "1.5.0", "2.0.0"]


def test_first_version_is_1_0_0() -> None:
    """A version without a parent has nothing to compare with."""
    decision = decide_version(None, Changes())
    assert (decision.version, decision.reason) == (FIRST, "first version")


@pytest.mark.parametrize(
    ("split", "text"),
    [
        (SplitChanges(removed=3), "2.0.0 MAJOR: 3 published rows were removed (train 3)"),
        (SplitChanges(changed=1), "2.0.0 MAJOR: 1 published row was changed (train 1)"),
        (
            SplitChanges(moved=1200),
            "2.0.0 MAJOR: 1,200 published rows were moved to another split (train 1,200)",
        ),
        (SplitChanges(reordered=True), "2.0.0 MAJOR: rows of train were reordered"),
        (SplitChanges(added=1), "1.5.0 MINOR: 1 row was added"),
        (SplitChanges(), "1.4.3 PATCH: the same rows in the same order, under the same columns"),
    ],
)
def test_changed_rows_determine_the_level(split: SplitChanges, text: str) -> None:
    """Removed, changed, moved or reordered rows are MAJOR; added rows are MINOR; no change is PATCH."""
    assert decide(splits={"train": split}) == text


def test_every_evaluation_split_that_grew_is_named() -> None:
    """Scores on a split that grew cannot be compared with older ones, whatever the level."""
    splits = {
        "train": SplitChanges(added=5, removed=1),
        "validation": SplitChanges(added=2),
        "test": SplitChanges(),
    }
    assert decide(splits=splits) == (
        "2.0.0 MAJOR: 1 published row was removed (train 1); 7 rows were added; "
        "the evaluation split validation grew by 2"
    )


@pytest.mark.parametrize(
    ("new", "broken", "added"),
    [
        (OLD, (), ()),
        (OLD.append(pa.field("m", pa.int64())), (), ("m",)),
        (OLD.insert(0, pa.field("m", pa.int64())), (), ("m",)),
        (OLD.append(pa.field("m", pa.int64(), nullable=False)), ("column m, never null, was added",), ()),
        (OLD.remove(2), ("column n was removed",), ()),
        (OLD.set(2, pa.field("k", pa.int64())), ("column n was removed",), ("k",)),
        (OLD.set(2, pa.field("n", pa.float64())), ("column n became double",), ()),
        (OLD.set(2, pa.field("n", pa.int64(), nullable=False)), ("column n became int64 not null",), ()),
        (pa.schema([OLD.field(1), OLD.field(0), OLD.field(2)]), ("columns were reordered",), ()),
    ],
)
def test_columns_are_compared(new: pa.Schema, broken: tuple[str, ...], added: tuple[str, ...]) -> None:
    """Changes that break readers of the old columns are listed; a new nullable column breaks nobody."""
    assert compare_columns(OLD, new) == (broken, added)


def test_changed_columns_determine_the_level() -> None:
    """A broken column is MAJOR; a new nullable column is MINOR."""
    assert decide(broken_columns=("column n was removed",)) == "2.0.0 MAJOR: column n was removed"
    assert decide(added_columns=("m",)) == "1.5.0 MINOR: column m was added"
    assert decide(added_columns=("m", "k")) == "1.5.0 MINOR: columns m, k were added"


def test_another_licence_is_a_major_change() -> None:
    """Users may lose a right, even if no row changed."""
    assert decide(licenses=("cc0-1.0", None)) == "2.0.0 MAJOR: the licence was cc0-1.0 and is not given"


def test_a_higher_number_may_be_asked_for_but_not_a_lower_one() -> None:
    """The error names the lowest number that is allowed."""
    grown = Changes(splits={"train": SplitChanges(added=1)})
    raised = decide_version(PARENT, grown, asked=Version(3, 0, 0))
    assert (str(raised.version), raised.reason) == ("3.0.0", "MINOR: 1 row was added; 3.0.0 was asked for")
    assert decide_version(PARENT, grown, asked=Version(1, 5, 0)).reason == "MINOR: 1 row was added"
    with pytest.raises(VersionError, match=r"1\.4\.3 is lower than 1\.5\.0, .*1 row was added"):
        decide_version(PARENT, grown, asked=Version(1, 4, 3))
    with pytest.raises(VersionError):
        decide_version(None, Changes(), asked=Version(0, 9, 0))
