# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A folder of pre-training records: its files, which are complete or not there, and their names.

Its `manifest.json` describes the records and how they were made.
"""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf

from electra_tf.config.stored import from_stored
from electra_tf.files import new_file, read_json
from electra_tf.given_files import SHARD_PREFIX
from electra_tf.text.tokenizer import UnknownTokens

UNFINISHED_FOLDER = "unfinished"
"""Sub-folder where shards are built; it exists only while, or since, a build is unfinished."""

PLAN_FILE = "plan.sha256"
"""In the unfinished folder: what is built there, by which this program recognizes the folder."""

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


def write_file(path: str, *contents: bytes) -> None:
    """Writes a file under a temporary name and renames it.

    Raises:
        OSError: naming the file; nothing is left of it then.
    """
    with new_file(path, "wb", partial_name(path)) as file:
        for content in contents:
            file.write(content)


def partial_name(path: str) -> str:
    """Where a file is written before it gets its name.

    Workers of a build that was killed live on for a moment, beside those that continue it, and
    other machines may do a share of the work.
    """
    return f"{path}.{platform.node()}-{os.getpid()}.partial"


def remove_partial(folder: str) -> None:
    """Removes what interrupted writers left."""
    for name in tf.io.gfile.listdir(folder):
        if name.endswith(".partial"):
            tf.io.gfile.remove(os.path.join(folder, name))


FILE_NAME = "manifest.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Shard:
    """One file of records."""

    name: str
    """File name inside the folder."""
    num_examples: int
    bytes: int
    """Size of the file."""


@dataclass(frozen=True)
class Source:
    """One file of text that the records were made from."""

    name: str
    """Path relative to the corpus folder."""
    bytes: int
    """Size of the file as stored, so compressed where it is."""


@dataclass(frozen=True)
class Manifest:
    """Contents and origin of a folder of records."""

    shards: tuple[Shard, ...]
    num_examples: int
    num_tokens: int
    """Tokens of all examples, special tokens included, padding not."""
    max_seq_length: int
    mean_length: float
    """Tokens per example."""
    padding_share: float
    """Share of a batch of max_seq_length that is padding, 0 to 1."""
    length_histogram: tuple[int, ...]
    """Examples by length, in bins of equal width from 1 to max_seq_length."""
    tokenizer: Mapping[str, Any]
    """The tokenizer's settings; they include the vocabulary's hash."""
    seed: int
    blanks_separate_docs: bool
    replaced_bytes: int
    """Bytes of the text that were not UTF-8 and were decoded with replacement."""
    cut_tokens: int
    """Tokens of the text that no example holds: what is longer than an example is cut."""
    sources: tuple[Source, ...]
    text_field: str = ""
    """Field of the JSON lines that the text was in; empty for plain text."""
    features: tuple[str, ...] = ()
    """Optional features that the records have (`spec.OPTIONAL_FEATURES`)."""
    remove_duplicates: bool = False
    duplicate_documents: int = 0
    """Documents that were left out because an earlier one is the same."""
    held_out_share: float = 0.0
    """Share of the documents that went to the held-out records and not to the training records."""
    split: str = "training"
    """Which of the two these are: "training" or "held_out"."""
    num_documents: int = 0
    """Documents that the records were made from."""
    text_tokens: int = 0
    """Tokens of the text, cut ones included; 0 if the manifest is older than this number."""
    unknown_tokens: int = 0
    """How many of them are unknown to the vocabulary."""
    format_version: int = FORMAT_VERSION

    @property
    def unknown(self) -> UnknownTokens:
        """How much of the text is unknown."""
        return UnknownTokens(self.unknown_tokens, self.text_tokens)

    @staticmethod
    def path_in(folder: str) -> str:
        """Where the manifest of a folder of records lies."""
        return os.path.join(folder, FILE_NAME)

    @classmethod
    def load(cls, folder: str) -> "Manifest":
        """Reads a folder's manifest.

        Raises:
            FileNotFoundError: there is none.
            ValueError: naming the file, for anything but the keys and types above; only keys with
                a default may be missing.
        """
        path = cls.path_in(folder)
        stored = read_json(path)
        version = stored.get("format_version")
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path} has format_version {version!r}; this program reads {FORMAT_VERSION}. "
                "Build the records again."
            )
        manifest = from_stored(cls, stored, path)
        for shard in manifest.shards:
            if min(shard.num_examples, shard.bytes) < 0:
                raise ValueError(
                    f"{path}: the sizes of {shard.name} are expected to be at least 0."
                )
        counted = sum(shard.num_examples for shard in manifest.shards)
        if counted != manifest.num_examples:
            raise ValueError(
                f"{path}: the shards have {counted} examples together, "
                f"but num_examples is {manifest.num_examples}."
            )
        return manifest

    def save(self, folder: str) -> None:
        """Writes the manifest under a temporary name and renames it."""
        stored = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        write_file(self.path_in(folder), stored.encode())
