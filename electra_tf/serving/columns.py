# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts of Python as the inputs of signatures, and what they give as numpy arrays."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from electra_tf.config.fields import is_unicode


def text_columns(texts: Sequence, names: list[str]) -> dict[str, list[bytes]]:
    """Input -> its B strings."""
    expected = "str" if len(names) == 1 else f"({', '.join(names)})"
    rank = getattr(texts, "ndim", 1)
    is_sequence = hasattr(texts, "__len__") and hasattr(texts, "__getitem__") and rank > 0
    # Tables of other libraries are iterated by their columns.
    is_table = rank > 1 and not isinstance(texts, np.ndarray)
    is_other = is_table or isinstance(texts, str | bytes | Mapping)
    if not is_sequence or is_other or not len(texts):
        raise ValueError(
            f"texts is expected to be a sequence of one or more {expected}, but is {texts!r}."
        )
    columns: dict[str, list[bytes]] = {name: [] for name in names}
    for place, text in enumerate(texts):
        row = tuple(text) if isinstance(text, tuple | list | np.ndarray) else (text,)
        if len(row) != len(names) or not all(isinstance(part, str) for part in row):
            raise ValueError(f"texts[{place}] is expected to be {expected}, but is {text!r}.")
        if not all(map(is_unicode, row)):
            raise ValueError(
                f"texts[{place}] is expected to be Unicode text, but {text!r} has surrogates, "
                "which UTF-8 cannot hold."
            )
        for name, part in zip(names, row, strict=True):
            columns[name].append(part.encode())
    return columns


def check_count(value: int, name: str) -> None:
    """Check that an argument is a whole number of at least 1.

    Raises:
        ValueError: it is not; names it.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ValueError(f"{name} is expected to be a whole number, but is {value!r}.")
    if value < 1:
        raise ValueError(f"{name} is expected to be at least 1, but is {value}.")


def input_names(function: Callable) -> list[str]:
    """Names of a signature's inputs, the first text before the second."""
    specs = getattr(function, "input_signature", None)
    if specs is not None:  # not exported: in their order
        return [spec.name for spec in specs]
    _, named = function.structured_input_signature
    return sorted(named, key=lambda name: (name in ("text_pair", "context", "option"), name))


def said_by(error: tf.errors.InvalidArgumentError) -> str:
    """What an assertion in a graph says, without where in the graph it stands."""
    found = re.search(r"assertion failed: \[(.*)\]", error.message)
    return error.message if found is None else found[1].replace("] [", " ")


def as_array(tensor: tf.Tensor) -> np.ndarray:
    """The values of a tensor; strings as str."""
    value = tensor.numpy()
    if tensor.dtype != tf.string:
        return value
    # Tokens of byte fallback are parts of characters.
    decoded = [item.decode(errors="replace") for item in value.ravel()]
    return np.array(decoded, object).reshape(value.shape)


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Parts of a batch one after the other, each filled up to the widest."""
    widest = np.max([part.shape[1:] for part in parts], axis=0)
    filled = []
    for part in parts:
        missing = [(0, 0), *((0, int(width)) for width in widest - part.shape[1:])]
        empty = "" if part.dtype == object else part.dtype.type()
        filled.append(np.pad(part, missing, constant_values=empty))
    return np.concatenate(filled)
