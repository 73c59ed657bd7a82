"""What the page says and does when something is missing, broken, busy or gone."""

import contextlib
import socket

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.browser import chromium
from tests.browser.doorway import Doorway
from tests.browser.house import PIN, House, number
from tests.browser.kiosk import kiosk


def test_without_a_camera_it_says_so_and_a_pin_still_opens(
    playwright: Playwright, house: House
) -> None:
    with (
        contextlib.closing(chromium(playwright, None)) as blind,
        kiosk(blind, house, until="problem") as seen,
    ):
        seen.headline("No camera found")
        seen.says("Connect a camera to this kiosk, then try again. A PIN works meanwhile.")
        seen.heard("Connect a camera")
        seen.keep("no-camera")
        seen.type_pin(number(house, "home"), PIN)
        seen.headline("Hello, Ada Lovelace")


def test_a_forbidden_camera_is_told_from_a_missing_one(browser: Browser, house: House) -> None:
    with kiosk(browser, house, permissions=[], until="problem") as seen:
        seen.headline("The camera is not allowed")
        seen.page.context.grant_permissions(["camera", "microphone"])
        seen.press("Try again")
        seen.shows("idle")


# Chromium's devices cannot be broken from outside; these errors are the standard's.
BROKEN = """
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    const device = wanted.video ? "video" : "audio";
    if (device !== "%s" || window.mended) return ask(wanted);
    return Promise.reject(new DOMException("broken by the test", "%s"));
  };
"""


@pytest.mark.parametrize(
    ("device", "error", "headline"),
    [
        ("video", "NotReadableError", "The camera is in use"),
        ("audio", "NotFoundError", "No microphone found"),
        ("audio", "NotAllowedError", "The microphone is not allowed"),
        ("audio", "NotReadableError", "The microphone is in use"),
    ],
)
def test_each_broken_device_has_its_own_words(
    browser: Browser, house: House, device: str, error: str, headline: str
) -> None:
    until = "problem" if device == "video" else "idle"
    with kiosk(browser, house, script=BROKEN % (device, error), until=until) as seen:
        if device == "audio":
            seen.press("Start")
        seen.headline(headline)
        seen.page.evaluate("() => (window.mended = true)")
        seen.press("Try again")
        seen.shows("idle")


def test_offline_it_says_so_and_goes_on_by_itself(browser: Browser, house: House) -> None:
    with kiosk(browser, house) as seen:
        seen.page.context.set_offline(True)
        seen.press("Start")
        seen.headline("No connection")
        seen.page.context.set_offline(False)
        seen.shows("idle")


def test_a_busy_service_is_asked_again_even_if_it_refuses_before_it_has_read_the_clip(
    browser: Browser, house: House, gateway: Doorway
) -> None:
    """The second line is cut without an answer; the third time the clip is taken."""
    with kiosk(browser, house, address=gateway.address) as seen:
        gateway.next = ["busy", "cut", "pass"]
        seen.press("Start")
        seen.says("The service is busy. Next try in")
        seen.headline("Hello, Ada Lovelace")
    assert [s for s in gateway.seen if "authentications" in s] == [
        "authentications busy",
        "authentications cut",
        "authentications pass",
    ]


def test_a_kiosk_that_asks_too_often_waits_as_long_as_it_is_told(
    browser: Browser, house: House, gateway: Doorway
) -> None:
    with kiosk(browser, house, address=gateway.address) as seen:
        gateway.next = ["slow_down"]
        seen.type_pin(number(house, "home"), PIN)
        seen.headline("A short pause, please")
        seen.says("Trying again in")
        seen.shows("idle")


def test_a_lock_that_does_not_answer_is_told_to_the_member(browser: Browser, house: House) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        gone = nobody.getsockname()[1]
        place = f"#key={house.kiosk['home']}&lock=http://127.0.0.1:{gone}/open"
        with kiosk(browser, house, fragment=place) as seen:
            seen.type_pin(number(house, "home"), PIN)
            seen.headline("The lock does not answer")
            assert not seen.knows("Lovelace")


def test_a_first_run_takes_the_key_once(browser: Browser, house: House) -> None:
    with kiosk(browser, house, fragment="#", until="setup") as seen:
        seen.page.get_by_label("API key").fill("something else")
        seen.press("Save and start")
        expect(seen.page.locator("#setup-fault")).to_contain_text("begins with “vx_”")
        admin = house.admin.headers["Authorization"].removeprefix("Bearer ")
        seen.page.get_by_label("API key").fill(admin)
        seen.press("Save and start")
        expect(seen.page.locator("#setup-fault")).to_contain_text("no kiosk’s key")
        assert not seen.page.evaluate("localStorage.length")
        seen.page.get_by_label("API key").fill(house.kiosk["away"])
        seen.press("Save and start")
        seen.shows("idle")
        expect(seen.page.locator("#fridge-name")).to_have_text("Workshop")
        seen.page.reload()
        seen.shows("idle")


def test_a_key_in_the_address_is_taken_out_of_it_at_once(browser: Browser, house: House) -> None:
    with kiosk(browser, house, "home") as seen:
        assert seen.page.url == f"{house.address}/kiosk/"
        seen.page.reload()
        seen.shows("idle")
        assert seen.page.evaluate("history.length") <= 2


def test_a_key_for_several_fridges_asks_where_the_kiosk_stands(
    browser: Browser, house: House
) -> None:
    asked = {"role": "kiosk", "name": "both", "fridges": ["home", "away"]}
    made = house.admin.post("/keys", json=asked).json()
    with kiosk(browser, house, fragment=f"#key={_bearer(made)}", until="setup") as seen:
        expect(seen.page.locator("#setup-fault")).to_contain_text("several fridges")
        seen.page.get_by_label("API key").fill(_bearer(made))
        seen.page.get_by_role("combobox", name="Fridge").select_option("away")
        seen.press("Save and start")
        expect(seen.page.locator("#fridge-name")).to_have_text("Workshop")


def test_a_revoked_key_is_told_and_another_one_can_be_given(browser: Browser, house: House) -> None:
    asked = {"role": "kiosk", "name": "lost", "fridges": ["home"]}
    made = house.admin.post("/keys", json=asked).json()
    with kiosk(browser, house, fragment=f"#key={_bearer(made)}") as seen:
        assert house.admin.delete(f"/keys/{_bearer(made)[3:].rpartition('_')[0]}").is_success
        seen.press("Start")
        seen.headline("This kiosk’s key is not valid")
        expect(seen.page.get_by_role("button", name="Use a PIN")).to_have_count(0)
        seen.press("Set up this kiosk")
        seen.page.get_by_label("API key").fill(house.kiosk["home"])
        seen.press("Save and start")
        seen.shows("idle")


def _bearer(made: dict[str, object]) -> str:
    return next(v for v in made.values() if isinstance(v, str) and v.startswith("vx_"))
