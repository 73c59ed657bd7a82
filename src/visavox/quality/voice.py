"""Is there speech, and can it be heard well enough to be compared?"""

import numpy as np

from visavox.quality.limits import QualityLimits
from visavox.quality.next_steps import rejected
from visavox.quality.speech import find_speech
from visavox.types import SAMPLE_RATE, Modality, Reason, Rejected, VoiceEvidence, Waveform

_MARGIN = SAMPLE_RATE // 10  # kept before and after the speech: soft onsets carry identity too
_LEAST = SAMPLE_RATE // 2  # where there is as much: what the nets take
_DEFAULT = QualityLimits()


def assess_voice(waveform: Waveform, limits: QualityLimits = _DEFAULT) -> VoiceEvidence | Rejected:
    """The speech without the silence around it, or the reason why it will not do."""
    speech = find_speech(waveform)
    measured = {
        "speech_s": speech.seconds,
        "snr_db": speech.snr_db,
        "level_db": speech.level_db,
    }
    reason = None
    if speech.level_db < limits.level_db:
        reason = Reason.TOO_QUIET
    elif speech.clipped > limits.clipped:
        reason = Reason.CLIPPED
    elif speech.seconds > 0 and speech.snr_db < limits.snr_db:
        reason = Reason.TOO_NOISY
    elif speech.seconds < limits.speech_s:
        reason = Reason.TOO_LITTLE_SPEECH
    if reason:
        return rejected(Modality.VOICE, reason, clipped=speech.clipped, **measured)
    short = max(0, _LEAST - (speech.stop - speech.start))
    margin = max(_MARGIN, short // 2 + 1)
    kept = waveform[max(0, speech.start - margin) : speech.stop + margin]
    return VoiceEvidence(np.ascontiguousarray(kept), measured)
