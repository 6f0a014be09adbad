# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Adam as ELECTRA trains with it, LAMB and StableAdamW."""

import functools
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.training.private_tensorflow import OptimizerOfSums

Factors = Sequence[tuple[str, float]]
"""Rules that give each variable a factor: the first one counts whose regular expression is found in
the variable's path."""

NO_DECAY_OF_NORMS_AND_BIASES: Factors = (("LayerNorm|layer_norm|bias", 0.0), ("", 1.0))
"""Which variables take weight decay, optimization.py create_optimizer."""
ALL_ALIKE: Factors = (("", 1.0),)


def checked_factors(factors: Factors, name: str) -> tuple[tuple[str, float], ...]:
    """Rules as tuples, also where they come from JSON.

    Args:
        factors: the rules.
        name: of the argument, for messages.

    Raises:
        ValueError: they are not pairs of a regular expression and a number of at least 0.
    """
    for rule in factors:
        try:
            pattern, factor = rule
            re.compile(pattern)
            is_valid = 0 <= float(factor) < float("inf")
        except (TypeError, ValueError, re.error):
            is_valid = False
        if not is_valid:
            raise ValueError(
                f"{name} is expected to have pairs of a regular expression and a finite number of "
                f"at least 0, but has {rule!r}."
            )
    return tuple((pattern, float(factor)) for pattern, factor in factors)


def factor_of(path: str, factors: Factors, name: str) -> float:
    """The factor that rules give the variable at `path`.

    Raises:
        ValueError: none of them fits.
    """
    for pattern, factor in factors:
        if re.search(pattern, path):
            return factor
    patterns = ", ".join(repr(pattern) for pattern, _ in factors)
    raise ValueError(
        f"{name} is expected to have a rule for every variable, but none of {patterns} fits {path}."
    )


class Rule(NamedTuple):
    """How one variable is updated."""

    path: str
    weight_decay: float
    learning_rate_multiplier: float


class UpdateScalars(NamedTuple):
    """Scalars that updates of many variables share.

    If each of hundreds of variables had its own, they would take seconds to trace.
    """

    rate: tf.Tensor
    """The learning rate."""
    zero: tf.Tensor
    beta_1: tf.Tensor
    beta_2: tf.Tensor
    epsilon: tf.Tensor
    """Adam's, for a second moment that is not corrected."""
    correction_1: tf.Tensor
    """What the first moment is to be divided by."""
    correction_2: tf.Tensor
    """What the root of the second moment is to be divided by."""


def sum_and_clip(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices], clip_norm: float | None
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Sum gradients over replicas, then scale them so that their global norm is at most a bound.

    Sums come first, so that the step does not depend on the number of replicas; sparse gradients
    are made dense first, because the norm of slices ignores repeated ids.

    Args:
        gradients: one per variable, of this replica.
        clip_norm: the bound; None for no clipping.

    Returns:
        The gradients, and their global norm before clipping, float32 [].
    """
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    norm = _global_norm(gradients)
    if clip_norm is not None:
        gradients, _ = tf.clip_by_global_norm(gradients, clip_norm, use_norm=norm)
    return list(gradients), norm


def apply(
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor],
    variables: Sequence[keras.Variable],
) -> tf.Tensor:
    """Update variables; returns the norm of the gradients, summed over replicas, float32 [].

    An `ElectraAdam` has computed the norm for its clipping. The optimizers of Keras return
    nothing; they sum over replicas themselves and undo a scale of the loss that is their own.
    """
    norm = optimizer.apply(gradients, variables)
    if norm is None:
        _, norm = sum_and_clip(gradients, None)
        norm /= optimizer.scale_loss(tf.ones([]))
    return norm


def _global_norm(gradients: Sequence[tf.Tensor]) -> tf.Tensor:
    """Norm of all elements, float32 []; the many short vectors cost as little as one."""
    parts = [gradient for gradient in gradients if len(gradient.shape) > 1]
    vectors = [tf.reshape(gradient, [-1]) for gradient in gradients if len(gradient.shape) <= 1]
    if vectors:
        parts.append(tf.concat(vectors, axis=0))
    return tf.linalg.global_norm(parts)


@keras.saving.register_keras_serializable("electra_tf")
class ElectraAdam(OptimizerOfSums):
    """Adam with decoupled weight decay by path, and no bias correction unless asked for.

    Gradients handed to `apply` are summed over replicas and clipped by their global norm there,
    in this order; `apply` returns the norm before clipping.

    Args:
        learning_rate: float, or a schedule; the n-th update takes schedule(n), n from 1.
        weight_decay: rate of decay, multiplied by the learning rate as in the original.
        beta_1: Adam's, as the next two; the defaults are ELECTRA's.
        beta_2: of the squares of gradients.
        epsilon: added to the root of their average.
        bias_correction: divide the moments by 1 - beta^t, as Adam's paper does.
        clip_norm: bound of the global gradient norm; None for no clipping.
        weight_decay_factors: rules that give each variable a factor of `weight_decay`.
        learning_rate_factors: rules that give each variable a factor of the learning rate.
        name: of the optimizer.

    Raises:
        ValueError: a number is out of range; rules are none; or, once the variables are known, no
            rule fits one of them.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 5e-4,
        weight_decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        bias_correction: bool = False,
        clip_norm: float | None = 1.0,
        weight_decay_factors: Factors = NO_DECAY_OF_NORMS_AND_BIASES,
        learning_rate_factors: Factors = ALL_ALIKE,
        name: str = "electra_adam",
    ):
        is_schedule = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
        for argument, value, lowest, below in (
            ("learning_rate", 0 if is_schedule else learning_rate, 0, math.inf),
            ("weight_decay", weight_decay, 0, math.inf),
            ("beta_1", beta_1, 0, 1),
            ("beta_2", beta_2, 0, 1),
            ("epsilon", epsilon, 0, math.inf),
            ("clip_norm", 1 if clip_norm is None else clip_norm, 0, math.inf),
        ):
            is_number = isinstance(value, int | float | np.floating) and lowest <= value < below
            check(is_number, argument, f"a number of at least {lowest} and below {below}", value)
        super().__init__(learning_rate=learning_rate, name=name)
        self.decay_rate = weight_decay
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.bias_correction = bias_correction
        self.clip_norm = clip_norm
        self.weight_decay_factors = checked_factors(weight_decay_factors, "weight_decay_factors")
        self.learning_rate_factors = checked_factors(learning_rate_factors, "learning_rate_factors")

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.rules = [
            Rule(
                variable.path,
                self.decay_rate
                * factor_of(variable.path, self.weight_decay_factors, "weight_decay_factors"),
                factor_of(variable.path, self.learning_rate_factors, "learning_rate_factors"),
            )
            for variable in variables
        ]
        self.momentums, self.velocities = self.add_optimizer_variables(
            variables, ["adam_m", "adam_v"]
        )

    def slots(self) -> dict[str, keras.Variable]:
        """The moments by the names the original gives them: `<path>/adam_m`, `<path>/adam_v`."""
        named = {}
        for rule, momentum, velocity in zip(
            self.rules, self.momentums, self.velocities, strict=True
        ):
            named[f"{rule.path}/adam_m"] = momentum
            named[f"{rule.path}/adam_v"] = velocity
        return named

    def apply(
        self,
        grads: Sequence[tf.Tensor | tf.IndexedSlices],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> tf.Tensor:
        gradients, norm = sum_and_clip(grads, self.clip_norm)
        super().apply(gradients, trainable_variables)
        return norm

    def scalars_of(
        self, variables: Sequence[tf.Variable], indices: Sequence[int], learning_rate: tf.Tensor
    ) -> list[UpdateScalars]:
        scalars = functools.cache(functools.partial(self._scalars, learning_rate))
        multipliers = (self.rules[index].learning_rate_multiplier for index in indices)
        return [scalars(m, v.dtype) for m, v in zip(multipliers, variables, strict=True)]

    def _scalars(self, learning_rate: tf.Tensor, multiplier: float, dtype: tf.DType):
        rate, one = tf.cast(learning_rate, dtype), tf.ones([], dtype)
        if multiplier != 1:
            rate *= multiplier
        betas = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        corrections = one, one
        if self.bias_correction:
            step = tf.cast(self.iterations + 1, dtype)
            corrections = one - tf.pow(betas[0], step), tf.sqrt(one - tf.pow(betas[1], step))
        epsilon = self.epsilon * corrections[1]
        return UpdateScalars(rate, tf.zeros([], dtype), *betas, epsilon, *corrections)

    def update_variables(
        self,
        strategy: tf.distribute.Strategy,
        gradients: Sequence[tf.Tensor],
        variables: Sequence[tf.Variable],
        indices: Sequence[int],
        scalars: Sequence[UpdateScalars],
    ) -> None:
        for gradient, variable, index, own in zip(
            gradients, variables, indices, scalars, strict=True
        ):
            moments = self.momentums[index].value, self.velocities[index].value
            strategy.extended.update(
                variable,
                functools.partial(self._update_variable, self.rules[index]),
                args=(gradient, *moments, own),
                group=False,
            )

    def _update_variable(
        self,
        rule: Rule,
        variable: tf.Variable,
        gradient: tf.Tensor,
        momentum: tf.Variable,
        velocity: tf.Variable,
        scalars: UpdateScalars,
    ):
        rate = scalars.rate
        if rule.weight_decay:
            variable.assign_sub(rate * rule.weight_decay * variable)
        if self.bias_correction:
            rate = rate * scalars.correction_2 / scalars.correction_1
        # One kernel instead of a dozen. It computes lr * m / (sqrt(v) + epsilon); beta powers of 0
        # turn its own bias correction off, which places epsilon elsewhere.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=scalars.zero,
            beta2_power=scalars.zero,
            lr=rate,
            beta1=scalars.beta_1,
            beta2=scalars.beta_2,
            epsilon=scalars.epsilon,
            grad=tf.cast(gradient, variable.dtype),
        )

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        base = super().get_config()
        return {
            "name": base["name"],
            "learning_rate": base["learning_rate"],
            "weight_decay": self.decay_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "bias_correction": self.bias_correction,
            "clip_norm": self.clip_norm,
            "weight_decay_factors": self.weight_decay_factors,
            "learning_rate_factors": self.learning_rate_factors,
        }


@keras.saving.register_keras_serializable("electra_tf")
class ElectraLamb(ElectraAdam):
    """LAMB, for large batches (You et al., ICLR 2020, algorithm 2).

    Adam's update with the norm of the variable it is for: a variable w with moments m and v takes
    the step
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
        scalars: UpdateScalars,
    ):
        gradient = tf.cast(gradient, variable.dtype)
        rate = scalars.rate
        momentum.assign(self.beta_1 * momentum + (1.0 - self.beta_1) * gradient)
        velocity.assign(self.beta_2 * velocity + (1.0 - self.beta_2) * tf.square(gradient))
        update = momentum / scalars.correction_1
        update /= tf.sqrt(velocity) / scalars.correction_2 + self.epsilon
        if rule.weight_decay:
            update += rule.weight_decay * variable
            weight_norm, update_norm = tf.norm(variable), tf.norm(update)
            has_norms = (weight_norm > 0) & (update_norm > 0)
            rate *= tf.where(has_norms, tf.math.divide_no_nan(weight_norm, update_norm), 1.0)
        variable.assign_sub(rate * update)


@keras.saving.register_keras_serializable("electra_tf")
class ElectraStableAdamW(ElectraAdam):
    """AdamW with update clipping, as Adafactor has it (Wortsman et al., 2023, algorithm 2).

    Where squared gradients g^2 of a variable are larger than their average v says, its step, weight
    decay included, takes a lower rate:
        rate / max(1, rms), rms = sqrt(mean(g^2 / max(v / (1 - beta_2^t), epsilon^2))).
    Here v is always corrected for its start at 0; without that, every gradient at the start of a
    run would count as too large. Everything else is `ElectraAdam`'s, its option of bias correction
    included, which the paper has on.
    """

    def _update_variable(
        self,
        rule: Rule,
        variable: tf.Variable,
        gradient: tf.Tensor,
        momentum: tf.Variable,
        velocity: tf.Variable,
        scalars: UpdateScalars,
    ):
        gradient = tf.cast(gradient, variable.dtype)
        squares = tf.square(gradient)
        step = tf.cast(self.iterations + 1, variable.dtype)
        expected = self.beta_2 * velocity + (1.0 - self.beta_2) * squares
        expected /= 1.0 - tf.pow(tf.cast(self.beta_2, variable.dtype), step)
        ratio = tf.math.divide_no_nan(squares, tf.maximum(expected, self.epsilon**2))
        rms = tf.sqrt(tf.reduce_mean(ratio))
        scalars = scalars._replace(rate=scalars.rate / tf.maximum(1.0, rms))
        super()._update_variable(rule, variable, gradient, momentum, velocity, scalars)
