"""Pictures of the kiosk at work: `python -m tests.browser.pictures FOLDER`.

The page, the service and the decisions are real; the people do not exist.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests import cohort
from tests.browser.browser import PHONE, SEVEN_INCH, chromium, playing
from tests.browser.house import GUEST, PIN, House, number, serving
from tests.browser.kiosk import Kiosk, kiosk
from tests.browser.media import booth
from visavox import characterizer


def take(browser: Browser, house: House, folder: Path) -> None:
    """Each named for what it shows, the screen and the scheme."""
    for size, name in ((SEVEN_INCH, "seven-inch"), (PHONE, "phone")):
        for scheme in ("light", "dark"):
            look: dict[str, Any] = {
                "viewport": size,
                "color_scheme": scheme,
                "device_scale_factor": 2,
                "reduced_motion": "reduce",
                "has_touch": True,
            }
            _visit(browser, house, look, folder, f"{name}-{scheme}")
            _others(browser, house, look, folder, f"{name}-{scheme}")


def _visit(browser: Browser, house: House, look: Any, folder: Path, suffix: str) -> None:
    with kiosk(browser, house, "home", **look) as seen:

        def picture(what: str) -> None:
            seen.page.screenshot(path=folder / f"kiosk-{what}-{suffix}.png")

        _calm(seen)
        picture("idle")
        seen.press("Start")
        expect(seen.page.locator("#digits:not(.pending)")).to_be_visible()
        picture("digits")
        seen.headline("Say the digits")
        seen.page.wait_for_function(
            "() => document.querySelectorAll('.level .lit').length > 3"
            " && parseFloat(getComputedStyle(document.getElementById('progress-fill'))"
            ".getPropertyValue('--share')) > 0.4"
        )
        picture("listening")
        seen.headline("Hello, Ada Lovelace")
        seen.page.wait_for_function(
            "() => /^\\D*[1-6]\\D*$/.test(document.getElementById('answer-clock').textContent)"
        )
        picture("granted")
        seen.press("Finish")
        seen.shows("idle")
        seen.press("Use a PIN")
        for digit in number(house, "home"):
            seen.page.locator(f'[data-key="{digit}"]').tap()
        picture("pin")
        seen.page.locator("#pin-number").fill("")
        seen.press("Cancel")
        seen.shows("idle")
        seen.page.context.set_offline(True)
        seen.press("Start")
        seen.headline("No connection")
        picture("offline")


def _others(browser: Browser, house: House, look: Any, folder: Path, suffix: str) -> None:
    with kiosk(browser, house, "away", **look) as seen:
        seen.press("Start")
        seen.headline("Not recognised")
        seen.page.screenshot(path=folder / f"kiosk-refused-{suffix}.png")
        house.admin.post("/fridges/away/unlock", json={}).raise_for_status()
        seen.press("Finish")
        seen.type_pin(number(house, "away", "member1"), PIN)
        seen.headline("Bonjour Chloé Martin")
        seen.page.screenshot(path=folder / f"kiosk-french-granted-{suffix}.png")
    with kiosk(browser, house, "shut", **look) as seen:
        _calm(seen)
        seen.page.screenshot(path=folder / f"kiosk-french-{suffix}.png")
        mine = number(house, "shut")
        for _ in range(5):
            house.admin.post(
                "/pin-authentications",
                json={"fridge": "shut", "number": mine, "pin": "271828"},
                headers={"Authorization": f"Bearer {house.kiosk['shut']}"},
            ).raise_for_status()
        seen.type_pin(mine, PIN)
        seen.headline("Bloqué pour l’instant")
        seen.page.screenshot(path=folder / f"kiosk-french-locked-{suffix}.png")
        house.admin.post("/fridges/shut/unlock", json={}).raise_for_status()


def _calm(seen: Kiosk) -> None:
    """As after a touch: the focus is there and not drawn; the preview runs."""
    seen.page.wait_for_function("() => document.getElementById('preview').currentTime > 0.2")
    seen.page.mouse.click(5, 300)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room:
        state = Path(room)
        base = cohort.base_bundle(state / "base", characterizer.load("embedded"))
        with serving(state / "state", base) as house, playing() as playwright:
            browser = chromium(playwright, booth(GUEST, state))
            take(browser, house, folder)
            browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
