# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What signatures share: their inputs, which are checked, and features as their outputs."""

import inspect
from collections.abc import Callable

import keras
import tensorflow as tf

STRINGS = tf.TensorSpec([None], tf.string)
LAYER = tf.TensorSpec([None], tf.int32)
THRESHOLD = tf.TensorSpec([None], tf.float32)
IDS = {
    name: tf.TensorSpec([None, None], tf.int32)
    for name in ("input_ids", "input_mask", "segment_ids")
}


def signature(
    function: Callable[..., dict[str, tf.Tensor]], **inputs: tf.TensorSpec
) -> tf.types.experimental.PolymorphicFunction:
    """A function that can be saved as a signature with named inputs, all of one shape.

    Inputs of another rank, of several shapes and of no rows are errors when it runs.
    """
    specs = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in inputs.items()}
    names = list(specs)

    def call(*values: tf.Tensor) -> dict[str, tf.Tensor]:
        return function(**_checked(dict(zip(names, values, strict=True))))

    # A signature's inputs are named by the parameters of its function.
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    call.__signature__ = inspect.Signature(parameters)
    return tf.function(call, input_signature=list(specs.values()), autograph=False)


def _checked(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """`inputs`, of their ranks, one shape and at least one row; others are an error at run time."""
    inputs = _after(inputs, [_rank_check(name, values) for name, values in inputs.items()])
    shapes = tf.stack([tf.shape(values) for values in inputs.values()])
    names = ", ".join(inputs)
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(shapes == shapes[0]),
            [f"{names} are expected to have one shape, but have", shapes],
            summarize=8,
        ),
        tf.debugging.Assert(
            tf.reduce_all(shapes[:, 0] > 0), [f"{names}: expected one row at least, but got none"]
        ),
    ]
    return _after(inputs, checks)


def _rank_check(name: str, values: tf.Tensor) -> tf.Operation:
    """Asserts that an input has the rank of its specification.

    A loaded signature takes every rank, and operations that trust the specification would then read
    a part of the values. Optimizers trust it too, and replace `tf.rank` by what it says; the shape
    written out they leave.
    """
    expected, pattern = {
        1: ("[rows]", r"\[\d+\]"),
        2: ("[rows, tokens]", r"\[\d+ \d+\]"),
    }[values.shape.rank]
    shape = tf.shape(values)
    has_rank = tf.strings.regex_full_match(tf.strings.format("{}", [shape]), pattern)
    message = f"{name} is expected to have the shape {expected}, but has the shape"
    return tf.debugging.Assert(has_rank, [message, shape], summarize=8)


def _after(inputs: dict[str, tf.Tensor], checks: list[tf.Operation]) -> dict[str, tf.Tensor]:
    with tf.control_dependencies(checks):
        return {name: tf.identity(values) for name, values in inputs.items()}


def checked_ids(batch: dict[str, tf.Tensor], max_length: int) -> dict[str, tf.Tensor]:
    """`batch`, of rows of `max_length` tokens at most; longer ones are an error when it runs."""
    length = tf.shape(batch["input_ids"])[1]
    fits = tf.debugging.Assert(
        length <= max_length,
        [f"input_ids is expected to have at most {max_length} tokens in a row, but has", length],
    )
    return _after(batch, [fits])


def plain_variables(layer: keras.layers.Layer) -> list[tf.Variable]:
    """The variables inside of a Keras layer's, to be saved beside it.

    Those of Keras alone are restored by `tf.saved_model.load`, but not by the loader of sessions
    (`saved_model_cli`, TensorFlow Serving).
    """
    return [variable.value for variable in layer.variables]


def pooled(hidden: tf.Tensor, input_mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """`token_features` float32 [B, L, H], 0 at padding; `first_token`, `mean` [B, H].

    The mean is over all that is not padding, `[CLS]` and `[SEP]` included, so that an empty text
    has one too.
    """
    hidden = tf.cast(hidden, tf.float32)
    # Not `[:, :, None]`: LiteRT has no strided slices that add an axis.
    weights = tf.expand_dims(tf.cast(input_mask, tf.float32), -1)
    hidden *= weights
    count = tf.maximum(tf.reduce_sum(weights, axis=1), 1.0)
    return {
        "token_features": hidden,
        "first_token": hidden[:, 0],
        "mean": tf.reduce_sum(hidden, axis=1) / count,
    }


def chosen_layer(states: list[tf.Tensor], layer: tf.Tensor) -> tf.Tensor:
    """The states [B, L, H] of the layer that each row asks for.

    Args:
        states: n + 1 tensors [B, L, H], what the first layer reads and what each layer gives.
        layer: int32 [B], 0 .. n, or counted from the end, -1 for the last.
    """
    count = len(states)
    allowed = tf.debugging.Assert(
        tf.reduce_all((layer >= -count) & (layer < count)),
        [f"layer is expected to be in {-count}..{count - 1}, but is", layer],
        summarize=8,
    )
    with tf.control_dependencies([allowed]):
        layer = tf.where(layer < 0, layer + count, layer)[:, None, None]
    chosen = states[0]
    for number, state in enumerate(states[1:], start=1):
        chosen = tf.where(layer == number, state, chosen)
    return chosen
