"""From settings to a house that is ready: database, capture store, nets, models, keys."""

import contextlib
import ctypes
from contextlib import AbstractContextManager
from types import TracebackType

from api.settings import Settings
from visavox import characterizer
from visavox.perception import OnStage, Perception
from visavox.service.house import House, utc_now
from visavox.service.links import Addresses, Links
from visavox.service.models import Models


class Standing(AbstractContextManager[House]):
    """A house while it stands; its threads and connections end with the block."""

    def __init__(self, settings: Settings, *, on_stage: OnStage | None = None) -> None:
        self._settings, self._on_stage = settings, on_stage

    def __enter__(self) -> House:
        s = self._settings
        _keep_little()
        self._store = s.open()
        # Two threads for one capture help a lone kiosk; where turns fill the cores they do not hurt.
        chosen = s.net_set  # once: nets and bundles are of one set
        nets = characterizer.load(chosen.nets or s.characterizer)
        self._perception = Perception(nets, on_stage=self._on_stage)
        _hand_back()
        self._house = House(
            store=self._store,
            models=Models(chosen.root, self._perception.characterizer),
            perception=self._perception,
            signer=s.signer(),
            clock=utc_now,
            settings=s.service,
            links=Links(s.state, Addresses.read()),
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


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # as malloc.h numbers them


def _keep_little() -> None:
    """Ask glibc to share its heaps between threads and to hand back what is large.

    Each request's thread would have a heap of its own otherwise, as large as its largest picture
    ever was; of a worker on nets of the `pretrained` size that is an eighth.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        # What is set once is not raised by itself any more. Handing the top back after every picture
        # would cost a thousand page faults a decision, so some of it stays.
        libc.mallopt(_M_TRIM_THRESHOLD, 8 * 1024 * 1024)
        libc.mallopt(_M_MMAP_THRESHOLD, 1024 * 1024)


def _hand_back() -> None:
    """Memory that only loading needed goes back to the machine; glibc would keep it for ever."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
