# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which variables of a run are in its checkpoints, and loading them."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config.stored import Shapes, model_sizes
from electra_tf.training.checkpoints.checkpoint import (
    GLOBAL_STEP,
    STATE,
    LoadReport,
    load_variables,
    read_step,
)
from electra_tf.training.checkpoints.checkpoint_reader import (
    CheckpointReader,
    float32_of,
    refuse_far_larger,
    require_match,
    warn_of_rounding,
)

TEMPERATURE = "generator_predictions/temperature"
"""The original's published checkpoints hold it, but its code does not have it."""
NOT_MODEL = f"^({GLOBAL_STEP}|{STATE}|{TEMPERATURE}(/adam_[mv])?)$"
SUFFIX = "/ema"
"""Of the names of moving averages in checkpoints."""
TOKEN_TABLE = "electra/embeddings/word_embeddings"
FURTHER_STATE = f"{SUFFIX}$|^electra_tf/"
"""Of options that a run may take up or leave: moving averages, the loss scale."""
NOT_WEIGHTS = f"/adam_[mv]$|{NOT_MODEL}|{FURTHER_STATE}"


def weights_by_name(model: keras.Model) -> dict[str, tf.Variable]:
    """Weights of a model by the original's names, trained or not."""
    return {variable.path: variable.value for variable in model.weights}


def training_variables(model: keras.Model) -> dict[str, tf.Variable]:
    """Weights, moments and further state of a compiled model, by the original's names."""
    model.optimizer.build(model.trainable_variables)
    moments = model.optimizer.slots()
    return {
        **weights_by_name(model),
        **{name: variable.value for name, variable in moments.items()},
        **further_state(model),
    }


def further_state(model: keras.Model) -> dict[str, tf.Variable]:
    """What a model that trains has beside weights and moments; most have nothing."""
    return model.updates.state if hasattr(model, "updates") else {}


def load_weights(prefix: str, model: keras.Model, excused: str | None = None) -> LoadReport:
    """Load weights only, their moving averages where a checkpoint has them; see `load_variables`.

    Names in the report are those of the weights.
    """
    weights = weights_by_name(model)
    averaged = names_in(prefix) & {f"{name}{SUFFIX}" for name in weights}
    if not averaged:
        return load_variables(prefix, weights, excused, NOT_WEIGHTS, sizes_of_weights)
    variables = {
        f"{name}{SUFFIX}" if f"{name}{SUFFIX}" in averaged else name: variable
        for name, variable in weights.items()
    }
    replaced = "|".join(f"^{re.escape(name.removesuffix(SUFFIX))}$" for name in averaged)
    ignored = f"/adam_[mv]$|{NOT_MODEL}|^electra_tf/|{replaced}"
    report = load_variables(prefix, variables, excused, ignored, sizes_of_weights)
    return LoadReport(*(sorted(n.removesuffix(SUFFIX) for n in names) for names in report))


def assign_weights(
    weights: Mapping[str, np.ndarray],
    model: keras.Model,
    source: str,
    excused: str | None = None,
    what: str = "the model",
    place: str = "what was loaded",
) -> LoadReport:
    """Give a model weights by name, as `load_weights` does with those of a checkpoint.

    In messages the weights are those of `source`, which has them in `place`, and `what` is the
    model. Names may differ that `excused` matches, see `load_variables`.

    Raises:
        ValueError: what differs and is not excused.
    """
    variables = weights_by_name(model)
    let_off = require_match(
        {name: list(weight.shape) for name, weight in weights.items()},
        {name: variable.shape.as_list() for name, variable in variables.items()},
        place,
        f"{source} does not fit {what}",
        sizes_of_weights,
        excused,
    )
    loaded = sorted(set(variables) - let_off)
    for name in loaded:
        variables[name].assign(weights[name])
    return LoadReport(loaded, sorted(let_off))


def sizes_of_weights(shapes: Shapes) -> dict[str, Any]:
    """Hyperparameters that follow from variables, which averages may stand for."""
    return model_sizes({name.removesuffix(SUFFIX): shape for name, shape in shapes.items()})


def check_size(prefix: str, expected: Mapping[str, Any]) -> None:
    """Raise a ValueError if a model of these sizes (see `configured_sizes`) would be far larger."""
    shapes = CheckpointReader(prefix).shapes
    subject = f"{prefix} does not fit its configuration"
    refuse_far_larger(sizes_of_weights(shapes), expected, "the checkpoint", subject)


def fingerprint(weights: Mapping[str, np.ndarray]) -> str:
    """Hexadecimal SHA-256 of weights by name."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def usable_weights(prefix: str) -> dict[str, np.ndarray]:
    """The weights of a checkpoint as a model is to be used with them, by name.

    Moving averages stand for their weights. Disentangled token embeddings are folded into what
    the discriminator sees; the generator's are not among them then.

    Raises:
        DamagedCheckpointError: the checkpoint cannot be read.
        ValueError: a weight is stored as something else than floats.
    """
    reader = CheckpointReader(prefix)
    sources = {
        name: f"{name}{SUFFIX}" if f"{name}{SUFFIX}" in reader else name
        for name in reader.shapes
        if not re.search(NOT_WEIGHTS, name)
    }
    warn_of_rounding(
        [name for name, source in sources.items() if reader.dtypes[source] == tf.float64], prefix
    )
    weights = {name: float32_of(reader[source], source, prefix) for name, source in sources.items()}
    return with_folded_tokens(weights)


def with_folded_tokens(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights by name with disentangled token embeddings as the discriminator sees them."""
    folded = dict(weights)
    difference = folded.pop(f"{TOKEN_TABLE}_difference", None)
    if difference is not None:
        folded[TOKEN_TABLE] = folded[TOKEN_TABLE] + difference
    return folded


def restore_training(prefix: str, model: keras.Model) -> LoadReport:
    """Load weights, moments and step into a compiled model, to resume where it stopped.

    A checkpoint without any moments (weights published alone) leaves them at zero.
    """
    names, step = names_in(prefix), read_step(prefix)
    if any(name.endswith("/adam_m") for name in names):
        # Further state that only the checkpoint has is left, that only the model has is as new.
        variables = {
            name: variable
            for name, variable in training_variables(model).items()
            if name in names or name not in further_state(model)
        }
        left = names - set(variables)
        left = [re.escape(name) for name in left if re.search(FURTHER_STATE, name)]
        ignored = "|".join([NOT_MODEL, *(f"^{name}$" for name in left)])
        report = load_variables(prefix, variables, ignored=ignored, sizes=sizes_of_weights)
    else:
        report = load_weights(prefix, model)
    model.optimizer.iterations.assign(step)
    return report


def names_in(prefix: str) -> set[str]:
    """Of all variables of a checkpoint."""
    return set(CheckpointReader(prefix).shapes)


def moments_of(prefix: str, model: keras.Model) -> dict[str, np.ndarray]:
    """Adam's moments in a checkpoint by name; none, or those of every weight of its model.

    Moments belong to weights as they are trained; where averages stand for these, there are none.
    Nor are there any of a model with frozen weights, which have none.

    Raises:
        ValueError: some are missing, unexpected or of another shape; all of them are listed.
    """
    reader = CheckpointReader(prefix)
    found = {
        name: shape
        for name, shape in reader.shapes.items()
        if name.endswith(("/adam_m", "/adam_v")) and not name.startswith(TEMPERATURE)
    }
    is_frozen = any(not variable.trainable for variable in model.weights)
    if not found or is_frozen or _has_averages(reader):
        return {}
    expected = {
        f"{name}/adam_{kind}": variable.shape.as_list()
        for name, variable in weights_by_name(model).items()
        for kind in "mv"
    }
    subject = f"Adam's moments in {prefix} do not fit its weights"
    require_match(found, expected, "the checkpoint", subject)
    return {name: reader[name] for name in sorted(found)}


def state_left(prefix: str) -> tuple[str, ...]:
    """What a checkpoint of ours holds for continued training, and no format has a place for."""
    reader = CheckpointReader(prefix)
    left = [
        name for name in sorted(reader.shapes) if name.startswith("electra_tf/") and name != STATE
    ]
    weights = [name for name in reader.shapes if not re.search(NOT_WEIGHTS, name)]
    have_moments = [f"{name}/adam_m" in reader for name in weights]
    if _has_averages(reader):
        left.append("the weights that moving averages stand for, and their moments")
    elif any(have_moments) and not all(have_moments):
        left.append("Adam's moments of the weights that are not frozen")
    return tuple(left)


def _has_averages(reader: CheckpointReader) -> bool:
    return any(name.endswith(SUFFIX) for name in reader.shapes)
