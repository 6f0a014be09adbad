# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Sizes of stored models: what the names and shapes of variables tell of hyperparameters.

Names are those of the original, which ours are too.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from electra_tf.config.encoder import EncoderConfig

Shapes = Mapping[str, Sequence[int]]
_TABLES = {
    "vocab_size": "word_embeddings",
    "max_position_embeddings": "position_embeddings",
    "type_vocab_size": "token_type_embeddings",
}
_OF_AN_ENCODER = (*_TABLES, "embedding_size", "hidden_size", "num_hidden_layers")
_OF_AN_ENCODER += ("intermediate_size",)
_GENERATORS = ("generator", "generator_ltr")


def encoder_sizes(shapes: Shapes, name: str = "electra") -> dict[str, int]:
    """Fields of an `EncoderConfig` that follow from variables, as far as they are there.

    Args:
        name: "electra", or that of a separate generator's encoder, whose embeddings may be
            electra's.
    """
    own = f"{name}/embeddings/word_embeddings" in shapes
    embeddings = f"{name}/embeddings" if own else "electra/embeddings"
    sizes = {}
    for field, table in _TABLES.items():
        shape = shapes.get(f"{embeddings}/{table}", ())
        if len(shape) == 2:
            sizes[field] = int(shape[0])
            sizes["embedding_size"] = int(shape[1])
    shape = shapes.get(f"{name}/encoder/layer_0/intermediate/dense/kernel", ())
    if len(shape) == 2:
        sizes["hidden_size"], sizes["intermediate_size"] = map(int, shape)
    found = (re.match(rf"{name}/encoder/layer_(\d+)/", variable) for variable in shapes)
    if layers := {match[1] for match in found if match}:
        sizes["num_hidden_layers"] = len(layers)  # no number of a layer is taken for a size
    return sizes


def model_sizes(shapes: Shapes) -> dict[str, Any]:
    """Hyperparameters of a whole model that follow from its variables."""
    sizes: dict[str, Any] = encoder_sizes(shapes)
    for name in _GENERATORS:
        sizes |= _generator_shares(sizes, encoder_sizes(shapes, name))
    return sizes


def configured_sizes(
    encoder: EncoderConfig, generator: EncoderConfig | None = None
) -> dict[str, Any]:
    """What `model_sizes` gives of a model with these encoders.

    Args:
        generator: that of a generator with an encoder of its own.
    """
    full = {name: getattr(encoder, name) for name in _OF_AN_ENCODER}
    if generator is None:
        return full
    return {**full, **_generator_shares(full, {n: getattr(generator, n) for n in _OF_AN_ENCODER})}


def _generator_shares(full: Mapping[str, int], small: Mapping[str, int]) -> dict[str, float]:
    """Hyperparameters of a generator are shares of the discriminator's sizes."""
    names = {"generator_hidden_size": "hidden_size", "generator_layers": "num_hidden_layers"}
    return {
        share: small[size] / full[size]
        for share, size in names.items()
        if size in small and size in full
    }


def size_differences(found: Mapping[str, Any], here: Mapping[str, Any], place: str) -> list[str]:
    """A phrase for each size that is known of both and differs.

    Args:
        found, here: as `model_sizes` gives them.
        place: where the first were found, such as "the checkpoint".
    """
    return [
        f"{name} is {_shown(found[name])} in {place}, {_shown(here[name])} here"
        for name in found
        if name in here and found[name] != here[name]
    ]


def _shown(size: float) -> str:
    return f"{size:.4g}" if isinstance(size, float) else str(size)
