"""Everything that visavox raises on purpose.

    VisavoxError
    ├── CaptureError          bytes that are no usable picture, sound or clip
    ├── ConfigError           a setting that does not exist or cannot be
    ├── DataError             a dataset whose manifest or files are wrong
    │   └── NotEnoughData     a dataset too small for what was asked of it
    ├── CharacterizerError    nets that are missing, altered or do not fit
    │   ├── WeightsMissing    pretrained weights that are not on this machine
    │   └── ExportError       an exported net that disagrees with its original
    ├── BundleError           a bundle that is missing, altered, too new or foreign
    └── GateRefused           a challenger that has not earned to be served

Each carries what went wrong and what to do about it, and says both.
"""


class VisavoxError(Exception):
    """What went wrong, and the next step for the person who reads it."""

    def __init__(self, problem: str, *, next_step: str) -> None:
        super().__init__(f"{problem} {next_step}")
        self.problem = problem
        self.next_step = next_step

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments would otherwise be lost between processes.
        return (_rebuild, (type(self), self.problem, self.next_step))


def _rebuild(kind: type[VisavoxError], problem: str, next_step: str) -> VisavoxError:
    return kind(problem, next_step=next_step)


class CaptureError(VisavoxError):
    """Bytes that are no usable picture, sound or clip."""


class ConfigError(VisavoxError):
    """A setting that does not exist or cannot be."""


class DataError(VisavoxError):
    """A dataset whose manifest or files are wrong."""


class NotEnoughData(DataError):
    """A dataset too small for what was asked of it."""


class CharacterizerError(VisavoxError):
    """Nets that are missing, altered or do not fit."""


class WeightsMissing(CharacterizerError):
    """Pretrained weights that are not on this machine."""


class ExportError(CharacterizerError):
    """An exported net that disagrees with its original."""


class BundleError(VisavoxError):
    """A bundle that is missing, altered, too new or foreign."""


class GateRefused(VisavoxError):
    """A challenger that has not earned to be served."""
