# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA folders of Hugging Face transformers: config.json and model.safetensors."""

import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
import tensorflow as tf

from electra_tf.config import EncoderConfig

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_CONSTANTS = {
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
}
"""Settings that have one value here."""
_ENCODER_FIELDS = (
    "vocab_size",
    "embedding_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "max_position_embeddings",
    "type_vocab_size",
    "initializer_range",
)


class NameRule(NamedTuple):
    """How one kind of name is turned into ours."""

    pattern: str
    ours: str
    transposed: bool = False


ENCODER_NAMES = (
    NameRule(
        r"embeddings\.(word|position|token_type)_embeddings\.weight", r"embeddings/\1_embeddings"
    ),
    NameRule(r"(.*LayerNorm)\.weight", r"\1/gamma"),
    NameRule(r"(.*LayerNorm)\.bias", r"\1/beta"),
    NameRule(r"(.*)\.weight", r"\1/kernel", transposed=True),
    NameRule(r"(.*)\.bias", r"\1/bias"),
)
"""Of the names behind "electra."; the first rule that fits counts."""
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
"""In older files; constants."""


class HuggingFaceEncoder(NamedTuple):
    """Shape and weights of the encoder, and what the folder says of its tokenizer."""

    config: EncoderConfig
    weights: dict[str, np.ndarray]
    """By our names, "electra/..."."""
    tokenizer: dict[str, bool]


def is_electra_folder(folder: str) -> bool:
    """Whether the folder's config.json is that of a Hugging Face ELECTRA model."""
    path = os.path.join(folder, CONFIG_FILE)
    return tf.io.gfile.exists(path) and _read_json(path).get("model_type") == "electra"


def load_encoder(folder: str) -> HuggingFaceEncoder:
    """The encoder of a Hugging Face folder; its heads are left where they are.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: the weights are pickled, or the model is not one that can be represented here.
    """
    return HuggingFaceEncoder(
        _encoder_config(os.path.join(folder, CONFIG_FILE)),
        encoder_weights(_read_weights(folder)),
        _tokenizer_settings(os.path.join(folder, "tokenizer_config.json")),
    )


def encoder_weights(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The encoder's weights among the tensors of a model, by our names."""
    prefix = "electra." if any(name.startswith("electra.") for name in tensors) else ""
    weights = {}
    for name, tensor in tensors.items():
        inner = name.removeprefix(prefix)
        if not name.startswith(prefix) or inner in _BUFFERS:
            continue
        ours, transposed = our_name(inner)
        weights[ours] = np.asarray(tensor.T if transposed else tensor, np.float32)
    return weights


def our_name(inner: str) -> tuple[str, bool]:
    """Our name of a tensor of the encoder, and whether it is stored transposed.

    "encoder.layer.0.output.dense.weight" is electra/encoder/layer_0/output/dense/kernel.

    Raises:
        ValueError: no rule fits.
    """
    for rule in ENCODER_NAMES:
        if re.fullmatch(rule.pattern, inner):
            path = re.sub(rule.pattern, rule.ours, inner)
            path = re.sub(r"layer\.(\d+)", r"layer_\1", path).replace(".", "/")
            return f"electra/{path}", rule.transposed
    raise ValueError(f"no rule of {__name__} fits the tensor electra.{inner}.")


def _encoder_config(path: str) -> EncoderConfig:
    stored = _read_json(path)
    missing = [name for name in _ENCODER_FIELDS if name not in stored]
    if missing:
        raise ValueError(f"{path} is expected to have the keys {', '.join(missing)}.")
    for name, expected in _CONSTANTS.items():
        if stored.get(name, expected) != expected:
            raise ValueError(
                f"{path}: {name} is expected to be {expected!r}, but is {stored[name]!r}."
            )
    return EncoderConfig(**{name: stored[name] for name in _ENCODER_FIELDS})


def _tokenizer_settings(path: str) -> dict[str, bool]:
    """do_lower_case and strip_accents, if stored; accents follow case where they are not."""
    if not tf.io.gfile.exists(path):
        return {}
    stored = _read_json(path)
    if "do_lower_case" not in stored:
        return {}
    lower = bool(stored["do_lower_case"])
    accents = stored.get("strip_accents")
    return {"do_lower_case": lower, "strip_accents": lower if accents is None else bool(accents)}


def _read_weights(folder: str) -> dict[str, np.ndarray]:
    path = os.path.join(folder, WEIGHTS_FILE)
    if not tf.io.gfile.exists(path):
        pickled = os.path.join(folder, "pytorch_model.bin")
        if tf.io.gfile.exists(pickled):
            raise ValueError(
                f"{pickled} is a pickle, which can run any code when it is read and needs "
                f"PyTorch; {WEIGHTS_FILE} is expected instead. transformers writes it with "
                "model.save_pretrained(folder)."
            )
        raise FileNotFoundError(f"{folder} is expected to have the file {WEIGHTS_FILE}.")
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    try:
        return safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is expected to be a safetensors file, but is not: {error}."
        ) from error


def _read_json(path: str) -> dict:
    with tf.io.gfile.GFile(path) as file:
        try:
            stored = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path} is expected to be JSON: {error}.") from error
    return stored if isinstance(stored, dict) else {}
