# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The discriminator: tells replaced tokens from original ones."""

import keras
import tensorflow as tf

from electra_tf.model import Encoder, ReplacedTokenHead


class Discriminator(keras.Model):
    """An encoder and one logit per position.

    Call: {input_ids, input_mask, segment_ids [B, L]} -> `rtd_logits` float32 [B, L],
    `discriminator_hidden` [B, L, H].
    """

    def __init__(self, encoder: Encoder, head: ReplacedTokenHead, name: str = "discriminator"):
        super().__init__(name=name)
        self.encoder = encoder
        self.head = head
        self.built = True

    def call(
        self, inputs: dict[str, tf.Tensor], seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        hidden = self.encoder(inputs, seed=seed).last_hidden_state
        return {"rtd_logits": self.head(hidden), "discriminator_hidden": hidden}
