# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""That all workers do the same run in the same way."""

from typing import Any

import keras
import tensorflow as tf
from absl import logging

from electra_tf.config.paths import without_paths
from electra_tf.training.checkpoints.weights import fingerprint, weights_by_name
from electra_tf.training.distribution.devices import arithmetic
from electra_tf.training.distribution.workers import Workers


def check_same_run(workers: Workers, config: Any) -> None:
    """Raise a ValueError unless hyperparameters and arithmetic are the same on all workers.

    Args:
        workers: all of them call this together.
        config: of a run, with `precision` and `jit_compile`.
    """
    workers.check_same("the hyperparameters", without_paths(config.to_dict()))
    computing = arithmetic(config.precision, config.jit_compile)
    workers.check_same("what the devices compute in", {"arithmetic": computing})
    logging.info("Computing in %s.", computing)


def check_same_weights(workers: Workers, what: str, model: keras.Model) -> None:
    """Raise a ValueError unless the model has the same weights on all workers.

    Args:
        workers: all of them call this together.
        what: the weights are those of, for the message.
    """
    if workers.count == 1:
        return
    weights = weights_by_name(model)
    found = fingerprint({n: tf.convert_to_tensor(w).numpy() for n, w in weights.items()})
    workers.check_same(f"{what}, from a folder that all hosts share", {"weights": found})
