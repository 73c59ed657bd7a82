"""One service for all tests of the kiosk's page, one browser for each module of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser.browser import chromium, playing
from tests.browser.doorway import Doorway, doorway
from tests.browser.house import GUEST, House, serving
from tests.browser.media import booth


@pytest.fixture(scope="session")
def house(base_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("house"), base_bundle) as served:
        yield served


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For a module alone: while it runs, nothing else in this thread may run an event loop."""
    with playing() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The guest stands before its camera."""
    started = chromium(playwright, booth(GUEST, tmp_path_factory.mktemp("booth")))
    yield started
    started.close()


@pytest.fixture
def gateway(house: House) -> Iterator[Doorway]:
    """A way to the service that can fail."""
    with doorway(house.address) as server:
        yield server
