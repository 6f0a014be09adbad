# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Position embeddings for a stage with longer sequences than those before it."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

TABLE = "position_embeddings"


def extend_positions(variables: Mapping[str, tf.Variable], trained: int, length: int) -> None:
    """Give positions that have not been trained the values of those that have.

    What goes with a table (moments, moving averages) is copied with it. The first and the last
    position are not: they see [CLS] and [SEP]. With 6 trained positions and a length of 10, the
    positions 6, 7, 8, 9 become copies of 1, 2, 3, 4.

    Args:
        variables: of a run, by name; tables have `TABLE` in theirs and are [positions, E].
        trained: positions trained so far, at least 3.
        length: positions of the next stage.
    """
    rows = np.arange(max(length, trained))
    rows[trained:] = 1 + (rows[trained:] - trained) % (trained - 2)
    for name, variable in variables.items():
        if TABLE in name:
            table = tf.convert_to_tensor(variable).numpy()
            table[: len(rows)] = table[rows]
            variable.assign(table)
