# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""File names inside a folder of pre-training records."""

import re

SHARD_PREFIX = "pretrain_data.tfrecord"
"""The reference's default pattern is `<data-dir>/pretrain_tfrecords/pretrain_data.tfrecord*`."""

UNFINISHED_FOLDER = "unfinished"
"""Sub-folder where shards are built; it exists only while, or since, a build is unfinished."""

PLAN_FILE = "plan.sha256"
"""In the unfinished folder: what is built there, by which this program knows the folder."""

REPLACED_FILE = "replaced.json"
"""In the unfinished folder: files of older records that are being replaced; see `publishing`."""

DUPLICATES_FOLDER = "duplicates"
"""Sub-folder of the unfinished folder, where the duplicates are noted."""

HELD_OUT_FOLDER = "held_out"
"""Sub-folder of the records that are kept for evaluation."""

_SHARD_NAME = re.compile(re.escape(SHARD_PREFIX) + r"-(\d+)-of-(\d+)")

_UNFINISHED = re.compile(
    rf"(?:{re.escape(PLAN_FILE)}|{re.escape(REPLACED_FILE)}"
    rf"|(?:{HELD_OUT_FOLDER}/)?{_SHARD_NAME.pattern}(?:\.json)?"
    rf"|{DUPLICATES_FOLDER}/(?:index\.json|hashed-\d+\.json|(?:hashed|repeated|dropped)[-\d]+))"
    r"(?:\.[^/]+\.partial)?"
)


def is_of_a_build(name: str) -> bool:
    """Whether a build wrote the file of the unfinished folder, given its name inside it."""
    return _UNFINISHED.fullmatch(name) is not None


def shard_name(index: int, total: int) -> str:
    """Name of a shard, as the reference writes it (build_pretraining_dataset.py:125)."""
    return f"{SHARD_PREFIX}-{index}-of-{total}"


def is_shard_name(name: str) -> bool:
    """Whether a file was named by this program or by the reference."""
    return _SHARD_NAME.fullmatch(name) is not None
