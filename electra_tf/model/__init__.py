# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Layers, encoder and heads; independent of text, losses or optimizers."""

from electra_tf.model.encoder import Encoder
from electra_tf.model.heads import CopyHead, ReplacedTokenHead, TokenPredictionHead
from electra_tf.model.part import Initializers

__all__ = ["CopyHead", "Encoder", "Initializers", "ReplacedTokenHead", "TokenPredictionHead"]
