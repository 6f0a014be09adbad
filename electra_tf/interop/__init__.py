# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Foreign weights: the original's checkpoints, Hugging Face folders."""

from electra_tf.interop.exchange import load_huggingface, save_huggingface
from electra_tf.interop.reference import load_reference_checkpoint
from electra_tf.interop.starting_point import find_starting_point

__all__ = [
    "find_starting_point",
    "load_huggingface",
    "load_reference_checkpoint",
    "save_huggingface",
]
