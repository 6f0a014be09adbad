# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A task with its data: examples of a split, and the labels they use."""

import collections
import dataclasses
import hashlib
import os

import tensorflow as tf

from electra_tf.config.paths import filled
from electra_tf.finetuning.bad_rows import BadRows
from electra_tf.finetuning.data_warnings import (
    warn_of_contradictions,
    warn_of_similar_labels,
    warn_of_unseparated_words,
)
from electra_tf.finetuning.files import require_examples
from electra_tf.finetuning.question_files import read_mrqa, read_squad
from electra_tf.finetuning.readers import LabelRule, read_texts, whole_number, with_swapped_pairs
from electra_tf.finetuning.scorers import TWO_CLASS_METRICS
from electra_tf.finetuning.spans import check_tags, to_bioes
from electra_tf.finetuning.tagged_files import read_tagged
from electra_tf.finetuning.task_json import task_from_json
from electra_tf.finetuning.task_table import TASKS, TaskSpec

UNSEEN_TAG = "<unseen>"
"""The label that all tags share that the training file lacks."""


@dataclasses.dataclass(frozen=True)
class Task:
    """A `TaskSpec` whose labels are known, and the folder its files are in."""

    spec: TaskSpec
    folder: str
    bad_rows: BadRows

    @property
    def name(self):
        return self.spec.name

    def path(self, split):
        """Returns the file of a split; of a held-out one, the file it is taken from.

        Raises:
            ValueError: the task has no such split.
        """
        return os.path.join(self.folder, self._file(split).file)

    def has(self, split):
        """Returns whether the task has the split and its file is there."""
        if split not in self.spec.split_names:
            return False
        path, is_mrqa = self.path(split), self._file(split).format == "mrqa"
        return tf.io.gfile.exists(path) or (is_mrqa and tf.io.gfile.exists(f"{path}.gz"))

    def is_labelled(self, split):
        """Returns whether the examples of a split have labels."""
        return self._file(split).labelled

    def examples(self, split, double_unordered=False):
        """Returns the examples of a split, as a list.

        double_unordered: also give pairs with their texts exchanged, where the task allows it.

        Raises:
            FileNotFoundError: the split's file is missing.
            ValueError: the task has no such split, or the data are bad (see `BadRows`).
        """
        examples = self.examples_of(self.path(split), split, self.is_labelled(split))
        held_out = self.spec.held_out
        if held_out and split in (held_out.split, held_out.source):
            wanted = split == held_out.split
            examples = [e for e in examples if is_held_out(e.text, held_out.share) == wanted]
            if not examples:
                raise ValueError(
                    f"{self.path(split)}: expected examples for {split!r} (held-out share "
                    f"{held_out.share}), received none."
                )
        if self.is_labelled(split):
            self._warn(examples, split)
        if double_unordered and self.spec.double_unordered:
            examples = with_swapped_pairs(examples)
        return examples

    def examples_of(self, path, like, labelled=False):
        """Returns the examples of any file that is laid out as that of the split `like`.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the task has no such split, or the data are bad (see `BadRows`).
        """
        examples = self._read(str(path), self._file(like), labelled)
        self.bad_rows.write()
        return examples

    def _warn(self, examples, split):
        """Warns of what is hardly meant so."""
        if self.spec.kind in ("classification", "multilabel"):
            warn_of_contradictions(examples, self.path(split))
        is_scored_by_words = self.spec.kind == "qa" and self.spec.answer_units == "words"
        if is_scored_by_words and split != "train":
            warn_of_unseparated_words(examples, self.path(split))

    def _file(self, split):
        held_out = self.spec.held_out
        return self.spec.split(held_out.source if held_out and split == held_out.split else split)

    def _read(self, path, file, labelled):
        spec, columns = self.spec, file.columns
        if file.format == "squad":
            return read_squad(path, self.bad_rows, spec.has_unanswerable, labelled)
        if file.format == "mrqa":
            return read_mrqa(path, self.bad_rows, labelled)
        if file.format == "conll":
            given = columns.text_a, columns.label, labelled, columns.header
            examples = read_tagged(path, self.bad_rows, *given)
            if not labelled:
                return examples
            return require_examples(check_tags(examples, spec, self.bad_rows), path)
        rule = LabelRule(spec.kind, spec.labels, spec.value_range, spec.separator)
        return read_texts(path, file.format, columns, rule, self.bad_rows, labelled)


def load_task(name, raw_data_dir, skip_bad_rows=None, data_dir=""):
    """Returns the `Task` of a built-in name or of the path of a JSON file.

    raw_data_dir: the folder of the task's files; "{:}" in it stands for the task's name.
    data_dir: where raw_data_dir begins with it, "{:}" in it stands for nothing.
    skip_bad_rows: a file for the list of the rows that cannot be used; None: they are errors.

    Raises:
        FileNotFoundError: the JSON file, or a file that labels are collected from, is missing.
        ValueError: there is no such task, or its description or data are bad.
    """
    if str(name).endswith(".json"):
        spec = task_from_json(name)
    elif name in TASKS:
        spec = TASKS[name]
    else:
        raise ValueError(
            f"The task {name!r} is not known; expected a .json file that describes one, or one of "
            f"{', '.join(TASKS)}."
        )
    bad_rows = BadRows(skip_bad_rows, can_be_skipped=True)
    task = Task(spec, filled(str(raw_data_dir), data_dir, spec.name), bad_rows)
    if spec.labels is None and spec.kind not in ("qa", "regression"):
        spec = dataclasses.replace(spec, labels=_collect_labels(task))
    if spec.kind == "classification" and spec.metric in TWO_CLASS_METRICS and len(spec.labels) != 2:
        raise ValueError(
            f"The metric {spec.metric} of the task {spec.name} is for two labels, but there are "
            f"{len(spec.labels)}: {', '.join(spec.labels)}; macro_f1 and accuracy are for any "
            "number."
        )
    return dataclasses.replace(task, spec=spec)


def is_held_out(text, share):
    """Returns whether a text falls into the held-out share; the same on every machine."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _collect_labels(task):
    """Returns the labels in the order of their ids: sorted (tagging_tasks.py:96-130).

    Tags are collected from all splits, since a rare tag may be missing from the training file.
    """
    if task.spec.kind == "tagging":
        return _collect_tags(task)
    spellings = collections.defaultdict(set)
    for example in _whole_file(task, "train"):
        labels = [example.label] if task.spec.kind == "classification" else example.label
        for label in labels:
            spellings[whole_number(label)].add(label)
    # 1 and 1.0 are one label; it is written as in the file where it is always written so.
    labels = {number if len(same) > 1 else min(same) for number, same in spellings.items()}
    warn_of_similar_labels(sorted(labels), task.path("train"))
    if len(labels) < (2 if task.spec.kind == "classification" else 1):
        raise ValueError(
            f"{task.path('train')}: expected at least two labels, received {sorted(labels)}."
        )
    return tuple(sorted(labels))


def _collect_tags(task):
    spec = task.spec
    tags = {}
    for file in spec.splits:
        split = file.name
        if split == "train" or (file.labelled and task.has(split)):
            rows = [example.tags for example in _whole_file(task, split)]
            if spec.scheme == "spans":
                rows = [to_bioes(row, spec.span_rule) for row in rows]
            tags[split] = {tag for row in rows for tag in row}
    every = set().union(*tags.values())
    if spec.share_unseen_tags and every - tags["train"]:
        return (*sorted(tags["train"]), UNSEEN_TAG)
    return tuple(sorted(every))


def _whole_file(task, split):
    """Returns the examples of a split and of what is held out from it: all have known labels."""
    return task.examples_of(task.path(split), split, labelled=True)
