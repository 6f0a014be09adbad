# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files that are there completely or not at all: written under another name, then renamed."""

import json
import os
import pickle
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
