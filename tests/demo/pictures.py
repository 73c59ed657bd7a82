"""Take pictures of a demo that is up: `python -m tests.demo.pictures <folder> [address]`."""

import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.demo.page import act, opened, room, screenshot


def pictures(address: str, folder: Path, *, dark: bool = False) -> list[Path]:
    """One picture of each tab, after something has been tried in it."""
    taken = []

    def take(page: Page, name: str) -> None:
        ending = "-dark" if dark else ""
        taken.append(screenshot(page, folder / f"demo-{name}{ending}.png"))

    with opened(address, dark=dark) as page:
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
        for button, name in (
            ("scene-stranger", "authenticate-stranger"),
            ("scene-blurred-and-silent", "authenticate-retry"),
            ("scene-member", "authenticate"),
        ):
            act(page, button, "auth-result")
            take(page, name)
        room(page, "Attacks")
        act(page, "scene-screen_replay", "auth-result")
        take(page, "attacks")
        room(page, "Model lab")
        page.locator("#lab-histogram svg").wait_for()
        take(page, "lab")
        page.locator("#lab-kind").click()
        take(page, "lab-kind")
        room(page, "Decisions")
        page.get_by_test_id("cell-0-1").locator("visible=true").first.click()
        page.locator("#decisions-lineage table").wait_for()
        take(page, "decisions")
        room(page, "Members")
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
