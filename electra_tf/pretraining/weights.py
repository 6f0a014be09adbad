# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which variables of a pre-training run are in its checkpoints, and loading them."""

import tensorflow as tf

from electra_tf.training.checkpoint import (
    GLOBAL_STEP,
    STATE,
    LoadReport,
    load_variables,
    read_step,
)

NOT_MODEL = f"^({GLOBAL_STEP}|{STATE})$"
NOT_WEIGHTS = f"/adam_[mv]$|{NOT_MODEL}"


def weights_by_name(pretrainer) -> dict[str, tf.Variable]:
    """Weights of generator and discriminator by the original's names."""
    return {variable.path: variable.value for variable in pretrainer.trainable_variables}


def training_variables(pretrainer) -> dict[str, tf.Variable]:
    """Weights and Adam's moments of a compiled pretrainer by the original's names."""
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    moments = pretrainer.optimizer.slots()
    return {
        **weights_by_name(pretrainer),
        **{name: variable.value for name, variable in moments.items()},
    }


def load_weights(prefix: str, pretrainer, excused: str | None = None) -> LoadReport:
    """Load weights only; see `load_variables`."""
    return load_variables(prefix, weights_by_name(pretrainer), excused, ignored=NOT_WEIGHTS)


def restore_training(prefix: str, pretrainer) -> LoadReport:
    """Load weights, moments and step into a compiled pretrainer, to go on where it stopped.

    A checkpoint without any moments (weights published alone) leaves them at zero.
    """
    names = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    if any(name.endswith("/adam_m") for name in names):
        report = load_variables(prefix, training_variables(pretrainer), ignored=NOT_MODEL)
    else:
        report = load_weights(prefix, pretrainer)
    pretrainer.optimizer.iterations.assign(read_step(prefix))
    return report
