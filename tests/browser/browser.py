"""Chromium with a persona before its camera, or with broken devices."""

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.media import Booth

CHROMIUM = "/usr/bin/chromium"
SEVEN_INCH = {"width": 1024, "height": 600}
PHONE = {"width": 360, "height": 740}

_FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@contextlib.contextmanager
def playing() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


def chromium(playwright: Playwright, booth: Booth | None) -> Browser:
    """Without a booth there is a microphone and no camera."""
    if booth is None:
        devices: tuple[str, ...] = ("--use-fake-device-for-media-stream=device-count=0",)
    else:
        devices = (
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={booth.video}",
            f"--use-file-for-fake-audio-capture={booth.audio}",
        )
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS, *devices])
