# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files of a build while they are written: their names until then, and what is left of them."""

import os
import platform

import tensorflow as tf

from electra_tf.files import new_file


def write_file(path: str, *contents: bytes) -> None:
    """Writes a file under a temporary name and renames it.

    Raises:
        OSError: naming the file; nothing is left of it then.
    """
    with new_file(path, "wb", partial_name(path)) as file:
        for content in contents:
            file.write(content)


def partial_name(path: str) -> str:
    """Where a file is written before it gets its name.

    Workers of a build that was killed live on for a moment, beside those that continue it, and
    other machines may do a share of the work.
    """
    return f"{path}.{platform.node()}-{os.getpid()}.partial"


def remove_partial(folder: str) -> None:
    """Removes what interrupted writers left."""
    for name in tf.io.gfile.listdir(folder):
        if name.endswith(".partial"):
            tf.io.gfile.remove(os.path.join(folder, name))
