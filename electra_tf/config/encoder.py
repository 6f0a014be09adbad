# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The shape of an encoder, and the sizes that were published."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from electra_tf.config.fields import Role, check, check_values, fact


@dataclasses.dataclass(frozen=True)
class ModelSize:
    """A published size; heads and feed-forward follow from the width."""

    hidden_size: int
    num_hidden_layers: int
    embedding_size: int | None = None
    """None: the hidden size."""
    finetuning: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What it changes of the hyperparameters of fine-tuning, over what a task changes."""

    @property
    def shape(self) -> dict[str, int]:
        """Width and depth, by the names of the fields of an `EncoderConfig`."""
        return {
            "hidden_size": self.hidden_size,
            "num_hidden_layers": self.num_hidden_layers,
        }

    @property
    def defaults(self) -> dict[str, int]:
        """What it changes of the hyperparameters of every run."""
        return {} if self.embedding_size is None else {"embedding_size": self.embedding_size}


MODEL_SIZES = {
    "small": ModelSize(256, 12, embedding_size=128),
    "base": ModelSize(768, 12),
    "large": ModelSize(1024, 24, finetuning={"learning_rate": 5e-5, "layerwise_lr_decay": 0.9}),
}
"""By `model_size`."""


def size_of(hparams: Mapping[str, Any]) -> ModelSize:
    """The size that hyperparameters name; an unknown one changes nothing, and is found later."""
    name = hparams.get("model_size", "small")
    known = isinstance(name, str) and name in MODEL_SIZES
    return MODEL_SIZES[name if known else "base"]


DEBUG_ENCODER = {
    "hidden_size": 144,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 576,
}
ACTIVATIONS = ("gelu", "relu", "tanh", "linear")


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Shape of one Transformer encoder (defaults: BERT base, modeling.py BertConfig).

    What is larger than the ranges is a mistake, and would need far too much memory.
    """

    vocab_size: int = fact(30522, Role.WEIGHTS, at_least=1, at_most=2**24)
    embedding_size: int = fact(768, Role.WEIGHTS, at_least=1, at_most=2**16)
    """E, width of the token embeddings."""
    hidden_size: int = fact(768, Role.WEIGHTS, at_least=1, at_most=2**16)
    """H, width of the layers."""
    num_hidden_layers: int = fact(12, Role.WEIGHTS, at_least=1, at_most=1000)
    num_attention_heads: int = fact(12, Role.WEIGHTS, at_least=1, at_most=2**16)
    """A."""
    intermediate_size: int = fact(3072, Role.WEIGHTS, at_least=1, at_most=2**18)
    """Width of the feed-forward layers."""
    hidden_act: str = fact("gelu", Role.WEIGHTS, choices=ACTIVATIONS)
    hidden_dropout_prob: float = fact(0.1, within="[0, 1)")
    attention_probs_dropout_prob: float = fact(0.1, within="[0, 1)")
    max_position_embeddings: int = fact(512, Role.WEIGHTS, at_least=1, at_most=2**20)
    """Longest sequence, in tokens."""
    type_vocab_size: int = fact(2, Role.WEIGHTS, at_least=1, at_most=2**16)
    initializer_range: float = fact(0.02, above=0)
    """Standard deviation of the truncated normal initializer."""

    def __post_init__(self):
        check_encoder_fields(vars(self))

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_attention_heads


def check_encoder_fields(fields: Mapping[str, Any]) -> None:
    """Check fields of an `EncoderConfig`, all or some of them.

    Args:
        fields: values by their names.

    Raises:
        ValueError: a value has a wrong type, is out of range, or does not fit another one.
    """
    check_values(EncoderConfig, fields)
    if {"hidden_size", "num_attention_heads"} <= fields.keys():
        width, heads = fields["hidden_size"], fields["num_attention_heads"]
        expected = f"a divisor of hidden_size={width}"
        check(width % heads == 0, "num_attention_heads", expected, heads)


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
    shape = {**MODEL_SIZES[model_size].shape, **overrides}
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


def hparams_of_shape(encoder: EncoderConfig) -> dict[str, Any]:
    """The hyperparameters of a run whose encoder is this one."""
    shape = dataclasses.asdict(encoder)
    sizes = {name: shape.pop(name) for name in ("vocab_size", "embedding_size")}
    return {"model_size": nearest_size(encoder), **sizes, "model_hparam_overrides": shape}


def nearest_size(encoder: EncoderConfig) -> str:
    """The published size of this width and depth, whose defaults then count; else "small"."""
    for name, size in MODEL_SIZES.items():
        if all(getattr(encoder, key) == value for key, value in size.shape.items()):
            return name
    return "small"
