# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading one checkpoint: the only place where TensorFlow's reader is asked.

TensorFlow reports damage by errors of many types (OpError, IndexError, "not an sstable"), most of
which do not name the checkpoint. Here they become one.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

_NOT_FOUND = re.compile(r"[\[\\]")


class DamagedCheckpointError(OSError):
    """A checkpoint cannot be read."""


OUT_OF_MEMORY = (MemoryError, tf.errors.ResourceExhaustedError)
"""How Python and TensorFlow say so."""


class CheckpointReader:
    """The variables of a checkpoint.

    Attributes:
        shapes: of all variables, by name.
        dtypes: their types, by name.

    Raises:
        DamagedCheckpointError: the checkpoint cannot be read, here or later; names it, and the
            newest older one of its folder that can be.
    """

    def __init__(self, prefix: str):
        self.prefix = prefix
        with self._naming_damage():
            self._reader, self._alias = _opened(prefix)
            self.shapes = dict(self._reader.get_variable_to_shape_map())
            self.dtypes = dict(self._reader.get_variable_to_dtype_map())

    def __contains__(self, name: str) -> bool:
        return name in self.shapes

    def __getitem__(self, name: str) -> np.ndarray:
        """The value of a variable; its checksum is compared."""
        with self._naming_damage():
            return np.asarray(self._reader.get_tensor(name))

    @contextlib.contextmanager
    def _naming_damage(self) -> Iterator[None]:
        try:
            yield
        except OUT_OF_MEMORY as error:  # says nothing of the files, which must not be deleted
            raise DamagedCheckpointError(
                f"the checkpoint {self.prefix} cannot be read: there is not enough memory for it."
            ) from error
        except Exception as error:  # of whatever type: see above
            reason = _unopened(self.prefix)
            way_out = "" if reason else f" {_way_out(self.prefix)}"
            reason = reason or " ".join(str(getattr(error, "message", error)).split()).rstrip(".")
            raise DamagedCheckpointError(
                f"the checkpoint {self.prefix} cannot be read: {reason}.{way_out}"
            ) from error


def _opened(prefix: str) -> tuple[Any, Any]:
    """TensorFlow's reader, and what has to last as long as it."""
    folder, alias = without_pattern(os.path.dirname(prefix))
    # Not load_checkpoint, which takes a folder of that name for the checkpoint.
    path = os.path.join(folder, os.path.basename(prefix))
    return tf.compat.v1.train.NewCheckpointReader(path), alias


def without_pattern(folder: str) -> tuple[str, tempfile.TemporaryDirectory | None]:
    """A path of a folder in which TensorFlow finds checkpoints and SavedModels.

    TensorFlow takes it for a glob pattern: it finds nothing in "runs/[x]". A link without such
    characters leads there.

    Returns:
        The path, and what has to be kept as long as it is used.
    """
    if not (_NOT_FOUND.search(folder) and os.path.isdir(folder)):
        return folder, None
    alias = tempfile.TemporaryDirectory()
    link = os.path.join(alias.name, "folder")
    os.symlink(os.path.abspath(folder), link)
    return link, alias


def step_in_name(prefix: str) -> int:
    """7000 of ".../model.ckpt-7000"; -1 of a name without number."""
    number = re.search(r"-(\d+)$", prefix)
    return int(number.group(1)) if number else -1


def _files_in(folder: str) -> list[str]:
    """Also of a folder that has been taken away, or may not be listed."""
    try:
        return sorted(name.rstrip("/") for name in tf.io.gfile.listdir(folder or "."))
    except tf.errors.OpError:
        return []


def _files_of(prefix: str) -> list[str]:
    """Names of the files of a checkpoint."""
    folder, name = os.path.split(prefix)
    return [
        file for file in _files_in(folder) if file.startswith((f"{name}.index", f"{name}.data-"))
    ]


def _unopened(prefix: str) -> str | None:
    """Why a checkpoint cannot be read although it may be sound, if so."""
    folder = os.path.dirname(prefix)
    if "://" in folder and _NOT_FOUND.search(folder):
        return "TensorFlow finds none in a remote folder with [ or \\ in its name. Rename it"
    for file in _files_of(prefix):
        path = os.path.join(os.path.dirname(prefix), file)
        try:
            with tf.io.gfile.GFile(path, "rb") as opened:
                opened.read(1)
        except tf.errors.PermissionDeniedError:
            return f"permission to read {path} is missing"
        except tf.errors.OpError:
            continue
    return None


def _way_out(prefix: str) -> str:
    """The newest older checkpoint that is sound, and what to delete so that it is taken."""
    folder, name = os.path.split(prefix)
    names = {file.removesuffix(".index") for file in _files_in(folder) if file.endswith(".index")}
    older = [other for other in names if 0 <= step_in_name(other) < step_in_name(name)]
    damaged = _files_of(prefix)
    for other in sorted(older, key=step_in_name, reverse=True):
        path = os.path.join(folder, other)
        if _is_sound(path):
            return (
                f"The newest older one that is sound is {path}: to go on from it, delete "
                f"{', '.join(damaged)}."
            )
        damaged += _files_of(path)
    return (
        f"No older one in {folder or '.'} is sound: copy its files from where they are sound, or "
        "begin anew in another folder."
    )


def _is_sound(prefix: str) -> bool:
    try:
        reader, _alias = _opened(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except OUT_OF_MEMORY:
        return True  # as far as one can tell
    except Exception:  # as above
        return False
    return True
