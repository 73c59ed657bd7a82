"""The page's pure modules, each called by itself in the browser that runs them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.kiosk import Kiosk, kiosk


@pytest.fixture(scope="module")
def page(browser: Browser, house: House) -> Iterator[Kiosk]:
    with kiosk(browser, house, "", until="setup") as seen:
        yield seen


def run(seen: Kiosk, module: str, expression: str, given: Any = None) -> Any:
    return seen.page.evaluate(
        f"async (given) => {{ const m = await import('/kiosk/{module}.js'); return {expression}; }}",
        given,
    )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3),
        ("0", 0),
        (None, 7),
        ("", 7),
        ("soon", 7),
        ("-4", 0),
        ("Sat, 28 Nov 2026 12:00:09 GMT", 9),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(page: Kiosk, header: str | None, seconds: int) -> None:
    today = "Date.parse('Sat, 28 Nov 2026 12:00:00 GMT')"
    assert run(page, "time", f"m.retryAfter(given, 7, {today})", header) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "1 s"), (8, "8 s"), (59.5, "1 min 00 s"), (75, "1 min 15 s"), (3600, "1 h 00 min")],
)  # fmt: skip
def test_a_wait_is_shown_rounded_up(page: Kiosk, seconds: float, text: str) -> None:
    assert run(page, "time", "m.shown(given)", seconds).replace("\u00a0", " ") == text


def test_a_door_is_never_shown_open_for_longer_than_it_is(page: Kiosk) -> None:
    """The whole round trip counts as gone, and the kiosk's own clock does not count at all."""
    decision = {"at": "2026-11-28T12:00:00.000Z", "expires_at": "2026-11-28T12:00:08.000Z"}
    left = "m.remaining(given, 100, 100.25)"
    assert run(page, "time", left, decision) == pytest.approx(7.75)
    assert run(page, "time", "m.remaining(given, 100, 109)", decision) == 0
    assert run(page, "time", "m.remaining(given, 1, 1)", {**decision, "expires_at": None}) == 0
    assert run(page, "time", "m.remaining(given, 1, 1)", {**decision, "expires_at": "?"}) == 0


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("http://127.0.0.1:8700/open", True),
        ("http://localhost:8700/open", True),
        ("https://127.0.0.1/open", False),
        ("http://127.0.0.1.example.org/open", False),
        ("http://example.org@127.0.0.1/open", False),
        ("http://192.168.1.4/open", False),
        ("javascript:alert(1)", False),
        ("/open", False),
        ("", False),
    ],
)
def test_a_ticket_goes_to_this_machine_and_nowhere_else(
    page: Kiosk, address: str, allowed: bool
) -> None:
    assert run(page, "settings", "m.isLoopback(given)", address) is allowed


def test_settings_come_back_as_they_were_kept_and_rubbish_is_forgotten(page: Kiosk) -> None:
    store = "const kept = new Map(); const s = {getItem: k => kept.get(k) ?? null,"
    store += " setItem: (k, v) => kept.set(k, v), removeItem: k => kept.delete(k)};"
    given = {"key": "vx_key_1_abc", "fridge": "home", "lock": "http://127.0.0.1:8700/open"}
    kept = f"(() => {{ {store} m.keep(given, s); return m.read(s); }})()"
    assert run(page, "settings", kept, given) == given
    elsewhere = {**given, "lock": "http://example.org/open"}
    assert run(page, "settings", kept, elsewhere) == {**given, "lock": ""}
    empty = {"key": "", "fridge": "", "lock": ""}
    for rubbish in ("not json", "null", "[]", "7"):
        broken = f"(() => {{ {store} kept.set('visavox.kiosk', given); return m.read(s); }})()"
        assert run(page, "settings", broken, rubbish) == empty


def test_what_the_address_gives_is_taken_once_and_checked(page: Kiosk) -> None:
    read = """(() => {
      const past = {urls: [], replaceState(_, __, url) { this.urls.push(url); }};
      const found = m.fromAddress({hash: given, pathname: "/kiosk/", search: ""}, past);
      return [found, past.urls];
    })()"""
    found, urls = run(page, "settings", read, "#key=vx_key_1_abc&fridge=home&lock=http://evil/")
    assert found == {"given": {"key": "vx_key_1_abc", "fridge": "home"}, "setup": False}
    assert urls == ["/kiosk/"]
    assert run(page, "settings", read, "#setup")[0] == {"given": {}, "setup": True}
    assert run(page, "settings", read, "") == [{"given": {}, "setup": False}, []]


def test_loudness_runs_from_silence_to_shouting(page: Kiosk) -> None:
    loudness = "m.loudness(new Float32Array(512).fill(given))"
    assert run(page, "level", loudness, 0) == 0
    assert run(page, "level", loudness, 1) == 1
    assert run(page, "level", loudness, 0.03) == pytest.approx(0.49, abs=0.01)


def test_a_visit_that_is_over_gives_nothing_back(page: Kiosk) -> None:
    """Neither the value nor the error of what was under way."""
    late = """await (async () => {
      const visit = new m.Visit(() => {});
      const ended = [Promise.resolve("secret"), Promise.reject(new Error("late"))]
        .map((promise) => visit.stay(promise).catch((error) => error.constructor.name));
      const waited = visit.wait(60).catch((error) => error.constructor.name);
      visit.leave();
      return Promise.all([...ended, waited]);
    })()"""
    assert run(page, "visit", late) == ["Left", "Left", "Left"]
