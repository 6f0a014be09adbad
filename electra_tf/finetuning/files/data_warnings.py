# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is wrong in data files.

Rows that cannot be used are an error, or are listed in a file where the user asked for that. What
is readable but hardly meant so is one warning each, with a count.
"""

import collections
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from absl import logging

from electra_tf.files import shortened, write_text
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
            "label differs from another one in case or spaces only and is a separate label",
            "labels differ from others in case or spaces only and are separate labels",
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


class BadRows:
    """Raises for the first bad row, or collects all of them for the file `path`.

    can_be_skipped: whether the error says how to leave such rows out.
    """

    def __init__(self, path: str | None = None, can_be_skipped: bool = False):
        self._can_be_skipped = can_be_skipped
        self._path = None if path is None else str(path)
        self._messages = {}
        self._written = 0

    @property
    def messages(self) -> tuple[str, ...]:
        """What was reported, each message once, in the order of the reports."""
        return tuple(self._messages)

    def report(self, place: str, expected: str, received: str) -> None:
        """Notes a bad row; raises ValueError unless rows are skipped."""
        message = f"{place}: expected {expected}, received {received}."
        if self._path is None:
            hint = " To leave out such rows and list them, set skip_bad_rows."
            raise ValueError(message + (hint if self._can_be_skipped else ""))
        self._messages[message] = None

    def write(self) -> None:
        """Writes number and list of the skipped rows, if rows are skipped, and says so."""
        if self._path is None:
            return
        if len(self._messages) > self._written:
            self._written = len(self._messages)
            rows = (
                "1 bad row so far is"
                if self._written == 1
                else f"{self._written} bad rows so far are"
            )
            logging.warning("%s left out, see %s.", rows, self._path)
        lines = [f"{len(self._messages)} rows skipped", *self._messages]
        write_text(self._path, "\n".join(lines) + "\n")


def shown(value: Any, limit: int = 80) -> str:
    """Returns a value as it is shown in messages, cut if long."""
    return shortened(repr(value), limit)


def choices(labels: Sequence[str], limit: int = 400) -> str:
    """The labels that a message offers, cut if they are many or long."""
    return shortened(", ".join(labels), limit)


def counted(count: int, one: str, several: str) -> str:
    """Returns a count with what is said of it: "1 line is" or "2 lines are"."""
    return f"{count} {one if count == 1 else several}"
