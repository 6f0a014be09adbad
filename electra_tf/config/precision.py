# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Precisions that a model can compute in."""

from electra_tf.config.checks import check

PRECISIONS = ("float32", "bfloat16", "float16")
"""Of activations and matrix products. Weights, moments, losses, softmax, sampling and the
statistics of normalization are float32 in any case."""


def check_precision(precision: str | None) -> None:
    """Raise a ValueError unless this is a precision, or None for the device's own."""
    check(precision in (None, *PRECISIONS), "precision", f"null or one of {PRECISIONS}", precision)
