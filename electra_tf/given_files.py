# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files and folders that users name: found, or one error, without TensorFlow.

The commands ask here before TensorFlow starts; what reads the files asks here, too.
"""

import importlib
import os
import re
from collections.abc import Sequence

from electra_tf.config import check
from electra_tf.config.fields import is_whole
from electra_tf.config.finetuning import FinetuningConfig, filled
from electra_tf.config.pretraining import PretrainingConfig
from electra_tf.config.task_json import task_from_json
from electra_tf.config.task_table import TASKS, TaskSpec
from electra_tf.files import exists, is_folder, read_json
from electra_tf.folders import check_new
from electra_tf.patterns import listed, matching, split_patterns

SHARD_PREFIX = "pretrain_data.tfrecord"
"""The reference's default pattern is `<data-dir>/pretrain_tfrecords/pretrain_data.tfrecord*`."""
TOKENIZER_FILE = "tokenizer.json"
"""Describes the vocabulary file beside it, whatever that is called."""
CONFIG_FILE = "config.json"
"""Describes the model of a folder."""
LOG_FILE = "train_log.jsonl"
"""The log of the run that made the model of a folder."""

MAX_BRANCHES = 64
"""Of an export."""

HUB_PREFIX = "hf://"
"""Begins the names of models on the Hugging Face hub."""
_HUB_PATH = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w.-]+))?/?")
_NOT_READ = ["*.h5", "*.msgpack", "*.onnx", "*.ot", "*.bin", "*.pt", "*.pth", "*.tflite", "*.ckpt*"]
"""Files of a repository on the hub that nothing here reads."""

# ---- Text


def check_corpus(corpus: str | Sequence[str]) -> None:
    """Check that the folder of a corpus, or its files and glob patterns, exist.

    Raises:
        FileNotFoundError: for a folder or file that does not exist, or a pattern without files.
        NotADirectoryError, IsADirectoryError: for a file instead of a folder, or the reverse.
        ValueError: for a list without files.
    """
    if not isinstance(corpus, str):
        if not corpus:
            raise ValueError("The corpus is expected to name text files, but names none.")
        for pattern in corpus:
            matching_files(pattern)
    elif not is_folder(corpus):
        if exists(corpus):
            raise NotADirectoryError(
                f"The corpus folder {corpus!r} is expected to be a folder, but is a file; give "
                "files by --input-files."
            )
        raise FileNotFoundError(f"The corpus folder {corpus!r} does not exist.")


def matching_files(pattern: str) -> list[str]:
    """The file of that name, or else the files that match a glob pattern.

    Raises:
        FileNotFoundError: if there is none.
        IsADirectoryError: if there are folders only.
    """
    found = matching(pattern)
    files = [path for path in found if not is_folder(path)]
    if found and not files:
        raise IsADirectoryError(
            f"The text file {pattern!r} is expected to be a file, but is a folder; give a folder "
            "by --corpus-dir."
        )
    if not files:
        raise FileNotFoundError(
            f"The text file {pattern!r} does not exist, and no file matches it as a pattern."
        )
    return files


def check_vocabulary(path: str) -> None:
    """Check that there is a vocabulary file, a folder, or a `tokenizer.json` that may name one.

    Raises:
        FileNotFoundError: there is none.
    """
    folder = path if is_folder(path) else os.path.dirname(path)
    if not exists(path) and not exists(os.path.join(folder, TOKENIZER_FILE)):
        raise missing_vocabulary(path)


def missing_vocabulary(path: str) -> FileNotFoundError:
    """The error for a vocabulary file that does not exist."""
    return FileNotFoundError(f"The vocabulary file {path} does not exist.")


# ---- Records


def find_records(patterns: str) -> tuple[str, ...]:
    """The files of records that any of some patterns, separated by commas, finds, each once.

    Raises:
        ValueError: a pattern finds none, or there is no pattern.
    """
    files: set[str] = set()
    for pattern in split_patterns(patterns):
        shards = SHARD_PREFIX + "*"
        found = listed(pattern, shards) if is_folder(pattern) else matching(pattern)
        if not found:
            pattern = os.path.join(pattern, shards) if is_folder(pattern) else pattern
            raise ValueError(f"No pre-training records found: {pattern!r} matches no file.")
        files.update(found)
    if not files:
        raise ValueError(f"No pre-training records given: the pattern is {patterns!r}.")
    return tuple(sorted(files))


def check_pretraining_files(config: PretrainingConfig) -> None:
    """Check that the vocabulary, the records and the initial weights of a run exist.

    Raises:
        FileNotFoundError, ValueError: something does not.
    """
    check_vocabulary(config.vocab_file)
    for patterns in config.record_patterns:
        find_records(patterns)
    for name in ("init_checkpoint", "generator_checkpoint"):
        path = getattr(config, name)
        if config.do_train and path is not None:
            try:
                check_model(path)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"{name}: {error}") from error


# ---- Models


def check_model(path: str) -> None:
    """Check that there is a folder, or a checkpoint.

    Raises:
        FileNotFoundError: there is nothing; the message says where to get a model.
    """
    path = os.fspath(path)
    if path.startswith(HUB_PREFIX):
        return  # it is downloaded when it is opened
    if not (is_folder(path) or exists(f"{path}.index")):
        raise no_model(no_checkpoint(path), path)


def local_folder(path: str) -> str:
    """The folder on this machine that a path stands for; what is on the hub is downloaded.

    Args:
        path: a path as it is, or "hf://owner/name", or "hf://owner/name@revision".

    Raises:
        ValueError: the path begins with "hf://" but is none of this, or huggingface_hub is not
            installed.
        FileNotFoundError: there is no such model, or no network and no copy from before.
    """
    if not path.startswith(HUB_PREFIX):
        return path
    match = _HUB_PATH.fullmatch(path)
    if match is None:
        raise ValueError(
            f"a path on the Hugging Face hub is expected to be hf://owner/name, but is {path}."
        )
    name, revision = match.groups()
    by_hand = f"`hf download {name} --local-dir FOLDER` on a machine that can"
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise ValueError(
            f"{path} cannot be downloaded, since huggingface_hub is not installed. Install it with "
            f"`pip install huggingface_hub`, or run {by_hand} and give FOLDER."
        ) from error
    try:
        return hub.snapshot_download(name, revision=revision, ignore_patterns=_NOT_READ)
    except Exception as error:  # of the hub, of the network and of the disk: many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileNotFoundError(
            f"{path} cannot be downloaded, and there is no copy from before: {reason}. Without a "
            f"network, run {by_hand} and give FOLDER."
        ) from error


def no_checkpoint(path: str) -> FileNotFoundError:
    """The error for a path that is no checkpoint, and no folder with one."""
    return FileNotFoundError(
        f"{path} is expected to be a checkpoint (the part of its name before '.index') or a "
        "folder with one, but there is none."
    )


def no_model(error: FileNotFoundError, path: str) -> FileNotFoundError:
    """The error for a path without a model; if it is no folder, with how to get a model."""
    if is_folder(path):
        return FileNotFoundError(str(error))
    # Hub names are "owner/model", such as google/electra-small-discriminator.
    is_name = re.fullmatch(r"[\w.-]+/[\w.-]+", path) and not os.path.isdir(os.path.dirname(path))
    name = path if is_name else "google/electra-small-discriminator"
    return FileNotFoundError(
        f"{error} Nothing is downloaded but by {HUB_PREFIX}{name}: Hugging Face models come with "
        f"`hf download {name} --local-dir FOLDER`, the original's released ones as zip files from "
        "https://github.com/google-research/electra."
    )


def check_branches(branches: int) -> None:
    """Raise a ValueError unless an export can have so many branches; its graph grows by each."""
    is_valid = is_whole(branches) and 1 <= branches <= MAX_BRANCHES
    check(is_valid, "branches", f"an integer in 1..{MAX_BRANCHES}", branches)


def check_export_dir(folder: str) -> None:
    """Check that a SavedModel can be written to a folder, and read from it.

    Raises:
        FileExistsError: there is something of that name, or see `check_new`.
        ValueError: TensorFlow does not find what is in such a folder.
    """
    folder = folder.rstrip("/")
    if any(character in folder for character in "[\\"):
        raise ValueError(
            f"export-dir {folder} is expected to be a path without [ and \\, since TensorFlow "
            "does not find the variables of a SavedModel in such a folder."
        )
    if exists(folder):
        raise FileExistsError(f"export-dir {folder} is expected to be new, but exists.")
    check_new(folder)


def check_finetuned(folder: str) -> None:
    """Check that a folder has the `config.json` of a fine-tuned model.

    Raises:
        FileNotFoundError: it has none.
        ValueError: the file is not JSON.
    """
    path = os.path.join(folder, CONFIG_FILE)
    if not exists(path) or "finetuning" not in read_json(path):
        raise no_finetuned_model(folder, f"has no {CONFIG_FILE} of one.")


def no_finetuned_model(folder: str, problem: str) -> FileNotFoundError:
    """The error for a folder that has no fine-tuned model, or an unusable one."""
    return FileNotFoundError(
        f"{folder} is expected to be the folder of a fine-tuned model, such as "
        f".../finetuning_models/cola_model_1, but {problem}"
    )


def no_initial_weights(error: FileNotFoundError) -> FileNotFoundError:
    """The error for an `init_checkpoint` of fine-tuning that does not exist."""
    return FileNotFoundError(f"init_checkpoint: {error} For random weights, give null.")


# ---- Tasks


def find_data_file(path: str) -> str | None:
    """The file of examples of a name, which may have .gz added; None if there is none."""
    return next((found for found in (path, f"{path}.gz") if exists(found)), None)


def data_file(path: str) -> str:
    """The file that `find_data_file` finds, which has to exist.

    Raises:
        FileNotFoundError: it does not.
    """
    if (found := find_data_file(path)) is None:
        raise FileNotFoundError(f"The data file {path} does not exist.")
    return found


def check_finetuning_files(config: FinetuningConfig) -> None:
    """Check that the initial weights of a run and the files of its tasks exist.

    Raises:
        FileNotFoundError, ValueError: something does not, or a task's file describes none.
    """
    needed = {"train": config.do_train, "dev": config.do_eval or config.eval_every_steps > 0}
    for name in config.task_names:
        spec = find_task(name)
        folder = filled(config.raw_data_dir, config.data_dir, spec.name)
        for split in spec.splits:
            if needed.get(split.name):
                data_file(os.path.join(folder, split.file))
    start = config.init_checkpoint if config.do_train else f"{config.model_dir}_1"
    if start is not None:
        try:
            check_model(start)
        except FileNotFoundError as error:
            raise (no_initial_weights(error) if config.do_train else error) from error


def find_task(name: str) -> TaskSpec:
    """The task of a built-in name, or of the path of a JSON file that describes one.

    Raises:
        FileNotFoundError: the JSON file does not exist.
        ValueError: there is no such task, or the file does not describe one.
    """
    if str(name).endswith(".json"):
        return task_from_json(name)
    if name not in TASKS:
        raise ValueError(
            f"The task {name!r} is not known; expected a .json file that describes one, or one of "
            f"{', '.join(TASKS)}."
        )
    return TASKS[name].spec
