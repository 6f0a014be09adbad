# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Hugging Face folder as a value: configuration, weights by our names, tokenizer."""

import dataclasses
import os
from collections.abc import Mapping

import numpy as np

from electra_tf.files import new_folder
from electra_tf.interop.huggingface import config_file, weights_file
from electra_tf.interop.huggingface.config_file import HuggingFaceConfig, require_known
from electra_tf.interop.huggingface.names import (
    BODY,
    Row,
    encoder_rows,
    table,
    to_ours,
    to_theirs,
)
from electra_tf.interop.huggingface.tokenizer_files import read_tokenizer, write_tokenizer
from electra_tf.text import Tokenizer, WordPieceTokenizer
from electra_tf.training.matching import require_match

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


def read_content(folder: str) -> Content:
    """Read a folder; every tensor is accounted for.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: the class or a setting has no counterpart here; the weights are pickled; or
            names or shapes differ, and all of them are listed.
    """
    config = config_file.read_config(folder)
    require_known(config.architecture, folder)
    task = config.extra.get("task", {}).get("name", config.kind or "")
    rows = table(config.architecture, config.encoder, task, config.outputs)
    tensors = _without_constants(weights_file.read_tensors(folder), config.architecture, folder)
    _require_rows(tensors, rows, folder)
    return Content(config, to_ours(tensors, rows), load_tokenizer(folder), task)


def read_encoder(folder: str) -> Content:
    """Read the encoder of a folder of any class; its head is left where it is.

    Raises:
        FileNotFoundError, ValueError: as `read_content`.
    """
    config = config_file.read_config(folder)
    tensors = _without_constants(weights_file.read_tensors(folder), config.architecture, folder)
    if any(name.startswith(BODY) for name in tensors):
        tensors = {
            name.removeprefix(BODY): tensor
            for name, tensor in tensors.items()
            if name.startswith(BODY)
        }
    rows = encoder_rows(config.encoder)
    _require_rows(tensors, rows, folder)
    return Content(config, to_ours(tensors, rows))


def write_contents(contents: Mapping[str, Content], folder: str):
    """Write a folder that transformers reads; it is there completely or not at all.

    Args:
        contents: folder inside it ("" for itself) -> what it gets.

    Raises:
        ValueError: the folder exists already and is not empty, the class cannot be written, or
            weights are missing, unexpected or of another shape.
    """
    with new_folder(folder) as partial:
        for name, content in contents.items():
            _write(content, os.path.join(partial, name) if name else partial)


def _write(content: Content, folder):
    config = content.config
    require_known(config.architecture, "the model")
    rows = table(config.architecture, config.encoder, content.task, config.outputs)
    expected = {name: row.shape for row in rows for name in row.ours}
    found = {name: weight.shape for name, weight in content.weights.items()}
    subject = f"the weights are not those of {config.architecture}"
    require_match(found, expected, "the model", subject)
    config_file.write_config(folder, config)
    weights_file.write_tensors(folder, to_theirs(content.weights, rows))
    if content.tokenizer is not None:
        write_tokenizer(folder, content.tokenizer, config.encoder.max_position_embeddings)


def load_tokenizer(folder: str) -> WordPieceTokenizer | None:
    """The tokenizer of a folder; None without vocabulary. Lower case where nothing is said."""
    files = read_tokenizer(folder)
    if files.vocabulary is None:
        return None
    return WordPieceTokenizer(files.vocabulary, **files.settings)


def _require_rows(tensors, rows: tuple[Row, ...], folder):
    path = os.path.join(folder, weights_file.WEIGHTS_FILE)
    found = {name: tensor.shape for name, tensor in tensors.items()}
    expected = {row.theirs: row.their_shape for row in rows}
    require_match(found, expected, "the file", f"{path} does not fit its {config_file.CONFIG_FILE}")


def _without_constants(tensors, architecture, folder) -> dict[str, np.ndarray]:
    """Tensors less the buffers, and less an output layer that is the word embeddings anyway."""
    kept = {name: t for name, t in tensors.items() if name.removeprefix(BODY) not in _BUFFERS}
    if architecture == "ElectraForMaskedLM" and _TIED in kept:
        tied = kept.pop(_TIED)
        if not np.array_equal(tied, kept.get(_WORDS)):
            raise ValueError(
                f"{folder}: {_TIED} is expected to equal {_WORDS}, to which the output layer is "
                "tied here, but differs."
            )
    return kept
