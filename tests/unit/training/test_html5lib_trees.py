"""The text of html5lib's trees, an independent oracle, is the text that the kernel reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from training.html5lib_trees import known_deviations, text_of_kernel, text_of_tree, tree_tests

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.corpora
def test_each_tree_has_the_text_of_the_kernel_or_a_listed_reason(corpora: Path) -> None:
    """All tests of tree construction except fragments; a listed test that no longer differs is removed."""
    pages = [
        test for test in tree_tests(corpora / "html5lib-tests" / "tree-construction") if not test.is_fragment
    ]
    assert len(pages) > 1500
    different = {test.name for test in pages if text_of_tree(test.tree) != text_of_kernel(test.html)}
    reasons = known_deviations()
    assert different == set(reasons)
    assert all(reason.endswith(".") for reason in reasons.values())


def test_fragments_and_the_parts_of_a_test_are_told_apart(tmp_path: Path) -> None:
    """A header may follow another one without a line between them."""
    (tmp_path / "a.dat").write_text(
        '#data\n<p>One\n#errors\n#document\n| <html>\n|   <body>\n|     <p>\n|       "One"\n\n'
        '#data\nTwo\n#errors\n#document-fragment\nxmp\n#document\n| "Two"\n',
        encoding="utf-8",
    )
    page, fragment = tree_tests(tmp_path)
    assert (page.name, page.html, page.is_fragment) == ("a 0", "<p>One", False)
    assert text_of_tree(page.tree) == text_of_kernel(page.html) == "One"
    assert (fragment.html, fragment.is_fragment) == ("Two", True)
