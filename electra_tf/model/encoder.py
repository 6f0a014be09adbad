# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The encoder: embeddings, their projection, and a stack of Transformer layers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model.layers import MASKED_SCORE, Embeddings, Initializers, TransformerLayer
from electra_tf.model.random_numbers import split_seed

DIRECTIONS = ("both", "left_to_right", "right_to_left")


class EncoderOutput(NamedTuple):
    """What the encoder computes for a batch."""

    last_hidden_state: tf.Tensor
    """[B, L, H]."""
    layer_outputs: list[tf.Tensor]
    """[B, L, H] of each layer, the first one's first."""


class LayerStack(keras.layers.Layer):
    """Transformer layers one after the other, `layer_0` to `layer_{n-1}`.

    Args:
        recompute: keep only the layers' inputs for the backward pass, and compute the rest again.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers,
        recompute: bool = False,
        **kwargs: Any,
    ):
        super().__init__(name="encoder", **kwargs)
        self.recompute = recompute
        self.blocks = [
            TransformerLayer(config, initializers, name=f"layer_{i}")
            for i in range(config.num_hidden_layers)
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for block in self.blocks:
            block.build(input_shape)
        self.built = True

    def call(
        self, hidden: tf.Tensor, mask_scores: tf.Tensor, seeds: Sequence[tf.Tensor | None]
    ) -> list[tf.Tensor]:
        outputs = []
        for i, block in enumerate(self.blocks):
            first = i * TransformerLayer.SEEDS
            block_seeds = seeds[first : first + TransformerLayer.SEEDS]
            if self.recompute:
                block = _recomputed(block, block_seeds)
                hidden = block(hidden, mask_scores)
            else:
                hidden = block(hidden, mask_scores, seeds=block_seeds)
            outputs.append(hidden)
        return outputs


def _recomputed(
    block: TransformerLayer, seeds: Sequence[tf.Tensor | None]
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """`block` with a backward pass that calls it again; the same seeds drop the same elements."""
    if seeds[0] is None:
        return tf.recompute_grad(lambda hidden, mask_scores: block(hidden, mask_scores))

    # Arguments are tied to the backward pass. What is not, masks of dropout, would be the same
    # operations there as before, which compilers compute once and keep. They are to be of floating
    # point, so seeds pass as two halves that float32 holds exactly.
    def call(
        hidden: tf.Tensor, mask_scores: tf.Tensor, low: tf.Tensor, high: tf.Tensor
    ) -> tf.Tensor:
        both = tf.bitwise.left_shift(tf.cast(high, tf.int32), 16) + tf.cast(low, tf.int32)
        return block(hidden, mask_scores, seeds=tf.unstack(both))

    stacked = tf.stack(seeds)
    low = tf.cast(tf.bitwise.bitwise_and(stacked, 0xFFFF), tf.float32)
    high = tf.cast(tf.bitwise.right_shift(stacked, 16), tf.float32)
    recomputed = tf.recompute_grad(call)
    return lambda hidden, mask_scores: recomputed(hidden, mask_scores, low, high)


class Encoder(keras.layers.Layer):
    """Token ids to hidden states; built on construction.

    Args:
        config: its shape.
        initializers: initial weights.
        embeddings: the embeddings of another encoder, to share them.
        direction: which positions a position attends to: "both" sides, or only itself and those
            before it ("left_to_right") or after it ("right_to_left").
        disentangled: build own embeddings with a difference, and see them with it, see
            `Embeddings`; encoders that share them do not.
        recompute: see `LayerStack`.
        name: first part of the names of its variables ("electra", "generator").

    Call: inputs {input_ids, input_mask, segment_ids [B, L]}, and for packed sequences
        position_ids (restarting at 0) and sequence_ids (attention stays inside one id); seed
        int32 [2] turns dropout on -> EncoderOutput.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers,
        embeddings: Embeddings | None = None,
        direction: str = "both",
        disentangled: bool = False,
        recompute: bool = False,
        name: str = "electra",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if direction not in DIRECTIONS:
            raise ValueError(f"direction is expected to be one of {DIRECTIONS}, not {direction!r}.")
        # ---- Layers
        self.config = config
        self.direction = direction
        self.disentangled = disentangled
        self.embeddings = embeddings or Embeddings(config, initializers, disentangled)
        self.embeddings_project = None
        if config.embedding_size != config.hidden_size:
            self.embeddings_project = keras.layers.Dense(
                config.hidden_size,
                kernel_initializer=initializers.glorot,
                name="embeddings_project",
            )
        self.stack = LayerStack(config, initializers, recompute)
        # ---- Weights
        self.build()

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        if not self.embeddings.built:
            self.embeddings.build()
        if self.embeddings_project is not None:
            self.embeddings_project.build((None, None, self.config.embedding_size))
        self.stack.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, inputs: Mapping[str, tf.Tensor], seed: tf.Tensor | None = None) -> EncoderOutput:
        num_seeds = 1 + TransformerLayer.SEEDS * self.config.num_hidden_layers
        seeds = [None] * num_seeds
        if seed is not None:
            seeds = split_seed(seed, num_seeds)
        hidden = self.embeddings(
            inputs["input_ids"],
            inputs["segment_ids"],
            position_ids=inputs.get("position_ids"),
            seed=seeds[0],
            disentangled=self.disentangled,
        )
        if self.embeddings_project is not None:
            hidden = self.embeddings_project(hidden)
        mask_scores = attention_mask_scores(
            inputs["input_mask"], inputs.get("sequence_ids"), self.direction
        )
        outputs = self.stack(hidden, mask_scores, seeds[1:])
        return EncoderOutput(outputs[-1], outputs)


def attention_mask_scores(
    input_mask: tf.Tensor, sequence_ids: tf.Tensor | None = None, direction: str = "both"
) -> tf.Tensor:
    """What is added to attention scores: 0 where attention is allowed, else MASKED_SCORE.

    Args:
        input_mask: int [B, L], 1 for tokens, 0 for padding.
        sequence_ids: int [B, L] or None; attention is allowed inside one id only.
        direction: see `Encoder`.

    Returns:
        float32 [B, 1, L or 1, L]: batch, heads, from, to.
    """
    # Not by strided slices: LiteRT has none that add an axis.
    allowed = tf.cast(tf.expand_dims(input_mask, 1), tf.bool)  # [B, 1, L]
    if sequence_ids is not None:
        allowed &= tf.expand_dims(sequence_ids, 2) == tf.expand_dims(sequence_ids, 1)
    if direction != "both":
        position = tf.range(tf.shape(input_mask)[1])
        before = tf.expand_dims(position, 0) <= tf.expand_dims(position, 1)  # [from, to]
        allowed &= before if direction == "left_to_right" else tf.transpose(before)
    return tf.expand_dims(tf.where(allowed, 0.0, MASKED_SCORE), 1)
