"""Bring everything up: the API, a fridge full of personas, their model, and the page.

Each step asks what is there and adds what is missing, so that it may be broken off and run again
at any time: what has been enrolled, removed or decided meanwhile stays as it is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from demo import people
from demo.client import Client
from demo.enrolling import enrol
from demo.people import Cast
from demo.problems import ApiProblem, DemoProblem
from demo.processes import Program, ask_for_port
from demo.settings import HOST, DemoSettings

COMPARTMENTS = (("top", "Top shelf"), ("drawer", "Vegetable drawer"))
_ALL = tuple(c for c, _ in COMPARTMENTS)
READY_S = 180.0  # on a machine that is busy with something else

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of the demo's keys: one for the kiosk page, two for the Gradio page."""

    page: str
    kiosk: str
    admin: str


@dataclass(frozen=True, slots=True)
class House:
    """What is up, for whoever wants to visit."""

    settings: DemoSettings
    keys: Keys
    fridge: str
    members: int
    number: str  # at the PIN pad, of the first member who has a PIN
    pin: str

    @property
    def kiosk_page(self) -> str:
        return kiosk_page(self.settings, self.keys, self.fridge)


def kiosk_page(settings: DemoSettings, keys: Keys, fridge: str) -> str:
    """The kiosk with its key behind the #, which a browser never sends anywhere."""
    return f"{settings.api}/kiosk/#key={keys.page}&fridge={fridge}"


def up(settings: DemoSettings, say: Say) -> House:
    """Everything runs when this returns."""
    api, worker, page = programs(settings)
    _check_data(settings)
    settings.state.mkdir(parents=True, exist_ok=True)
    cast = people.cast(settings.people, settings.state)
    _start_api(settings, api, say)
    keys, are_new = _keys(settings, cast.fridge, say)
    # The page takes its time to load, and needs nothing but the keys for it.
    page_ready = _start_page(settings, page, say, again=are_new)
    with Client(settings.api, keys.admin) as admin:
        _fridge(admin, cast.fridge)
        _install_base(settings, admin, cast.fridge, api)
        _enrol(settings, admin, cast, say)
        # A bundle serves those who are members when it is installed.
        _install_champion(settings, admin, cast.fridge, say)
        members = admin.members(cast.fridge)
    _start_worker(settings, worker, say)
    page.wait(page_ready, READY_S)
    pins = {p.id: p.pin for p in cast.members}
    known = [m for m in members if m.get("has_pin") and m["id"] in pins]
    return House(
        settings,
        keys,
        cast.fridge,
        len(members),
        str(known[0]["number"]) if known else "",
        pins[str(known[0]["id"])] if known else "",
    )


def down(settings: DemoSettings) -> list[str]:
    """End what runs; the names of what was ended."""
    return [p.name for p in reversed(programs(settings)) if p.stop()]


def programs(settings: DemoSettings) -> tuple[Program, Program, Program]:
    """The API, the worker and the page."""
    api, worker, page = (Program(name, settings.state) for name in ("api", "worker", "page"))
    return api, worker, page


def read_keys(settings: DemoSettings) -> Keys:
    """The keys that an earlier `up` made."""
    try:
        return Keys(**json.loads(settings.keys.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DemoProblem(
            f"There are no keys at {settings.keys}.", next_step="Run `make demo` first."
        ) from None


def environment(settings: DemoSettings) -> dict[str, str]:
    """What the programs are told. Analytics stay off, threads few."""
    state = settings.state.resolve()
    return {
        "VISAVOX_ENVIRONMENT": "development",
        "VISAVOX_STATE": str(state / "state"),
        "VISAVOX_DATA": str(settings.data.resolve()),
        "VISAVOX_DEMO_STATE": str(state),
        "VISAVOX_DEMO_DATA": str(settings.data.resolve()),
        "VISAVOX_DEMO_REPORTS": str(settings.reports.resolve()),
        "API_PORT": str(settings.api_port),
        "DEMO_PORT": str(settings.demo_port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(state / "gradio"),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _check_data(settings: DemoSettings) -> None:
    """All of it is looked for before anything is started."""
    if not (settings.people / "manifest.csv").exists():
        raise _missing(settings.people, "the personas")
    champion(settings)
    base(settings)


def champion(settings: DemoSettings) -> Path:
    """The trained bundle of the demo's fridge."""
    return _bundle(settings.data / "bundles" / settings.dataset)


def base(settings: DemoSettings) -> Path:
    """The bundle that newcomers are enrolled on."""
    return _bundle(settings.data / "bundles" / "cohort")


def _bundle(folder: Path) -> Path:
    """The one bundle below `folder`; it is named by its digest."""
    found = sorted(folder.glob("**/manifest.json"))
    if len(found) != 1:
        raise _missing(folder, f"one bundle ({len(found)} found)")
    return found[0].parent


def _missing(folder: Path, what: str) -> DemoProblem:
    return DemoProblem(
        f"{folder} should hold {what}.",
        next_step="Make it: `dvc repro gate@demo base@cohort`; `make demo` does.",
    )


def _api(settings: DemoSettings, *words: str) -> str:
    """One command of the API's command line; what it prints."""
    done = subprocess.run(  # noqa: S603 (our own program, no shell)
        [sys.executable, "-m", "api", *words],
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoProblem(
            f"`python -m api {' '.join(words[:2])}` failed: {done.stderr.strip()[-800:]}",
            next_step="Mend what it names, and run `make demo` again.",
        )
    return done.stdout.strip()


def _start_api(settings: DemoSettings, api: Program, say: Say) -> None:
    with Client(settings.api, "") as anybody:
        if api.running() == settings.api_port and anybody.alive():
            return
        api.stop()
        ask_for_port(settings.api_port, "API_PORT")
        say("The API")
        command = [sys.executable, "-m", "api", "serve", "--host", HOST]
        port = str(settings.api_port)
        api.start([*command, "--port", port], environment(settings), settings.api_port)
        api.wait(anybody.alive, READY_S)


def _keys(settings: DemoSettings, fridge: str, say: Say) -> tuple[Keys, bool]:
    """The keys in use, made anew where they are lost or revoked; and whether they are new."""
    try:
        keys = read_keys(settings)
        if all(_known(settings, key) for key in (keys.page, keys.kiosk, keys.admin)):
            return keys, False
    except DemoProblem:
        pass
    say("Keys: one kiosk for the page, one for this demo, one admin")
    admin = _api(settings, "key", "create", "--role", "admin", "--name", "demo-admin")
    secret = next((w for w in reversed(admin.split()) if w.startswith("vx_")), admin)
    with Client(settings.api, secret) as client:
        _fridge(client, fridge)  # a key can only be for a fridge that is there
        keys = Keys(
            page=str(_secret(client.add_key("Kiosk page", "kiosk", [fridge]))),
            kiosk=str(_secret(client.add_key("Gradio demo", "kiosk", [fridge]))),
            admin=secret,
        )
    told = {"page": keys.page, "kiosk": keys.kiosk, "admin": keys.admin}
    write_secret(settings.keys, json.dumps(told))
    return keys, True


def write_secret(path: Path, text: str) -> None:
    """For the owner's eyes only, from the first byte on."""
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    half.replace(path)


def _secret(made: Mapping[str, Any]) -> Any:
    return made.get("secret") or made.get("key")


def _known(settings: DemoSettings, key: str) -> bool:
    with Client(settings.api, key) as client:
        try:
            client.me()
        except ApiProblem as error:
            if error.status == httpx.codes.UNAUTHORIZED:
                return False
            raise
    return True


def _fridge(admin: Client, fridge: str) -> None:
    with _may_be_there():
        admin.add_fridge(fridge, "The demo's fridge", risk="normal", locale="en")
    for compartment, name in COMPARTMENTS:
        with _may_be_there():
            admin.add_compartment(fridge, compartment, name)


@contextmanager
def _may_be_there() -> Iterator[None]:
    """That something exists already is fine."""
    try:
        yield
    except ApiProblem as error:
        if error.status != httpx.codes.CONFLICT:
            raise


def _install_base(settings: DemoSettings, admin: Client, fridge: str, api: Program) -> None:
    bundle = base(settings)
    if admin.model(fridge).get("base") != bundle.name:
        _api(settings, "model", "base", str(bundle))
    api.wait(admin.ready, READY_S)


def _install_champion(settings: DemoSettings, admin: Client, fridge: str, say: Say) -> None:
    bundle, record = champion(settings), settings.state / "champion"
    before = record.read_text(encoding="utf-8") if record.exists() else None
    if bundle.name not in {before, admin.model(fridge).get("bundle")}:
        say("The trained champion goes live")
        _api(settings, "model", "install", str(bundle), "--fridge", fridge)
    # Once: what the worker has trained since knows the members better.
    record.write_text(bundle.name, encoding="utf-8")


def _enrol(settings: DemoSettings, admin: Client, cast: Cast, say: Say) -> None:
    """Enrol the dataset's members once; whoever was removed since stays removed."""
    record = settings.state / "enrolled.json"
    try:
        done = set(json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        done = set()
    there = {str(m["id"]) for m in admin.members(cast.fridge)}
    missing = [p for p in cast.members if p.id not in done | there]
    if missing:
        say(f"Enrolling {len(missing)} personas")
    for who in missing:
        # Siblings are among them, on purpose: the likeness is accepted.
        enrol(admin, cast.fridge, who, compartments=_ALL, accept_warnings=True)
        done.add(who.id)
        record.write_text(json.dumps(sorted(done | there)), encoding="utf-8")


def _start_worker(settings: DemoSettings, worker: Program, say: Say) -> None:
    """What retrains the fridge when its members change; nobody waits for it here."""
    if worker.running() is None and settings.retraining:
        say("The worker that retrains")
        worker.start([sys.executable, "-m", "flows", "worker"], environment(settings), 0)


def _start_page(
    settings: DemoSettings, page: Program, say: Say, *, again: bool
) -> Callable[[], bool]:
    """Start it if need be; what is returned says when it is ready."""

    def ready() -> bool:
        try:
            return httpx.get(f"{settings.page}/", timeout=5.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    if again or page.running() != settings.demo_port or not ready():
        page.stop()
        ask_for_port(settings.demo_port, "DEMO_PORT")
        say("The demo page")
        command = [sys.executable, "-m", "demo", "serve"]
        page.start(command, environment(settings), settings.demo_port)
    return ready
