# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How far a discriminator's logits are to be trusted as those of errors, stored beside a model."""

import dataclasses
import math
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


def write_calibration(calibration: ErrorCalibration, folder: str, step: int, weights: str) -> None:
    """Write the calibration of a model; those of other checkpoints of the folder stay.

    It counts for the discriminator whose weights, made by `step` updates, have that fingerprint.

    Raises:
        ValueError: there is such a file, which is not as expected; names it and the key.
    """
    path = os.path.join(folder, CALIBRATION_FILE)
    content = _read(path) if exists(path) else {}
    content[str(step)] = {**dataclasses.asdict(calibration), "weights": weights}
    write_json(path, content)


def read_calibration(folder: str, step: int, weights: str) -> ErrorCalibration | None:
    """The calibration of a model; None if it has none, or only such of other weights.

    Arguments as those of `write_calibration`.

    Raises:
        ValueError: the file is not as expected; names it and the key.
    """
    path = os.path.join(folder, CALIBRATION_FILE)
    if not exists(path):
        return None
    content = _read(path)
    stored = content.get(str(step))
    if stored is None or stored["weights"] != weights:
        held = f"other weights of step {step}" if stored else f"step {', '.join(content)}"
        logging.warning(
            "%s is not used: it is of %s, but step %d was opened. Calibrate again.",
            path,
            held,
            step,
        )
        return None
    return _of(stored)


def _read(path: str) -> dict[str, dict[str, Any]]:
    """The content of the file by step."""
    content = read_json(path)
    kinds = {"temperature": float, "bias": float, "threshold": float, "measured": dict}
    kinds["weights"] = str
    for step, stored in content.items():
        check_keys(content, {step: dict}, path)
        where = f"{path}, step {step}"
        check_keys(stored, kinds, where)
        if unknown := sorted(set(stored) - set(kinds)):
            raise ValueError(
                f"{where}: the keys are expected to be {', '.join(kinds)}, but there is "
                f"{unknown[0]!r}."
            )
        _check(_of(stored), where)
    return content


def _of(stored: dict[str, Any]) -> ErrorCalibration:
    numbers = {name: float(stored[name]) for name in ("temperature", "bias", "threshold")}
    return ErrorCalibration(**numbers, measured=stored["measured"])


def _check(calibration: ErrorCalibration, where: str) -> None:
    values = {
        "temperature": (0 < calibration.temperature < math.inf, "finite and above 0"),
        "bias": (math.isfinite(calibration.bias), "finite"),
        "threshold": (0 <= calibration.threshold <= 1, "in 0..1"),
    }
    for name, (holds, expected) in values.items():
        if not holds:
            value = getattr(calibration, name)
            raise ValueError(f"{where}: {name!r} is expected to be {expected}, but is {value}.")
