# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Labels as users have them, ids or names, as the names that the kinds of tasks read."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from electra_tf.config.fields import check, is_number, is_whole, shown
from electra_tf.finetuning.files.data_warnings import choices

_WHOLE = re.compile(r"-?\d+")


def names_of_classes(
    labels: Sequence[Any] | None, num_classes: int | None, least: int
) -> tuple[str, ...] | None:
    """The classes that a user asks for; None if there is nothing that says so.

    Args:
        labels: their names in the order of their ids.
        num_classes: how many; their names are "0", "1" and so on.
        least: how many there have to be.

    Raises:
        ValueError: there are too few, two have one name, or the two arguments differ.
    """
    if labels is None and num_classes is None:
        return None
    if labels is None:
        valid = is_whole(num_classes) and num_classes >= least
        check(valid, "num_classes", f"at least {least}", num_classes)
        return tuple(map(str, range(num_classes)))
    is_list = not isinstance(labels, str | bytes) and hasattr(labels, "__iter__")
    names = tuple(str(label).strip() for label in labels) if is_list else ()
    is_usable = len(names) >= least and all(names) and len(set(names)) == len(names)
    check(is_usable, "labels", f"the different names of at least {least} classes", labels)
    check(num_classes in (None, len(names)), "num_classes", f"{len(names)}, as labels", num_classes)
    return names


def name_of_class(value: Any, labels: Sequence[str], place: str) -> str:
    """The name of the class that a label stands for.

    A whole number is the id of a class, but the name of one where all names are whole numbers: of
    the classes "1", "2", "3" it is 3 that means the last.

    Raises:
        ValueError: there is no such class; names the place.
    """
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        if all(map(_WHOLE.fullmatch, labels)):
            value = str(value)
        elif 0 <= value < len(labels):
            return labels[value]
    if not isinstance(value, str) or value not in labels:
        raise ValueError(
            f"{place} is expected to be one of the labels {choices(labels)}, or the id of one, 0 "
            f"to {len(labels) - 1}, but is {shown(value)}."
        )
    return value


def names_of_several(value: Any, labels: Sequence[str], place: str) -> tuple[str, ...]:
    """The names of the classes that a row of 0 and 1 for each of them, or a list, stands for.

    Raises:
        ValueError: it is none of this, or there is no such class.
    """
    if not isinstance(value, list | tuple):  # not by `check`: every row would list the labels
        raise ValueError(
            f"{place} is expected to be a list of labels, or 0 or 1 for each of {choices(labels)}, "
            f"but is {shown(value)}."
        )
    is_indicator = len(value) == len(labels) and all(
        isinstance(part, int | float) and part in (0, 1) for part in value
    )
    if is_indicator:
        return tuple(label for label, part in zip(labels, value, strict=True) if part)
    found = [name_of_class(part, labels, place) for part in value]
    return tuple(dict.fromkeys(found))


def score(value: Any, value_range: tuple[float, float], place: str) -> float:
    """A score in the range of the model.

    Raises:
        ValueError: it is none, or outside of the range.
    """
    low, high = value_range
    expected = f"a number from {low:g} to {high:g}, the value_range of the model"
    check(is_number(value) and low <= value <= high, place, expected, value)
    return float(value)


def weights_of_classes(class_weight: Mapping[Any, float], labels: Sequence[str]) -> np.ndarray:
    """The weights of all classes, float32 [C]; those that are left out weigh 1.

    Args:
        class_weight: id or name -> weight.
        labels: the names; of a task without classes none.

    Raises:
        ValueError: there is no such class, or a weight is no number of at least 0.
    """
    check(isinstance(class_weight, Mapping), "class_weight", "class -> weight", class_weight)
    weights = np.ones(len(labels), np.float32)
    for key, weight in class_weight.items():
        if not labels:
            break
        is_number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        place = f"class_weight of {key!r}"
        check(is_number and 0 <= weight < math.inf, place, "a number of at least 0", weight)
        weights[labels.index(name_of_class(key, labels, "a key of class_weight"))] = weight
    return weights
