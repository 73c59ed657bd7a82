"""What may be given by name: checked once, here, whoever asks."""

import itertools
import unicodedata
from typing import NoReturn

from visavox.errors import Finding, Invalid

RISKS = ("low", "normal", "high")
LOCALES = ("en", "fr")
LONGEST_NAME = 100
PIN_DIGITS = (6, 12)


def name(value: str, field: str = "name") -> str:
    """`value` without space around it; Invalid where it is empty, too long or not writing."""
    value = unicodedata.normalize("NFC", value).strip()
    if not value or len(value) > LONGEST_NAME:
        refuse(field, f"A name has 1 to {LONGEST_NAME} characters.", "Give a name.")
    if any(unicodedata.category(c) in {"Cc", "Cs", "Cn", "Zl", "Zp"} for c in value):
        refuse(field, "A name is one line of text.", "Remove what is no letter, sign or space.")
    return value


def risk(value: str) -> str:
    if value not in RISKS:
        refuse("risk", f"There is no risk setting {value[:40]!r}.", _one_of(RISKS))
    return value


def locale(value: str) -> str:
    if value not in LOCALES:
        refuse("locale", f"The kiosk does not speak {value[:40]!r}.", _one_of(LOCALES))
    return value


def pin(value: str) -> str:
    """A PIN that is worth something: long enough, and not the first that anybody would try."""
    least, most = PIN_DIGITS
    if not (least <= len(value) <= most and value.isascii() and value.isdecimal()):
        refuse("pin", f"A PIN is {least} to {most} digits.", "Choose another PIN.")
    if _trivial(value):
        refuse("pin", "This PIN is easily guessed.", "Choose digits without a pattern.")
    return value


def refuse(field: str, problem: str, next_step: str) -> NoReturn:
    finding = Finding("invalid", problem, next_step, field=field)
    raise Invalid(problem, next_step=next_step, findings=[finding])


def _trivial(digits: str) -> bool:
    """One digit, a run up or down, or a short piece over and over."""
    if len(set(digits)) <= 2:
        return True
    steps = {(int(b) - int(a)) % 10 for a, b in itertools.pairwise(digits)}
    if len(steps) == 1:
        return True
    whole = len(digits)
    return any(digits == (digits[:size] * whole)[:whole] for size in range(1, whole // 2 + 1))


def _one_of(choices: tuple[str, ...]) -> str:
    return f"Choose one of {', '.join(choices)}."
