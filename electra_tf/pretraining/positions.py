# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Embeddings of positions that have not been trained, from those that have."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.config.stored import Shapes
from electra_tf.files import check_keys
from electra_tf.training.checkpoints.checkpoint import STATE, read_state, read_step
from electra_tf.training.checkpoints.weights import SUFFIX

TABLE = "position_embeddings"
TRAINED = "trained_positions"
"""In the state of a checkpoint: the trained positions of each table."""


def tables_in(names: Iterable[str]) -> list[str]:
    """The names of weights that are tables of positions."""
    return [name for name in names if name.endswith(TABLE)]


def positions_of_checkpoint(prefix: str, shapes: Shapes) -> dict[str, int]:
    """How many positions of each table of a checkpoint are trained, see `trained_positions`.

    The shapes are those of all that it has; moving averages stand for their weights.
    """
    rows = {name.removesuffix(SUFFIX): shape[0] for name, shape in shapes.items() if shape}
    tables = {name: rows[name] for name in tables_in(rows)}
    return trained_positions(read_state(prefix), read_step(prefix), tables, prefix)


def trained_positions(
    state: Mapping[str, Any], step: int, tables: Mapping[str, int], where: str
) -> dict[str, int]:
    """How many positions of each table are trained; the others are random, or copies of these.

    All positions of each table are given by its name. A checkpoint whose state has no `TRAINED`
    has trained those of its stages so far. If it began with the weights of another model, or has no
    configuration, all of its positions count.

    Raises:
        ValueError: something in the state is of a wrong type.
    """
    if TRAINED in state:
        check_keys(state, {TRAINED: dict}, f"{where}: {STATE}")
        stored = state[TRAINED]
        check_keys(stored, dict.fromkeys(stored, int), f"{where}: {STATE}: {TRAINED}")
        return {name: min(stored.get(name, rows), rows) for name, rows in tables.items()}
    check_keys({"configuration": {}, **state}, {"configuration": dict}, f"{where}: {STATE}")
    configuration, done, trained = state.get("configuration", {}), 0, 0
    sources = ("init_checkpoint", "generator_checkpoint", "decay_from")
    if not configuration or any(configuration.get(name) for name in sources):
        return dict(tables)
    check_keys(configuration, {"max_seq_length": int}, f"{where}: {STATE}: configuration")
    length = configuration["max_seq_length"]
    for stage in configuration.get("stages") or [{"steps": step}]:
        if done < step:
            trained = max(trained, stage.get("max_seq_length", length))
        done += stage["steps"]
    return {name: min(trained, rows) for name, rows in tables.items()}


def copied_rows(trained: int, length: int) -> np.ndarray:
    """Which trained position each of `length` positions is a copy of, int [max(length, trained)].

    At least 3 are trained. The first and the last of them are not copied: they see [CLS] and [SEP].
    With 6 trained positions and a length of 10, the positions 6, 7, 8, 9 become copies of 1, 2, 3,
    4.
    """
    rows = np.arange(max(length, trained))
    rows[trained:] = 1 + (rows[trained:] - trained) % (trained - 2)
    return rows


def extend_positions(
    variables: Mapping[str, tf.Variable], trained: Mapping[str, int], length: int
) -> None:
    """Give positions that have not been trained the values of those that have, see `copied_rows`.

    What goes with a table (moments, moving averages) is copied with it.

    Args:
        variables: of a run, by name; tables are [positions, E].
        trained: positions trained so far of each table, by its name, at least 3; 0: it is random,
            and stays as it is.
        length: positions of the next stage.
    """
    for name, variable in variables.items():
        head, found, _ = name.partition(TABLE)
        if found and 0 < trained[head + TABLE] < length:
            rows = copied_rows(trained[head + TABLE], length)
            table = tf.convert_to_tensor(variable).numpy()
            table[: len(rows)] = table[rows]
            variable.assign(table)


def shorter_tables(shapes: Shapes, weights: Mapping[str, tf.Variable]) -> dict[str, str]:
    """Tables of a model of which stored ones have fewer positions: names here -> names there.

    The shapes are those of what is stored, where moving averages stand for their weights.
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
    trained: Mapping[str, int],
) -> None:
    """Give a model's tables the stored positions, and copies of trained ones in the further ones.

    The tables are those of `shorter_tables`, whose stored values are read by their names there; at
    least 3 of the positions of each are trained.
    """
    for name, stored in tables.items():
        rows = copied_rows(trained[name], weights[name].shape[0])
        weights[name].assign(read(stored)[rows])
