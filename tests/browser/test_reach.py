"""For whoever sees little, hears little, has no mouse, or stands before a small screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browser import PHONE, SEVEN_INCH
from tests.browser.house import PIN, House, number
from tests.browser.kiosk import Kiosk, kiosk

HERE = Path(__file__).parent
MEASURES = (HERE / "measures.js").read_text("utf-8")
SHOWCASE = (HERE / "showcase.js").read_text("utf-8")
CONTRAST, TARGET = 4.5, 44


def shown(page: Page, language: str) -> Iterator[str]:
    """One screen after another."""
    for name in page.evaluate(SHOWCASE, [None, language]):
        page.evaluate(SHOWCASE, [name, language])
        yield name


def measured(page: Page, what: str) -> list[str]:
    found: list[str] = page.evaluate(f"() => {MEASURES.strip()}.{what}")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, house: House, scheme: Any
) -> None:
    with kiosk(browser, house, color_scheme=scheme, reduced_motion="reduce") as seen:
        faint = {
            name: found
            for name in shown(seen.page, "en")
            if (found := measured(seen.page, f"contrast({CONTRAST})"))
        }
        assert faint == {}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", [SEVEN_INCH, PHONE], ids=["seven-inch", "phone"])
def test_every_screen_fits_and_can_be_touched(
    browser: Browser, house: House, size: Any, language: str
) -> None:
    with kiosk(browser, house, viewport=size, has_touch=True, reduced_motion="reduce") as seen:
        wrong = {
            name: found
            for name in shown(seen.page, language)
            if (found := measured(seen.page, f"room({TARGET})"))
        }
        assert wrong == {}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_screen_has_a_heading_and_names_for_all_that_can_be_used(
    browser: Browser, house: House, language: str
) -> None:
    with kiosk(browser, house) as seen:
        wrong = {
            name: found
            for name in shown(seen.page, language)
            if (found := measured(seen.page, "names()"))
        }
        assert wrong == {}
        assert seen.page.locator("html").get_attribute("lang") == language


def test_a_keyboard_is_enough_and_the_person_sets_the_pace(browser: Browser, house: House) -> None:
    with kiosk(browser, house) as seen:
        assert focus(seen) == "start"
        tab(seen, "own-pace")
        seen.page.keyboard.press("Space")
        seen.page.keyboard.press("Shift+Tab")
        seen.page.keyboard.press("Shift+Tab")
        assert focus(seen) == "start"
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("#speak")).to_be_focused()
        digits = ", ".join(seen.page.locator("#digits span").all_inner_texts())
        seen.heard(f"Digits: {digits}")
        seen.page.wait_for_timeout(2_000)  # it waits for as long as the person likes
        seen.headline("Get ready")
        seen.page.keyboard.press("Enter")
        seen.headline("Say the digits")
        expect(seen.page.locator("#speak")).to_be_focused()
        seen.page.wait_for_timeout(3_300)
        seen.page.keyboard.press("Enter")
        seen.headline("Hello, Ada Lovelace")
        expect(seen.page.locator("#h-answer")).to_be_focused()
        seen.heard("Open for you: Dairy, Top shelf.")
        tab(seen, "done")
        seen.page.keyboard.press("Enter")
        seen.shows("idle")
        assert focus(seen) == "start"


def test_a_pin_is_typed_with_the_keyboard_alone(browser: Browser, house: House) -> None:
    with kiosk(browser, house) as seen:
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.press("Enter")
        expect(seen.page.locator("#pin-number")).to_be_focused()
        seen.page.keyboard.type(number(house, "home"))
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.type(PIN)
        seen.page.keyboard.press("Enter")
        seen.headline("Hello, Ada Lovelace")
        seen.page.keyboard.press("Escape")
        seen.shows("idle")


def test_nothing_moves_for_whoever_asked_for_calm(browser: Browser, house: House) -> None:
    with kiosk(browser, house, reduced_motion="reduce") as seen:
        moving = {
            name: found
            for name in shown(seen.page, "en")
            if (found := seen.page.evaluate("document.getAnimations().length"))
        }
        assert moving == {}


def test_the_page_keeps_its_own_rules_about_what_may_run(browser: Browser, house: House) -> None:
    """Nothing inline, nothing from elsewhere, no frame around it; checked again when it changes."""
    with kiosk(browser, house) as seen:
        answer = seen.page.request.get(f"{house.address}/kiosk/")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert " style=" not in answer.text()
        assert "<style" not in answer.text()
        assert "onclick" not in answer.text()
        loaded = seen.page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
        assert {name.split("/v1")[0].split("/kiosk")[0] for name in loaded} == {house.address}
        assert "no-cache" in answer.headers["cache-control"]


def focus(seen: Kiosk) -> str:
    return str(seen.page.evaluate("document.activeElement.id"))


def tab(seen: Kiosk, target: str) -> None:
    """Tab until the target has the focus; it must be within a few steps."""
    for _ in range(6):
        seen.page.keyboard.press("Tab")
        if focus(seen) == target:
            return
    raise AssertionError(f"{target} is not within reach of Tab")
