# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Loss scaling: float16 gradients are computed of a multiple of the loss, lest they vanish."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from electra_tf.training.optimization.optimizer import apply

INITIAL = 2.0**15
GROWTH_INTERVAL = 2000
"""Updates without overflow after which the scale is doubled."""


def check_precision(precision: str | None, replicas: int) -> None:
    """Raise a ValueError if losses would have to be scaled on several replicas."""
    if precision == "float16" and replicas > 1:
        raise ValueError(
            "precision is expected to be 'bfloat16' or 'float32' on several replicas, but is "
            f"'float16', and there are {replicas}."
        )


class LossScale:
    """A scale that halves when a gradient overflows and doubles after many that did not.

    An update whose gradients overflow is left out, but counts as a step, so that steps, learning
    rate and data go on together. For one replica: each would have to know of the others'
    overflows.

    Raises:
        ValueError: there are several replicas.
    """

    def __init__(self):
        check_precision("float16", tf.distribute.get_strategy().num_replicas_in_sync)
        self.scale = tf.Variable(INITIAL, trainable=False, name="loss_scale")
        self.good_steps = tf.Variable(0, trainable=False, name="good_steps")

    @property
    def state(self) -> dict[str, tf.Variable]:
        """What a checkpoint has of it."""
        return {
            "electra_tf/loss_scale": self.scale,
            "electra_tf/loss_scale_good_steps": self.good_steps,
        }

    def apply(
        self,
        optimizer: keras.optimizers.Optimizer,
        gradients: Sequence[tf.Tensor],
        variables: Sequence[keras.Variable],
    ) -> tf.Tensor:
        """Apply gradients of the scaled loss, if they are finite.

        Args:
            optimizer: built.
            gradients: dense, of `scale` times the loss.
            variables: the optimizer's.

        Returns:
            The norm; 0 for an update left out, and what it is where no scale helps any more.
        """
        gradients = [gradient / self.scale for gradient in gradients]
        norm = tf.linalg.global_norm(gradients)
        is_finite = tf.math.is_finite(norm)

        def update():
            grown = self.good_steps + 1 >= GROWTH_INTERVAL
            applied = apply(optimizer, gradients, variables)
            self.scale.assign(tf.where(grown, 2.0 * self.scale, self.scale))
            self.good_steps.assign(tf.where(grown, 0, self.good_steps + 1))
            return applied

        def leave_out():
            lowest = self.scale <= 1.0
            optimizer.iterations.assign_add(1)
            self.scale.assign(tf.maximum(self.scale / 2.0, 1.0))
            self.good_steps.assign(0)
            return tf.where(lowest, norm, 0.0)

        return tf.cond(is_finite, update, leave_out)
