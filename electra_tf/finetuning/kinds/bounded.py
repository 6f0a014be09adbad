# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Many examples as arrays, a bounded number of characters at a time.

What makes them runs eagerly: to trace it takes as long as the rows of 10,000 questions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

CHARACTERS_AT_ONCE = 4_000_000
"""Each takes some 100 bytes of memory while it is tokenized."""


def bounded_slices(sizes: Sequence[int]) -> Iterator[slice]:
    """Slices of examples that follow each other, of some `CHARACTERS_AT_ONCE`; one at least.

    Args:
        sizes: characters of each example.
    """
    first, size = 0, 0
    for end, characters in enumerate(sizes, start=1):
        size += characters
        if size >= CHARACTERS_AT_ONCE:
            yield slice(first, end)
            first, size = end, 0
    if first < len(sizes) or not sizes:
        yield slice(first, len(sizes))


def arrays_of_parts(
    make: Callable[[slice], Mapping[str, tf.Tensor]], sizes: Sequence[int]
) -> dict[str, np.ndarray]:
    """What `make` gives for bounded parts of the examples, row behind row; on the CPU.

    Args:
        make: which examples -> name -> tensor or array [rows, ...].
        sizes: as in `bounded_slices`.
    """
    parts = []
    with tf.device("CPU"):
        for part in bounded_slices(sizes):
            parts.append({name: np.asarray(rows) for name, rows in make(part).items()})
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
