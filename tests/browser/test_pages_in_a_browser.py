"""Pages in Chromium: no request, nothing runs, no fault of access, and no sideways scrolling."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

NAMES = ("private", "public", "diff", "golden")
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
BAD = ("serious", "critical")


@contextmanager
def opened(browser: Any, path: Path, *, size: str = "desktop", scheme: str = "light") -> Iterator[Any]:
    """Open a page from disk, and note every request, message, dialog and fault."""
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    page.noted = []
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.log('policy: ' + e.violatedDirective))"
    )
    page.on("request", lambda one: page.noted.append(f"request {one.url}"))
    page.on("console", lambda one: page.noted.append(f"console {one.text}"))
    page.on("pageerror", lambda one: page.noted.append(f"error {one}"))
    page.on("dialog", lambda one: (page.noted.append(f"dialog {one.message}"), one.dismiss()))
    page.on("popup", lambda one: page.noted.append(f"popup {one.url}"))
    page.goto(path.as_uri())
    yield page
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_page_makes_no_request_and_runs_nothing(chromium: Any, pages: dict[str, Path], name: str) -> None:
    """Markup, scripts and addresses of strangers stay text in a real parser, also when everything is open."""
    with opened(chromium, pages[name]) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        for key in ("Tab", "Tab", "Enter", "Tab", "Space"):
            page.keyboard.press(key)
        page.wait_for_timeout(200)
        assert page.noted == [f"request {pages[name].as_uri()}"]
        assert page.evaluate("document.scripts.length + document.images.length + document.forms.length") == 0
        assert page.evaluate("document.styleSheets.length") == 1, "the one sheet that the policy allows"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(
    chromium: Any, pages: dict[str, Path], name: str, scheme: str, size: str
) -> None:
    """Contrast, names, headings, tables and keyboard, in both colour schemes and at both widths."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    with opened(chromium, pages[name], size=size, scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        found = axe.Axe().run(page).response["violations"]
        faults = {
            one["id"]: [node["html"][:200] for node in one["nodes"][:3]]
            for one in found
            if one["impact"] in BAD
        }
        assert faults == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_needs_no_sideways_scrolling(chromium: Any, pages: dict[str, Path], name: str) -> None:
    """Wide tables scroll in their own boxes."""
    with opened(chromium, pages[name], size="phone") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"]


def test_the_colours_follow_the_reader(chromium: Any, pages: dict[str, Path]) -> None:
    """The sheet has two sets of colours; on paper it is always the light one."""
    seen = {}
    for scheme in SCHEMES:
        with opened(chromium, pages["private"], scheme=scheme) as page:
            seen[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
            page.emulate_media(media="print", color_scheme=scheme)
            seen[f"{scheme} on paper"] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    white = "rgb(255, 255, 255)"
    assert seen == {
        "light": white,
        "light on paper": white,
        "dark": "rgb(20, 23, 28)",
        "dark on paper": white,
    }


def test_the_keyboard_skips_the_contents_first(chromium: Any, pages: dict[str, Path]) -> None:
    """The first key leads to a link that is then to be seen, and it moves to the content."""
    with opened(chromium, pages["private"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_paper_has_what_is_closed_on_screen(chromium: Any, pages: dict[str, Path]) -> None:
    """A printed page cannot be opened, so samples and numbers are printed."""
    with opened(chromium, pages["private"]) as page:
        page.emulate_media(media="print")
        boxes = "[...document.querySelectorAll('details > :not(summary)')].map(one => one.offsetHeight)"
        heights = page.evaluate(boxes)
        assert heights
        assert min(heights) > 0
