"""From settings to a house that is ready: database, capture store, nets, models, keys."""

import contextlib
import ctypes
from contextlib import AbstractContextManager
from types import TracebackType

from api.settings import Settings
from visavox import characterizer
from visavox.perception import OnStage, Perception
from visavox.service.house import House, utc_now
from visavox.service.models import Models


class Standing(AbstractContextManager[House]):
    """A house while it stands; its threads and connections end with the block."""

    def __init__(self, settings: Settings, *, on_stage: OnStage | None = None) -> None:
        self._settings, self._on_stage = settings, on_stage

    def __enter__(self) -> House:
        s = self._settings
        self._store = s.open()
        # Two threads for one capture help a lone kiosk; where turns fill the cores they do not hurt.
        self._perception = Perception(characterizer.load(s.characterizer), on_stage=self._on_stage)
        _hand_back()
        self._house = House(
            store=self._store,
            models=Models(s.models, self._perception.characterizer),
            perception=self._perception,
            signer=s.signer(),
            clock=utc_now,
            settings=s.service,
        )
        return self._house

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._perception.close()
        self._store.close()


def _hand_back() -> None:
    """Memory that only loading needed goes back to the machine; glibc would keep it for ever."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
