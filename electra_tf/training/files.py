# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files that are there completely or not at all: written under another name, then renamed."""

import contextlib
import json
import os
import pickle
from collections.abc import Iterator
from typing import Any

import tensorflow as tf


def write_bytes(path: str, content: bytes):
    """Write a file; folders are made as needed."""
    folder = os.path.dirname(path)
    if folder:
        tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(f"{path}.tmp", "wb") as file:
        file.write(content)
    tf.io.gfile.rename(f"{path}.tmp", path, overwrite=True)


def write_text(path: str, text: str):
    """Write a text file, UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: str, value: Any):
    """Write JSON that people can read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_pickle(path: str, value: Any):
    write_bytes(path, pickle.dumps(value))


def check_new(folder: str):
    """Raise ValueError if there is a folder of that name that is not empty."""
    if tf.io.gfile.exists(folder) and tf.io.gfile.listdir(folder):
        raise ValueError(f"{folder} is expected to be a new folder, but holds files already.")


@contextlib.contextmanager
def new_folder(folder: str) -> Iterator[str]:
    """A folder to write to, which gets its name when all is written, and is removed otherwise.

    Raises:
        ValueError: there is one of that name that is not empty.
    """
    folder = folder.rstrip("/")
    check_new(folder)
    partial = f"{folder}.incomplete"
    if tf.io.gfile.exists(partial):
        tf.io.gfile.rmtree(partial)
    tf.io.gfile.makedirs(partial)
    try:
        yield partial
        if tf.io.gfile.exists(folder):
            tf.io.gfile.rmtree(folder)
        tf.io.gfile.rename(partial, folder)
    finally:
        if tf.io.gfile.exists(partial):
            tf.io.gfile.rmtree(partial)
