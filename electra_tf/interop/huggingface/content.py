# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Hugging Face folder as a value: configuration, weights by our names, tokenizer."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np
from absl import logging

from electra_tf.folders import new_folder
from electra_tf.interop.huggingface import config_file, weights_file
from electra_tf.interop.huggingface.config_file import HuggingFaceConfig, require_known
from electra_tf.interop.huggingface.names import (
    BODY,
    Row,
    encoder_rows,
    sizes_of,
    table,
    to_ours,
    to_theirs,
)
from electra_tf.interop.huggingface.tokenizer_files import read_tokenizer, write_tokenizer
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.checkpoint_reader import require_match

Tensors = Mapping[str, weights_file.StoredTensor]
_TIED = "generator_lm_head.weight"
_WORDS = "electra.embeddings.word_embeddings.weight"
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
"""In files of older versions: constants, not weights."""


@dataclasses.dataclass(frozen=True)
class Content:
    """What a folder holds."""

    config: HuggingFaceConfig
    weights: Mapping[str, np.ndarray]
    """Under the names of `names.table`: the encoder is "electra" in every model."""
    tokenizer: Tokenizer | None = None
    task: str = ""
    """Name of the task of the head, if it has one."""


def read_content(
    folder: str, pre_split: bool | None = None, tokenizer: str | None = None
) -> Content:
    """Read a folder; every tensor is accounted for.

    Args:
        folder: with config.json and weights.
        pre_split: see `text.load_tokenizer`.
        tokenizer: likewise.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: the class or a setting has no counterpart here; the weights are pickled; or
            names or shapes differ, and all of them are listed.
    """
    files = read_tokenizer(folder, pre_split, tokenizer)
    tensors = _without_constants(weights_file.read_tensors(folder))
    config = config_file.read_config(folder, _shapes(tensors))
    require_known(config.architecture, folder)
    task = config.extra.get("task", {}).get("name", config.kind or "")
    rows = table(config.architecture, config.encoder, task, config.outputs)
    if config.architecture == "ElectraModel":
        tensors = _without_beginning(tensors)
    if config.architecture == "ElectraForMaskedLM":
        tensors = _without_tied_layer(tensors, folder)
    weights = _read_rows(tensors, rows, folder)
    if files.tokenizer is not None:
        config = _with_ids_of(files.tokenizer, config, folder)
    return Content(config, weights, files.tokenizer, task)


def read_encoder(folder: str) -> Content:
    """Read the encoder of a folder of any class; its head is left where it is.

    Raises:
        FileNotFoundError, ValueError: as `read_content`.
    """
    tensors = _without_constants(weights_file.read_tensors(folder))
    config = config_file.read_config(folder, _shapes(tensors), with_head=False)
    if any(name.startswith(BODY) for name in tensors):
        tensors = {name: tensor for name, tensor in tensors.items() if name.startswith(BODY)}
    rows = encoder_rows(config.encoder)
    return Content(config, _read_rows(_without_beginning(tensors), rows, folder))


def write_contents(contents: Mapping[str, Content], folder: str) -> None:
    """Write a folder that transformers reads; it is there completely or not at all.

    Args:
        contents: folder inside it ("" for itself) -> what it gets.
        folder: a new or empty one.

    Raises:
        ValueError: the folder exists already and is not empty, the class cannot be written, or
            weights are missing, unexpected or of another shape.
    """
    with new_folder(folder) as partial:
        for name, content in contents.items():
            _write(content, os.path.join(partial, name) if name else partial)


def _write(content: Content, folder: str):
    config = content.config
    require_known(config.architecture, "the model")
    rows = table(config.architecture, config.encoder, content.task, config.outputs)
    expected = {name: row.shape for row in rows for name in row.ours}
    found = {name: weight.shape for name, weight in content.weights.items()}
    subject = f"the weights are not those of {config.architecture}"
    require_match(found, expected, "the model", subject)
    if content.tokenizer is not None:
        config = dataclasses.replace(
            config, special_ids={**config.special_ids, **special_ids(content.tokenizer)}
        )
    config_file.write_config(folder, config)
    weights_file.write_tensors(folder, to_theirs(content.weights, rows))
    if content.tokenizer is not None:
        write_tokenizer(folder, content.tokenizer, config.encoder.max_position_embeddings)


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of a tokenizer's special tokens, by their keys in config.json."""
    vocabulary = tokenizer.vocabulary
    names = [field.name for field in dataclasses.fields(vocabulary.special)]
    return {f"{n}_token_id": i for n, i in zip(names, vocabulary.special_ids, strict=True)}


def _with_ids_of(tokenizer: Tokenizer, config: HuggingFaceConfig, folder: str) -> HuggingFaceConfig:
    """The configuration with the ids of the tokenizer; says it if it has had others."""
    ids = special_ids(tokenizer)
    stored = {name: config.special_ids.get(name, number) for name, number in ids.items()}
    if other := [name for name in ids if stored[name] != ids[name]]:
        logging.warning(
            "%s: %s in %s, but the vocabulary has %s, which counts.",
            folder,
            ", ".join(f"{name} is {stored[name]}" for name in other),
            config_file.CONFIG_FILE,
            ", ".join(str(ids[name]) for name in other),
        )
    return dataclasses.replace(config, special_ids={**config.special_ids, **ids})


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _read_rows(tensors: Tensors, rows: tuple[Row, ...], folder: str) -> dict[str, np.ndarray]:
    """The weights of the rows under our names.

    Raises:
        ValueError: tensors are missing, unexpected, of another shape or no floats.
    """
    expected = {row.theirs: row.their_shape for row in rows}
    subject = f"{weights_file.path_of(folder)} does not fit its {config_file.CONFIG_FILE}"
    require_match(_shapes(tensors), expected, "the file", subject, sizes_of)
    return to_ours(weights_file.floats_of(tensors), rows)


def _without_constants(tensors: Tensors) -> Tensors:
    return {name: t for name, t in tensors.items() if name.removeprefix(BODY) not in _BUFFERS}


def _without_beginning(tensors: Tensors) -> Tensors:
    """Tensors of an encoder under its own names, also if they are named as inside a model."""
    return {name.removeprefix(BODY): tensor for name, tensor in tensors.items()}


def _without_tied_layer(tensors: Tensors, folder: str) -> Tensors:
    """Tensors less an output layer that is the word embeddings anyway."""
    kept = dict(tensors)
    tied, words = kept.pop(_TIED, None), kept.get(_WORDS)
    if tied and not (words and np.array_equal(tied.values, words.values)):
        raise ValueError(
            f"{folder}: {_TIED} is expected to equal {_WORDS}, to which the output layer is "
            "tied here, but differs."
        )
    return kept
