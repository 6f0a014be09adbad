# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`tokenizer.json` beside a vocabulary: how the text was prepared for it, and its special tokens.

Hugging Face's tokenizers library writes files of the same name. Ours say so in their first line,
`"format": "electra_tf tokenizer"`; of theirs, what they say of case and accents is read.
"""

import dataclasses
import json
import os

import tensorflow as tf
from absl import logging

from electra_tf.files import write_json
from electra_tf.text.vocabulary import KINDS, WORDPIECE, SpecialTokens

FILE_NAME = "tokenizer.json"
FORMAT = "electra_tf tokenizer"
VERSION = 1
_KEYS = ("format", "version", "kind", "file", "do_lower_case", "strip_accents", "special_tokens")


@dataclasses.dataclass(frozen=True)
class TokenizerSettings:
    """What is to be known of a vocabulary file beside its tokens."""

    kind: str
    """One of `vocabulary.KINDS`."""
    file: str
    """Name of the vocabulary file in the same folder."""
    do_lower_case: bool
    strip_accents: bool
    special: SpecialTokens = dataclasses.field(default_factory=SpecialTokens)
    is_binding: bool = True
    """Whether other settings are an error; those of a Hugging Face file are defaults only."""


def path_in(folder):
    """Returns where the settings of a folder lie."""
    return os.path.join(folder, FILE_NAME)


def read_settings(folder):
    """Returns the `TokenizerSettings` of a folder, or None if there are none.

    A JSON file of that name that is neither ours nor Hugging Face's is left aside with a warning.

    Raises:
        ValueError: the file is not JSON, or its settings are wrong.
    """
    path = path_in(folder)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    try:
        stored = json.loads(content)
    except ValueError as error:
        raise ValueError(f"{path} is expected to be JSON: {error}.") from error
    if isinstance(stored, dict) and stored.get("format") == FORMAT:
        return _own(stored, path)
    if isinstance(stored, dict) and "model" in stored:
        return _huggingface(stored, path)
    logging.warning(
        '%s has neither "format": "%s" nor the "model" of a file of Hugging Face\'s tokenizers '
        "library; nothing is taken from it.",
        path,
        FORMAT,
    )
    return None


def save_settings(settings, folder):
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
    write_json(path_in(folder), stored)


def check_free(folder, file):
    """Raises a FileExistsError if `tokenizer.json` is there for another vocabulary than `file`."""
    path = path_in(folder)
    settings = read_settings(folder)
    if settings is None:
        return
    if not settings.is_binding:
        raise FileExistsError(
            f"{path} is Hugging Face's; the settings of {file} are not written over it. "
            "Choose another folder."
        )
    if settings.file != file and tf.io.gfile.exists(os.path.join(folder, settings.file)):
        raise FileExistsError(
            f"{path} describes {settings.file}, so the settings of {file} cannot be stored beside "
            "it. Choose another folder."
        )


def _own(stored, path):
    if set(stored) != set(_KEYS) or stored["version"] != VERSION:
        raise ValueError(
            f"{path} is expected to have the keys {', '.join(_KEYS)} and version {VERSION}, but "
            f"has {', '.join(stored)} and version {stored.get('version')!r}."
        )
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
    )


def _huggingface(stored, path):
    """What such a file says of a vocab.txt; None if it is of another kind of tokenizer."""
    if (stored["model"] or {}).get("type", "WordPiece") != "WordPiece":
        return None
    normalizer = stored.get("normalizer") or {}
    if normalizer.get("type") != "BertNormalizer":
        logging.warning(
            "%s is Hugging Face's, with the normalizer %s; nothing on case and accents is taken "
            "from it.",
            path,
            normalizer.get("type"),
        )
        return None
    lower, accents = bool(normalizer.get("lowercase")), normalizer.get("strip_accents")
    return TokenizerSettings(
        WORDPIECE,
        "vocab.txt",
        lower,
        lower if accents is None else bool(accents),
        is_binding=False,
    )
