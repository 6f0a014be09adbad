# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Foreign weights: the original's checkpoints."""

from electra_tf.interop.reference import load_reference_checkpoint

__all__ = ["load_reference_checkpoint"]
