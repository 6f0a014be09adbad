# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fine-tuning: tasks and their features, heads, runs of several trials, predictions."""

from electra_tf.finetuning.model import FinetuningModel

__all__ = ["FinetuningModel"]
