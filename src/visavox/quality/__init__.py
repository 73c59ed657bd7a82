"""`Capture` in, `Evidence` out: good enough to be compared, or why not and what to do."""

from visavox.quality.assess import assess
from visavox.quality.face import assess_face
from visavox.quality.limits import QualityLimits
from visavox.quality.next_steps import NEXT_STEPS, rejected
from visavox.quality.voice import assess_voice

__all__ = ["NEXT_STEPS", "QualityLimits", "assess", "assess_face", "assess_voice", "rejected"]
