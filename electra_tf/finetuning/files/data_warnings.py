# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is readable in data files but hardly meant so: one warning each, with a count."""

import collections
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from absl import logging

from electra_tf.finetuning.files.bad_rows import shown
from electra_tf.finetuning.files.examples import QuestionExample, TextExample

_SHOWN = 3
_WRITTEN_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese letters."""
_LONGEST_MEAN_WORD = 6


@functools.cache
def warn_once(message: str) -> None:
    """Warns; files are read several times, for their labels and for their examples."""
    logging.warning("%s", message)


def warn_of_spellings(spellings: Mapping[Any, Iterable[str]], path: str) -> None:
    """Names cells that differ in the spaces around a label, or in the decimals of a number.

    spellings: label -> what the cells that are read as it hold.
    """
    several = [list(found) for found in spellings.values() if len(found) > 1]
    if several:
        examples = "; ".join(" and ".join(map(repr, found)) for found in several[:_SHOWN])
        warn_once(f"{path}: labels that are written in several ways: {len(several)}: {examples}.")


def warn_of_similar_labels(labels: Iterable[str], path: str) -> None:
    """Names labels that differ in upper and lower case or in white space only."""
    groups = collections.defaultdict(list)
    for label in labels:
        groups["".join(label.split()).casefold()].append(label)
    similar = [group for group in groups.values() if len(group) > 1]
    if similar:
        logging.warning(
            "%s: %d labels differ from others in case or spaces only and are labels of their own: "
            "%s.",
            path,
            sum(len(group) - 1 for group in similar),
            "; ".join(" and ".join(map(repr, group)) for group in similar[:_SHOWN]),
        )


def warn_of_contradictions(examples: Sequence[TextExample], path: str) -> None:
    """Counts texts that have one label in one row and another one in another row."""
    labels = collections.defaultdict(set)
    for example in examples:
        label = example.label
        labels[example.text].add(tuple(sorted(label)) if isinstance(label, tuple) else label)
    different = {text: found for text, found in labels.items() if len(found) > 1}
    if different:
        text, found = next(iter(different.items()))
        logging.warning(
            "%s: %d of %d texts occur with different labels, the first is %s with %s.",
            path,
            len(different),
            len(labels),
            shown(text),
            " and ".join(sorted(map(repr, found))),
        )


def warn_of_unseparated_words(examples: Sequence[QuestionExample], path: str) -> None:
    """Says how answers are scored in languages that write words without spaces between them."""
    contexts = {example.context for example in examples}
    letters = sum(len(_WRITTEN_WITHOUT_SPACES.findall(context)) for context in contexts)
    pieces = [len(piece) for context in contexts for piece in context.split()]
    if 2 * letters > sum(pieces) > _LONGEST_MEAN_WORD * len(pieces):
        logging.warning(
            "%s: the words of its texts do not seem to be separated by spaces, but answers are "
            'scored by such words; "answer_units": "characters" in the description of the task '
            "scores them by characters.",
            path,
        )
