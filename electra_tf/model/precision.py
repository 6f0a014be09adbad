# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The precision that layers compute in; their weights are float32 whatever it is."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf


@contextlib.contextmanager
def precision_scope(precision: str) -> Iterator[None]:
    """Layers built inside compute in "float32", "bfloat16" or "float16".

    For float32, products of the whole process are: TensorFlow would round their factors to ten bits
    on newer GPUs (TF32).
    """
    if precision == "float32":
        tf.config.experimental.enable_tensor_float_32_execution(False)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(
        precision if precision == "float32" else f"mixed_{precision}",
    )
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
