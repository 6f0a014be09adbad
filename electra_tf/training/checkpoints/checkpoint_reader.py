# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading one checkpoint: the only place where TensorFlow's reader is asked.

TensorFlow reports damage by errors of many types (OpError, IndexError, "not an sstable"), most of
which do not name the checkpoint. Here they become one. Errors about names, shapes and types that
ought to agree say what differs.
"""

import contextlib
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config.stored import size_differences

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
    """Why a checkpoint cannot be read although it may be intact, if so."""
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
    """The newest intact checkpoint before it, and what to delete so that it is used."""
    folder, name = os.path.split(prefix)
    names = {file.removesuffix(".index") for file in _files_in(folder) if file.endswith(".index")}
    older = [other for other in names if 0 <= step_in_name(other) < step_in_name(name)]
    damaged = _files_of(prefix)
    for other in sorted(older, key=step_in_name, reverse=True):
        path = os.path.join(folder, other)
        if _is_sound(path):
            return (
                f"The newest intact one before it is {path}: to resume from it, delete "
                f"{', '.join(damaged)}."
            )
        damaged += _files_of(path)
    return (
        f"No older one in {folder or '.'} is intact: copy its files from an intact copy, or start "
        "again in another folder."
    )


def _is_sound(prefix: str) -> bool:
    try:
        reader, _alias = _opened(prefix)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except OUT_OF_MEMORY:
        return True  # nothing shows that it is damaged
    except Exception:  # as above
        return False
    return True


Shapes = Mapping[str, Sequence[int]]
Sizes = Callable[[Shapes], Mapping[str, Any]]
"""Shapes by name -> the hyperparameters that follow from them."""
MOST_NAMES = 10
"""A message lists this many; a model of another shape differs in hundreds."""


class Mismatch(NamedTuple):
    """A name that differs, and how."""

    name: str
    kind: str
    """Such as "missing in the checkpoint"."""
    shapes: str = ""

    @property
    def line(self) -> str:
        """For a message."""
        return f"{self.kind}: {self.name}{self.shapes}"


def mismatches(found: Shapes, expected: Shapes, place: str) -> list[Mismatch]:
    """What differs between the shapes found by name in a place and those expected.

    Returns:
        First the names that are missing, then the unexpected ones, then those of another shape.
    """
    both = sorted(set(expected) & set(found))
    return [
        *(Mismatch(n, f"missing in {place}") for n in sorted(set(expected) - set(found))),
        *(Mismatch(n, f"unexpected in {place}") for n in sorted(set(found) - set(expected))),
        *(
            Mismatch(
                n, "of another shape", f": {list(found[n])} in {place}, {list(expected[n])} here"
            )
            for n in both
            if list(found[n]) != list(expected[n])
        ),
    ]


def explained(subject: str, differences: Sequence[Mismatch], sizes: Sequence[str] = ()) -> str:
    """The message of an error: what differs in size, then names, of many some and a count."""
    lines = [f"  hyperparameters that differ: {'; '.join(sizes)}"] if sizes else []
    counts: Counter[str] = Counter()
    places = []
    for difference in differences:
        places.append(counts[difference.kind])
        counts[difference.kind] += 1
    # The first of every kind, then the second of every kind, and so on.
    chosen = sorted(range(len(differences)), key=places.__getitem__)[:MOST_NAMES]
    lines += [f"  {differences[number].line}" for number in sorted(chosen)]
    counts.subtract(differences[number].kind for number in chosen)
    if counts.total():
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        lines.append(f"  and {counts.total()} more: {kinds}")
    return "\n".join([f"{subject}:", *lines])


def require_match(
    found: Shapes,
    expected: Shapes,
    place: str,
    subject: str,
    sizes: Sizes | None = None,
    excused: str | None = None,
) -> set[str]:
    """Names that differ and are excused; an error if others differ.

    Args:
        found: shapes by name, of what is loaded.
        expected: shapes by name, of the model.
        place: where `found` is from, such as "the checkpoint".
        subject: begins the message, such as "/models/x does not fit the model".
        sizes: which hyperparameters follow from shapes.
        excused: regular expression; names that it matches may differ.

    Raises:
        ValueError: others differ; says in which hyperparameters, and some of the names.
    """
    differing = mismatches(found, expected, place)
    pattern = re.compile(excused) if excused is not None else None
    let_off = {each.name for each in differing if pattern and pattern.search(each.name)}
    if differences := [each for each in differing if each.name not in let_off]:
        phrases = [] if sizes is None else size_differences(sizes(found), sizes(expected), place)
        raise ValueError(explained(subject, differences, phrases))
    return let_off


def refuse_far_larger(
    found: Mapping[str, Any], expected: Mapping[str, Any], place: str, subject: str
) -> None:
    """Raise a ValueError if a model would be far larger than what it is to be loaded from.

    A size of a damaged configuration is found before memory of that size is asked for; smaller
    differences are listed when the model is loaded. Arguments as those of `require_match`, but
    hyperparameters that follow from shapes (see `Sizes`) instead of the shapes.
    """
    larger = {name: size for name, size in expected.items() if size > 2 * found.get(name, 1)}
    if larger:
        phrases = size_differences(found, larger, place)
        phrases += [
            f"{name} is {larger[name]} here, but not given by {place}"
            for name in larger
            if name not in found
        ]
        raise ValueError(explained(subject, [], phrases))


def float32_of(values: np.ndarray, name: str, place: str) -> np.ndarray:
    """Stored floats of any width as float32, which is exact for all but float64.

    Raises:
        ValueError: they are no floats, or too large.
    """
    kind = tf.as_dtype(values.dtype)
    if not kind.is_floating:
        raise ValueError(f"{place}: {name} is expected to hold floats, but is of type {kind.name}.")
    with np.errstate(over="ignore"):
        narrowed = np.asarray(values, np.float32)
    if kind.size > 4 and not np.array_equal(np.isinf(narrowed), np.isinf(values)):
        raise ValueError(f"{place}: {name} is expected to fit float32, but has larger values.")
    return narrowed


def warn_of_rounding(names: Sequence[str], place: str) -> None:
    """Say which variables are stored as float64 and computed with as float32, if any are."""
    if names:
        count, first = len(names), names[0]
        message = "%s: %d variables are float64 and are rounded to float32, such as %s."
        logging.warning(message, place, count, first)
