# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The learning-rate schedule of the original."""

import keras
import tensorflow as tf
from absl import logging


class WarmupPolynomialDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Polynomial decay to 0, times a linear warm-up from 0 (optimization.py create_optimizer).

    The warm-up multiplies a rate that already decays, so the rate at step 0 is 0 and the peak is
    below `peak`: with 10 steps of which 5 warm up, step 4 gives peak * (1 - 4/10) * 4/5.

    Args:
        peak: learning rate before decay and warm-up.
        num_steps: step from which the rate is 0.
        num_warmup_steps: steps of warm-up; 0 for none.
        power: exponent of the decay.
    """

    def __init__(self, peak: float, num_steps: int, num_warmup_steps: int = 0, power: float = 1.0):
        self.peak = peak
        self.num_steps = num_steps
        self.num_warmup_steps = num_warmup_steps
        self.power = power

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        done = tf.minimum(step, float(self.num_steps)) / self.num_steps
        rate = self.peak * tf.pow(1.0 - done, self.power)
        if self.num_warmup_steps:
            rate *= tf.minimum(1.0, step / self.num_warmup_steps)
        return rate

    def get_config(self) -> dict[str, float]:
        return {
            "peak": self.peak,
            "num_steps": self.num_steps,
            "num_warmup_steps": self.num_warmup_steps,
            "power": self.power,
        }


def warn_of_long_warmup(schedule: WarmupPolynomialDecay, given: str, instead: str) -> None:
    """Warn if the warm-up is not over before the run is: its rate stays far below the peak.

    Args:
        given: the hyperparameters that say so, as in "num_warmup_steps is 10000".
        instead: what to set.
    """
    if schedule.num_warmup_steps < schedule.num_steps or not schedule.peak:
        return
    power = schedule.power
    # The derivative of (1 - s/n)^p * s is 0 at s = n / (1 + p).
    share = (power / (1.0 + power)) ** power * schedule.num_steps / (1.0 + power)
    highest = schedule.peak * share / schedule.num_warmup_steps
    logging.warning(
        "%s: the warm-up does not end before the run does, and the learning rate gets no higher "
        "than %.2g of learning_rate=%g. Set %s.",
        given,
        highest,
        schedule.peak,
        instead,
    )
