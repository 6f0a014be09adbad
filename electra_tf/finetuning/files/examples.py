# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Examples as data files have them, and many of them as arrays, a bounded number at a time."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class TextExample:
    """One or two texts with a label, or three without.

    label: a class (str), a score (float), several classes (tuple of str), or None where the file
    has no labels.
    """

    id: int
    text_a: str
    text_b: str | None = None
    label: str | float | tuple[str, ...] | None = None
    file: str = ""
    line: int = 0
    negative: str | None = None

    @property
    def text(self) -> str:
        """What decides on which side of a held-out share the example falls."""
        return self.text_a if self.text_b is None else f"{self.text_a}\t{self.text_b}"


@dataclasses.dataclass(frozen=True)
class TaggingExample:
    """A sentence, one tag per word; tags is None where the file has none."""

    id: int
    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    file: str = ""
    line: int = 0
    lines: tuple[int, ...] = dataclasses.field(default=(), compare=False)
    """Of the words."""

    @property
    def text(self) -> str:
        """What decides on which side of a held-out share the sentence falls."""
        return " ".join(self.words)


@dataclasses.dataclass(frozen=True)
class QuestionExample:
    """A question on a context.

    answers: (text, first character in the context) pairs; the first one is trained on.
    accepted: the texts that count as right.
    is_impossible: whether the context holds no answer; None where the file has no labels.
    line: the line of a JSONL file, else the number of the paragraph, from 1.
    """

    id: str | int
    question: str
    context: str
    answers: tuple[tuple[str, int], ...] = ()
    is_impossible: bool | None = None
    accepted: tuple[str, ...] = ()
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """Which question of which file, for messages."""
        return f"{self.file}, question {self.id!r}"

    @property
    def text(self) -> str:
        """Questions on one context fall on the same side of a held-out share."""
        return self.context


TextExamples = Sequence[TextExample]
TaggingExamples = Sequence[TaggingExample]
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
