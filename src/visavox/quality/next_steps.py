"""What a member at the kiosk is told to do, one sentence per reason, in one place to translate."""

from collections.abc import Mapping
from types import MappingProxyType

from visavox.types import Modality, Reason, Rejected

NEXT_STEPS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NOT_CAPTURED: "Look into the camera and say the digits.",
        Reason.NO_FACE: "Look into the camera.",
        Reason.SEVERAL_FACES: "One person at a time, please.",
        Reason.FACE_TOO_SMALL: "Come closer.",
        Reason.FACE_BLURRED: "Hold still for a moment.",
        Reason.FACE_TOO_DARK: "Turn your face to the light.",
        Reason.FACE_TOO_BRIGHT: "Step out of the bright light.",
        Reason.FACE_TURNED: "Face the camera.",
        Reason.FACE_CUT_OFF: "Move so that your whole face is in the picture.",
        Reason.TOO_LITTLE_SPEECH: "Say all the digits.",
        Reason.TOO_QUIET: "Say it again, louder.",
        Reason.CLIPPED: "Say it again, softer or farther from the microphone.",
        Reason.TOO_NOISY: "Say it again, closer to the microphone, or when it is quieter.",
    }
)


def rejected(modality: Modality, reason: Reason, **measured: float) -> Rejected:
    return Rejected(modality, reason, NEXT_STEPS[reason], measured)
