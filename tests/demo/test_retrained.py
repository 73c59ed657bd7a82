"""The whole way on the page: who is added comes to be in the trained model, who is removed is nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page

from demo import house, people
from demo.client import Client
from demo.house import House
from demo.people import Persona
from demo.settings import DemoSettings
from tests.demo.page import choose, opened, room, screenshot
from tests.demo.test_demo import PICTURES, Said, free_port
from tests.demo.trained import train
from tests.flows.workplace import plain
from tests.training.production import ground
from visavox.characterizer import Characterizer

PATIENCE_MS = 600_000


@pytest.fixture(scope="module")
def there(
    dataset: Path,
    base_bundle: Path,
    embedded: Characterizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """The demo with its worker, which retrains by what so small a cohort can carry."""
    root = tmp_path_factory.mktemp("retrained")
    (root / "data").mkdir()
    (root / "data" / "demo").symlink_to(dataset)
    train(root / "data", base_bundle, embedded)
    _, rest = ground.parted(embedded)
    ground.on_disk(root / "data", embedded, rest)
    recipe = root / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(plain(ground.recipe())), encoding="utf-8")
    settings = DemoSettings(
        state=root / "state",
        data=root / "data",
        reports=root / "data",
        api_port=free_port(),
        demo_port=free_port(),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISAVOX_RECIPE", str(recipe))
        try:
            yield house.up(settings, Said())
        finally:
            house.down(settings)


@pytest.mark.timeout(1800)
def test_who_is_added_gets_in_by_the_new_model_and_who_is_removed_is_nobody(there: House) -> None:
    cast = people.cast(there.settings.people, there.settings.state)
    who = cast.newcomers[0]
    with (
        opened(f"{there.settings.page}/") as page,
        Client(there.settings.api, there.keys.admin) as admin,
        Client(there.settings.api, there.keys.kiosk) as kiosk,
    ):
        room(page, "Members")
        page.wait_for_timeout(1000)
        choose(page, "members-add", who.name)
        page.locator("#members-add-go").click()
        told(page, "Retrained, and live")
        screenshot(page, PICTURES / "retrained.png")
        assert admin.model(there.fridge)["provisional"] == 0
        assert ("granted", who.id, False) in answers(kiosk, admin, there.fridge, who)

        room(page, "Retraining")
        page.locator("#retraining-runs table").wait_for()
        screenshot(page, PICTURES / "retraining.png")

        room(page, "Members")
        page.wait_for_timeout(1000)
        choose(page, "members-remove", who.name)
        page.get_by_label("Yes, erase this member for good").check()
        page.locator("#members-remove-go").click()
        told(page, "Signed: what was removed where")
        screenshot(page, PICTURES / "receipt.png")
        assert {member for _, member, _ in answers(kiosk, admin, there.fridge, who)} == {None}


def told(page: Page, text: str) -> None:
    page.locator("#members-result").get_by_text(text).wait_for(timeout=PATIENCE_MS)


def answers(
    kiosk: Client, admin: Client, fridge: str, who: Persona
) -> set[tuple[str, str | None, bool]]:
    """(outcome, whom, provisional) of each of a persona's probes."""
    found = set()
    for probe in who.probes:
        admin.unlock(fridge)
        told = kiosk.authenticate(fridge, probe)
        member = told["member"]
        found.add((told["outcome"], member and member["id"], told["provisional"]))
    return found
