# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Examples of a split with the arrays that a model reads, which are kept in files."""

import dataclasses
import hashlib
import io
import json
import os
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.files import exists, read_bytes, write_bytes
from electra_tf.finetuning.kinds.question_windows import AnswerWindows
from electra_tf.finetuning.task import Task
from electra_tf.text import Tokenizer
from electra_tf.text.tokenizer import UnknownTokens

FORMAT_VERSION = 2
"""Counted up when features change in a way that no setting shows."""
_KEY = "key"
_WINDOWS = "windows/"
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
    """Read a split, and its features from the cache if they are there.

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
        arrays, windows = _rows_and_windows(stored)
        arrays["task_id"] = np.full(len(arrays["input_ids"]), task_id, np.int32)
        data = SplitData(task, split, examples, arrays, windows, key, config)
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
        "data": _hash_of_file(task.path(split)),
        "tokenizer": tokenizer.settings,
        "max_seq_length": config.max_seq_length,
        "doubled": doubled,
        "skip_bad_rows": config.skip_bad_rows,
    }
    settings |= {name: getattr(config, name) for name in task.kind.row_settings}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _hash_of_file(path: str) -> str:
    if not tf.io.gfile.exists(path) and tf.io.gfile.exists(f"{path}.gz"):
        path = f"{path}.gz"
    digest = hashlib.sha256()
    with tf.io.gfile.GFile(path, "rb") as file:
        while block := file.read(2**24):
            digest.update(block)
    return digest.hexdigest()


def _rows_and_windows(
    stored: dict[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], AnswerWindows | None]:
    arrays = {name: rows for name, rows in stored.items() if not name.startswith(_WINDOWS)}
    windows = {
        name.removeprefix(_WINDOWS): rows for name, rows in stored.items() if name not in arrays
    }
    return arrays, AnswerWindows(**windows) if windows else None


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
    write_bytes(path, content.getvalue())
    logging.info("Features written to %s: %d rows.", path, len(data.arrays["input_ids"]))


def _remove_others(path: str, task_name: str, split: str):
    """Delete features of the same split that were made from other data or settings.

    Such a file is named after the key inside it; no other file is ours to delete.
    """
    pattern = re.compile(rf"{re.escape(f'{task_name}_{split}_')}([0-9a-f]{{16}})\.npz")
    folder = os.path.dirname(path)
    for name in tf.io.gfile.listdir(folder):
        match, other = pattern.fullmatch(name), os.path.join(folder, name)
        if match and name != os.path.basename(path) and _key_in(other).startswith(match[1]):
            tf.io.gfile.remove(other)


def _key_in(path: str) -> str:
    """The key that a file of features is stored under; empty if it is none."""
    try:
        with tf.io.gfile.GFile(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            return str(stored[_KEY])
    except Exception:  # NumPy and zipfile raise many for files that are damaged
        return ""
