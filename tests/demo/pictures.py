"""Take pictures of the demo page: `python -m tests.demo.pictures <folder> [address]`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
SIZE = (1240, 1000)


@contextmanager
def opened(address: str, *arguments: str, dark: bool = False) -> Iterator[Page]:
    """The page in a browser of its own, once it stands."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, *arguments], headless=True
        )
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]},
            color_scheme="dark" if dark else "light",
            permissions=["camera", "microphone"],
        )
        page = context.new_page()
        page.set_default_timeout(30_000)
        try:
            page.goto(address)
            page.get_by_role("tab", name="Enrol", exact=True).wait_for()
            yield page
        finally:
            browser.close()


def room(page: Page, title: str) -> None:
    """Go to a tab."""
    page.get_by_role("tab", name=title, exact=True).click()


def act(page: Page, button: str, result: str, answer: str = ".vx-sign") -> str:
    """Press a button and wait for a new answer; what it says."""
    # The old answer is marked, so that only a new one counts.
    page.evaluate(
        "id => document.querySelectorAll(`#${id} .vx-card`)"
        ".forEach(card => card.classList.add('vx-before'))",
        result,
    )
    page.locator(f"#{button}").click()
    card = page.locator(f"#{result} .vx-card:not(.vx-before)")
    card.locator(answer).wait_for()
    return card.inner_text()


def pictures(address: str, folder: Path, *, dark: bool = False) -> list[Path]:
    """One picture of each tab, after something has been tried in it."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    ending = "-dark" if dark else ""

    def take(page: Page, name: str) -> None:
        page.wait_for_timeout(800)  # pictures fade in
        path = folder / f"demo-{name}{ending}.png"
        page.screenshot(path=path, full_page=True)
        taken.append(path)

    with opened(address, dark=dark) as page:
        page.locator("#enrol-go").wait_for()
        take(page, "start")
        for button, name in (
            ("example-newcomer", "enrol"),
            ("example-poor", "enrol-poor"),
            ("example-again", "enrol-again"),
            ("example-alike", "enrol-alike"),
        ):
            act(page, button, "enrol-result")
            take(page, name)
        room(page, "Authenticate")
        act(page, "scene-member", "auth-result")
        take(page, "authenticate")
        act(page, "scene-blurred-and-silent", "auth-result")
        take(page, "authenticate-retry")
        room(page, "Attacks")
        act(page, "scene-printed_photo", "auth-result")
        take(page, "attacks")
        room(page, "Model lab")
        page.locator("#lab-histogram svg").wait_for()
        take(page, "lab")
        page.locator("#lab-strict").click()
        take(page, "lab-strict")
        room(page, "Decisions")
        page.get_by_test_id("cell-0-1").locator("visible=true").first.click()
        page.locator("#decisions-lineage table").wait_for()
        take(page, "decisions")
        room(page, "Members")
        page.locator("#members-model .vx-figure").first.wait_for()
        take(page, "members")
    return taken


def main() -> None:
    folder = Path(sys.argv[1])
    address = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:7860/"
    for dark in (False, True):
        for path in pictures(address, folder, dark=dark):
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
