"""The whole demo: a real API, a real page, a real browser, in a folder of its own."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from demo import house, people, scenes
from demo.client import Client
from demo.house import House
from demo.problems import DemoProblem
from demo.settings import DemoSettings
from tests.browser.media import booth
from tests.demo.page import act, choose, opened, record, room, screenshot
from tests.demo.trained import train
from visavox.characterizer import Characterizer
from visavox.personas.person import POPULATIONS, person

PICTURES = Path(__file__).parents[2] / ".cache" / "pictures" / "demo"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@dataclass
class Said:
    """What `up` told of what it did."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def settings(
    dataset: Path,
    base_bundle: Path,
    embedded: Characterizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> DemoSettings:
    train(dataset.parent, base_bundle, embedded)
    return DemoSettings(
        state=tmp_path_factory.mktemp("demo-state"),
        data=dataset.parent,
        reports=dataset.parent,
        api_port=free_port(),
        demo_port=free_port(),
        retraining=False,  # so few strangers prove nothing; the worker has tests of its own
    )


@pytest.fixture(scope="module")
def there(settings: DemoSettings) -> Iterator[House]:
    try:
        yield house.up(settings, Said())
    finally:
        house.down(settings)


@pytest.fixture
def admin(there: House) -> Iterator[Client]:
    with Client(there.settings.api, there.keys.admin) as client:
        client.unlock(there.fridge)  # whatever the test before did
        yield client


@pytest.fixture(scope="module")
def browser(there: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The first member sits before the camera."""
    seat = booth(person(POPULATIONS["demo"], 0), tmp_path_factory.mktemp("booth"))
    with opened(f"{there.settings.page}/", seat) as page:
        yield page


# --- The house


def test_everything_is_up_and_filled(there: House, admin: Client) -> None:
    assert there.members == 4
    members = admin.members(there.fridge)
    assert [m["id"] for m in members] == ["f00m00", "f00m01", "f00m02", "f00m03"]
    assert all(m["has_pin"] for m in members)
    model = admin.model(there.fridge)
    assert (model["members"], model["provisional"], model["problem"]) == (4, 0, None)
    assert {c["id"] for c in admin.compartments(there.fridge)} == {"top", "drawer"}
    for address in (f"{there.settings.page}/", f"{there.settings.api}/kiosk/"):
        assert httpx.get(address, trust_env=False).is_success


def test_the_keys_are_for_their_owner_and_for_one_fridge_alone(there: House) -> None:
    assert there.settings.keys.stat().st_mode & 0o777 == 0o600
    for key in (there.keys.page, there.keys.kiosk):
        with Client(there.settings.api, key) as kiosk:
            assert (kiosk.me()["role"], kiosk.me()["fridges"]) == ("kiosk", [there.fridge])
    assert there.keys.page in there.kiosk_page.split("#")[1]


def test_the_pin_that_is_printed_opens(there: House, admin: Client) -> None:
    with Client(there.settings.api, there.keys.kiosk) as kiosk:
        answer = kiosk.authenticate_by_pin(there.fridge, there.number, there.pin)
    assert answer["outcome"] == "granted"


def pids_of(there: House) -> list[str]:
    running = [p for p in house.programs(there.settings) if p.running() is not None]
    assert [p.name for p in running] == ["api", "page"]
    return [p.file.read_text() for p in running]


def test_a_second_time_finds_it_up_and_does_nothing(there: House) -> None:
    said = Said()
    pids = pids_of(there)
    again = house.up(there.settings, said)
    assert said.lines == []
    assert again == there
    assert pids_of(there) == pids


def test_a_killed_api_is_started_again_and_nothing_is_lost(there: House, admin: Client) -> None:
    before = admin.members(there.fridge), admin.model(there.fridge)
    api, _, page = house.programs(there.settings)
    os.kill(int(api.file.read_text().split(",")[0].split(":")[1]), signal.SIGKILL)
    again = house.up(there.settings, Said())
    assert again == there
    assert (admin.members(there.fridge), admin.model(there.fridge)) == before
    assert page.running() == there.settings.demo_port


def test_a_busy_port_is_said_before_anything_is_started(there: House, tmp_path: Path) -> None:
    other = replace(there.settings, state=tmp_path / "other", demo_port=free_port())
    with pytest.raises(DemoProblem, match="API_PORT="):
        house.up(other, Said())
    assert house.down(other) == []


def test_missing_data_says_how_to_make_it(there: House, tmp_path: Path) -> None:
    shutil.copytree(there.settings.people, tmp_path / "demo")
    bare = replace(there.settings, data=tmp_path, state=tmp_path / "state")
    with pytest.raises(DemoProblem, match="dvc repro"):
        house.up(bare, Said())


# --- The page


def test_a_newcomer_is_enrolled_and_let_in_at_once(
    browser: Page, there: House, admin: Client
) -> None:
    room(browser, "Enrol")
    assert "Ariel is enrolled" in act(browser, "example-newcomer", "enrol-result")
    screenshot(browser, PICTURES / "enrol.png")
    assert "ariel" in {m["id"] for m in admin.members(there.fridge)}
    room(browser, "Authenticate")
    browser.wait_for_timeout(500)  # the tab asks who is enrolled
    choose(browser, "auth-who", "Ariel")
    said = act(browser, "scene-member", "auth-result")
    assert "Granted: Ariel" in said
    assert "provisional" in said


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ("example-poor", "Hold still"),
        ("example-again", "knows this person already"),
    ],
)
def test_an_enrolment_that_is_refused_says_why_and_keeps_nothing(
    browser: Page, there: House, admin: Client, example: str, told: str
) -> None:
    before = admin.members(there.fridge)
    room(browser, "Enrol")
    said = act(browser, example, "enrol-result")
    assert "That did not work" in said
    assert told in said
    screenshot(browser, PICTURES / f"{example}.png")
    assert admin.members(there.fridge) == before


def test_members_are_let_in_and_strangers_are_not(browser: Page, admin: Client) -> None:
    room(browser, "Authenticate")
    browser.wait_for_timeout(500)
    choose(browser, "auth-who", "Alex")
    assert "Granted: Alex" in act(browser, "scene-member", "auth-result")
    browser.locator("#auth-chart svg").wait_for()
    screenshot(browser, PICTURES / "granted.png")
    assert "Granted" not in act(browser, "scene-stranger", "auth-result")
    assert "Try again" in act(browser, "scene-blurred-and-silent", "auth-result")
    screenshot(browser, PICTURES / "retry.png")


def test_attacks_can_be_tried_and_liveness_is_not_claimed(browser: Page, admin: Client) -> None:
    room(browser, "Authenticate")
    browser.wait_for_timeout(500)
    choose(browser, "auth-who", "Alex")
    room(browser, "Attacks")
    assert browser.get_by_text("Liveness is not built yet.").is_visible()
    # Until liveness is built a good replay gets in, and the page says so.
    said = act(browser, "scene-screen_replay", "auth-result")
    assert "Granted: Alex" in said
    assert "This attack got in" in said
    screenshot(browser, PICTURES / "attacks.png")


def test_failures_lock_the_fridge_and_the_admin_lifts_the_lock(
    browser: Page, admin: Client
) -> None:
    room(browser, "Authenticate")
    room(browser, "PIN")
    browser.locator("#auth-number").locator("input, textarea").fill("1")
    browser.locator("#auth-pin").locator("input, textarea").fill("000000")
    for _ in range(5):
        assert "number or PIN is wrong" in act(browser, "auth-pin-go", "auth-result")
    said = act(browser, "auth-pin-go", "auth-result")
    assert "Locked" in said
    assert "listens again in" in said
    screenshot(browser, PICTURES / "locked.png")
    assert "Unlocked" in act(browser, "auth-unlock", "auth-result")
    assert "Locked" not in act(browser, "auth-pin-go", "auth-result")


def test_whoever_sits_before_the_camera_is_recognised(browser: Page, admin: Client) -> None:
    room(browser, "Authenticate")
    room(browser, "Yourself")
    said = ""
    for _ in range(3):  # a browser on a busy machine drops pictures and sound; people try again too
        browser.get_by_role("button", name="Get digits").click()
        browser.locator("#auth-digits").wait_for()
        record(browser, "auth-film", 4)
        said = act(browser, "auth-film-go", "auth-result")
        if "Granted" in said:
            break
    assert "Granted: Alex" in said
    screenshot(browser, PICTURES / "yourself.png")


def test_the_threshold_moves_and_says_who_pays(browser: Page) -> None:
    room(browser, "Model lab")
    threshold = browser.locator("#lab-threshold input[type=number]")
    browser.locator("#lab-figures .vx-figure").first.wait_for()
    threshold.fill(threshold.get_attribute("max") or "")
    threshold.press("Enter")
    browser.locator("#lab-figures").get_by_text("100.0%").wait_for()
    assert "Alex" in browser.locator("#lab-who .vx-chip").all_inner_texts()
    browser.locator("#lab-kind").click()
    browser.locator("#lab-who .vx-chip").first.wait_for(state="detached")
    assert browser.locator("#lab-det polyline").count() == 3
    screenshot(browser, PICTURES / "lab.png")


def test_a_decision_shows_its_scores_and_what_made_it(
    browser: Page, there: House, admin: Client
) -> None:
    with Client(there.settings.api, there.keys.kiosk) as kiosk:
        seen = scenes.probe(people.cast(there.settings.people, there.settings.state)["f00m00"], 0)
        made = kiosk.authenticate(there.fridge, seen)
    room(browser, "Decisions")
    browser.locator("#decisions-refresh").click()
    browser.locator("#decisions-table").get_by_text(made["id"]).first.wait_for(state="attached")
    browser.get_by_test_id("cell-0-1").locator("visible=true").first.click()
    browser.locator("#decisions-lineage table").wait_for()
    shown = browser.locator("#decisions-lineage").inner_text()
    assert str(admin.model(there.fridge)["characterizer"]) in shown
    screenshot(browser, PICTURES / "decisions.png")


def test_a_member_is_removed_with_proof_and_stays_removed(
    browser: Page, there: House, admin: Client
) -> None:
    room(browser, "Members")
    browser.wait_for_timeout(500)
    choose(browser, "members-remove", "Camille")
    assert "tick the box" in act(browser, "members-remove-go", "members-result")
    browser.get_by_label("Yes, erase this member for good").check()
    said = act(browser, "members-remove-go", "members-result")
    assert "Camille is erased" in said
    assert "whole" in said
    screenshot(browser, PICTURES / "members.png")
    assert "f00m01" not in {m["id"] for m in admin.members(there.fridge)}
    house.up(there.settings, Said())
    assert "f00m01" not in {m["id"] for m in admin.members(there.fridge)}
    # Who is gone may be added again, and is a newcomer then.
    choose(browser, "members-add", "Camille")
    assert "Camille is enrolled" in act(browser, "members-add-go", "members-result")
    assert admin.model(there.fridge)["provisional"] >= 1


def test_without_the_api_the_page_says_what_to_do(browser: Page, there: House) -> None:
    api, _, _ = house.programs(there.settings)
    api.stop()
    room(browser, "Authenticate")
    room(browser, "Situations")
    said = act(browser, "scene-member", "auth-result")
    assert "does not answer" in said
    assert "make demo" in said
    screenshot(browser, PICTURES / "away.png")
    house.up(there.settings, Said())


def test_stopping_ends_both_and_again_nothing(there: House) -> None:
    assert house.down(there.settings) == ["page", "api"]
    assert house.down(there.settings) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{there.settings.page}/", trust_env=False)
