# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Generators: models that propose tokens for masked positions."""

import keras
import tensorflow as tf

from electra_tf.model import Encoder, TokenPredictionHead
from electra_tf.model.random_numbers import split_seed
from electra_tf.pretraining.scatter import gather_positions, neighbours


class MaskedLanguageModel(keras.Model):
    """An encoder and a vocabulary head over its embeddings.

    Call: a masked batch -> `mlm_logits` float32 [B, N, V]; positions are gathered before the
    projection to the vocabulary.
    """

    def __init__(self, encoder: Encoder, head: TokenPredictionHead, name: str = "generator"):
        super().__init__(name=name)
        self.encoder = encoder
        self.head = head
        self.built = True

    def call(
        self, batch: dict[str, tf.Tensor], seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        inputs = {**batch, "input_ids": batch["masked_input_ids"]}
        hidden = self.encoder(inputs, seed=seed).last_hidden_state
        hidden = gather_positions(hidden, batch["masked_positions"])
        return {"mlm_logits": self.head(hidden, self.encoder.embeddings.word_embeddings)}


class TwoTowerClozeModel(keras.Model):
    """Electric's generator: two causal encoders that read the unmasked text from either side.

    What it says of a position comes from the tokens before it (left-to-right tower, shifted by
    one) and after it (right-to-left tower), so all positions are predicted in one pass.

    Call: a masked batch -> `cloze_logits` float32 [B, L, V], `mlm_logits` float32 [B, N, V].
    """

    def __init__(self, left_to_right: Encoder, right_to_left: Encoder, head: TokenPredictionHead):
        super().__init__(name="generator")
        self.left_to_right = left_to_right
        self.right_to_left = right_to_left
        self.head = head
        self.built = True

    def call(
        self, batch: dict[str, tf.Tensor], seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        if "sequence_ids" in batch:
            raise ValueError(
                "packed records (sequence_ids) cannot be used with a two-tower generator: a token "
                "at the edge of its example would be guessed from the next example."
            )
        seeds = (None, None)
        if seed is not None:
            seeds = split_seed(seed, 2)
        before = self.left_to_right(batch, seed=seeds[0]).last_hidden_state
        after = self.right_to_left(batch, seed=seeds[1]).last_hidden_state
        logits = self.head(neighbours(before, after), self.left_to_right.embeddings.word_embeddings)
        return {
            "cloze_logits": logits,
            "mlm_logits": gather_positions(logits, batch["masked_positions"]),
        }


class UniformGenerator(keras.Model):
    """Proposes every token with the same probability; has no weights."""

    def __init__(self, vocab_size: int):
        super().__init__(name="generator")
        self.vocab_size = vocab_size
        self.built = True

    def call(
        self, batch: dict[str, tf.Tensor], seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        shape = tf.concat([tf.shape(batch["masked_positions"]), [self.vocab_size]], axis=0)
        return {"mlm_logits": tf.zeros(shape)}
