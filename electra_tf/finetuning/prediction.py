# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predictions of a fine-tuned model for texts that nobody has labelled."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from electra_tf.config import check
from electra_tf.config.fields import is_unicode
from electra_tf.finetuning.evaluation import Evaluator, records_of
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.model_folder import FinetunedModel, load_finetuned
from electra_tf.finetuning.split_data import split_of_examples
from electra_tf.finetuning.task import Task
from electra_tf.text.tokenizer import UnknownTokens

LINES_AT_ONCE = 1000
"""Lines of a stream that are read before they are predicted."""


class Predictor:
    """The model of a folder that fine-tuning wrote.

    Attributes:
        unknown: the `UnknownTokens` of all texts so far.

    Args:
        folder: such as .../finetuning_models/cola_model_1.
        task_name: which of its tasks; may be left out if there is one.
        loaded: the model, if it is in memory; then the folder is for messages.

    Raises:
        FileNotFoundError: the folder has no model.
        ValueError: it has no such task, or several and none is named.
    """

    def __init__(
        self, folder: str, task_name: str | None = None, loaded: FinetunedModel | None = None
    ):
        self._loaded = loaded = loaded or load_finetuned(folder)
        self._task_id = task_number(loaded, folder, task_name)
        self.task: Task = dataclasses.replace(loaded.tasks[self._task_id], bad_rows=BadRows())
        self.unknown, self._has_warned = UnknownTokens(), False
        self._evaluator = Evaluator(loaded.model, loaded.config.predict_batch_size)

    def of_examples(self, examples: list) -> list[dict]:
        """One JSON-serializable dict per example: id, texts, prediction, probabilities."""
        config = self._loaded.config
        task = _unlabelled(self.task)
        data = split_of_examples(
            task, _split(task), examples, self._task_id, config, self._loaded.tokenizer
        )
        self._count_unknown(data.arrays["input_ids"])
        return records_of(self._evaluator(data))

    def _count_unknown(self, ids: np.ndarray):
        """Add to `unknown`; the first time that it is high, log a warning."""
        self.unknown += UnknownTokens.among(ids, self._loaded.tokenizer.vocabulary)
        if self.unknown.is_high and not self._has_warned:
            self._has_warned = True
            self.unknown.log(f"texts for {self.task.name}")

    def of_file(self, path: str, like: str | None = None) -> list[dict]:
        """Predictions for a file laid out as one of the task's splits, labels left aside.

        like: the split; default: the first without labels, else the first.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: its layout is another; names file and line.
        """
        split = like or _split(self.task)
        return self.of_examples(self.task.examples_of(path, split, labelled=False))

    def of_lines(self, lines: Iterable[str], place: str) -> Iterator[dict]:
        """Predictions for lines of text, one by one in order; empty lines are left out.

        A line is one text; a pair is separated by a tab; the words of a sentence to tag are
        separated by white space; a question is a JSON object with "question" and "context".

        place: what messages call the source.

        Raises:
            ValueError: a line is none of this; names its number.
        """
        waiting, ids = [], set()
        for number, line in enumerate(lines, start=1):
            line = line.removeprefix("\ufeff") if number == 1 else line
            if not line.strip():
                continue
            line = line.rstrip("\r\n")
            if not is_unicode(line):  # surrogates, where Python let other bytes through
                raise ValueError(f"{place}, line {number}: expected UTF-8, received {line!r}.")
            example = self.task.kind.example_of_line(self.task.spec, line, number, place)
            if str(example.id) in ids:
                raise ValueError(
                    f"{place}, line {number}: expected each id once, received {example.id!r} a "
                    'second time; the "id" of a question may be left out, its line is its id then.'
                )
            ids.add(str(example.id))
            waiting.append(example)
            if len(waiting) == LINES_AT_ONCE:
                yield from self.of_examples(waiting)
                waiting = []
        if waiting:
            yield from self.of_examples(waiting)


def task_number(loaded: FinetunedModel, folder: str, task_name: str | None) -> int:
    """Number of the task of a model that is named, or of its only one.

    Raises:
        ValueError: it has no such task, or several and none is named.
    """
    names = [task.name for task in loaded.tasks]
    if task_name is None and len(names) == 1:
        return 0
    choices = f"one of those of {folder}, {', '.join(names)}"
    check(task_name in names, "task", choices, task_name)
    return names.index(task_name)


def _split(task: Task) -> str:
    splits = task.spec.splits
    return next((split.name for split in splits if not split.labelled), splits[0].name)


def _unlabelled(task: Task) -> Task:
    splits = tuple(dataclasses.replace(split, labelled=False) for split in task.spec.splits)
    return dataclasses.replace(task, spec=dataclasses.replace(task.spec, splits=splits))
