# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is readable in data files but hardly meant so: one warning each, with a count."""

import collections
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from absl import logging

from electra_tf.finetuning.files.bad_rows import counted, shown
from electra_tf.finetuning.files.examples import QuestionExample, TextExample

_SHOWN = 3
_WRITTEN_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese letters."""
_LONGEST_MEAN_WORD = 6


@functools.cache
def log_once(message: str, level: int = logging.WARNING) -> None:
    """Logs a message; files are read several times, for their labels and for their examples."""
    logging.log(level, "%s", message)


def warn_of_spellings(spellings: Mapping[Any, Iterable[str]], path: str) -> None:
    """Names cells that differ in the spaces around a label, or in the decimals of a number.

    spellings: label -> what the cells that are read as it hold.
    """
    several = [list(found) for found in spellings.values() if len(found) > 1]
    if several:
        labels = counted(len(several), "label is", "labels are")
        log_once(f"{path}: {labels} written in several ways: {_examples_of(several)}.")


def warn_of_similar_labels(labels: Iterable[str], path: str) -> None:
    """Names labels that differ in upper and lower case or in white space only."""
    groups = collections.defaultdict(list)
    for label in labels:
        groups["".join(label.split()).casefold()].append(label)
    similar = [group for group in groups.values() if len(group) > 1]
    if similar:
        differ = counted(
            sum(len(group) - 1 for group in similar),
            "label differs from another one in case or spaces only and is a label of its own",
            "labels differ from others in case or spaces only and are labels of their own",
        )
        logging.warning("%s: %s: %s.", path, differ, _examples_of(similar))


def _examples_of(groups: Sequence[Sequence[str]]) -> str:
    return "; ".join(" and ".join(map(repr, group)) for group in groups[:_SHOWN])


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
            "%s: %d of %d texts %s with different labels, the first is %s with %s.",
            path,
            len(different),
            len(labels),
            "occurs" if len(different) == 1 else "occur",
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
