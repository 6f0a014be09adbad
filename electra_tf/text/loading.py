# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From a path to its tokenizer, and from a tokenizer to files."""

import os

import tensorflow as tf
from absl import logging

from electra_tf.config import check
from electra_tf.config.run_config import RunConfig
from electra_tf.files import read_bytes, write_bytes
from electra_tf.given_files import missing_vocabulary
from electra_tf.patterns import listed
from electra_tf.text import settings_file
from electra_tf.text.huggingface_settings import VOCABULARY_FILES, read_huggingface_settings
from electra_tf.text.sentencepiece_tokenizer import (
    MODEL_SUFFIX,
    SentencePieceTokenizer,
    vocabulary_of_model,
)
from electra_tf.text.settings_file import TokenizerSettings, read_settings, save_settings
from electra_tf.text.tokenizer import Tokenizer
from electra_tf.text.vocabulary import SENTENCEPIECE, Vocabulary, read_vocabulary
from electra_tf.text.wordpiece import WordPieceTokenizer

WORDPIECE_FILE = "vocab.txt"
BERT = "bert"


def load_tokenizer(
    path: str,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
    *,
    pre_split: bool | None = None,
    tokenizer: str | None = None,
) -> Tokenizer:
    """Returns the tokenizer of a vocabulary file or of a folder that holds one.

    A `vocab.txt` gives a `WordPieceTokenizer`, a `.model` file a `SentencePieceTokenizer`, unless a
    `tokenizer.json` beside it says otherwise. In a folder, the `tokenizer.json` names the file;
    else it is `vocab.txt` or the only `.model` file. Hugging Face's `tokenizer.json` of a WordPiece
    tokenizer will do, too; beside a `vocab.txt` their files say case, accents and added tokens. See
    `find_vocabulary_file`.

    Args:
        path: a file or folder.
        do_lower_case: default: what the files say, else True.
        strip_accents: default: what the files say, else True. Only where letters are lower-cased.
        pre_split: whether words are what white space separates, and nothing else; default: what
            the files say, else False.
        tokenizer: "bert" takes a vocabulary for BERT's although its files describe another
            tokenizer.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is wrong, describes another tokenizer than BERT's, or the settings differ
            from those it was made with.
    """
    path, settings, is_model = _described(path)
    if is_model:
        if pre_split or tokenizer is not None:
            raise ValueError(
                f"pre_split and tokenizer are for WordPiece vocabularies, but {path} is a "
                "SentencePiece model, which splits words by itself."
            )
        return _load_sentencepiece(path, settings, do_lower_case, strip_accents)
    vocabulary = _wordpiece_vocabulary(path, settings)
    stored = said_by(settings, tokenizer, pre_split)
    case = stored.get("do_lower_case", True), stored.get("strip_accents", True)
    if settings and settings.is_binding:
        _check_agreement(path, case, do_lower_case, strip_accents)
        if pre_split not in (None, settings.pre_split):
            raise ValueError(
                f"{path} was made with pre_split {settings.pre_split}; received {pre_split}. Leave "
                "it out, or give the same."
            )
    try:
        return WordPieceTokenizer(
            vocabulary,
            case[0] if do_lower_case is None else do_lower_case,
            case[1] if strip_accents is None else strip_accents,
            stored.get("pre_split", False),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _load_sentencepiece(
    path: str,
    settings: TokenizerSettings | None,
    do_lower_case: bool | None,
    strip_accents: bool | None,
) -> SentencePieceTokenizer:
    special = settings.special_tokens if settings else None
    tokenizer = SentencePieceTokenizer(_read_model(path), special, path)
    made_with = tokenizer.do_lower_case, tokenizer.strip_accents
    if settings and (settings.do_lower_case, settings.strip_accents) != made_with:
        raise ValueError(
            f"{settings_file.path_in(os.path.dirname(path))} says do_lower_case "
            f"{settings.do_lower_case} and strip_accents {settings.strip_accents}, but the "
            f"rules in {path} are do_lower_case {made_with[0]} and strip_accents "
            f"{made_with[1]}."
        )
    _check_agreement(path, made_with, do_lower_case, strip_accents)
    return tokenizer


def load_vocabulary(path: str) -> Vocabulary:
    """Returns the vocabulary of a file or folder; as `load_tokenizer`, without the rest of it."""
    path, settings, is_model = _described(path)
    if is_model:
        special = settings.special_tokens if settings else None
        return vocabulary_of_model(_read_model(path), special, path)
    return _wordpiece_vocabulary(path, settings)


def load_matching_tokenizer(config: RunConfig) -> Tokenizer:
    """Returns the tokenizer of a run.

    Raises:
        ValueError: its vocabulary is larger than the model's, or see `load_tokenizer`.
    """
    tokenizer = load_tokenizer(
        config.vocab_file,
        config.do_lower_case,
        config.strip_accents,
        pre_split=config.pre_split,
        tokenizer=config.tokenizer,
    )
    check_rows(tokenizer.vocabulary, config.vocab_size, config.vocab_file)
    return tokenizer


def check_rows(vocabulary: Vocabulary, vocab_size: int, path: str) -> None:
    """Raises a ValueError unless a model of `vocab_size` token embeddings has all tokens.

    Rows beyond them are padding: they are said, once, where they are more than a few.
    """
    tokens = len(vocabulary)
    expected = f"at least {vocabulary.num_rows}, the number of entries of {path}"
    check(vocabulary.num_rows <= vocab_size, "vocab_size", expected, vocab_size)
    if tokens < vocab_size:
        many = vocab_size > 1.1 * tokens
        logging.log(
            logging.WARNING if many else logging.INFO,
            "vocab_size is %d, but %s has %d tokens: %d rows of the token embeddings belong to no "
            "token.",
            vocab_size,
            path,
            tokens,
            vocab_size - tokens,
        )


def vocabulary_size(path: str) -> tuple[int, str] | None:
    """Returns how many tokens a vocabulary has, and its file; None where there is no file."""
    try:
        path = find_vocabulary_file(path)
        return len(load_vocabulary(path)), path
    except FileNotFoundError:
        return None


def stored_settings(
    path: str, *, pre_split: bool | None = None, tokenizer: str | None = None
) -> dict[str, bool]:
    """Returns what the files of a vocabulary say, by the names of the arguments.

    That is `do_lower_case` and `strip_accents` as far as they are said, and `pre_split` if it is
    true. Arguments as those of `load_tokenizer`.

    Raises:
        ValueError: a file is wrong, or describes another tokenizer than BERT's.
    """
    path = str(path) if tf.io.gfile.isdir(str(path)) else find_vocabulary_file(path)
    if not tf.io.gfile.exists(path):
        return {}
    path, settings, is_model = _described(path)
    if settings is None and is_model:
        return SentencePieceTokenizer(_read_model(path), None, path).case
    return said_by(settings, tokenizer, pre_split)


def said_by(
    settings: TokenizerSettings | None, tokenizer: str | None = None, pre_split: bool | None = None
) -> dict[str, bool]:
    """Returns what `TokenizerSettings` or None say, see `stored_settings`.

    This is the one place that decides whether a tokenizer of others can be represented here.

    Raises:
        ValueError: they are those of another tokenizer than BERT's, and neither is it to be taken
            for BERT's nor is the text split before; names files, fields and values.
    """
    check(tokenizer in (None, BERT), "tokenizer", f"null or {BERT!r}", tokenizer)
    if settings is None:
        return {"pre_split": True} if pre_split else {}
    is_pre_split = pre_split
    if pre_split is None:
        is_pre_split = settings.pre_split and (settings.is_binding or tokenizer is None)
    words = settings.word_problems
    if settings.pre_split and not is_pre_split and not settings.is_binding:
        words = ("the files say that words are split before, but pre_split is false",)
    problems = settings.problems + (() if is_pre_split else words)
    if problems and tokenizer != BERT:
        way_out = f"Give tokenizer {BERT!r} to take it for BERT's on purpose"
        if not settings.problems:
            way_out += ", or split the text into words, by spaces, before, and give pre_split true"
        raise ValueError(
            f"{'; '.join(problems)}. With BERT's tokenizer the text would get other ids than those "
            f"that the model was trained with. {way_out}."
        )
    said = {"do_lower_case": settings.do_lower_case, "strip_accents": settings.strip_accents}
    said = {name: value for name, value in said.items() if value is not None}
    return {**said, "pre_split": True} if is_pre_split else said


def find_vocabulary_file(path: str) -> str:
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
    if settings:
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


def save_tokenizer(tokenizer: Tokenizer, folder: str) -> None:
    """Writes a tokenizer's vocabulary file and its `tokenizer.json` into a folder.

    Raises:
        FileExistsError: the folder has a `tokenizer.json` for another file.
    """
    tf.io.gfile.makedirs(str(folder))
    ((name, content),) = tokenizer.files().items()
    settings_file.check_free(folder, name)
    write_bytes(os.path.join(folder, name), content)
    settings = TokenizerSettings(
        tokenizer.vocabulary.kind,
        name,
        tokenizer.do_lower_case,
        tokenizer.strip_accents,
        tokenizer.vocabulary.special,
        tokenizer.pre_split,
        tokenizer.vocabulary.added,
    )
    save_settings(settings, folder)


def _described(path: str) -> tuple[str, TokenizerSettings | None, bool]:
    """The vocabulary file of a path, what the files beside it say of it, if it is a model.

    They say nothing where they are about another file.
    """
    path = find_vocabulary_file(path)
    folder, name = os.path.split(path)
    settings = read_settings(folder)
    if settings is not None:
        settings = settings if settings.file == name else None
    elif name in VOCABULARY_FILES:
        settings = read_huggingface_settings(folder)
    is_model = settings.kind == SENTENCEPIECE if settings else path.endswith(MODEL_SUFFIX)
    return path, settings, is_model


def _wordpiece_vocabulary(path: str, settings: TokenizerSettings | None) -> Vocabulary:
    if settings is None:
        return read_vocabulary(path)
    vocabulary = read_vocabulary(path, settings.special_tokens)
    return vocabulary.with_added(settings.added_tokens, os.path.dirname(path))


def _read_model(path: str) -> bytes:
    if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        raise missing_vocabulary(path)
    return read_bytes(path)


def _check_agreement(
    path: str, made_with: tuple[bool, bool], do_lower_case: bool | None, strip_accents: bool | None
):
    """Raises a ValueError if settings were given and are others than those of the files."""
    lower = made_with[0] if do_lower_case is None else do_lower_case
    accents = made_with[1] if strip_accents is None else strip_accents
    if lower != made_with[0] or accents not in (made_with[1], made_with[1] or not lower):
        raise ValueError(
            f"{path} was made with do_lower_case {made_with[0]} and strip_accents {made_with[1]}; "
            f"received do_lower_case {do_lower_case} and strip_accents {strip_accents}. Leave them "
            "out, or give the same."
        )
