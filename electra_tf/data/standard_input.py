# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A corpus that comes through standard input is kept in a file, so that it is read like others."""

import hashlib
import os
import re
from typing import BinaryIO

import tensorflow as tf

from electra_tf.data.corpus import SourceFile, source_file
from electra_tf.data.writer import partial_name
from electra_tf.files import writes, writing

NAME = "standard_input"
_BLOCK_BYTES = 1 << 20


def keep(stream: BinaryIO, folder: str) -> SourceFile:
    """Copies a stream to a file in a folder, named by its content: the same text, the same plan.

    Raises:
        ValueError: if nothing comes, or a packed format that cannot be read.
        OSError: if the file cannot be written; nothing is left of it then.
    """
    writing(folder, tf.io.gfile.makedirs, folder)
    partial = partial_name(os.path.join(folder, NAME))
    hashed = hashlib.sha256()
    block = stream.read(_BLOCK_BYTES)
    if not block:
        raise ValueError("No text came through standard input.")
    try:
        with writes(partial), tf.io.gfile.GFile(partial, "wb") as file:
            while block:
                hashed.update(block)
                file.write(block)
                block = stream.read(_BLOCK_BYTES)
        digest = hashed.hexdigest()
        path = os.path.join(folder, f"{NAME}-{digest[:16]}")
        writing(path, tf.io.gfile.rename, partial, path, overwrite=True)
    finally:
        if tf.io.gfile.exists(partial):
            tf.io.gfile.remove(partial)
    return source_file(NAME, path, digest)


def remove_kept(folder: str) -> None:
    """Removes all kept streams from a folder: files that are named by their own content."""
    for name in tf.io.gfile.listdir(folder):
        match = re.fullmatch(rf"{NAME}-([0-9a-f]{{16}})", name)
        path = os.path.join(folder, name)
        if match and _hash_of(path).startswith(match[1]):
            tf.io.gfile.remove(path)


def _hash_of(path: str) -> str:
    hashed = hashlib.sha256()
    with tf.io.gfile.GFile(path, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            hashed.update(block)
    return hashed.hexdigest()
