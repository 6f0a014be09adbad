# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Models on disk: opened from any format, written in any."""

from electra_tf.interop.conversion import convert, save_huggingface
from electra_tf.interop.opening import find_starting_point, load_huggingface, open_model
from electra_tf.interop.reference import load_reference_checkpoint
from electra_tf.interop.stored_model import StoredModel

__all__ = [
    "StoredModel",
    "convert",
    "find_starting_point",
    "load_huggingface",
    "load_reference_checkpoint",
    "open_model",
    "save_huggingface",
]
