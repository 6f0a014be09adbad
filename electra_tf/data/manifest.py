# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`manifest.json`: what a folder of pre-training records holds and how it was made."""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import tensorflow as tf

from electra_tf.data.writer import write_file

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

    format_version: int = FORMAT_VERSION

    @staticmethod
    def path_in(folder: str) -> str:
        """Where the manifest of a folder of records lies."""
        return os.path.join(folder, FILE_NAME)

    @classmethod
    def load(cls, folder: str) -> "Manifest":
        """Reads a folder's manifest.

        Raises:
            ValueError: naming the file, for anything but the keys and types above; only keys with
                a default may be missing.
        """
        path = cls.path_in(folder)
        with tf.io.gfile.GFile(path, "r") as file:
            text = file.read()
        try:
            stored = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not JSON: {error}.") from error
        version = stored.get("format_version") if isinstance(stored, dict) else None
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path} has format_version {version!r}; this program reads {FORMAT_VERSION}. "
                "Build the records again."
            )
        stored["shards"] = tuple(_read(Shard, item, path) for item in _list(stored, "shards", path))
        stored["sources"] = tuple(
            _read(Source, item, path) for item in _list(stored, "sources", path)
        )
        for key in ("length_histogram", "features"):
            stored[key] = tuple(_list(stored, key, path))
        manifest = _read(cls, stored, path)
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


def _list(stored: dict[str, Any], key: str, path: str) -> list[Any]:
    value = stored.get(key, [])
    if not isinstance(value, list):
        raise ValueError(f"{path}: {key} must be a list; received {value!r}.")
    return value


_KINDS = {int: int, float: (int, float), str: str, bool: bool}


def _read(kind: type, stored: Any, path: str) -> Any:
    """Builds a dataclass from its keys, with its plain types checked."""
    names = {field.name: field for field in fields(kind)}
    needed = {name for name, field in names.items() if field.default is MISSING}
    found = set(stored) if isinstance(stored, dict) else set()
    if not needed <= found <= set(names):
        raise ValueError(
            f"{path}: {kind.__name__.lower()} must have the keys {sorted(names)}; "
            f"missing {sorted(needed - found)}, unknown {sorted(found - set(names))}."
        )
    for name, field in ((name, names[name]) for name in stored):
        expected = _KINDS.get(field.type)
        value = stored[name]
        is_bool_as_number = isinstance(value, bool) and field.type is not bool
        if expected and (not isinstance(value, expected) or is_bool_as_number):
            raise ValueError(
                f"{path}: {name} must be of type {field.type.__name__}; received {value!r}."
            )
    return kind(**stored)
