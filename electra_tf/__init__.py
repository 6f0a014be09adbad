# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA in TensorFlow 2 and Keras 3: pre-training text encoders as discriminators."""

import importlib

__version__ = "0.1.0"


def __getattr__(name: str):
    """`electra_tf.load`, imported when it is asked for: the package itself imports nothing."""
    if name == "load":
        return importlib.import_module("electra_tf.loading").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
