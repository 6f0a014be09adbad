# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which variables of a run are in its checkpoints, and loading them."""

import tensorflow as tf

from electra_tf.training.checkpoint import (
    GLOBAL_STEP,
    STATE,
    LoadReport,
    load_variables,
    read_step,
)

NOT_MODEL = f"^({GLOBAL_STEP}|{STATE}|generator_predictions/temperature(/adam_[mv])?)$"
"""The original's published checkpoints hold a temperature that its code does not have."""
NOT_WEIGHTS = f"/adam_[mv]$|{NOT_MODEL}"


def weights_by_name(model) -> dict[str, tf.Variable]:
    """Weights of a model by the original's names."""
    return {variable.path: variable.value for variable in model.trainable_variables}


def training_variables(model) -> dict[str, tf.Variable]:
    """Weights and Adam's moments of a compiled model by the original's names."""
    model.optimizer.build(model.trainable_variables)
    moments = model.optimizer.slots()
    return {
        **weights_by_name(model),
        **{name: variable.value for name, variable in moments.items()},
    }


def load_weights(prefix: str, model, excused: str | None = None) -> LoadReport:
    """Load weights only; see `load_variables`."""
    return load_variables(prefix, weights_by_name(model), excused, ignored=NOT_WEIGHTS)


def restore_training(prefix: str, model) -> LoadReport:
    """Load weights, moments and step into a compiled model, to go on where it stopped.

    A checkpoint without any moments (weights published alone) leaves them at zero.
    """
    names = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    if any(name.endswith("/adam_m") for name in names):
        report = load_variables(prefix, training_variables(model), ignored=NOT_MODEL)
    else:
        report = load_weights(prefix, model)
    model.optimizer.iterations.assign(read_step(prefix))
    return report
