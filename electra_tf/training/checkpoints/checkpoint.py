# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints: TensorFlow's name-keyed format, under the names the original gives its variables.

A checkpoint is `model.ckpt-<step>.{index,data-00000-of-00001}` as TF1's Saver writes them, with
weights by path ("electra/encoder/layer_0/..."), moments ("<path>/adam_m", "<path>/adam_v") and
`global_step`. So the original's checkpoints are read here, and ours there, without conversion;
what else a run needs to resume is stored beside, as one JSON string.
"""

import contextlib
import dataclasses
import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from absl import logging

from electra_tf.files import parse_json, read_bytes, write_text, writing
from electra_tf.folders import check_removable, files_in
from electra_tf.given_files import no_checkpoint
from electra_tf.training.checkpoints.checkpoint_reader import (
    CheckpointReader,
    DamagedCheckpointError,
    Sizes,
    float32_of,
    require_match,
    step_in_name,
    warn_of_rounding,
)

STATE = "electra_tf/state"
"""Name of the JSON string with what the original does not store."""
GLOBAL_STEP = "global_step"
PARTIAL = "incomplete_checkpoint"
NAMING_FILE = "checkpoint"
"""Says which checkpoint of a folder is the newest, as TensorFlow writes it."""


class LoadReport(NamedTuple):
    """Which names were loaded, and which were excused from being there; both sorted."""

    loaded: list[str]
    excused: list[str]


@dataclasses.dataclass
class CheckpointFolder:
    """Numbered checkpoints of one run in one folder."""

    folder: str
    """Where they are; made when the first one is saved."""
    keep: int | None = 5
    """How many of the newest stay; None or 0 for all."""

    def latest(self) -> str | None:
        """Prefix of the checkpoint that `checkpoint` names, else of the newest; None without any.

        Warns where the file names none of the folder's: released folders come with the paths of
        another machine.
        """
        if not tf.io.gfile.isdir(self.folder):
            return None
        files = tf.io.gfile.listdir(self.folder)
        found = {file.removesuffix(".index") for file in files if file.endswith(".index")}
        newest = max(found, key=lambda name: (step_in_name(name), name), default=None)
        prefix = None if newest is None else os.path.join(self.folder, newest)
        if NAMING_FILE not in files:
            return prefix
        path = os.path.join(self.folder, NAMING_FILE)
        try:
            names = _names_of(read_bytes(path), b"model_checkpoint_path")
            if not names:
                raise ValueError(f"{path} is expected to name a checkpoint, but does not.")
            named, name = names[0], os.path.basename(names[0])
            # The folder's own come first: it may be a copy, or have been moved.
            is_moved = (os.path.isabs(named) or "://" in named) and name in found
            target = os.path.join(self.folder, name if is_moved else named)
            if tf.io.gfile.exists(f"{target}.index"):
                return target
            raise ValueError(f"{path} names {named}, which is not there.")
        except (OSError, ValueError) as error:
            way_out = f"{prefix} is used." if prefix else "No other is in the folder."
            _warn_once(f"{error} {way_out}")
            return prefix

    def save(
        self, step: int, variables: Mapping[str, tf.Variable], state: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint so that it appears completely or not at all.

        Args:
            step: its number.
            variables: by the names they get.
            state: JSON-serializable, returned by `read_state`.

        Raises:
            OSError: the files cannot be written; what was written is removed.
        """
        name = f"model.ckpt-{step}"
        prefix = os.path.join(self.folder, name)
        self.remove_incomplete()
        tensors = {path: tf.convert_to_tensor(variable) for path, variable in variables.items()}
        tensors[GLOBAL_STEP] = tf.constant(step, tf.int64)
        tensors[STATE] = tf.constant(json.dumps(state))
        try:
            writing(prefix, self._write, name, tensors)
        finally:
            self.remove_incomplete()
        self._keep_newest(prefix)

    def _write(self, name: str, tensors: Mapping[str, tf.Tensor]):
        partial = os.path.join(self.folder, PARTIAL)
        tf.io.gfile.makedirs(partial)
        write_tensors(os.path.join(partial, name), tensors)
        # A checkpoint counts as there once its index is: the data goes first.
        for file in sorted(files_in(partial), key=lambda file: (file.endswith(".index"), file)):
            source, target = os.path.join(partial, file), os.path.join(self.folder, file)
            tf.io.gfile.rename(source, target, overwrite=True)

    def remove_incomplete(self) -> None:
        """Delete what a killed run left of a checkpoint it was writing.

        Raises:
            FileExistsError: the folder of unfinished checkpoints has files of others.
        """
        partial = os.path.join(self.folder, PARTIAL)
        others = foreign_prefixes(partial)
        check_removable(
            partial,
            is_ours=True,
            is_made=lambda name: bool(_FILE.fullmatch(name)) and _prefix_of(name) not in others,
        )
        if not tf.io.gfile.exists(partial):
            return
        for file in files_in(partial):
            prefix = _prefix_of(file)
            # Its data may be in place already, which is nothing without the index.
            if file.endswith(".index") and not self._is_there(prefix):
                self._remove(prefix)
        tf.io.gfile.rmtree(partial)

    def _is_there(self, name: str) -> bool:
        return tf.io.gfile.exists(os.path.join(self.folder, f"{name}.index"))

    def _remove(self, name: str):
        """The data goes first: an index alone still says whose it is, if this is interrupted."""
        files = [file for file in tf.io.gfile.listdir(self.folder) if _FILE.fullmatch(file)]
        for file in sorted(files, key=lambda file: file.endswith(".index")):
            if _prefix_of(file) == name:
                tf.io.gfile.remove(os.path.join(self.folder, file))

    def _keep_newest(self, saved: str):
        listed: list[str] = []
        path = os.path.join(self.folder, NAMING_FILE)
        if tf.io.gfile.exists(path):
            listed = _names_of(read_bytes(path), b"all_model_checkpoint_paths")
        # Whatever machine the list is from: what is in the folder counts.
        names = dict.fromkeys(map(os.path.basename, listed))
        kept = [os.path.join(self.folder, name) for name in names if self._is_there(name)]
        kept = [path for path in kept if path != saved] + [saved]
        # Downloaded weights, with which a run may begin in its own folder, are not ours to delete.
        ours = [path for path in kept if is_ours(path)]
        stale = ours[: -self.keep] if self.keep else []
        kept = [path for path in kept if path not in stale]
        names = [os.path.basename(path) for path in kept]
        # The list is rewritten before files go, so that it never names what is not there.
        write_names(self.folder, names)
        if not (self.keep and ours):
            return
        # All older ones go: a run that was killed here has left some that no list names.
        oldest = step_in_name(ours[-self.keep :][0])
        for name in _prefixes_in(self.folder):
            if name not in names and step_in_name(name) < oldest:
                if is_ours(os.path.join(self.folder, name)):
                    self._remove(name)


def write_tensors(prefix: str, tensors: Mapping[str, tf.Tensor]) -> None:
    """Write the files of a checkpoint."""
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )


def write_names(folder: str, names: Sequence[str]) -> None:
    """Write which checkpoints a folder has, the newest one last."""
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    write_text(os.path.join(folder, NAMING_FILE), "\n".join(lines) + "\n")


_FILE = re.compile(r"(model\.ckpt-\d+)\.(?:index|data-\d+-of-\d+)(?:\.tempstate\d+)?")
"""A file of a checkpoint, also while TensorFlow writes it."""


def _prefix_of(file: str) -> str:
    return _FILE.fullmatch(file)[1]


def _prefixes_in(folder: str) -> list[str]:
    """Names of the checkpoints that have an index."""
    if not tf.io.gfile.isdir(folder):
        return []
    files = tf.io.gfile.listdir(folder)
    return [_prefix_of(f) for f in files if f.endswith(".index") and _FILE.fullmatch(f)]


def is_ours(prefix: str) -> bool | None:
    """Whether this program saved a checkpoint, by its index; None if that cannot be read."""
    try:
        return STATE in CheckpointReader(prefix)
    except DamagedCheckpointError:
        return None


def foreign_prefixes(folder: str) -> set[str]:
    """Names of the checkpoints of a folder that this program did not save."""
    names = _prefixes_in(folder)
    return {name for name in names if is_ours(os.path.join(folder, name)) is False}


def _names_of(content: bytes, field: bytes) -> list[str]:
    """The values of a field of a `checkpoint` file; one that cannot be read ends the list."""
    lines = re.findall(rb'^[^#\n]*?\b%s\s*:\s*"((?:[^"\\\n]|\\.)+)"' % field, content, re.M)
    names = []
    with contextlib.suppress(UnicodeError):
        for line in lines:
            # TensorFlow writes bytes beyond ASCII as octal escapes.
            names.append(line.decode("unicode_escape").encode("latin-1").decode())
    return [name for name in names if "\0" not in name]


@functools.cache
def _warn_once(message: str):
    logging.warning("%s", message)


def resolve_prefix(path: str) -> str:
    """Prefix of a checkpoint, given it or the folder it is in.

    Raises:
        FileNotFoundError: there is none.
    """
    if tf.io.gfile.exists(f"{path}.index"):
        return path
    prefix = CheckpointFolder(path).latest() if tf.io.gfile.isdir(path) else None
    if prefix is None:
        raise no_checkpoint(path)
    return prefix


def read_step(prefix: str) -> int:
    """`global_step` of a checkpoint; 0 if it has none.

    Raises:
        DamagedCheckpointError: it cannot be read.
        ValueError: its step is no number of steps.
    """
    reader = CheckpointReader(prefix)
    if GLOBAL_STEP not in reader:
        return 0
    step = reader[GLOBAL_STEP]
    if step.shape or step.dtype.kind not in "iu" or step < 0:
        raise ValueError(
            f"{prefix}: {GLOBAL_STEP} is expected to be a whole number from 0, but is "
            f"{step.tolist()!r} of type {step.dtype.name}."
        )
    return int(step)


def read_state(prefix: str) -> dict[str, Any]:
    """What `save` was given as `state`; empty for checkpoints of the original.

    Raises:
        DamagedCheckpointError: it cannot be read.
        ValueError: it is not JSON.
    """
    reader = CheckpointReader(prefix)
    if STATE not in reader:
        return {}
    where, stored = f"{prefix}: {STATE}", reader[STATE].item()
    if not isinstance(stored, bytes):
        raise ValueError(f"{where} is expected to be JSON, but is {stored!r}.")
    return parse_json(stored, where)


def load_variables(
    prefix: str,
    variables: Mapping[str, tf.Variable],
    excused: str | None = None,
    ignored: str | None = None,
    sizes: Sizes | None = None,
) -> LoadReport:
    """Assign the values of a checkpoint to variables; every name is accounted for.

    Args:
        prefix: the checkpoint.
        variables: by name.
        excused: regular expression; names it matches may be missing, unexpected or of another
            shape on either side, and are then left alone.
        ignored: regular expression; names in the checkpoint that are none of the caller's
            business.
        sizes: which hyperparameters follow from shapes, for the message.

    Raises:
        DamagedCheckpointError: the checkpoint cannot be read.
        ValueError: says which hyperparameters differ, and which names are missing, unexpected or
            of another shape, or of another type. After any error, nothing is assigned.
    """
    reader = CheckpointReader(prefix)
    shapes = reader.shapes
    if ignored is not None:
        shapes = {name: shape for name, shape in shapes.items() if not re.search(ignored, name)}
    expected = {name: variable.shape.as_list() for name, variable in variables.items()}
    let_off = require_match(
        shapes, expected, "the checkpoint", f"{prefix} does not fit the model", sizes, excused
    )
    loaded = sorted(set(variables) - let_off)
    _check_types(reader, {name: variables[name] for name in loaded})
    # All are read before the first is assigned.
    values = {name: reader[name] for name in loaded}
    rounded = [
        name
        for name in loaded
        if reader.dtypes[name] == tf.float64 and tf.as_dtype(variables[name].dtype) == tf.float32
    ]
    warn_of_rounding(rounded, prefix)
    values |= {name: float32_of(values[name], name, prefix) for name in rounded}
    for name, value in values.items():
        variables[name].assign(value)
    return LoadReport(loaded, sorted(let_off))


def _check_types(reader: CheckpointReader, variables: Mapping[str, tf.Variable]):
    """Numbers are cast to others of their kind, integers or floats, and to nothing else."""
    for name, variable in variables.items():
        stored, expected = reader.dtypes[name], tf.as_dtype(variable.dtype)
        if (stored.is_floating, stored.is_integer) != (expected.is_floating, expected.is_integer):
            raise ValueError(
                f"{reader.prefix}: {name} is expected to be of type {expected.name}, but is of "
                f"type {stored.name}."
            )
