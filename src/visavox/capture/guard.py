"""Whatever a decoder raises on hostile bytes, the sender gets one kind of error."""

from collections.abc import Iterator
from contextlib import contextmanager

from visavox.errors import CaptureError

AGAIN = "Record and send it again."


@contextmanager
def decoding(part: str) -> Iterator[None]:
    """Wrap third-party decoding of `part` only: every failure in it means damaged bytes."""
    try:
        yield
    except CaptureError:
        raise
    except Exception as error:
        # Pillow alone raises OSError, SyntaxError, ValueError, struct.error and more; on
        # bytes from outside, none of them means anything else.
        raise CaptureError(f"{part} is damaged and cannot be decoded.", next_step=AGAIN) from error


def cut_short(part: str) -> CaptureError:
    return CaptureError(f"{part} is cut short.", next_step="Send all of it, or record it again.")
