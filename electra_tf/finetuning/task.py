# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A task with its data: examples of a split, and the labels they use."""

import dataclasses
import hashlib
import os

from electra_tf.config.finetuning import filled
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.tables import with_swapped_pairs
from electra_tf.finetuning.kinds import Kind, kind_of
from electra_tf.given_files import data_file, find_data_file, find_task


@dataclasses.dataclass(frozen=True)
class Task:
    """A `TaskSpec` whose labels are known, and the folder its files are in."""

    spec: TaskSpec
    folder: str
    bad_rows: BadRows

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> Kind:
        return kind_of(self.spec)

    def path(self, split: str) -> str:
        """Returns the file of a split, with .gz if that is the one there is.

        Of a held-out split it is the file it is taken from.

        Raises:
            ValueError: the task has no such split.
        """
        path = os.path.join(self.folder, self._file(split).file)
        return find_data_file(path) or path

    def has(self, split: str) -> bool:
        """Returns whether the task has the split and its file exists."""
        if split not in self.spec.split_names:
            return False
        return find_data_file(self.path(split)) is not None

    def is_labelled(self, split: str) -> bool:
        """Returns whether the examples of a split have labels."""
        return self._file(split).labelled

    def examples(self, split: str, double_unordered: bool = False) -> list:
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
            self.kind.warn(examples, self.spec, self.path(split), split)
        if double_unordered and self.spec.double_unordered:
            examples = with_swapped_pairs(examples)
        return examples

    def examples_of(self, path: str, like: str, labelled: bool = False) -> list:
        """Returns the examples of any file that is laid out as that of the split `like`.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the task has no such split, or the data are bad (see `BadRows`).
        """
        file = self._file(like)
        examples = self.kind.read(data_file(str(path)), file, self.spec, self.bad_rows, labelled)
        self.bad_rows.write()
        return examples

    def _file(self, split: str):
        held_out = self.spec.held_out
        return self.spec.split(held_out.source if held_out and split == held_out.split else split)

    def whole_file(self, split: str) -> list:
        """Returns the examples of a split and of what is held out from it: all have labels."""
        return self.examples_of(self.path(split), split, labelled=True)


def load_task(
    name: str, raw_data_dir: str, skip_bad_rows: str | None = None, data_dir: str = ""
) -> Task:
    """Returns the `Task` of a built-in name or of the path of a JSON file.

    raw_data_dir: the folder of the task's files; "{:}" in it stands for the task's name.
    data_dir: if raw_data_dir starts with it, "{:}" in it stands for nothing.
    skip_bad_rows: a file for the list of the rows that cannot be used; None: they are errors.

    Raises:
        FileNotFoundError: the JSON file, or a file that labels are collected from, is missing.
        ValueError: there is no such task, or its description or data are bad.
    """
    spec = find_task(name)
    bad_rows = BadRows(skip_bad_rows, can_be_skipped=True)
    task = Task(spec, filled(str(raw_data_dir), data_dir, spec.name), bad_rows)
    if spec.labels is None and task.kind.has_labels:
        spec = dataclasses.replace(spec, labels=task.kind.collected_labels(task))
    task.kind.check_labels(spec)
    return dataclasses.replace(task, spec=spec)


def is_held_out(text: str, share: float) -> bool:
    """Returns whether a text falls into the held-out share; the same on every machine."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
