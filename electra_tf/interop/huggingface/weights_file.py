# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tensors of a Hugging Face folder: one safetensors file, or several with an index."""

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
import tensorflow as tf

from electra_tf.files import check_keys, read_bytes, read_json, write_bytes
from electra_tf.training.checkpoints.checkpoint_reader import float32_of, warn_of_rounding

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLED_FILES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


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


def path_of(folder: str) -> str:
    """The file with all tensors if it is there, else the index of several."""
    path = os.path.join(folder, WEIGHTS_FILE)
    return path if tf.io.gfile.exists(path) else os.path.join(folder, INDEX_FILE)


def read_tensors(folder: str) -> dict[str, StoredTensor]:
    """All tensors of a folder by their names.

    Raises:
        FileNotFoundError: there are none.
        OSError: a file cannot be read.
        ValueError: they are pickled, or a file is damaged.
    """
    path = path_of(folder)
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


def floats_of(tensors: Mapping[str, StoredTensor]) -> dict[str, np.ndarray]:
    """Tensors by name as float32; says it if some are rounded.

    Raises:
        ValueError: one holds no floats.
    """
    rounded = [tensor for tensor in tensors.values() if tensor.dtype == "F64"]
    warn_of_rounding([tensor.name for tensor in rounded], rounded[0].file if rounded else "")
    return {name: tensor.values for name, tensor in tensors.items()}


def write_tensors(folder: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Write one file, marked as PyTorch's, which is what transformers asks for."""
    content = safetensors.numpy.save(dict(tensors), metadata={"format": "pt"})
    write_bytes(os.path.join(folder, WEIGHTS_FILE), content)


def _read_index(path: str) -> dict[str, str]:
    """Name of a tensor -> name of its file, which is in the folder of the index."""
    stored = read_json(path)
    check_keys(stored, {"weight_map": dict}, path)
    for name, file in stored["weight_map"].items():
        is_name = isinstance(file, str) and file.endswith(".safetensors")
        if not is_name or os.path.basename(file.replace("\\", "/")) != file:
            raise ValueError(
                f"{path}: the file of {name} is expected to be a safetensors file of the same "
                f"folder, without a path, but is {file!r}."
            )
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
