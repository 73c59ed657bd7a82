"""The page's texts: both languages, nothing missing, nothing left over, the service's codes."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.house import House
from tests.browser.kiosk import kiosk
from visavox.service.answer import CODES

PAGE = Path(__file__).parents[2] / "api" / "kiosk"
Texts = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def texts(browser: Browser, house: House) -> Texts:
    with kiosk(browser, house, "", until="setup") as seen:
        found: Texts = seen.page.evaluate(
            "async () => (await import('/kiosk/texts.js')).TEXTS",
        )
    return found


def holes(text: object) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", str(text)))


def test_both_languages_say_the_same_things(texts: Texts) -> None:
    assert set(texts) == {"en", "fr"}
    for group in ("page", "steps", "faults"):
        english, french = texts["en"][group], texts["fr"][group]
        assert english.keys() == french.keys()
        for code, text in english.items():
            assert holes(text) == holes(french[code]), code
            assert text, code
            assert french[code], code


def test_there_are_words_for_every_next_step_of_the_service(texts: Texts) -> None:
    for language in texts:
        assert set(texts[language]["steps"]) == set(map(str, CODES))


def test_every_fault_that_the_page_raises_has_words_and_none_is_left_over(texts: Texts) -> None:
    raised = set()
    for module in PAGE.glob("*.js"):
        code = module.read_text("utf-8")
        raised |= set(re.findall(r'new Fault\("(\w+)"', code))
        for table in re.findall(r"const BY_\w+ = \{(.*?)\};", code):
            raised |= set(re.findall(r'"(\w+)"', table))
        if "`${what}_denied`" in code:
            for what in ("camera", "microphone"):
                raised |= {f"{what}_denied", f"no_{what}", f"{what}_busy"}
    assert raised == set(texts["en"]["faults"])


def test_every_text_is_used_and_every_text_used_is_there(texts: Texts) -> None:
    there = set(texts["en"]["page"])
    markup = (PAGE / "index.html").read_text("utf-8")
    wanted = set(re.findall(r'data-(?:text|label)="(\w+)"', markup))
    assert wanted <= there
    code = "".join(p.read_text("utf-8") for p in PAGE.glob("*.js") if p.name != "texts.js")
    outcomes = {"granted", "refused", "retry", "locked"}  # looked up by a decision's outcome
    for name in there - wanted - outcomes:
        assert re.search(rf'page\.{name}\b|"{name}"', code), f"{name} is never shown"
    for name in re.findall(r"page\.(\w+)\b", code):
        assert name in there, name
