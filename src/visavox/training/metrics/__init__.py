"""Figures of biometric performance: arrays in, numbers out, in the terms of ISO/IEC 19795-1.

A score is higher the better a probe fits; a comparison is accepted when score ≥ threshold.
`mated` scores compare a probe with its own person, `nonmated` scores with anybody else.

    verification     FMR, FNMR, the ROC's steps, EER, DET
    calibration      Cllr and minCllr in bits, pool-adjacent-violators
    identification   FPIR, FNIR, TPIR, rank-1 of open-set searches
    attack           APCER, BPCER, IAPAR (ISO/IEC 30107-3)
    rungs            what EER, minCllr and FNIR at an FPIR need of the scores, and no more
    resampled        the same figures for many weightings of the trials at once

Scores may be ±inf. NaN is no score: a modality that could not be scored is left out of
verification and counted as a failure to acquire, and is a miss in identification.
"""

from visavox.training.metrics.attack import AttackRates, attack_rates, bpcer
from visavox.training.metrics.calibration import cllr, isotonic, min_cllr
from visavox.training.metrics.identification import (
    Mated,
    fnir,
    fnir_at_fpir,
    fpir,
    rank1,
    threshold_at_fpir,
    tpir,
)
from visavox.training.metrics.verification import Steps, eer, fmr, fnmr, probit, steps

__all__ = [
    "AttackRates",
    "Mated",
    "Steps",
    "attack_rates",
    "bpcer",
    "cllr",
    "eer",
    "fmr",
    "fnir",
    "fnir_at_fpir",
    "fnmr",
    "fpir",
    "isotonic",
    "min_cllr",
    "probit",
    "rank1",
    "steps",
    "threshold_at_fpir",
    "tpir",
]
