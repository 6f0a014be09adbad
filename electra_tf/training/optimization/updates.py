# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How gradients become updates of a model.

Batches in parts (gradient accumulation), loss scaling, the optimizer, moving averages.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.accelerators import is_compiled
from electra_tf.seeds import fold_in
from electra_tf.training.checkpoints.weights import SUFFIX, weights_by_name
from electra_tf.training.optimization.optimizer import apply


class Updates:
    """The updates of one model, made where its variables are (inside the strategy's scope).

    Args:
        model: compiled before the first update.
        precision: that it computes in; "float16" needs loss scaling, and one replica.
        ema_decay: of moving averages of the weights; 0 for none.

    Raises:
        ValueError: float16 on several replicas.
    """

    def __init__(self, model: keras.Model, precision: str, ema_decay: float = 0.0):
        self._model = model
        self.loss_scale = LossScale() if precision == "float16" else None
        self.averages = WeightAverages(weights_by_name(model), ema_decay) if ema_decay else None

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """What gradients are to be taken of."""
        if self._model.optimizer is not None:
            loss = self._model.optimizer.scale_loss(loss)
        return loss if self.loss_scale is None else loss * self.loss_scale.scale

    def apply(
        self, gradients: list[tf.Tensor], variables: Sequence[keras.Variable] | None = None
    ) -> tf.Tensor:
        """Update weights by dense gradients of the scaled loss; returns their norm.

        Args:
            gradients: of `variables`.
            variables: default: all that are trainable.
        """
        optimizer = self._model.optimizer
        if variables is None:
            variables = self._model.trainable_variables
        if self.loss_scale is not None:
            norm = self.loss_scale.apply(optimizer, gradients, variables)
        else:
            norm = apply(optimizer, gradients, variables)
        if self.averages is not None:
            self.averages.update()
        return norm

    @property
    def state(self) -> dict[str, tf.Variable]:
        """What a checkpoint has of it."""
        parts = [part for part in (self.loss_scale, self.averages) if part is not None]
        return {name: variable for part in parts for name, variable in part.state.items()}

    def begin_averages(self, loaded: Iterable[str] = ()) -> None:
        """Initialize averages with the current weights, unless they were loaded too."""
        if self.averages is not None and not set(self.averages.state) <= set(loaded):
            self.averages.reset()

    def evaluated_weights(self) -> contextlib.AbstractContextManager:
        """Inside, the model has the weights to evaluate with: averages, if there are any."""
        return self.averages.in_place_of_weights() if self.averages else contextlib.nullcontext()


def one_program(update: Callable, jit_compile: bool | None) -> Callable:
    """`update` compiled as a whole, as `compiled` says, where no strategy distributes it.

    Replicas sum their gradients inside of it, which XLA leaves to the strategy: there only what
    `update` has compiled itself is. A model has hundreds of weights, each with several small
    operations in an update, which cost more to start than to compute.
    """
    whole = compiled(update, jit_compile)

    def run(*arguments: Any):
        return (update if tf.distribute.has_strategy() else whole)(*arguments)

    return run


def compiled(function: Callable, jit_compile: bool | None) -> Callable:
    """`function` compiled by XLA if asked for; None: as is best on the devices."""
    if not is_compiled(jit_compile):
        return function
    return tf.function(function, jit_compile=True, autograph=False)


class WeightAverages:
    """Averages that follow the weights: average += (1 - decay) * (weight - average).

    Args:
        weights: by name.
        decay: in (0, 1); averages reach back about 1 / (1 - decay) updates.
    """

    def __init__(self, weights: Mapping[str, tf.Variable], decay: float):
        self.decay = decay
        self._weights = dict(weights)
        # Every replica computes the same value, so any of them will do.
        self._averages = {
            name: tf.Variable(
                weight,
                trainable=False,
                name=f"{name}{SUFFIX}",
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for name, weight in self._weights.items()
        }

    @property
    def state(self) -> dict[str, tf.Variable]:
        """What a checkpoint has of it."""
        return {f"{name}{SUFFIX}": average for name, average in self._averages.items()}

    def update(self) -> None:
        """Follow the weights, after an update of theirs."""
        for name, average in self._averages.items():
            average.assign_add((1.0 - self.decay) * (self._weights[name] - average))

    def reset(self) -> None:
        """Begin anew from the weights as they are."""
        for name, average in self._averages.items():
            average.assign(self._weights[name])

    @contextlib.contextmanager
    def in_place_of_weights(self) -> Iterator[None]:
        """The model computes with the averages inside."""
        kept = {name: tf.identity(weight) for name, weight in self._weights.items()}
        for name, weight in self._weights.items():
            weight.assign(tf.identity(self._averages[name]))
        try:
            yield
        finally:
            for name, weight in self._weights.items():
                weight.assign(kept[name])


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
    rate and data continue together. For one replica: each would need the others'
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


def rows_of_part(rows: int, num_parts: int) -> int:
    """Rows of each part of a replica's batch.

    Raises:
        ValueError: they cannot be divided evenly.
    """
    if rows % num_parts:
        raise ValueError(
            f"gradient_accumulation_steps is expected to be a divisor of the {rows} sequences of "
            f"a replica's batch, but is {num_parts}."
        )
    return rows // num_parts


def sum_over_parts(
    compute: Callable, batch: dict[str, tf.Tensor], seed: tf.Tensor, num_parts: int
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Sum the losses and gradients of the parts of a batch.

    Args:
        compute: (part of the batch, its seed int32 [2]) -> loss float32 [], list of gradients.
        batch: tensors with the same first dimension B.
        seed: int32 [2], of the whole batch; a batch in one part keeps it.
        num_parts: how many; divides B.

    Returns:
        What `compute` returns, summed.

    Raises:
        ValueError: the rows cannot be divided evenly.
    """
    if num_parts == 1:
        return compute(batch, seed)
    size = rows_of_part(next(iter(batch.values())).shape[0], num_parts)

    def part(number: tf.Tensor):
        own = {
            name: tf.slice(
                tensor,
                [number * size, *([0] * (tensor.shape.rank - 1))],
                [size, *tensor.shape[1:]],
            )
            for name, tensor in batch.items()
        }
        return compute(own, fold_in(seed, number))

    def add_part(number: tf.Tensor, loss: tf.Tensor, gradients: list[tf.Tensor]):
        part_loss, part_gradients = part(number)
        sums = [total + more for total, more in zip(gradients, part_gradients, strict=True)]
        return number + 1, loss + part_loss, sums

    _, loss, gradients = tf.while_loop(
        lambda number, *_: number < num_parts,
        add_part,
        (tf.constant(1), *part(tf.constant(0))),
        parallel_iterations=1,
    )
    return loss, gradients
