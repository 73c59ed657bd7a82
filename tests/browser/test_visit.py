"""From Start to the open door, by face and voice and by PIN, against the real service."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.doorway import Doorway
from tests.browser.house import PIN, House, number
from tests.browser.kiosk import kiosk
from tests.browser.lock import locking

# Keeps what the page was given to watch and hear with, to see what it left on.
STREAMS = """
  window.given = [];
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    given.push(stream);
    return stream;
  };
"""
LIVE = """kind => given.flatMap(s => s.getTracks())
                       .filter(t => t.kind === kind && t.readyState === "live").length"""


def test_a_member_is_recognised_and_the_lock_opens(
    browser: Browser, house: House, tmp_path: Path
) -> None:
    with locking(house, "home", tmp_path) as bolt:
        place = f"#key={house.kiosk['home']}&lock={bolt.address}"
        with kiosk(browser, house, "home", fragment=place, script=STREAMS) as seen:
            assert seen.page.evaluate(LIVE, "audio") == 0  # the microphone is off until Start
            seen.press("Start")
            seen.shows("listen")
            expect(seen.page.locator("#digits:not(.pending) span")).to_have_count(5)
            digits = "".join(seen.page.locator("#digits span").all_inner_texts())
            assert digits.isdecimal()
            seen.headline("Say the digits")
            assert seen.page.evaluate(LIVE, "audio") == 1
            seen.keep("listening")
            # The voice is seen to be heard.
            expect(seen.page.locator("#level .lit").first).to_be_visible()

            seen.shows("answer")
            seen.headline("Hello, Ada Lovelace")
            expect(seen.page.locator("#doors li")).to_have_text(["Dairy", "Top shelf"])
            seen.says("Open the fridge.")
            seen.says("Open for")
            seen.heard("Dairy, Top shelf")
            assert seen.page.evaluate(LIVE, "audio") == 0
            assert bolt.opened == [("dairy", "top")]
            seen.keep("granted")

            seen.press("Finish")
            seen.shows("idle")
            assert not seen.knows("Lovelace")
            assert not seen.knows(" ".join(digits))
    last = house.decisions("home")[0]
    assert (last["outcome"], last["member"]["name"]) == ("granted", "Ada Lovelace")
    assert last["modalities"] == {"face": "accepted", "voice": "accepted"}


def test_a_stranger_is_refused_and_told_what_to_do(browser: Browser, house: House) -> None:
    with kiosk(browser, house, "away") as seen:
        seen.press("Start")
        seen.shows("answer")
        seen.headline("Not recognised")
        seen.says("If you are a member, ask the admin to enrol you again, or use your PIN.")
        expect(seen.page.locator("#doors")).to_be_hidden()
        seen.keep("refused")
        seen.press("Use a PIN")
        seen.shows("pin")
        seen.keep("pin")
    assert house.decisions("away")[0]["outcome"] == "refused"


def test_a_pin_opens_by_touch_and_the_door_closes_by_itself(browser: Browser, house: House) -> None:
    with kiosk(
        browser, house, "home", has_touch=True, before=lambda page: page.clock.install()
    ) as seen:
        seen.press("Use a PIN")
        for digit in number(house, "home"):
            seen.page.locator(f'[data-key="{digit}"]').tap()
        seen.page.get_by_role("button", name="Next").tap()
        for digit in f"{PIN}9":
            seen.page.locator(f'[data-key="{digit}"]').tap()
        seen.heard("7 typed")
        seen.page.get_by_role("button", name="Erase the last digit").tap()
        seen.press("Open")
        seen.shows("answer")
        seen.headline("Hello, Ada Lovelace")
        clock = seen.page.locator("#answer-clock")
        first = clock.inner_text()
        assert 1 <= _seconds(first) <= 8
        expect(clock).not_to_have_text(first)
        seen.page.clock.fast_forward(8_000)
        seen.says("Closed again")
        seen.page.clock.fast_forward(5_000)
        seen.shows("idle")
        assert not seen.knows("Lovelace")


def _seconds(said: str) -> int:
    return int("".join(c for c in said if c.isdecimal()))


def test_a_wrong_pin_is_refused_and_nothing_of_it_stays(browser: Browser, house: House) -> None:
    with kiosk(browser, house, "home") as seen:
        seen.type_pin(number(house, "home"), "271828")
        seen.headline("That was not right")
        seen.says("The number or the PIN is wrong.")
        seen.press("Try again")
        seen.shows("pin")
        assert seen.page.locator("#pin-secret").input_value() == ""
        assert not seen.knows("271828")


def test_an_unfinished_pin_is_not_sent_and_says_what_is_missing(
    browser: Browser, house: House
) -> None:
    with kiosk(browser, house, "home") as seen:
        before = len(house.decisions("home"))
        seen.press("Use a PIN")
        seen.press("Open")
        expect(seen.page.locator("#pin-fault")).to_have_text("Type your number first.")
        seen.page.locator("#pin-number").fill("12ab")
        assert seen.page.locator("#pin-number").input_value() == "12"
        seen.page.locator("#pin-secret").fill("1234")
        seen.press("Open")
        expect(seen.page.locator("#pin-fault")).to_have_text("A PIN has 6 to 12 digits.")
        assert seen.page.locator("#pin-secret").get_attribute("aria-invalid") == "true"
        assert len(house.decisions("home")) == before


def test_the_answer_is_in_the_members_language_and_the_kiosk_returns_to_its_own(
    browser: Browser, house: House
) -> None:
    with kiosk(browser, house, "away") as seen:
        seen.headline("Hello")
        seen.type_pin(number(house, "away", "member1"), PIN)  # whose locale is French
        seen.headline("Bonjour Chloé Martin")
        seen.says("Ouvrez le réfrigérateur.")
        assert seen.page.locator("html").get_attribute("lang") == "fr"
        seen.press("Terminer")
        seen.headline("Hello")
        assert seen.page.locator("html").get_attribute("lang") == "en"


def test_a_french_fridge_speaks_french_until_somebody_asks_for_english(
    browser: Browser, house: House
) -> None:
    with kiosk(browser, house, "shut") as seen:
        seen.headline("Bonjour")
        seen.press("Utiliser un code")
        seen.headline("Ouvrir avec un code")
        seen.press("English")
        seen.headline("Open with a PIN")
        seen.press("Cancel")
        seen.headline("Bonjour")  # for the next person


def test_after_failures_in_a_row_it_is_locked_and_counts_down(
    browser: Browser, house: House
) -> None:
    with kiosk(browser, house, "shut") as seen:
        mine = number(house, "shut")
        try:
            for _ in range(5):
                house.admin.post(
                    "/pin-authentications",
                    json={"fridge": "shut", "number": mine, "pin": "271828"},
                    headers={"Authorization": f"Bearer {house.kiosk['shut']}"},
                ).raise_for_status()
            seen.type_pin(mine, PIN)
            seen.headline("Bloqué pour l’instant")
            seen.says("Trop d’essais sans succès. Attendez un peu, puis réessayez.")
            seen.says("Nouvel essai dans")
            expect(seen.page.get_by_role("button", name="Réessayer")).to_have_count(0)
            seen.keep("locked-french")
            seen.press("Terminer")
        finally:
            house.admin.post("/fridges/shut/unlock", json={}).raise_for_status()
        seen.type_pin(mine, PIN)
        seen.headline("Hello, Jonas Weber")  # in the member's language


def test_an_answer_that_comes_after_the_person_left_opens_nothing(
    browser: Browser, house: House, gateway: Doorway, tmp_path: Path
) -> None:
    with locking(house, "home", tmp_path, origin=gateway.address) as bolt:
        place = f"#key={house.kiosk['home']}&lock={bolt.address}"
        with kiosk(browser, house, "home", address=gateway.address, fragment=place) as seen:
            gateway.next = ["hold"]
            seen.type_pin(number(house, "home"), PIN)
            assert gateway.held.wait(60)  # the service has granted it
            seen.shows("sending")
            seen.page.keyboard.press("Escape")
            seen.shows("idle")
            gateway.release.set()
            seen.page.wait_for_timeout(500)
            assert seen.screen.get_attribute("id") == "screen-idle"
            assert not seen.knows("Lovelace")
        assert house.decisions("home")[0]["outcome"] == "granted"
        assert bolt.opened == []


def test_an_answer_that_was_too_long_on_its_way_opens_nothing(
    browser: Browser, house: House, gateway: Doorway, tmp_path: Path
) -> None:
    with locking(house, "home", tmp_path, origin=gateway.address) as bolt:
        place = f"#key={house.kiosk['home']}&lock={bolt.address}"
        with kiosk(
            browser,
            house,
            "home",
            address=gateway.address,
            fragment=place,
            before=lambda page: page.clock.install(),
        ) as seen:
            gateway.next = ["hold"]
            seen.type_pin(number(house, "home"), PIN)
            assert gateway.held.wait(60)
            seen.page.clock.fast_forward(9_000)  # a ticket lives for 8 s
            gateway.release.set()
            seen.headline("That took too long")
            assert not seen.knows("Lovelace")
        assert bolt.opened == []


def test_whoever_walks_away_is_forgotten(browser: Browser, house: House) -> None:
    """From the PIN pad, and from an idle kiosk, whose camera goes off until it is touched."""
    with kiosk(
        browser, house, "home", script=STREAMS, before=lambda page: page.clock.install()
    ) as seen:
        seen.press("Use a PIN")
        seen.page.locator("#pin-secret").fill("27182")
        seen.page.clock.fast_forward(29_000)
        seen.page.locator("#pin-number").fill("4")  # a key: still there
        seen.page.clock.fast_forward(29_000)
        seen.shows("pin")
        seen.page.clock.fast_forward(2_000)
        seen.shows("idle")
        assert not seen.knows("27182")
        assert seen.page.evaluate(LIVE, "video") == 1
        seen.page.clock.fast_forward(91_000)
        seen.shows("asleep")
        assert seen.page.evaluate(LIVE, "video") == 0
        seen.page.keyboard.press("Enter")
        seen.shows("idle")
        assert seen.page.evaluate(LIVE, "video") == 1


def test_a_page_that_nobody_looks_at_films_nobody(browser: Browser, house: House) -> None:
    hidden = "value => { Object.defineProperty(document, 'hidden', {value, configurable: true});"
    hidden += " document.dispatchEvent(new Event('visibilitychange')); }"
    with kiosk(browser, house, "home", script=STREAMS) as seen:
        seen.press("Start")
        seen.headline("Say the digits")
        seen.page.evaluate(hidden, True)
        seen.shows("asleep")
        seen.page.wait_for_function(f"kind => !({LIVE})(kind)", arg="video")
        assert seen.page.evaluate(LIVE, "audio") == 0
        seen.page.evaluate(hidden, False)
        seen.shows("idle")
        assert seen.page.evaluate(LIVE, "video") == 1
