# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""LAMB, for large batches (You et al., ICLR 2020, algorithm 2)."""

import tensorflow as tf

from electra_tf.training.optimizer import ElectraAdam, Rule


class ElectraLamb(ElectraAdam):
    """Adam's update with the norm of the variable it is for.

    A variable w with moments m and v takes the step
        rate * trust * u, with u = m / (sqrt(v) + epsilon) + decay * w, trust = |w| / |u|.
    Variables without weight decay (normalization, biases), and those of norm 0, have trust 1.
    Everything else, from clipping to the names of the moments, is `ElectraAdam`'s.
    """

    def _update_variable(
        self,
        rule: Rule,
        variable: tf.Variable,
        gradient: tf.Tensor,
        momentum: tf.Variable,
        velocity: tf.Variable,
        learning_rate: tf.Tensor,
    ):
        gradient = tf.cast(gradient, variable.dtype)
        rate = tf.cast(learning_rate, variable.dtype) * rule.learning_rate_multiplier
        correction_1, correction_2 = self._bias_corrections(variable.dtype)
        momentum.assign(self.beta_1 * momentum + (1.0 - self.beta_1) * gradient)
        velocity.assign(self.beta_2 * velocity + (1.0 - self.beta_2) * tf.square(gradient))
        update = (momentum / correction_1) / (tf.sqrt(velocity) / correction_2 + self.epsilon)
        if rule.weight_decay:
            update += rule.weight_decay * variable
            weight_norm, update_norm = tf.norm(variable), tf.norm(update)
            has_norms = (weight_norm > 0) & (update_norm > 0)
            rate *= tf.where(has_norms, tf.math.divide_no_nan(weight_norm, update_norm), 1.0)
        variable.assign_sub(rate * update)
