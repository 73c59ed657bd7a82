"""Every error says what went wrong and what to do, also from another process."""

import pickle

import pytest

from visavox import errors
from visavox.errors import Finding, ServiceError, VisavoxError

KINDS = [
    e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, VisavoxError)
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_both_and_survives_the_way_between_processes(kind: type[VisavoxError]) -> None:
    error = kind("It broke.", next_step="Mend it.")
    assert str(error) == "It broke. Mend it."
    # multiprocessing pickles what a worker raises; nothing of ours is stored that way.
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.problem, again.next_step) == ("It broke.", "Mend it.")


@pytest.mark.parametrize("kind", KINDS)
def test_the_tree_in_the_module_names_it(kind: type[VisavoxError]) -> None:
    assert kind.__name__ in str(errors.__doc__)


def test_what_a_service_error_carries_beside_goes_with_it() -> None:
    finding = Finding("face_blurred", "It is blurred.", "Hold still.", field="captures[0].face")
    error = ServiceError("No.", next_step="Again.", findings=[finding], retry_after_s=30.0)
    again = pickle.loads(pickle.dumps(error))
    assert (again.findings, again.retry_after_s) == ((finding,), 30.0)


def test_programs_can_tell_the_kinds_apart() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)
