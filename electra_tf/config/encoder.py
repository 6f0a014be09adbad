# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The shape of an encoder, and the sizes that were published."""

import dataclasses
from typing import Any

from electra_tf.config.checks import check, check_at_most, check_types

MODEL_SIZES = {
    "small": {"hidden_size": 256, "num_hidden_layers": 12},
    "base": {"hidden_size": 768, "num_hidden_layers": 12},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24},
}
"""Width and depth by `model_size`; heads and feed-forward follow from the width."""

DEBUG_ENCODER = {
    "hidden_size": 144,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 576,
}
ACTIVATIONS = ("gelu", "relu", "tanh", "linear")
LARGEST = {
    "vocab_size": 2**24,
    "embedding_size": 2**16,
    "hidden_size": 2**16,
    "num_hidden_layers": 1000,
    "num_attention_heads": 2**16,
    "intermediate_size": 2**18,
    "max_position_embeddings": 2**20,
    "type_vocab_size": 2**16,
}
"""Beyond any encoder: what is larger is a mistake, and would take memory without end."""


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Shape of one Transformer encoder (defaults: BERT base, modeling.py BertConfig)."""

    vocab_size: int = 30522
    embedding_size: int = 768
    """E, width of the token embeddings."""
    hidden_size: int = 768
    """H, width of the layers."""
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    """A."""
    intermediate_size: int = 3072
    """Width of the feed-forward layers."""
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    """Longest sequence, in tokens."""
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    """Standard deviation of the truncated normal initializer."""

    def __post_init__(self):
        check_types(self)
        check_at_most(self, LARGEST)
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            check(0 <= getattr(self, name) < 1, name, "in [0, 1)", getattr(self, name))
        check(self.initializer_range > 0, "initializer_range", "above 0", self.initializer_range)
        check(
            self.hidden_act in ACTIVATIONS, "hidden_act", f"one of {ACTIVATIONS}", self.hidden_act
        )
        check(
            self.hidden_size % self.num_attention_heads == 0,
            "num_attention_heads",
            f"a divisor of hidden_size={self.hidden_size}",
            self.num_attention_heads,
        )

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads


OVERRIDABLE = tuple(
    field.name
    for field in dataclasses.fields(EncoderConfig)
    if field.name not in ("vocab_size", "embedding_size")
)


def encoder_of_size(
    model_size: str,
    overrides: dict[str, Any],
    vocab_size: int,
    embedding_size: int | None,
    debug: bool = False,
) -> EncoderConfig:
    """The encoder of a published size with some fields overridden (util/training_utils.py).

    Args:
        model_size: a key of `MODEL_SIZES`.
        overrides: fields that differ; heads and feed-forward follow from the hidden size unless
            given too.
        vocab_size: V.
        embedding_size: E; None for the hidden size.
        debug: whether to take the tiny encoder of debug runs.
    """
    # A tuple finds what cannot be a key, too.
    known = tuple(MODEL_SIZES)
    check(model_size in known, "model_size", f"one of {known}", model_size)
    shape = {**MODEL_SIZES[model_size], **overrides}
    hidden_size = shape["hidden_size"]
    check(isinstance(hidden_size, int), "hidden_size", "a whole number", hidden_size)
    shape = {
        "num_attention_heads": max(1, shape["hidden_size"] // 64),
        "intermediate_size": 4 * shape["hidden_size"],
        **shape,
    }
    if debug:
        shape.update(DEBUG_ENCODER)
    if embedding_size is None:
        embedding_size = shape["hidden_size"]
    return EncoderConfig(vocab_size=vocab_size, embedding_size=embedding_size, **shape)
