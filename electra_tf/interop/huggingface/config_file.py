# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""config.json of a Hugging Face ELECTRA folder: the encoder's shape, the class, the labels."""

import dataclasses
import json
import os
from typing import Any

import tensorflow as tf

import electra_tf
from electra_tf.config import EncoderConfig
from electra_tf.files import write_json
from electra_tf.interop.huggingface.names import HEADS

CONFIG_FILE = "config.json"
EXTRA = "electra_tf"
"""Key of what the folder's own keys have no place for."""

_CONSTANTS = {
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""Settings that have one value here."""
_REQUIRED = (
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
_KINDS = {
    "ElectraForTokenClassification": "tagging",
    "ElectraForQuestionAnswering": "qa",
}
_PROBLEM_TYPES = {
    "regression": "regression",
    "classification": "single_label_classification",
    "multilabel": "multi_label_classification",
}


@dataclasses.dataclass(frozen=True)
class HuggingFaceConfig:
    """What config.json says."""

    architecture: str
    """A key of `names.HEADS`, or another class, of which the encoder alone can be read."""
    encoder: EncoderConfig
    kind: str | None = None
    """Of the task, as in `finetuning.task_table.KINDS`; None without one."""
    labels: tuple[str, ...] | None = None
    """Classes in the order of their ids, where the kind has any."""
    classifier_dropout: float | None = None
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What this library stored for itself."""

    @property
    def outputs(self) -> int:
        """Width of the last layer of a task's head; 0 without one."""
        if self.kind in (None, "qa"):
            return 0
        return 1 if self.kind == "regression" else len(self.labels)


def is_electra_folder(folder: str) -> bool:
    """Whether the folder's config.json is that of a Hugging Face ELECTRA model."""
    path = os.path.join(folder, CONFIG_FILE)
    return tf.io.gfile.exists(path) and read_json(path).get("model_type") == "electra"


def read_config(folder: str) -> HuggingFaceConfig:
    """Read config.json.

    Raises:
        ValueError: a key is missing, or a setting cannot be represented here.
    """
    path = os.path.join(folder, CONFIG_FILE)
    stored = read_json(path)
    missing = [name for name in _REQUIRED if name not in stored]
    if missing:
        raise ValueError(f"{path} is expected to have the keys {', '.join(missing)}.")
    for name, expected in _CONSTANTS.items():
        if stored.get(name, expected) != expected:
            raise ValueError(
                f"{path}: {name} is expected to be {expected!r}, but is {stored[name]!r}."
            )
    architecture = (stored.get("architectures") or ["ElectraModel"])[0]
    labels = _labels(stored)
    kind = _kind(architecture, stored, labels)
    try:
        encoder = EncoderConfig(**{name: stored[name] for name in _REQUIRED})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return HuggingFaceConfig(
        architecture,
        encoder,
        kind,
        labels if kind in ("classification", "multilabel", "tagging") else None,
        stored.get("classifier_dropout"),
        stored.get(EXTRA) or {},
    )


def write_config(folder: str, config: HuggingFaceConfig):
    """Write config.json as transformers reads it."""
    content = {
        "architectures": [config.architecture],
        "model_type": "electra",
        **{name: getattr(config.encoder, name) for name in _REQUIRED},
        "layer_norm_eps": _CONSTANTS["layer_norm_eps"],
        "classifier_dropout": config.classifier_dropout,
        "pad_token_id": 0,
        "tie_word_embeddings": True,
        "dtype": "float32",
        **_label_keys(config),
        EXTRA: {"version": electra_tf.__version__, **config.extra},
    }
    write_json(os.path.join(folder, CONFIG_FILE), content)


def require_known(architecture: str, place: str):
    """Raise a ValueError if the head of a class cannot be represented here."""
    if architecture not in HEADS:
        raise ValueError(
            f"{place} is expected to be of one of the classes {', '.join(HEADS)}, but is of "
            f"{architecture}, which has no counterpart here."
        )


def read_json(path: str) -> dict:
    """The object in a JSON file; empty if it holds something else.

    Raises:
        ValueError: it is not JSON.
    """
    with tf.io.gfile.GFile(path) as file:
        try:
            stored = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path} is expected to be JSON: {error}.") from error
    return stored if isinstance(stored, dict) else {}


def _labels(stored) -> tuple[str, ...]:
    names = stored.get("id2label")
    if names:
        return tuple(names[number] for number in sorted(names, key=int))
    # transformers' default, where nothing is said, is two classes.
    return tuple(f"LABEL_{number}" for number in range(stored.get("num_labels", 2)))


def _kind(architecture, stored, labels) -> str | None:
    if architecture != "ElectraForSequenceClassification":
        return _KINDS.get(architecture)
    named = {theirs: ours for ours, theirs in _PROBLEM_TYPES.items()}
    default = "regression" if len(labels) == 1 else "classification"
    return named.get(stored.get("problem_type"), default)


def _label_keys(config) -> dict[str, Any]:
    if config.kind in (None, "qa"):
        return {}
    labels = ("LABEL_0",) if config.kind == "regression" else config.labels
    keys: dict[str, Any] = {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    if config.kind in _PROBLEM_TYPES:
        keys["problem_type"] = _PROBLEM_TYPES[config.kind]
    return keys
