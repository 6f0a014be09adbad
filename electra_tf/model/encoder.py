# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The encoder: embeddings, their projection, and a stack of Transformer layers."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model.layers import MASKED_SCORE, Embeddings, TransformerLayer
from electra_tf.model.part import (
    EncoderPart,
    Initializers,
    freeze_weights,
    frozen_weights,
    serializable,
)

DIRECTIONS = ("both", "left_to_right", "right_to_left")


class EncoderOutput(NamedTuple):
    """What the encoder computes for a batch."""

    last_hidden_state: tf.Tensor
    """[B, L, H]."""
    layer_outputs: list[tf.Tensor]
    """[B, L, H] of each layer, the first one's first."""


@serializable
class LayerStack(EncoderPart):
    """Transformer layers one after the other, `layer_0` to `layer_{n-1}`.

    Call: hidden [B, L, H], mask_scores as of `SelfAttention` -> the output of each layer, a list of
        [B, L, H].

    Args:
        config: shape of the encoder.
        initializers: of the weights; default: the configuration's, with a random seed.
        recompute: keep only the layers' inputs for the backward pass, and compute the rest again.
        name: of the layer.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        recompute: bool = False,
        name: str = "encoder",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        self.recompute = recompute
        self.blocks = [
            TransformerLayer(config, self.initializers, name=f"layer_{i}", dtype=self.dtype_policy)
            for i in range(config.num_hidden_layers)
        ]

    @property
    def num_seeds(self) -> int:
        return TransformerLayer.num_seeds * self.config.num_hidden_layers

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for block in self.blocks:
            block.build(input_shape)
        self.built = True

    def call(
        self,
        hidden: tf.Tensor,
        mask_scores: tf.Tensor,
        seeds: Sequence[tf.Tensor | None] | None = None,
        training: bool | None = None,
    ) -> list[tf.Tensor]:
        seeds = self.call_seeds(seeds, training)
        outputs = []
        for i, block in enumerate(self.blocks):
            first = i * block.num_seeds
            block_seeds = seeds[first : first + block.num_seeds]
            if self.recompute:
                block = _recomputed(block, block_seeds)
                hidden = block(hidden, mask_scores)
            else:
                hidden = block(hidden, mask_scores, seeds=block_seeds)
            outputs.append(hidden)
        return outputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "recompute": self.recompute}


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


@serializable
class Encoder(EncoderPart):
    """Token ids to hidden states; built on construction.

    Args:
        config: its shape.
        initializers: of the weights; default: the configuration's, with a random seed.
        embeddings: the embeddings of another encoder, to share them.
        direction: which positions a position attends to: "both" sides, or only itself and those
            before it ("left_to_right") or after it ("right_to_left").
        disentangled: build own embeddings with a difference, and see them with it, see
            `Embeddings`; encoders that share them do not.
        recompute: see `LayerStack`.
        name: first part of the names of its variables ("electra", "generator").
        **kwargs: of `keras.layers.Layer`.

    Call: inputs {input_ids, input_mask, segment_ids [B, L]}, and for packed sequences
        position_ids (restarting at 0) and sequence_ids (attention stays inside one id)
        -> EncoderOutput. Dropout is on with a seed, int32 [2], which decides it, and with
        `training=True`.
    """

    def __init__(
        self,
        config: EncoderConfig,
        initializers: Initializers | None = None,
        embeddings: Embeddings | None = None,
        direction: str = "both",
        disentangled: bool = False,
        recompute: bool = False,
        name: str = "electra",
        **kwargs: Any,
    ):
        super().__init__(config, initializers, name=name, **kwargs)
        if direction not in DIRECTIONS:
            raise ValueError(f"direction is expected to be one of {DIRECTIONS}, not {direction!r}.")
        # ---- Layers
        self.direction = direction
        self.disentangled = disentangled
        self.embeddings = embeddings or Embeddings(
            config, self.initializers, disentangled, dtype=self.dtype_policy
        )
        self._shares_embeddings = embeddings is not None
        self.embeddings_project = None
        if config.embedding_size != config.hidden_size:
            self.embeddings_project = self.make_dense(
                config.hidden_size, "embeddings_project", self.initializers.glorot
            )
        self.stack = LayerStack(config, self.initializers, recompute, dtype=self.dtype_policy)
        # ---- Weights
        self.build()

    @property
    def num_seeds(self) -> int:
        return 1 + TransformerLayer.num_seeds * self.config.num_hidden_layers

    def build(self, input_shape: Mapping[str, tuple[int | None, ...]] | None = None) -> None:
        if not self.embeddings.built:
            self.embeddings.build()
        if self.embeddings_project is not None:
            self.embeddings_project.build((None, None, self.config.embedding_size))
        self.stack.build((None, None, self.config.hidden_size))
        self.built = True

    def call(
        self,
        inputs: Mapping[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> EncoderOutput:
        names = ("input_ids", "input_mask", "segment_ids")
        if not isinstance(inputs, Mapping) or not set(names) <= set(inputs):
            found = sorted(inputs) if isinstance(inputs, Mapping) else type(inputs).__name__
            raise ValueError(
                f"inputs is expected to be a dict with {', '.join(names)}, but is {found}."
            )
        seeds = self.split(self.call_seed(seed, training))
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

    @property
    def seen_word_embeddings(self) -> tf.Tensor:
        """Token embeddings [V, E] as calls see them, for an output layer that is tied to them.

        Gradients reach what those of a call reach.
        """
        table = tf.convert_to_tensor(self.embeddings.word_embeddings)
        if not self.disentangled:
            return table
        difference = tf.convert_to_tensor(self.embeddings.word_embeddings_difference)
        return tf.stop_gradient(table) + difference

    @classmethod
    def from_preset(cls, folder: str, **options: Any) -> "Encoder":
        """The encoder of a folder with a model of any format, with its weights.

        Args:
            folder: that pre-training or fine-tuning wrote here, a checkpoint of the original or its
                folder, a Hugging Face ELECTRA folder, or "hf://owner/name".
            **options: arguments of the constructor: dtype, recompute, name and so on.

        Raises:
            FileNotFoundError: there is no model there.
            ValueError: it cannot be used.
        """
        # Models are independent of files; this is a name for what those who read them offer.
        presets = importlib.import_module("electra_tf.interop.presets")
        return presets.load_encoder(folder, **options)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor; embeddings of another encoder are stored with it."""
        shared = keras.saving.serialize_keras_object(self.embeddings)
        return {
            **super().get_config(),
            "embeddings": shared if self._shares_embeddings else None,
            "direction": self.direction,
            "disentangled": self.disentangled,
            "recompute": self.stack.recompute,
            "frozen": frozen_weights(self),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Encoder":
        embeddings = config["embeddings"]
        if isinstance(embeddings, dict):  # else a layer, or none
            embeddings = keras.saving.deserialize_keras_object(embeddings)
        encoder = super().from_config(
            {**{n: v for n, v in config.items() if n != "frozen"}, "embeddings": embeddings}
        )
        freeze_weights(encoder, config["frozen"])
        return encoder


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
