# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What users give `fit`, `evaluate` and `predict`: texts, labels and weights, in any container."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config.fields import check, check_names, is_unicode
from electra_tf.finetuning.files.data_warnings import shown


@dataclasses.dataclass(frozen=True)
class Given:
    """Columns of texts, and what belongs to their rows."""

    columns: tuple[list, ...]
    """One list of texts, or two of the same length."""
    labels: list | None = None
    weights: np.ndarray | None = None
    """Float32 [n]."""

    def __len__(self) -> int:
        return len(self.columns[0])

    def part(self, rows: slice) -> "Given":
        """Some of the rows."""
        return Given(
            tuple(column[rows] for column in self.columns),
            None if self.labels is None else self.labels[rows],
            None if self.weights is None else self.weights[rows],
        )

    def parted(self, validation_split: float) -> tuple["Given", "Given"]:
        """The first rows, and the last ones for validation, as Keras parts them.

        Raises:
            ValueError: one of the two would have no row.
        """
        is_share = isinstance(validation_split, int | float) and 0 < validation_split < 1
        first = math.floor(len(self) * (1.0 - validation_split)) if is_share else 0
        expected = f"a share between 0 and 1 that leaves rows on both sides of the {len(self)}"
        check(0 < first < len(self), "validation_split", expected, validation_split)
        return self.part(slice(None, first)), self.part(slice(first, None))


def read(
    x: Any,
    y: Any,
    sample_weight: Any,
    names: Sequence[str],
    needs_all: bool = False,
    are_pairs: bool | None = False,
) -> Given:
    """The rows of what a method was given.

    Args:
        x: texts: a sequence or an array of them, or of pairs; (first texts, second texts) as a
            tuple; a dict of columns by `names`; or a finite `tf.data.Dataset` of any of these,
            batched or not, alone or as (texts, labels) or (texts, labels, weights). It is read
            once, into memory.
        y: labels, as many; None without.
        sample_weight: a weight for each row; None for 1.
        names: of the columns.
        needs_all: whether all columns have to be there.
        are_pairs: whether a dataset of (a, b), both texts, is one of pairs instead of texts and
            their labels; None if that cannot be decided, which is an error.

    Raises:
        ValueError: it is none of this, or the lengths differ.
    """
    if isinstance(x, tf.data.Dataset):
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            check(value is None, name, "None for a dataset, which has it inside", value)
        x, y, sample_weight = _of_dataset(x)
        if are_pairs is not False and _are_texts(x) and _are_texts(y):
            if are_pairs is None:
                raise ValueError(
                    "x is expected to be a dataset of texts or of ((text, text_pair),), since the "
                    "model has not been trained on either, but is one of (text, text)."
                )
            x, y = (x, y), None
    columns = _columns(x, names, needs_all)
    count = len(columns[0])
    labels = None if y is None else rows_of(y, "y")
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"y is expected to have a label for each of the {count} texts, but has {len(labels)}."
        )
    return Given(columns, labels, _weights(sample_weight, count))


def validation_parts(validation_data: Any) -> tuple[Any, Any, Any]:
    """Texts, labels and weights as `read` takes them.

    Raises:
        ValueError: it is neither a dataset nor a tuple of two or three.
    """
    if isinstance(validation_data, tf.data.Dataset):
        return validation_data, None, None
    valid = isinstance(validation_data, tuple | list) and len(validation_data) in (2, 3)
    expected = "(texts, labels), (texts, labels, weights) or a dataset"
    check(valid, "validation_data", expected, validation_data)
    return (*validation_data, None)[:3]


def rows_of(values: Any, name: str) -> list:
    """The rows of a sequence, an array, a tensor or a column of a table.

    Raises:
        ValueError: it is none of this, or empty.
    """
    if isinstance(values, tf.Tensor | tf.RaggedTensor | keras.Variable):
        values = values.numpy()
    is_table = getattr(values, "ndim", 1) > 1 and not isinstance(values, np.ndarray)
    is_other = is_table or isinstance(values, str | bytes | Mapping | set)
    are_rows = hasattr(values, "__len__") and hasattr(values, "__iter__") and not is_other
    check(are_rows, name, "a sequence of rows", values)
    if not len(values):
        raise ValueError(f"{name} is expected to have at least one row, but is empty.")
    return [_plain(row) for row in values]


def text_of(value: Any, place: str) -> str:
    """A text that a row holds.

    Raises:
        ValueError: it is none; names the place.
    """
    if isinstance(value, bytes):
        value = value.decode(errors="surrogateescape")
    check(is_unicode(value), place, "a text in Unicode", value)
    return str(value)


def _plain(row: Any) -> Any:
    """A row as Python's own types have it; bytes become texts."""
    if isinstance(row, tf.Tensor | tf.RaggedTensor):
        row = row.numpy()
    if isinstance(row, np.ndarray | np.generic):
        row = row.tolist()
    if isinstance(row, bytes):
        return row.decode(errors="surrogateescape")
    return [_plain(part) for part in row] if isinstance(row, list) else row


def _columns(x: Any, names: Sequence[str], needs_all: bool) -> tuple[list, ...]:
    if isinstance(x, Mapping):
        check_names(x, names, "column")
        given = [name for name in names if name in x]
        if not given or given != list(names[: len(given)]):
            raise ValueError(f"x is expected to have the column {names[0]!r}, but has {given}.")
        columns = [rows_of(x[name], name) for name in given]
    elif isinstance(x, tuple) and len(x) == len(names) == 2 and not any(map(_is_text, x)):
        columns = [rows_of(part, name) for part, name in zip(x, names, strict=True)]
    else:
        columns = _columns_of_rows(rows_of(x, "x"), names)
    lengths = {len(column) for column in columns}
    if len(lengths) > 1:
        raise ValueError(
            f"{' and '.join(names)} are expected to have one length, but have "
            f"{' and '.join(str(len(column)) for column in columns)} rows."
        )
    if needs_all and len(columns) < len(names):
        raise ValueError(
            f"x is expected to be {' and '.join(names)}, as two columns or as pairs, but there is "
            f"one text in each row: {shown(columns[0][0])}."
        )
    return tuple(columns)


def _columns_of_rows(rows: list, names: Sequence[str]) -> list[list]:
    """The columns of rows that are texts or, of two columns, pairs."""
    if len(names) == 1:
        return [rows]
    is_pair = [isinstance(row, list | tuple) for row in rows]
    if not any(is_pair):
        columns = [rows]
    else:
        for place, row in enumerate(rows):
            fits = is_pair[place] and len(row) == len(names)
            check(fits, f"x[{place}]", f"({', '.join(names)}), as other rows are", row)
        columns = [list(column) for column in zip(*rows, strict=True)]
    return [
        [text_of(text, f"{name}[{place}]") for place, text in enumerate(column)]
        for column, name in zip(columns, names if len(columns) > 1 else ("x",), strict=True)
    ]


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)


def _are_texts(column: Any) -> bool:
    return isinstance(column, list) and all(map(_is_text, column))


def _weights(sample_weight: Any, count: int) -> np.ndarray | None:
    if sample_weight is None:
        return None
    rows = rows_of(sample_weight, "sample_weight")
    try:
        weights = np.array(rows, np.float32)
    except (TypeError, ValueError):
        weights = np.array([np.nan])
    expected = f"{count} numbers of at least 0, one for each text"
    is_usable = weights.shape == (count,) and np.isfinite(weights).all() and (weights >= 0).all()
    check(bool(is_usable), "sample_weight", expected, rows)
    return weights


# ---- Datasets


def _of_dataset(dataset: tf.data.Dataset) -> tuple[Any, Any, Any]:
    """Texts, labels and weights of all elements; those that are not there are None."""
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "x is expected to be a finite dataset, since it is read into memory, but repeats "
            "without end; fit has epochs."
        )
    spec = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    first = tf.nest.flatten(spec[0])[0]
    is_batched = bool(first.shape.rank)
    parts: list[list] = []
    for element in dataset:
        found = keras.utils.unpack_x_y_sample_weight(element)
        parts.append([part for part in found if part is not None])
    if not parts:
        raise ValueError("x is expected to have at least one row, but is an empty dataset.")
    columns = [_joined(column, is_batched) for column in zip(*parts, strict=True)]
    return (*columns, None, None)[:3]


def _joined(parts: Sequence[Any], is_batched: bool) -> Any:
    """One container of the rows of all elements."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {key: _joined([part[key] for part in parts], is_batched) for key in first}
    if isinstance(first, tuple):
        return tuple(_joined(column, is_batched) for column in zip(*parts, strict=True))
    rows: Iterator[Any] = iter(parts)
    if is_batched:
        rows = itertools.chain.from_iterable(map(_rows_of_tensor, parts))
    return [_plain(row) for row in rows]


def _rows_of_tensor(tensor: tf.Tensor | tf.RaggedTensor) -> list:
    return tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else list(tensor.numpy())
