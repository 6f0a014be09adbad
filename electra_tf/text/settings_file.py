# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`tokenizer.json` beside a vocabulary: how the text was prepared for it, and its special tokens.

Hugging Face's tokenizers library writes files of the same name. Ours say so in their first line,
`"format": "electra_tf tokenizer"`; for theirs see `huggingface_settings`.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.files import check_keys, read_json, write_json
from electra_tf.text.vocabulary import KINDS, AddedToken, SpecialTokens

FILE_NAME = "tokenizer.json"
FORMAT = "electra_tf tokenizer"
VERSION = 1
_KEYS = ("format", "version", "kind", "file", "do_lower_case", "strip_accents", "special_tokens")
_LATER_VERSION = 2
_LATER_KEYS = ("pre_split", "added_tokens")
"""Of files that need them, so that older programs refuse these files."""


@dataclasses.dataclass(frozen=True)
class TokenizerSettings:
    """What is to be known of a vocabulary file beside its tokens."""

    kind: str
    """One of `vocabulary.KINDS`."""
    file: str
    """Name of the vocabulary file in the same folder."""
    do_lower_case: bool | None
    """None where a Hugging Face folder does not say."""
    strip_accents: bool | None
    special: SpecialTokens = dataclasses.field(default_factory=SpecialTokens)
    pre_split: bool = False
    """Whether words are what white space separates, and nothing else."""
    added: tuple[AddedToken, ...] = ()
    is_binding: bool = True
    """Whether other settings are an error; those of a Hugging Face file are defaults only."""
    problems: tuple[str, ...] = ()
    """What the files of a Hugging Face folder say that no tokenizer of BERT's has."""
    word_problems: tuple[str, ...] = ()
    """Likewise, of how text is split into words, which does not matter if it is split before."""


def path_in(folder: str) -> str:
    """Returns where the settings of a folder lie."""
    return os.path.join(folder, FILE_NAME)


def read_settings(folder: str) -> TokenizerSettings | None:
    """Returns the `TokenizerSettings` of a folder, or None if there are none of ours.

    A JSON file of that name that is neither ours nor Hugging Face's is left aside with a warning.

    Raises:
        ValueError: the file is not JSON, or its settings are wrong.
    """
    path = path_in(folder)
    if not tf.io.gfile.exists(path):
        return None
    stored = read_json(path, object)
    if isinstance(stored, dict) and stored.get("format") == FORMAT:
        return _own(stored, path)
    if is_huggingface(stored):
        return None
    logging.warning(
        '%s has neither "format": "%s" nor the "model" of a file of Hugging Face\'s tokenizers '
        "library; nothing is taken from it.",
        path,
        FORMAT,
    )
    return None


def is_huggingface(stored: Any) -> bool:
    """Returns whether the value of a `tokenizer.json` is Hugging Face's."""
    return isinstance(stored, dict) and "model" in stored and stored.get("format") != FORMAT


def save_settings(settings: TokenizerSettings, folder: str) -> None:
    """Writes the settings of a folder's vocabulary file.

    Raises:
        FileExistsError: the folder's file describes another vocabulary that is there.
    """
    check_free(folder, settings.file)
    stored = {
        "format": FORMAT,
        "version": VERSION,
        "kind": settings.kind,
        "file": settings.file,
        "do_lower_case": settings.do_lower_case,
        "strip_accents": settings.strip_accents,
        "special_tokens": dataclasses.asdict(settings.special),
    }
    if settings.pre_split or settings.added:
        stored["version"] = _LATER_VERSION
        stored["pre_split"] = settings.pre_split
        stored["added_tokens"] = [dataclasses.asdict(token) for token in settings.added]
    write_json(path_in(folder), stored)


def check_free(folder: str, file: str) -> None:
    """Raises a FileExistsError if `tokenizer.json` is there for another vocabulary than `file`."""
    path = path_in(folder)
    if tf.io.gfile.exists(path) and is_huggingface(read_json(path, object)):
        raise FileExistsError(
            f"{path} is Hugging Face's; the settings of {file} are not written over it. "
            "Choose another folder."
        )
    settings = read_settings(folder)
    if settings is None:
        return
    if settings.file != file and tf.io.gfile.exists(os.path.join(folder, settings.file)):
        raise FileExistsError(
            f"{path} describes {settings.file}, so the settings of {file} cannot be stored beside "
            "it. Choose another folder."
        )


def _own(stored: Mapping[str, Any], path: str) -> TokenizerSettings:
    version, keys = VERSION, _KEYS
    if stored.get("version") == _LATER_VERSION:
        version, keys = _LATER_VERSION, _KEYS + _LATER_KEYS
    if set(stored) != set(keys) or stored["version"] != version:
        raise ValueError(
            f"{path} is expected to have the keys {', '.join(keys)} and version {version}, but "
            f"has {', '.join(stored)} and version {stored.get('version')!r}."
        )
    if version == _LATER_VERSION:
        check_keys(stored, {"pre_split": bool, "added_tokens": list}, path)
    names = [field.name for field in dataclasses.fields(SpecialTokens)]
    special = stored["special_tokens"]
    is_right = {
        "kind": stored["kind"] in KINDS,
        "file": isinstance(stored["file"], str) and os.path.basename(stored["file"]) != "",
        "do_lower_case": isinstance(stored["do_lower_case"], bool),
        "strip_accents": isinstance(stored["strip_accents"], bool),
        "special_tokens": isinstance(special, dict)
        and sorted(special) == sorted(names)
        and all(isinstance(token, str) for token in special.values()),
    }
    wrong = [name for name, right in is_right.items() if not right]
    if wrong:
        raise ValueError(
            f"{path}: {wrong[0]} cannot be {stored[wrong[0]]!r}; kind is expected to be one of "
            f"{', '.join(KINDS)}, file a file name, do_lower_case and strip_accents true or "
            f"false, special_tokens the tokens for {', '.join(names)}."
        )
    return TokenizerSettings(
        stored["kind"],
        stored["file"],
        stored["do_lower_case"],
        stored["strip_accents"],
        SpecialTokens(**special),
        stored.get("pre_split", False),
        tuple(_added_token(entry, path) for entry in stored.get("added_tokens", ())),
    )


def _added_token(entry: Any, path: str) -> AddedToken:
    kinds = {field.name: field.type for field in dataclasses.fields(AddedToken)}
    if not isinstance(entry, dict) or set(entry) != set(kinds):
        raise ValueError(
            f"{path}: an added token is expected to have {', '.join(kinds)}, but is {entry!r}."
        )
    check_keys(entry, {**dict.fromkeys(kinds, bool), "content": str, "id": int}, path)
    return AddedToken(**entry)
