# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Gradient accumulation: a batch computed in parts, so that it needs the memory of one part.

Parts are summed before anything else is done with them (replicas summed, clipped, applied), so an
update does not depend on their number, and the learning rate counts updates.
"""

from collections.abc import Callable

import tensorflow as tf

from electra_tf.training.distribution.replicas import fold_in


def rows_of_part(rows: int, num_parts: int) -> int:
    """Rows of each part of a replica's batch.

    Raises:
        ValueError: they cannot be divided evenly.
    """
    if rows % num_parts:
        raise ValueError(
            f"gradient_accumulation_steps is expected to be a divisor of the {rows} sequences of "
            f"a replica's batch, but is {num_parts}."
        )
    return rows // num_parts


def sum_over_parts(
    compute: Callable, batch: dict[str, tf.Tensor], seed: tf.Tensor, num_parts: int
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Sum the losses and gradients of the parts of a batch.

    Args:
        compute: (part of the batch, its seed int32 [2]) -> loss float32 [], list of gradients.
        batch: tensors with the same first dimension B.
        seed: int32 [2], of the whole batch; a batch in one part keeps it.
        num_parts: how many; divides B.

    Returns:
        What `compute` returns, summed.

    Raises:
        ValueError: the rows cannot be divided evenly.
    """
    if num_parts == 1:
        return compute(batch, seed)
    size = rows_of_part(next(iter(batch.values())).shape[0], num_parts)

    def part(number: tf.Tensor):
        own = {
            name: tf.slice(
                tensor,
                [number * size, *([0] * (tensor.shape.rank - 1))],
                [size, *tensor.shape[1:]],
            )
            for name, tensor in batch.items()
        }
        return compute(own, fold_in(seed, number))

    def add_part(number: tf.Tensor, loss: tf.Tensor, gradients: list[tf.Tensor]):
        part_loss, part_gradients = part(number)
        sums = [total + more for total, more in zip(gradients, part_gradients, strict=True)]
        return number + 1, loss + part_loss, sums

    _, loss, gradients = tf.while_loop(
        lambda number, *_: number < num_parts,
        add_part,
        (tf.constant(1), *part(tf.constant(0))),
        parallel_iterations=1,
    )
    return loss, gradients
