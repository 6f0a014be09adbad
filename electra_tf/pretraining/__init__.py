# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-training: masking, corruption, the model pair, its step, the run."""

from electra_tf.pretraining.pretrainer import ElectraPretrainer

__all__ = ["ElectraPretrainer"]
