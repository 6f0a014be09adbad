# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Hugging Face folder as a value: configuration, weights by our names, tokenizer.

The weights are in one safetensors file, or in several with an index.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
import tensorflow as tf
from absl import logging

from electra_tf.config import check
from electra_tf.config.stored import configured_sizes
from electra_tf.files import check_keys, exists, read_bytes, read_json, write_bytes
from electra_tf.folders import new_folder
from electra_tf.interop.huggingface import config_file
from electra_tf.interop.huggingface.config_file import HuggingFaceConfig, require_known
from electra_tf.interop.huggingface.names import (
    BODY,
    DISCRIMINATOR_HEAD,
    HEADS,
    Row,
    encoder_rows,
    sizes_of,
    table,
    to_ours,
    to_theirs,
)
from electra_tf.interop.huggingface.tokenizer_files import write_tokenizer
from electra_tf.text import Tokenizer, load_tokenizer, stored_settings
from electra_tf.text.huggingface_settings import VOCABULARY_FILES, read_huggingface_settings
from electra_tf.text.loading import said_by
from electra_tf.training.checkpoints.checkpoint_reader import (
    float32_of,
    refuse_far_larger,
    require_match,
    warn_of_rounding,
)

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLED_FILES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}

_TIED = "generator_lm_head.weight"
_WORDS = "electra.embeddings.word_embeddings.weight"
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
"""In files of older versions: constants, not weights."""


class StoredTensor(NamedTuple):
    """A tensor as its file has it."""

    file: str
    name: str
    dtype: str
    """As the format spells it, such as "BF16"."""
    shape: tuple[int, ...]
    data: bytes

    @property
    def values(self) -> np.ndarray:
        """Its numbers as float32, which is exact for all but float64.

        Raises:
            ValueError: it holds no floats, or only 8 bits of each, or too large ones.
        """
        if self.dtype == "BF16":  # the first half of a float32; NumPy has no such type
            wide = np.frombuffer(self.data, "<u2").astype(np.uint32) << 16
            return wide.view(np.float32).reshape(self.shape)
        if self.dtype not in _FLOATS:
            quantized = ", and has to be scaled by what made it" if self.dtype[0] == "F" else ""
            raise ValueError(
                f"{self.file}: {self.name} is expected to be of one of the types BF16, "
                f"{', '.join(_FLOATS)}, but is of the type {self.dtype}{quantized}."
            )
        stored = np.frombuffer(self.data, np.dtype(_FLOATS[self.dtype]).newbyteorder("<"))
        return float32_of(stored.reshape(self.shape), self.name, self.file)


Tensors = Mapping[str, StoredTensor]


@dataclasses.dataclass(frozen=True)
class Content:
    """What a folder holds."""

    config: HuggingFaceConfig
    weights: Mapping[str, np.ndarray]
    """Under the names of `names.table`: the encoder is "electra" in every model."""
    tokenizer: Tokenizer | None = None
    task: str = ""
    """Name of the task of the head, if it has one."""


class TokenizerFiles(NamedTuple):
    """What a folder says of its tokenizer."""

    tokenizer: Tokenizer | None
    """None if there is no vocabulary."""
    vocab_file: str | None
    """Where it is: vocab.txt, or tokenizer.json where that is all there is."""
    settings: dict[str, bool]
    """See `text.stored_settings`; empty if nothing says."""


def read_tokenizer(folder: str, **choice: Any) -> TokenizerFiles:
    """Read what there is; vocab.txt has the last word on tokens.

    Args:
        folder: a Hugging Face folder.
        **choice: `pre_split` and `tokenizer` of `text.load_tokenizer`.

    Raises:
        ValueError: the tokenizer is none that can be represented here.
    """
    paths = (os.path.join(folder, name) for name in VOCABULARY_FILES)
    vocab_file = next(filter(exists, paths), None)
    if vocab_file is None:
        settings = read_huggingface_settings(folder)
        return TokenizerFiles(None, None, said_by(settings, **choice))
    tokenizer = load_tokenizer(vocab_file, **choice)
    return TokenizerFiles(tokenizer, vocab_file, stored_settings(vocab_file, **choice))


def read_content(folder: str, **choice: Any) -> Content:
    """Read a folder; every tensor is accounted for.

    Args:
        folder: with config.json and weights.
        **choice: see `read_tokenizer`.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: the class or a setting has no counterpart here; the weights are pickled; or
            names or shapes differ, and all of them are listed.
    """
    files = read_tokenizer(folder, **choice)
    config, tensors = _opened(folder)
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
    """Read the encoder of a folder of any class, and a head of replaced token detection.

    Other heads are left where they are.

    Raises:
        FileNotFoundError, ValueError: as `read_content`.
    """
    config, tensors = _opened(folder, with_head=False)
    body = {name: tensor for name, tensor in tensors.items() if name.startswith(BODY)} or tensors
    weights = _read_rows(_without_beginning(body), encoder_rows(config.encoder), folder)
    if head := {name: t for name, t in tensors.items() if name.startswith(DISCRIMINATOR_HEAD)}:
        rows = HEADS["ElectraForPreTraining"].rows(config.encoder, "", 0)
        weights |= _read_rows(head, rows, folder)
    return Content(config, weights)


def read_head(folder: str) -> HuggingFaceConfig:
    """Read what a folder says of its model, the kind of its head and its labels included.

    Raises:
        FileNotFoundError, ValueError: as `read_content`.
    """
    return _opened(folder)[0]


def write_contents(contents: Mapping[str, Content], folder: str) -> None:
    """Write a folder that transformers reads; it is written completely or not at all.

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
    tensors = to_theirs(content.weights, rows)
    # Marked as PyTorch's, which is what transformers asks for.
    stored = safetensors.numpy.save(tensors, metadata={"format": "pt"})
    write_bytes(os.path.join(folder, WEIGHTS_FILE), stored)
    if content.tokenizer is not None:
        write_tokenizer(folder, content.tokenizer, config.encoder.max_position_embeddings)


def special_ids(tokenizer: Tokenizer) -> dict[str, int]:
    """The ids of a tokenizer's special tokens, by their keys in config.json."""
    vocabulary = tokenizer.vocabulary
    names = [field.name for field in dataclasses.fields(vocabulary.special)]
    return {f"{n}_token_id": i for n, i in zip(names, vocabulary.special_ids, strict=True)}


def _opened(folder: str, with_head: bool = True) -> tuple[HuggingFaceConfig, Tensors]:
    """Configuration and tensors; sizes are compared before anything of them is made."""
    tensors = {
        name: tensor
        for name, tensor in _read_tensors(folder).items()
        if name.removeprefix(BODY) not in _BUFFERS
    }
    shapes = _shapes(tensors)
    config = config_file.read_config(folder, shapes, with_head)
    expected = configured_sizes(config.encoder)
    refuse_far_larger(sizes_of(shapes), expected, "the file", _misfit(folder))
    return config, tensors


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
    """The weights of the rows under our names; says it if some are rounded.

    Raises:
        ValueError: tensors are missing, unexpected, of another shape or no floats.
    """
    expected = {row.theirs: row.their_shape for row in rows}
    require_match(_shapes(tensors), expected, "the file", _misfit(folder), sizes_of)
    rounded = [tensor for tensor in tensors.values() if tensor.dtype == "F64"]
    warn_of_rounding([tensor.name for tensor in rounded], rounded[0].file if rounded else "")
    return to_ours({name: tensor.values for name, tensor in tensors.items()}, rows)


def _misfit(folder: str) -> str:
    return f"{_path_of(folder)} does not fit its {config_file.CONFIG_FILE}"


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


# ---- Tensors


def _path_of(folder: str) -> str:
    """The file with all tensors if it exists, else the index of several."""
    path = os.path.join(folder, WEIGHTS_FILE)
    return path if tf.io.gfile.exists(path) else os.path.join(folder, INDEX_FILE)


def _read_tensors(folder: str) -> dict[str, StoredTensor]:
    """All tensors of a folder by their names.

    Raises:
        FileNotFoundError: there are none.
        OSError: a file cannot be read.
        ValueError: they are pickled, or a file is damaged.
    """
    path = _path_of(folder)
    if path.endswith(WEIGHTS_FILE):
        return _read_file(path)
    if not tf.io.gfile.exists(path):
        raise _no_weights(folder)
    places = _read_index(path)
    tensors: dict[str, StoredTensor] = {}
    for file in sorted(set(places.values())):
        found = _read_file(os.path.join(folder, file))
        if twice := sorted(set(found) & set(tensors)):
            raise ValueError(
                f"{folder}: {twice[0]} is expected in one file, but is in {file} and in "
                f"{os.path.basename(tensors[twice[0]].file)}."
            )
        tensors |= found
    for name, file in places.items():
        if name not in tensors or os.path.basename(tensors[name].file) != file:
            raise ValueError(f"{path}: {name} is expected to be in {file}, but is not.")
    return tensors


def _read_index(path: str) -> dict[str, str]:
    """Name of a tensor -> name of its file, which is in the folder of the index."""
    stored = read_json(path)
    check_keys(stored, {"weight_map": dict}, path)
    for name, file in stored["weight_map"].items():
        is_name = isinstance(file, str) and file.endswith(".safetensors")
        is_here = is_name and os.path.basename(file.replace("\\", "/")) == file
        expected = "a safetensors file of the same folder, without a path"
        check(is_here, f"{path}: the file of {name}", expected, file)
        if not tf.io.gfile.exists(os.path.join(os.path.dirname(path), file)):
            raise FileNotFoundError(
                f"{os.path.join(os.path.dirname(path), file)} is named by {INDEX_FILE}, but is "
                "missing."
            )
    return stored["weight_map"]


def _read_file(path: str) -> dict[str, StoredTensor]:
    try:
        stored = safetensors.deserialize(read_bytes(path))
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is expected to be a safetensors file, but is not: {error}."
        ) from error
    return {
        name: StoredTensor(path, name, info["dtype"], tuple(info["shape"]), info["data"])
        for name, info in stored
    }


def _no_weights(folder: str) -> Exception:
    for name in PICKLED_FILES:
        path = os.path.join(folder, name)
        if tf.io.gfile.exists(path):
            return ValueError(
                f"{path} is a pickle, which can run any code when it is read and needs "
                f"PyTorch; {WEIGHTS_FILE} is expected instead. Where you trust the file, "
                "transformers writes the other one: "
                f'AutoModel.from_pretrained("{folder}").save_pretrained(folder), with the class '
                "that config.json names in place of AutoModel."
            )
    return FileNotFoundError(f"{folder} is expected to have the file {WEIGHTS_FILE}.")
