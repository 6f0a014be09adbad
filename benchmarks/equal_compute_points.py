# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The points of a comparison at equal compute: a file with a JSON line for each that is measured.

Several processes append to it, and any of them may be killed at any time.
"""

import fcntl
import json
import os
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

SWEEP, STUDY = "sweep", "study"
FINETUNING, PROBE = "finetuning", "probe"
RANDOM = "random"
"""Weights of step 0, measured like the others: a budget of 0."""


class Point(NamedTuple):
    """What was measured, or is to be."""

    part: str
    """SWEEP or STUDY."""
    objective: str
    """Or a variant of one, see `base_of`."""
    seed: int
    """Of pre-training and of fine-tuning."""
    budget: float
    """FLOPs; 0: weights of step 0."""
    learning_rate: float
    """The highest of pre-training."""
    task: str
    measure: str
    """FINETUNING or PROBE."""
    finetuning_rate: float
    """0 of a probe."""


class Measured(NamedTuple):
    """The result of a point."""

    score: float | None
    """In percent; None: the loss was not finite, of pre-training or of fine-tuning."""
    metric: str
    trivial: float
    """The score of a trivial prediction."""
    steps: int
    """Of pre-training; 0 if its loss was not finite."""
    flops: float
    """Of these steps; within a step of the budget."""


def base_of(objective: str) -> str:
    """The objective of which this is a variant, by its name up to +; or itself."""
    return objective.partition("+")[0]


_KINDS = {str: (str,), int: (int,), float: (int, float), float | None: (int, float, type(None))}


def read_points(path: str | os.PathLike[str]) -> dict[Point, Measured]:
    """The points of a file, in its order; none if there is no file.

    A last line without an end is what a killed process left: it is ignored, with a warning.

    Raises:
        ValueError: another line is not a point, or a point comes twice; names file and line.
    """
    try:
        with open(path, "rb") as file:
            return _parsed(file.read(), path)
    except FileNotFoundError:
        return {}


def append_point(path: str | os.PathLike[str], point: Point, measured: Measured) -> None:
    """Append a point, unless it is there; a torn last line is removed first.

    Raises:
        ValueError: see `read_points`.
    """
    line = json.dumps({**point._asdict(), **measured._asdict()}, allow_nan=False) + "\n"
    with open(path, "a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of the kernel: it ends with the process
        file.seek(0)
        content = file.read()
        if point in _parsed(content, path):
            return
        file.truncate(len(content) - len(_torn(content)))
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def _torn(content: bytes) -> bytes:
    return content[content.rfind(b"\n") + 1 :]


def _parsed(content: bytes, path: str | os.PathLike[str]) -> dict[Point, Measured]:
    torn, points = _torn(content), {}
    if torn:
        warnings.warn(f"{path}: the last line is torn and ignored: {torn[:40]!r}", stacklevel=3)
    for number, line in enumerate(content.removesuffix(torn).splitlines(), start=1):
        where = f"{path}, line {number},"
        try:
            values = json.loads(line)
            point, measured = _of(Point, values), _of(Measured, values)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(
                f"{where} is expected to be a point that this benchmark has measured, but is "
                f"{line[:80]!r}."
            ) from error
        if point in points:
            raise ValueError(f"{where} is expected to be a new point, but is one of those above.")
        points[point] = measured
    return points


def _of(kind: type, values: Mapping[str, Any]) -> Any:
    """A named tuple of the values of its fields."""
    for name, expected in kind.__annotations__.items():
        if type(values[name]) not in _KINDS[expected]:
            raise TypeError(name)
    return kind(*(values[name] for name in kind._fields))
