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

from electra_tf.config import check
from electra_tf.config.stored import from_stored
from electra_tf.files import check_keys, read_json, write_json
from electra_tf.given_files import TOKENIZER_FILE
from electra_tf.text.vocabulary import KINDS, AddedToken, SpecialTokens

FILE_NAME = TOKENIZER_FILE
FORMAT = "electra_tf tokenizer"


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
    special_tokens: SpecialTokens = dataclasses.field(default_factory=SpecialTokens)
    pre_split: bool = False
    """Whether words are what white space separates, and nothing else."""
    added_tokens: tuple[AddedToken, ...] = ()
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
        FileExistsError: the folder's file describes another vocabulary, which exists.
    """
    check_free(folder, settings.file)
    write_json(path_in(folder), _stored(settings))


def check_free(folder: str, file: str) -> None:
    """Raises a FileExistsError if `tokenizer.json` describes another vocabulary than `file`."""
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


def _stored(settings: TokenizerSettings) -> dict[str, Any]:
    """What a file of ours holds; older programs refuse those that need later keys."""
    stored = {
        "format": FORMAT,
        "version": 1,
        "kind": settings.kind,
        "file": settings.file,
        "do_lower_case": settings.do_lower_case,
        "strip_accents": settings.strip_accents,
        "special_tokens": dataclasses.asdict(settings.special_tokens),
    }
    if settings.pre_split or settings.added_tokens:
        added = [dataclasses.asdict(token) for token in settings.added_tokens]
        stored |= {"version": 2, "pre_split": settings.pre_split, "added_tokens": added}
    return stored


def _own(stored: Mapping[str, Any], path: str) -> TokenizerSettings:
    described = {key: value for key, value in stored.items() if key not in ("format", "version")}
    check_keys(described, dict.fromkeys(("do_lower_case", "strip_accents"), bool), path)
    found = from_stored(TokenizerSettings, described, path)
    check(found.kind in KINDS, f"{path}: kind", f"one of {', '.join(KINDS)}", found.kind)
    is_name = os.path.basename(found.file) != ""
    check(is_name, f"{path}: file", "the name of a file", found.file)
    expected = _stored(found)
    for name in {**expected, **stored}:
        value, received = expected.get(name), stored.get(name)
        check(received == value, f"{path}: {name}", repr(value), received)
    return found
