"""A kiosk's page as somebody who stands before it sees it."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.browser import SEVEN_INCH
from tests.browser.house import House

# Long enough for a machine that does many things at once: nothing here is about speed.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
PICTURES = Path(__file__).parents[2] / ".cache" / "pictures" / "kiosk"


@dataclass
class Kiosk:
    page: Page
    complaints: list[str] = field(default_factory=list)

    @property
    def screen(self) -> Locator:
        return self.page.locator(".screen:visible")

    def shows(self, name: str) -> None:
        """Waits until this screen is the one that is shown."""
        expect(self.page.locator(f"#screen-{name}")).to_be_visible()

    def says(self, text: str) -> None:
        """Waits until it is among what the screen says."""
        expect(self.screen).to_contain_text(text)

    def headline(self, text: str) -> None:
        expect(self.page.locator("h1:visible")).to_have_text(text)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def type_pin(self, number: str, pin: str) -> None:
        self.page.locator('.screen:visible [data-act="pin"]:visible').click()
        self.page.locator("#pin-number").fill(number)
        self.page.locator("#pin-secret").fill(pin)
        self.page.locator("#pin-open").click()

    def heard(self, text: str) -> None:
        """Waits until a screen reader was told it."""
        expect(self.page.locator("#said")).to_contain_text(text)

    def keep(self, name: str) -> None:
        """A picture of what is shown now, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def knows(self, text: str) -> bool:
        """Whether it is anywhere in the page, seen or not."""
        found: bool = self.page.evaluate(
            """text => document.documentElement.outerHTML.includes(text)
               || [...document.querySelectorAll("input")].some(i => i.value.includes(text))
               || JSON.stringify(Object.values(localStorage)).includes(text)""",
            text,
        )
        return found


@contextlib.contextmanager
def kiosk(
    browser: Browser,
    house: House,
    fridge: str = "home",
    *,
    address: str = "",
    fragment: str = "",
    script: str = "",
    until: str = "idle",
    before: Callable[[Page], object] = lambda _: None,
    **context: Any,
) -> Iterator[Kiosk]:
    """The page at a fridge, with its key from the address; no error of its own is forgiven."""
    settings = {"viewport": SEVEN_INCH, "permissions": ["camera", "microphone"], **context}
    with contextlib.closing(browser.new_context(**settings)) as made:
        made.set_default_timeout(PATIENCE_MS)
        if script:
            made.add_init_script(script)
        page = made.new_page()
        seen = Kiosk(page)
        page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                seen.complaints.append(said.text)
                if said.type in {"error", "warning"} and "Failed to load resource" not in said.text
                else None
            ),
        )
        before(page)
        key = house.kiosk.get(fridge, "")
        place = fragment if fragment or not key else f"#key={key}"
        page.goto(f"{address or house.address}/kiosk/{place}")
        if until:
            seen.shows(until)
        yield seen
        assert seen.complaints == []
