# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tensors of a Hugging Face folder: one safetensors file, or several with an index."""

import json
import os
from collections.abc import Mapping

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.tensorflow
import tensorflow as tf

from electra_tf.files import write_bytes

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLED_FILES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


def read_tensors(folder: str) -> dict[str, np.ndarray]:
    """All tensors of a folder by their names.

    Raises:
        FileNotFoundError: there are none.
        ValueError: they are pickled, or a file is damaged.
    """
    index = os.path.join(folder, INDEX_FILE)
    if tf.io.gfile.exists(os.path.join(folder, WEIGHTS_FILE)):
        files = [WEIGHTS_FILE]
    elif tf.io.gfile.exists(index):
        with tf.io.gfile.GFile(index) as file:
            files = sorted(set(json.load(file)["weight_map"].values()))
    else:
        raise _no_weights(folder)
    tensors = {}
    for name in files:
        tensors.update(_read_file(os.path.join(folder, name)))
    return tensors


def write_tensors(folder: str, tensors: Mapping[str, np.ndarray]):
    """Write one file, marked as PyTorch's, which is what transformers asks for."""
    content = safetensors.numpy.save(dict(tensors), metadata={"format": "pt"})
    write_bytes(os.path.join(folder, WEIGHTS_FILE), content)


def _read_file(path) -> dict[str, np.ndarray]:
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"{path} is named by {INDEX_FILE}, but is missing.")
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    try:
        # By TensorFlow, since numpy has no bfloat16.
        tensors = safetensors.tensorflow.load(content)
    except safetensors.SafetensorError as error:
        raise ValueError(
            f"{path} is expected to be a safetensors file, but is not: {error}."
        ) from error
    # Every 16-bit float is a 32-bit float exactly.
    return {
        name: (tf.cast(tensor, tf.float32) if tensor.dtype.is_floating else tensor).numpy()
        for name, tensor in tensors.items()
    }


def _no_weights(folder) -> Exception:
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
