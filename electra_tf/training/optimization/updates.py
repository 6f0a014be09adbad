# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How gradients become updates of a model: loss scaling, the optimizer, moving averages."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from electra_tf.training.checkpoints.weights import weights_by_name
from electra_tf.training.distribution.devices import is_compiled
from electra_tf.training.optimization.averages import WeightAverages
from electra_tf.training.optimization.loss_scale import LossScale
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

    def apply(self, gradients: list[tf.Tensor]) -> tf.Tensor:
        """Update the weights by dense gradients of the scaled loss; returns their norm."""
        optimizer, variables = self._model.optimizer, self._model.trainable_variables
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
        """Let averages begin with the weights as they are, unless they were loaded too."""
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
    return tf.function(function, jit_compile=True) if is_compiled(jit_compile) else function
