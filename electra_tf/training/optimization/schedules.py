# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Learning rates by step: the original's schedule, a trapezoid and a cosine."""

import math

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import check


@keras.saving.register_keras_serializable("electra_tf")
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
        check(num_steps > 0, "num_steps", "above 0", num_steps)
        self.peak = peak
        self.num_steps = num_steps
        self.num_warmup_steps = num_warmup_steps
        self.power = power

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rate = self.peak * self._decay(step)
        if self.num_warmup_steps:
            rate *= tf.minimum(1.0, step / self.num_warmup_steps)
        return rate

    def _decay(self, step: tf.Tensor):
        """What the decay leaves of the peak at `step`, float32."""
        done = tf.minimum(step, float(self.num_steps)) / self.num_steps
        return tf.pow(1.0 - done, self.power)

    def get_config(self) -> dict[str, float]:
        """Arguments of the constructor."""
        return {
            "peak": self.peak,
            "num_steps": self.num_steps,
            "num_warmup_steps": self.num_warmup_steps,
            "power": self.power,
        }


@keras.saving.register_keras_serializable("electra_tf")
class WarmupTrapezoid(WarmupPolynomialDecay):
    """A linear warm-up, a constant rate, then polynomial decay to 0 in the last steps.

    Until the decay begins, the rate does not depend on `num_steps`, not even in its last bit. With
    10 steps of which 2 warm up and 4 decay, the rates of the steps 1, 2, ..., 10 are the peak times
    1/2, 1, 1, 1, 1, 1, 3/4, 1/2, 1/4, 0.

    Args:
        peak: the constant rate.
        num_steps: step from which the rate is 0.
        num_warmup_steps: steps of warm-up; 0 for none.
        power: exponent of the decay.
        num_decay_steps: steps of decay, at the end; 0 for none.
    """

    def __init__(
        self,
        peak: float,
        num_steps: int,
        num_warmup_steps: int = 0,
        power: float = 1.0,
        num_decay_steps: int = 0,
    ):
        super().__init__(peak, num_steps, num_warmup_steps, power)
        check(
            0 <= num_decay_steps <= num_steps,
            "num_decay_steps",
            f"between 0 and num_steps={num_steps}",
            num_decay_steps,
        )
        self.num_decay_steps = num_decay_steps

    def _decay(self, step: tf.Tensor):
        if not self.num_decay_steps:
            return tf.ones_like(step)
        left = (float(self.num_steps) - step) / self.num_decay_steps
        return tf.pow(tf.clip_by_value(left, 0.0, 1.0), self.power)

    def get_config(self) -> dict[str, float]:
        """Arguments of the constructor."""
        return {**super().get_config(), "num_decay_steps": self.num_decay_steps}


@keras.saving.register_keras_serializable("electra_tf")
class WarmupCosineDecay(WarmupPolynomialDecay):
    """A linear warm-up to the peak, then half a cosine to 0 (Loshchilov and Hutter, 2017).

    Args:
        peak: the rate at the end of the warm-up.
        num_steps: step from which the rate is 0.
        num_warmup_steps: steps of warm-up; 0 for none.
        power: exponent of the half cosine.
    """

    def _decay(self, step: tf.Tensor):
        decaying = max(1, self.num_steps - self.num_warmup_steps)
        done = tf.clip_by_value((step - float(self.num_warmup_steps)) / decaying, 0.0, 1.0)
        return tf.pow(tf.maximum(0.0, 0.5 + 0.5 * tf.cos(math.pi * done)), self.power)


def warn_of_long_warmup(schedule: WarmupPolynomialDecay, given: str, instead: str) -> None:
    """Warn if the warm-up is not over before the run is: its rate stays far below the peak.

    Args:
        schedule: of the run.
        given: the hyperparameters that say so, as in "num_warmup_steps is 10000".
        instead: what to set.
    """
    if schedule.num_warmup_steps < schedule.num_steps or not schedule.peak:
        return
    steps = np.linspace(0, schedule.num_steps, 1001, dtype=np.float32)
    logging.warning(
        "%s: the warm-up does not end before the run does, and the learning rate gets no higher "
        "than %.2g of learning_rate=%g. Set %s.",
        given,
        np.max(schedule(steps)),
        schedule.peak,
        instead,
    )
