# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The arrays that a model reads of a split's examples, kept in files, and batches of them."""

import contextlib
import dataclasses
import hashlib
import io
import itertools
import json
import math
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.files import TEMPORARY, exists, read_bytes, sha256_of, write_bytes
from electra_tf.finetuning.kinds.question_windows import AnswerWindows
from electra_tf.finetuning.task import Task
from electra_tf.given_files import data_file
from electra_tf.text import Tokenizer
from electra_tf.text.tokenizer import UnknownTokens

FORMAT_VERSION = 2
"""Counted up when features change in a way that no setting shows."""
_KEY = "key"
_WINDOWS = "windows/"
_OF_TOKENS = ("input_ids", "input_mask", "segment_ids", "position_ids", "sequence_ids")
"""Arrays with a number for each token of a row."""
_DAY = 24 * 60 * 60
_DIGEST_BYTES = hashlib.sha256().digest_size
"""Of what is in a file, at its end."""


@dataclasses.dataclass(frozen=True)
class SplitData:
    """Examples of a split with the arrays that a model reads."""

    task: Task
    split: str
    examples: list
    arrays: dict[str, np.ndarray]
    windows: AnswerWindows | None
    """Of questions."""
    key: str
    """Changes with data, tokenizer and settings; empty for examples from elsewhere."""
    config: FinetuningConfig
    """Of the rows, and of what is made of the model's outputs for them."""

    @property
    def name(self) -> str:
        """What scores are listed under: the task; if not of dev, followed by the split."""
        return self.task.name if self.split == "dev" else f"{self.task.name}_{self.split}"

    @property
    def is_labelled(self) -> bool:
        return self.task.is_labelled(self.split)


def split_of_examples(
    task: Task,
    split: str,
    examples: Sequence,
    task_id: int,
    config: FinetuningConfig,
    tokenizer: Tokenizer,
    key: str = "",
) -> SplitData:
    """Examples, laid out as those of `split`, with their features.

    Raises:
        ValueError: see `Kind.rows`.
    """
    kind = task.kind
    settings = {name: getattr(config, name) for name in kind.row_settings}
    arrays, windows = kind.rows(task.spec, examples, tokenizer, config.max_seq_length, **settings)
    arrays["task_id"] = np.full(len(arrays["input_ids"]), task_id, np.int32)
    return SplitData(task, split, list(examples), arrays, windows, key, config)


def load_split(
    task: Task,
    split: str,
    task_id: int,
    config: FinetuningConfig,
    tokenizer: Tokenizer,
    training: bool = False,
) -> SplitData:
    """Read a split, and its features from the cache if it has them.

    task_id: number of the task in the run.
    training: whether pairs without order are also given swapped, as `config` says.

    Raises:
        FileNotFoundError, ValueError: see `Task.examples` and `Kind.rows`.
    """
    doubled = training and config.double_unordered
    examples = task.examples(split, double_unordered=doubled)
    key = feature_key(task, split, config, tokenizer, doubled)
    path = os.path.join(config.preprocessed_data_dir, f"{task.name}_{split}_{key[:16]}.npz")
    stored = _read(path, key) if config.use_tfrecords_if_existing else None
    if stored is None:
        data = split_of_examples(task, split, examples, task_id, config, tokenizer, key)
        _write(path, data)
        _remove_others(path, task.name, split)
    else:
        stored["task_id"] = np.full(len(stored["input_ids"]), task_id, np.int32)
        names = [name for name in stored if name.startswith(_WINDOWS)]
        found = {name.removeprefix(_WINDOWS): stored.pop(name) for name in names}
        windows = AnswerWindows(**found) if found else None
        data = SplitData(task, split, examples, stored, windows, key, config)
    unknown = UnknownTokens.among(data.arrays["input_ids"], tokenizer.vocabulary)
    unknown.log(f"{task.name} {split}")
    return data


def feature_key(
    task: Task, split: str, config: FinetuningConfig, tokenizer: Tokenizer, doubled: bool
) -> str:
    """Hexadecimal SHA-256 of all that decides the features of a split."""
    settings = {
        "version": FORMAT_VERSION,
        "task": dataclasses.asdict(task.spec),
        "split": split,
        "data": sha256_of(data_file(task.path(split))),
        "tokenizer": tokenizer.settings,
        "max_seq_length": config.max_seq_length,
        "doubled": doubled,
        "skip_bad_rows": config.skip_bad_rows,
    }
    settings |= {name: getattr(config, name) for name in task.kind.row_settings}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _read(path: str, key: str) -> dict[str, np.ndarray] | None:
    """What is stored, or None if there is nothing under this key that is as it was written."""
    if not exists(path):
        return None
    try:
        content = memoryview(read_bytes(path))
    except OSError as error:
        logging.warning("%s (features are made again).", error)
        return None
    # Sound parts of a damaged archive would pass for rows, so the file as a whole is compared.
    if hashlib.sha256(content[:-_DIGEST_BYTES]).digest() != content[-_DIGEST_BYTES:]:
        logging.warning("%s is damaged and is made again.", path)
        return None
    stored = dict(np.load(io.BytesIO(content[:-_DIGEST_BYTES]), allow_pickle=False))
    if str(stored.pop(_KEY, "")) != key:
        logging.warning("%s belongs to other data or settings and is made again.", path)
        return None
    logging.info("Features of %s.", path)
    return stored


def _write(path: str, data: SplitData):
    """Keep the arrays of a split, those of `AnswerWindows` under "windows/"."""
    if tf.io.gfile.isdir(path):
        logging.warning("%s is a folder, so the features are not kept.", path)
        return
    content = io.BytesIO()
    windows = {} if data.windows is None else vars(data.windows)
    windows = {_WINDOWS + name: rows for name, rows in windows.items()}
    np.savez(content, **data.arrays, **windows, **{_KEY: np.array(data.key)})
    content.write(hashlib.sha256(content.getbuffer()).digest())
    # Runs of other models may be writing the same file.
    write_bytes(path, content.getvalue(), f"{path}.{uuid.uuid4().hex}{TEMPORARY}")
    logging.info("Features written to %s: %d rows.", path, len(data.arrays["input_ids"]))


def _remove_others(path: str, task_name: str, split: str):
    """Delete features of the same split that were made from other data or settings.

    Such a file is named after the key inside it; no other file is ours to delete, except what runs
    that were killed left half-written a day ago.
    """
    name_of_ours = rf"{re.escape(f'{task_name}_{split}_')}([0-9a-f]{{16}})\.npz"
    half_written = re.compile(rf"{name_of_ours}\.[0-9a-f]{{32}}{re.escape(TEMPORARY)}")
    folder = os.path.dirname(path)
    for name in tf.io.gfile.listdir(folder):
        match, other = re.fullmatch(name_of_ours, name), os.path.join(folder, name)
        # Another run may delete it at the same time.
        with contextlib.suppress(tf.errors.NotFoundError, FileNotFoundError):
            if match and name != os.path.basename(path) and _key_in(other).startswith(match[1]):
                tf.io.gfile.remove(other)
            elif half_written.fullmatch(name) and _age(other) > _DAY:
                tf.io.gfile.remove(other)


def _age(path: str) -> float:
    """Seconds since a file was written."""
    return time.time() - tf.io.gfile.stat(path).mtime_nsec / 1e9


def _key_in(path: str) -> str:
    """The key that a file of features is stored under; empty if it is none."""
    try:
        with tf.io.gfile.GFile(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return str(stored[_KEY])
    except Exception:  # NumPy and zipfile raise many for files that are damaged
        return ""


Arrays = dict[str, np.ndarray]


class TrainingBatches:
    """Batches of every row of every task once an epoch, so tasks are mixed by their sizes.

    What a step reads is a function of (seed, step). The last batch of an epoch is filled with
    rows of no task: their `task_id` is the number of tasks, everything else is 0. Features that
    a row's task does not have are 0, too, but for the positions of its tokens.

    Args:
        parts: arrays of each task, in the order of their `task_id`.
        batch_size: rows of a batch.
        seed: of the order; None for that of the rows.
    """

    def __init__(self, parts: Sequence[Arrays], batch_size: int, seed: int | None):
        self._parts = _of_one_form(parts)
        self._batch_size = batch_size
        self._seed = seed
        sizes = [len(part["task_id"]) for part in parts]
        self.num_rows = sum(sizes)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        self._shapes = {
            name: (rows.shape[1:], rows.dtype)
            for part in self._parts
            for name, rows in part.items()
        }

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.num_rows / self._batch_size)

    def num_steps(self, num_epochs: float) -> int:
        """Steps of a run (preprocessing.py _serialize_dataset): rows are padded before dividing.

        Raises:
            ValueError: there is not one step.
        """
        steps = int(self.steps_per_epoch * num_epochs)
        if steps < 1:
            raise ValueError(
                f"num_train_epochs is expected to give at least one step of the "
                f"{self.steps_per_epoch} of an epoch, but is {num_epochs}."
            )
        return steps

    def batch(self, step: int) -> Arrays:
        """The batch of step number `step`, from 0."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = self._order(epoch)
        return self._gather(order[index * self._batch_size : (index + 1) * self._batch_size])

    def iterate(self, first_step: int) -> Iterator[Arrays]:
        """All batches from a step on, repeating forever."""
        return map(self.batch, itertools.count(first_step))

    def dataset(self, steps: Callable[[], tuple[int, int]]) -> tf.data.Dataset:
        """Batches for `fit`.

        Args:
            steps: gives the first one and their number, when reading begins.
        """
        specs = {name: tf.TensorSpec(v.shape, v.dtype) for name, v in self.batch(0).items()}

        def read() -> Iterator[Arrays]:
            first, count = steps()
            return itertools.islice(self.iterate(first), count)

        dataset = tf.data.Dataset.from_generator(read, output_signature=specs)
        return dataset.prefetch(tf.data.AUTOTUNE)

    def _order(self, epoch: int) -> np.ndarray:
        if self._seed is None:
            return np.arange(self.num_rows)
        if getattr(self, "_last", (None, None))[0] != epoch:
            generator = np.random.default_rng([self._seed, epoch])
            self._last = (epoch, generator.permutation(self.num_rows))
        return self._last[1]

    def _gather(self, rows: np.ndarray) -> Arrays:
        batch = empty_rows(self._shapes, self._batch_size, len(self._parts))
        places = np.arange(len(rows))
        for part, start, end in zip(self._parts, self._starts, self._ends, strict=True):
            mine = (rows >= start) & (rows < end)
            for name, values in part.items():
                batch[name][places[mine]] = values[rows[mine] - start]
        return batch


def _of_one_form(parts: Sequence[Arrays]) -> list[Arrays]:
    """The parts, filled up to the widest rows, with `position_ids` in all if one has them."""
    if len(parts) == 1:
        return list(parts)
    width = max(part["input_ids"].shape[1] for part in parts)
    has_positions = any("position_ids" in part for part in parts)
    filled = []
    for part in parts:
        rows, own = part["input_ids"].shape
        if has_positions and "position_ids" not in part:
            part = {**part, "position_ids": np.tile(np.arange(own, dtype=np.int32), (rows, 1))}
        missing = [(0, 0), (0, width - own)]
        wide = {name: np.pad(part[name], missing) for name in _OF_TOKENS if name in part}
        filled.append({**part, **wide} if own < width else part)
    return filled


def empty_rows(
    shapes: Mapping[str, tuple[tuple[int, ...], np.dtype]], count: int, num_tasks: int
) -> Arrays:
    """Rows of no task.

    Args:
        shapes: name -> (shape of a row, dtype).
        count: number of rows.
        num_tasks: number of tasks of the model; the rows' `task_id`.
    """
    batch = {name: np.zeros((count, *shape), dtype) for name, (shape, dtype) in shapes.items()}
    batch["task_id"][:] = num_tasks
    return batch


def ordered_batches(arrays: Arrays, batch_size: int) -> Iterator[tuple[Arrays, np.ndarray]]:
    """All rows once, in order; the last batch is filled up with zeros.

    Yields:
        A batch, and is_real bool [batch_size], false for the rows that fill it.
    """
    count = len(arrays["input_ids"])
    for start in range(0, count, batch_size):
        rows = {name: values[start : start + batch_size] for name, values in arrays.items()}
        real = min(batch_size, count - start)
        if real < batch_size:
            missing = (0, batch_size - real)
            rows = {
                name: np.pad(values, [missing, *[(0, 0)] * (values.ndim - 1)])
                for name, values in rows.items()
            }
        yield rows, np.arange(batch_size) < real
