# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints of the original TF1 release (google-research/electra)."""

from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.training.checkpoint import LoadReport, resolve_prefix
from electra_tf.training.weights import load_weights, restore_training


def load_reference_checkpoint(path: str, model: ElectraPretrainer) -> LoadReport:
    """Load weights, and into a compiled model also Adam's moments and the global step.

    Our variables have the original's names (see `training.checkpoint`), so nothing is converted.

    Args:
        path: a checkpoint of the original, or the folder it is in.
        model: of the same shape and objective.

    Returns:
        The names that were loaded.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: names or shapes differ; all of them are listed.
    """
    prefix = resolve_prefix(path)
    compiled = getattr(model, "optimizer", None) is not None
    return restore_training(prefix, model) if compiled else load_weights(prefix, model)
