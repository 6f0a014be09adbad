# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How far a discriminator's logits are to be trusted as those of errors, stored beside a model."""

import dataclasses
import os
from typing import Any

from absl import logging

from electra_tf.files import check_keys, exists, read_json, write_json

CALIBRATION_FILE = "error_calibration.json"


@dataclasses.dataclass(frozen=True)
class ErrorCalibration:
    """P(the word is wrong) = sigmoid(logit / temperature + bias).

    The defaults are those of a discriminator that nobody has calibrated: the probabilities that it
    was trained for, of fakes of its generator.
    """

    temperature: float = 1.0
    """Above 0."""
    bias: float = 0.0
    """Negative where errors are rarer than the fakes of the training were."""
    threshold: float = 0.5
    """The probability from which on a word is called an error."""
    measured: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What was asked, and what was found on the text of the calibration."""


def write_calibration(calibration: ErrorCalibration, folder: str, step: int) -> None:
    """Write the calibration of a model.

    Args:
        calibration: of the words of its discriminator.
        folder: of the model.
        step: updates that made its weights; for other weights the calibration does not count.
    """
    content = {**dataclasses.asdict(calibration), "step": step}
    write_json(os.path.join(folder, CALIBRATION_FILE), content)


def read_calibration(folder: str, step: int) -> ErrorCalibration | None:
    """The calibration of a model; None if it has none, or one of earlier or later weights.

    Raises:
        ValueError: the file is not as expected; names it and the key.
    """
    path = os.path.join(folder, CALIBRATION_FILE)
    if not exists(path):
        return None
    stored = read_json(path)
    numbers = ("temperature", "bias", "threshold")
    check_keys(stored, {**dict.fromkeys(numbers, float), "measured": dict, "step": int}, path)
    calibration = ErrorCalibration(
        **{name: float(stored[name]) for name in numbers}, measured=stored["measured"]
    )
    if not 0 < calibration.temperature < float("inf"):
        raise ValueError(
            f"{path}: 'temperature' is expected to be above 0, but is {calibration.temperature}."
        )
    if not 0 <= calibration.threshold <= 1:
        raise ValueError(
            f"{path}: 'threshold' is expected to be in 0..1, but is {calibration.threshold}."
        )
    if stored["step"] != step:
        logging.warning(
            "%s is not used: it is of the weights of step %d, but those of step %d were opened. "
            "Calibrate again.",
            path,
            stored["step"],
            step,
        )
        return None
    return calibration
