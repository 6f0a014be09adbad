# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Many examples as arrays, a bounded number of characters at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

CHARACTERS_AT_ONCE = 4_000_000
"""Each takes some 100 bytes of memory while it is tokenized."""


def bounded_parts(examples: Sequence, sizes: Sequence[int]) -> Iterator[Sequence]:
    """Parts of the examples that follow each other, of some `CHARACTERS_AT_ONCE`; one at least.

    Args:
        sizes: characters of each example.
    """
    first, size = 0, 0
    for end, characters in enumerate(sizes, start=1):
        size += characters
        if size >= CHARACTERS_AT_ONCE:
            yield examples[first:end]
            first, size = end, 0
    if first < len(examples) or not len(examples):
        yield examples[first:]


def arrays_of_parts(
    make: Callable[[Sequence], Mapping[str, tf.Tensor]], examples: Sequence, sizes: Sequence[int]
) -> dict[str, np.ndarray]:
    """What `make` gives for bounded parts of the examples, row behind row; on the CPU.

    Args:
        make: examples -> name -> tensor or array [rows, ...].
        sizes: as in `bounded_parts`.
    """
    parts = []
    with tf.device("CPU"):
        for part in bounded_parts(examples, sizes):
            parts.append({name: np.asarray(rows) for name, rows in make(part).items()})
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
