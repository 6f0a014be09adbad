# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""File names inside a folder of pre-training records."""

import re

SHARD_PREFIX = "pretrain_data.tfrecord"
"""The reference's default pattern is `<data-dir>/pretrain_tfrecords/pretrain_data.tfrecord*`."""

UNFINISHED_FOLDER = "unfinished"
"""Sub-folder where shards are built; it exists only while, or since, a build is unfinished."""

HELD_OUT_FOLDER = "held_out"
"""Sub-folder of the records that are kept for evaluation."""

_SHARD_NAME = re.compile(re.escape(SHARD_PREFIX) + r"-(\d+)-of-(\d+)")


def shard_name(index: int, total: int) -> str:
    """Name of a shard, as the reference writes it (build_pretraining_dataset.py:125)."""
    return f"{SHARD_PREFIX}-{index}-of-{total}"


def is_shard_name(name: str) -> bool:
    """Whether a file was named by this program or by the reference."""
    return _SHARD_NAME.fullmatch(name) is not None
