"""A reference lock controller: it sits in the fridge, asks nobody, and opens for tickets alone.

    python -m visavox.lock --fridge cellar --keys keys.json --seen /var/lib/lock/seen

    ticket ──HTTP on loopback──> Controller ──> Verifier (offline) ──> Actuator

`keys.json` is the answer of GET /v1/tickets/keys, brought once. The actuator is whatever turns the
bolt: another one is a class with `open` and `close`. Whatever goes wrong, the door ends up locked.
"""

from visavox.lock.actuators import Actuator, Command, Spoken
from visavox.lock.controller import Controller, Opened
from visavox.lock.seen import Seen

__all__ = ["Actuator", "Command", "Controller", "Opened", "Seen", "Spoken"]
