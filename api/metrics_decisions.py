"""Distributions of what is decided: scores, and the quality of captures. Nothing names a person."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from visavox.service.answer import Answer
from visavox.store.records import Method

_LLR = (-20.0, -10.0, -5.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0)
_QUALITY: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "face.size": ("face_size_pixels", "Height of faces.", (64, 80, 100, 125, 160, 200, 250, 320)),
    "face.sharpness": (
        "face_sharpness", "What a face loses by blur.", (0.1, 0.18, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4)
    ),
    "face.brightness": (
        "face_brightness", "Mean luma of faces.", (0.08, 0.13, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.95)
    ),
    "face.frontal": (
        "face_frontal", "1 from the front, 0 in profile.", (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    ),
    "voice.speech_s": (
        "voice_speech_seconds", "Speech.", (0.35, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
    ),
    "voice.snr_db": (
        "voice_snr_decibels", "Speech over noise.", (0, 5, 10, 15, 20, 25, 30, 40)
    ),
    "voice.level_db": (
        "voice_level_decibels", "Level of speech, full scale being 0.",
        (-50, -43, -36, -30, -25, -20, -15, -10),
    ),
}  # fmt: skip


class Distributions:
    """Histograms of one application."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._scores = Histogram(
            "visavox_score_llr",
            "Best fused LLR (natural log) of probes.",
            ("outcome",),
            buckets=_LLR,
            registry=registry,
        )
        self._asked = Histogram(
            "visavox_score_over_threshold",
            "Best fused LLR less the threshold that was asked for.",
            ("outcome",),
            buckets=_LLR,
            registry=registry,
        )
        self._quality = {
            feature: Histogram(f"visavox_{name}", said, buckets=buckets, registry=registry)
            for feature, (name, said, buckets) in _QUALITY.items()
        }
        self._rejected = Counter(
            "visavox_rejections",
            "Modalities that gave no evidence.",
            ("modality", "reason"),
            registry=registry,
        )

    def decided(self, answer: Answer) -> None:
        """Count a decision that was just made."""
        d = answer.decision
        for feature, value in answer.measured.items():
            self._quality[feature].observe(value)
        if d.method is Method.BIOMETRIC:
            for cell in d.rejected:
                self._rejected.labels(cell.modality.value, cell.reason.value).inc()
        if d.candidates and d.threshold is not None:
            best = d.candidates[0].fused
            self._scores.labels(d.outcome.value).observe(best)
            self._asked.labels(d.outcome.value).observe(best - d.threshold)
