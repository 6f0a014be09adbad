# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Calibrates what finds errors: on correct text, with errors put in that are known.

The errors are those of `text.word_errors`, as people make them and no generator does. Temperature
and bias are the maximum-likelihood ones; the threshold is the lowest one that keeps a promise.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from electra_tf.config import check
from electra_tf.interop.error_calibration import ErrorCalibration
from electra_tf.serving.columns import text_columns
from electra_tf.text.word_errors import corrupted_everywhere

FALSE_ALARM_RATE = 0.01
"""What is asked if nothing else is."""
USED = ("logits", "starts", "ends", "num_words", "is_unknown", "is_truncated")
"""Outputs of `find_errors` from which a calibration follows."""
_FEWEST = 20
"""Wrong words without which nothing is fitted; flagged words of which a precision is estimated."""


class Goal(NamedTuple):
    """What the threshold is to reach; one of them is None.

    precision: share of wrong words among those that are called errors, at least.
    false_alarm_rate: share of correct words that are called errors, at most.
    """

    precision: float | None
    false_alarm_rate: float | None

    @classmethod
    def of(cls, precision: float | None, false_alarm_rate: float | None) -> "Goal":
        """What was asked, or the default.

        Raises:
            ValueError: both are given, or one is not between 0 and 1.
        """
        if precision is not None and false_alarm_rate is not None:
            raise ValueError(
                "one of precision and false_alarm_rate is expected, not both, but "
                f"precision={precision} and false_alarm_rate={false_alarm_rate}."
            )
        if precision is None and false_alarm_rate is None:
            false_alarm_rate = FALSE_ALARM_RATE
        goal = cls(precision, false_alarm_rate)
        for name, value in goal._asdict().items():
            if value is not None:
                check(0 < value < 1, name, "between 0 and 1", value)
        return goal


def calibrated(
    find_errors: Callable[[Sequence[str]], Mapping[str, np.ndarray]],
    texts: Sequence[str],
    goal: Goal,
    error_rate: float,
    seed: int,
) -> ErrorCalibration:
    """The calibration of a model on correct texts.

    Args:
        find_errors: texts -> the outputs `USED`.
        texts: without errors, unseen in training. What does not fit into a row does not count.
        goal: what decides the threshold.
        error_rate: share of words at which an error is put in, see `corrupted_everywhere`.
        seed: decides which errors.

    Raises:
        ValueError: texts are no strings, there are too few words, or no threshold reaches the goal.
    """
    text_columns(texts, ["text"])
    check(0 < error_rate < 1, "error_rate", "between 0 and 1", error_rate)
    rng = random.Random(seed)
    made = [corrupted_everywhere(text, error_rate, rng) for text in texts]
    found = find_errors([each.text for each in made])
    logits, is_wrong = labelled(found, [each.spans for each in made])
    if is_wrong.sum() < _FEWEST:
        raise ValueError(
            f"texts are expected to have at least {_FEWEST} words that become wrong at an error "
            f"rate of {error_rate}, but {is_wrong.sum()} of {len(is_wrong):,} did. Give more text; "
            "words with unknown tokens and what does not fit into a row do not count."
        )
    temperature, bias = fitted(logits, is_wrong)
    probabilities = expit(logits / temperature + bias)
    threshold = chosen_threshold(probabilities, is_wrong, goal)
    measured = {
        **{name: value for name, value in goal._asdict().items() if value is not None},
        "error_rate": error_rate,
        "seed": seed,
        "num_texts": len(texts),
        "num_truncated": int(found["is_truncated"].sum()),
        "num_words": len(is_wrong),
        "num_wrong": int(is_wrong.sum()),
    }
    losses = {
        "uncalibrated": log_loss(logits, is_wrong),
        "temperature": log_loss(logits / fitted(logits, is_wrong, with_bias=False)[0], is_wrong),
        "temperature_and_bias": log_loss(logits / temperature + bias, is_wrong),
    }
    measured |= {"found": scores_at(probabilities, is_wrong, threshold), "log_loss": losses}
    return ErrorCalibration(temperature, bias, threshold, measured)


def labelled(
    found: Mapping[str, np.ndarray], spans: Sequence[Sequence[tuple[int, int]]]
) -> tuple[np.ndarray, np.ndarray]:
    """Of the known words of all texts: float64 logits, and whether they overlap with a span."""
    logits, is_wrong, is_known = [], [], []
    for row, wrong in enumerate(spans):
        count = found["num_words"][row]
        starts, ends = found["starts"][row, :count], found["ends"][row, :count]
        overlaps = [(starts < end) & (ends > start) for start, end in wrong]
        is_wrong.append(np.any([np.zeros(count, bool), *overlaps], axis=0))
        logits.append(found["logits"][row, :count])
        is_known.append(~found["is_unknown"][row, :count])
    known = np.concatenate(is_known)
    return np.concatenate(logits)[known].astype(np.float64), np.concatenate(is_wrong)[known]


def fitted(logits: np.ndarray, is_wrong: np.ndarray, with_bias: bool = True) -> tuple[float, float]:
    """The temperature and bias that make the labels most probable."""

    def loss(values: np.ndarray) -> float:
        return log_loss(logits * np.exp(-values[0]) + (values[1] if with_bias else 0.0), is_wrong)

    # A temperature of e^5 makes all words alike, one of e^-5 leaves no doubt.
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-5, 5), (-20, 20)])
    return float(np.exp(found.x[0])), float(found.x[1] if with_bias else 0.0)


def log_loss(logits: np.ndarray, is_wrong: np.ndarray) -> float:
    """The mean cross-entropy of labels, in nats."""
    return float(np.mean(np.logaddexp(0.0, np.where(is_wrong, -logits, logits))))


def chosen_threshold(probabilities: np.ndarray, is_wrong: np.ndarray, goal: Goal) -> float:
    """The lowest probability from which on the goal is reached.

    Raises:
        ValueError: there is no such one.
    """
    thresholds = np.unique(probabilities)
    correct, wrong = np.sort(probabilities[~is_wrong]), np.sort(probabilities[is_wrong])
    alarms = len(correct) - np.searchsorted(correct, thresholds)
    hits = len(wrong) - np.searchsorted(wrong, thresholds)
    if goal.precision is None:
        is_reached = alarms <= goal.false_alarm_rate * len(correct)
        # Above all words none is called an error.
        return float(thresholds[is_reached][0]) if is_reached.any() else 1.0
    precisions = hits / (hits + alarms)
    is_sure = hits + alarms >= _FEWEST
    is_reached = is_sure & (precisions >= goal.precision)
    if not is_reached.any():
        best = np.argmax(np.where(is_sure, precisions, -1.0))
        raise ValueError(
            f"precision is expected to be at most {precisions[best]:.2f} for this model and text, "
            f"which is reached with a recall of {hits[best] / len(wrong):.2f}, but is "
            f"{goal.precision}."
        )
    return float(thresholds[is_reached][0])


def scores_at(
    probabilities: np.ndarray, is_wrong: np.ndarray, threshold: float
) -> dict[str, float]:
    """`precision`, `recall`, `false_alarm_rate`, of words from a threshold on."""
    is_error = probabilities >= threshold
    hits = int((is_error & is_wrong).sum())
    return {
        "precision": hits / max(1, int(is_error.sum())),
        "recall": hits / max(1, int(is_wrong.sum())),
        "false_alarm_rate": float(is_error[~is_wrong].mean()),
    }
