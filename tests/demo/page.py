"""The demo page in Chromium: rooms to go to, buttons to press, answers to wait for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.browser import chromium
from tests.browser.media import Booth

SIZE = {"width": 1240, "height": 1000}


@contextmanager
def opened(address: str, booth: Booth | None = None, *, dark: bool = False) -> Iterator[Page]:
    """The page in a browser of its own, once it stands; whatever it asked for is on loopback."""
    with sync_playwright() as playwright:
        browser = chromium(playwright, booth)
        context = browser.new_context(
            viewport=SIZE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            permissions=["camera", "microphone"],
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        elsewhere: list[str] = []
        page.on("request", lambda r: elsewhere.append(r.url) if _is_outside(r.url) else None)
        try:
            page.goto(address)
            page.get_by_role("tab", name="Enrol", exact=True).wait_for()
            # What can be opened is known only when the page has asked the API.
            page.locator("#enrol-opens").get_by_text("Top shelf").wait_for()
            yield page
            assert elsewhere == []
        finally:
            browser.close()


def _is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def room(page: Page, title: str) -> None:
    """Go to a tab, or to a tab within it."""
    page.get_by_role("tab", name=title, exact=True).locator("visible=true").click()


def act(page: Page, button: str, result: str) -> str:
    """Press a button and wait for a new answer; what it says."""
    # The old answer is marked, so that only a new one counts.
    page.evaluate(
        "id => document.querySelectorAll(`#${id} .vx-card`)"
        ".forEach(card => card.classList.add('vx-before'))",
        result,
    )
    page.locator(f"#{button}").click()
    card = page.locator(f"#{result} .vx-card:not(.vx-before)").first
    card.wait_for()
    return card.inner_text()


def record(page: Page, film: str, seconds: float) -> None:
    """Record oneself with the camera of a video box."""
    box = page.locator(f"#{film}")
    again = box.get_by_label("Clear")
    if again.count():
        again.first.click()
    asks = box.get_by_text("Click to Access Webcam")
    asks.or_(box.get_by_label("start recording")).first.wait_for()
    if asks.count():
        asks.click()
    box.get_by_label("start recording").click()
    page.wait_for_timeout(seconds * 1000)
    box.get_by_title("stop recording").click()
    box.locator("video[src]").locator("visible=true").first.wait_for()
    page.wait_for_timeout(500)  # the value follows the picture


def choose(page: Page, dropdown: str, name: str) -> None:
    """Choose from a dropdown by what it shows."""
    box = page.locator(f"#{dropdown} input")
    box.click()
    box.fill(name)
    page.get_by_role("option", name=name).first.click()


def screenshot(page: Page, path: Path) -> Path:
    page.wait_for_timeout(600)  # pictures fade in
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)
    return path
