# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From a path to its tokenizer, and from a tokenizer to files."""

import os

import tensorflow as tf

from electra_tf.files import listed, write_bytes
from electra_tf.text import settings_file
from electra_tf.text.sentencepiece_tokenizer import (
    MODEL_SUFFIX,
    SentencePieceTokenizer,
    vocabulary_of_model,
)
from electra_tf.text.settings_file import TokenizerSettings, read_settings, save_settings
from electra_tf.text.tokenizer import Tokenizer
from electra_tf.text.vocabulary import (
    SENTENCEPIECE,
    WORDPIECE,
    Vocabulary,
    read_vocabulary,
)
from electra_tf.text.wordpiece import WordPieceTokenizer

WORDPIECE_FILE = "vocab.txt"


def load_tokenizer(path, do_lower_case=None, strip_accents=None) -> Tokenizer:
    """Returns the tokenizer of a vocabulary file or of a folder that holds one.

    A `vocab.txt` gives a `WordPieceTokenizer`, a `.model` file a `SentencePieceTokenizer`, unless a
    `tokenizer.json` beside it says otherwise. In a folder, the `tokenizer.json` names the file;
    else it is `vocab.txt` or the only `.model` file. Hugging Face's `tokenizer.json` of a WordPiece
    tokenizer will do, too. See `find_vocabulary_file`.

    Args:
        path: a file or folder.
        do_lower_case: default: what the files say, else True.
        strip_accents: default: what the files say, else True. Only where letters are lower-cased.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is wrong, or the settings differ from those it was made with.
    """
    path = find_vocabulary_file(path)
    settings = _settings_of(path)
    if _kind(path, settings) == SENTENCEPIECE:
        special = settings.special if settings else None
        tokenizer = SentencePieceTokenizer(_read_model(path), special, path)
        made_with = tokenizer.do_lower_case, tokenizer.strip_accents
        if settings and (settings.do_lower_case, settings.strip_accents) != made_with:
            raise ValueError(
                f"{settings_file.path_in(os.path.dirname(path))} says do_lower_case "
                f"{settings.do_lower_case} and strip_accents {settings.strip_accents}, but the "
                f"rules in {path} are {made_with[0]} and {made_with[1]}."
            )
        _check_agreement(path, made_with, do_lower_case, strip_accents)
        return tokenizer
    vocabulary = read_vocabulary(path, settings.special if settings else None)
    stored = (settings.do_lower_case, settings.strip_accents) if settings else (True, True)
    if settings and settings.is_binding:
        _check_agreement(path, stored, do_lower_case, strip_accents)
    return WordPieceTokenizer(
        vocabulary,
        stored[0] if do_lower_case is None else do_lower_case,
        stored[1] if strip_accents is None else strip_accents,
    )


def load_vocabulary(path) -> Vocabulary:
    """Returns the vocabulary of a file or folder; as `load_tokenizer`, without the rest of it."""
    path = find_vocabulary_file(path)
    settings = _settings_of(path)
    special = settings.special if settings else None
    if _kind(path, settings) == SENTENCEPIECE:
        return vocabulary_of_model(_read_model(path), special, path)
    return read_vocabulary(path, special)


def stored_settings(path) -> dict[str, bool]:
    """Returns `do_lower_case` and `strip_accents` of a vocabulary as far as its files say them.

    Raises:
        ValueError: a file is wrong.
    """
    path = str(path) if tf.io.gfile.isdir(str(path)) else find_vocabulary_file(path)
    if not tf.io.gfile.exists(path):
        return {}
    path = find_vocabulary_file(path)
    settings = _settings_of(path)
    if settings is None and _kind(path, settings) == SENTENCEPIECE:
        settings = SentencePieceTokenizer(_read_model(path), None, path)
    if settings is None:
        return {}
    return {"do_lower_case": settings.do_lower_case, "strip_accents": settings.strip_accents}


def find_vocabulary_file(path) -> str:
    """Returns the vocabulary file that a path means: itself, or that of a folder or its settings.

    `<folder>/vocab.txt` is what the original calls every vocabulary: where there is none, but a
    `tokenizer.json` that names another file, the path means that file.

    Raises:
        FileNotFoundError: a folder holds none.
        ValueError: it holds several models and no `tokenizer.json` that names one.
    """
    path = str(path)
    is_folder = tf.io.gfile.isdir(path)
    is_usual = os.path.basename(path) == WORDPIECE_FILE and not tf.io.gfile.exists(path)
    if not (is_folder or is_usual or os.path.basename(path) == settings_file.FILE_NAME):
        return path
    folder = path if is_folder else os.path.dirname(path)
    settings = read_settings(folder)
    if settings and settings.is_binding:
        return os.path.join(folder, settings.file)
    wordpiece, theirs = os.path.join(folder, WORDPIECE_FILE), settings_file.path_in(folder)
    if not is_folder or tf.io.gfile.exists(wordpiece):
        return wordpiece if is_folder else path
    models = listed(folder, f"*{MODEL_SUFFIX}")
    if len(models) > 1:
        raise ValueError(
            f"{folder} holds several models, {', '.join(map(os.path.basename, models))}; name one."
        )
    if models or tf.io.gfile.exists(theirs):
        return models[0] if models else theirs
    raise FileNotFoundError(
        f"The vocabulary file {wordpiece} does not exist, and {folder} has no "
        f"{settings_file.FILE_NAME} or {MODEL_SUFFIX} file either."
    )


def save_tokenizer(tokenizer, folder):
    """Writes a tokenizer's vocabulary file and its `tokenizer.json` into a folder.

    Raises:
        FileExistsError: the folder has a `tokenizer.json` for another file.
    """
    tf.io.gfile.makedirs(str(folder))
    ((name, content),) = tokenizer.files().items()
    settings_file.check_free(folder, name)
    write_bytes(os.path.join(folder, name), content)
    save_settings(settings_of(tokenizer, name), folder)


def settings_of(tokenizer, file):
    """Returns the `TokenizerSettings` of a tokenizer whose vocabulary has that file name."""
    return TokenizerSettings(
        tokenizer.vocabulary.kind,
        file,
        tokenizer.do_lower_case,
        tokenizer.strip_accents,
        tokenizer.vocabulary.special,
    )


def _settings_of(path):
    """What `tokenizer.json` says of a vocabulary file; None if that is about another one."""
    settings = read_settings(os.path.dirname(path))
    name = os.path.basename(path)
    if settings is None or settings.file == name:
        return settings
    is_huggingface = not settings.is_binding and name == settings_file.FILE_NAME
    return settings if is_huggingface else None


def _kind(path, settings):
    if settings:
        return settings.kind
    return SENTENCEPIECE if path.endswith(MODEL_SUFFIX) else WORDPIECE


def _read_model(path):
    if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        raise FileNotFoundError(f"The vocabulary file {path} does not exist.")
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def _check_agreement(path, made_with, do_lower_case, strip_accents):
    """Raises a ValueError if settings were given and are others than those of the files."""
    lower = made_with[0] if do_lower_case is None else do_lower_case
    accents = made_with[1] if strip_accents is None else strip_accents
    if lower != made_with[0] or accents not in (made_with[1], made_with[1] or not lower):
        raise ValueError(
            f"{path} was made with do_lower_case {made_with[0]} and strip_accents {made_with[1]}; "
            f"received {do_lower_case} and {strip_accents}. Leave them out, or give the same."
        )
