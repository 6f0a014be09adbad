# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Embeddings of positions that have not been trained, from those that have."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from electra_tf.config.stored import Shapes
from electra_tf.training.checkpoints.weights import SUFFIX

TABLE = "position_embeddings"


def copied_rows(trained: int, length: int) -> np.ndarray:
    """Which trained position each of `length` positions is a copy of, int [max(length, trained)].

    The first and the last trained position are not copied: they see [CLS] and [SEP]. With 6 trained
    positions and a length of 10, the positions 6, 7, 8, 9 become copies of 1, 2, 3, 4.

    Args:
        trained: positions trained so far, at least 3.
        length: positions that there are to be.
    """
    rows = np.arange(max(length, trained))
    rows[trained:] = 1 + (rows[trained:] - trained) % (trained - 2)
    return rows


def extend_positions(variables: Mapping[str, tf.Variable], trained: int, length: int) -> None:
    """Give positions that have not been trained the values of those that have, see `copied_rows`.

    What goes with a table (moments, moving averages) is copied with it.

    Args:
        variables: of a run, by name; tables have `TABLE` in theirs and are [positions, E].
        trained: positions trained so far, at least 3.
        length: positions of the next stage.
    """
    rows = copied_rows(trained, length)
    for name, variable in variables.items():
        if TABLE in name:
            table = tf.convert_to_tensor(variable).numpy()
            table[: len(rows)] = table[rows]
            variable.assign(table)


def shorter_tables(shapes: Shapes, weights: Mapping[str, tf.Variable]) -> dict[str, str]:
    """Tables of a model of which stored ones have fewer positions: names here -> names there.

    Args:
        shapes: of what is stored, by name; moving averages stand for their weights.
        weights: of the model, by name.
    """
    found = {}
    for name, weight in weights.items():
        stored = f"{name}{SUFFIX}" if f"{name}{SUFFIX}" in shapes else name
        shape = shapes.get(stored, ())
        if name.endswith(TABLE) and len(shape) == 2 and 3 <= shape[0] < weight.shape[0]:
            found[name] = stored
    return found


def load_longer(
    tables: Mapping[str, str],
    read: Callable[[str], np.ndarray],
    weights: Mapping[str, tf.Variable],
) -> None:
    """Give a model's tables the stored positions, and copies of them in the further ones.

    Args:
        tables: as `shorter_tables` gives them.
        read: the stored values of a name.
        weights: of the model, by name.
    """
    for name, stored in tables.items():
        table = read(stored)
        weights[name].assign(table[copied_rows(len(table), weights[name].shape[0])])
