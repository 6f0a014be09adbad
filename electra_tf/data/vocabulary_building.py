# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From text files to a vocabulary and its settings, measured on lines that were held out."""

import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf import text
from electra_tf.data import corpus, reading
from electra_tf.files import exists, write_bytes
from electra_tf.text import settings_file
from electra_tf.text.sentencepiece_training import MODEL_TYPES, without_accents
from electra_tf.text.vocabulary import SENTENCEPIECE, WORDPIECE
from electra_tf.text.vocabulary_training import report, warning_of_changed_letters, without_marks

HELD_OUT_EVERY = 100
"""Of so many lines one is held out for the report."""
_MAX_HELD_OUT = 50_000
# Besides the held-out ones, so many lines are looked through for letters that are changed.
_MAX_SAMPLE = 5_000


def build_vocabulary(
    files: Sequence[corpus.SourceFile],
    output_file: str,
    vocab_size: int,
    tokenizer: str,
    do_lower_case: bool,
    strip_accents: bool,
    pre_split: bool = False,
    text_field: str | None = None,
    sample_share: float = 1.0,
    **limits: Any,
) -> list[str]:
    """Trains on 99 % of the lines, writes the files, and returns a report on the other lines.

    Args:
        files: the text.
        output_file: vocabulary or SentencePiece model; its settings are written beside it.
        vocab_size: number of tokens.
        tokenizer: "wordpiece" or one of `MODEL_TYPES`.
        do_lower_case: setting of the tokenizer.
        strip_accents: likewise.
        pre_split: likewise.
        text_field: of JSON lines.
        sample_share: share of the lines to use.
        **limits: of `text.train_wordpiece_vocabulary` or `text.train_sentencepiece_model`.
    """
    folder, name = os.path.split(output_file)
    tf.io.gfile.makedirs(folder or ".")
    settings_file.check_free(folder, name)
    is_new, is_model, held_out = not exists(output_file), tokenizer in MODEL_TYPES, []
    lines = _training_lines(files, held_out, text_field, sample_share)
    first = list(itertools.islice(lines, _MAX_SAMPLE))
    lines = itertools.chain(first, lines)
    if is_model:
        model = text.train_sentencepiece_model(
            lines, vocab_size, tokenizer, do_lower_case, strip_accents, **limits
        )
        write_bytes(output_file, model)
    else:
        tokens = text.train_wordpiece_vocabulary(
            lines, vocab_size, do_lower_case, strip_accents, pre_split=pre_split, **limits
        )
        text.save_vocabulary(tokens, output_file)
    settings = settings_file.TokenizerSettings(
        kind=SENTENCEPIECE if is_model else WORDPIECE,
        file=name,
        do_lower_case=do_lower_case,
        strip_accents=strip_accents and do_lower_case,
        pre_split=pre_split,
    )
    try:
        settings_file.save_settings(settings, folder)
    except BaseException:
        if is_new:  # without its settings it would be read in another way
            tf.io.gfile.remove(output_file)
        raise
    if do_lower_case and strip_accents:
        _warn_of_changed_letters(first + held_out, is_model)
    return report(text.load_tokenizer(output_file), held_out, vocab_size)


def _warn_of_changed_letters(lines: list[str], is_model: bool):
    strip = without_accents if is_model else without_marks
    if changed := warning_of_changed_letters(lines, strip):
        logging.warning("%s", changed)


def _training_lines(
    files: Sequence[corpus.SourceFile],
    held_out: list[str],
    text_field: str | None,
    sample_share: float,
) -> Iterator[str]:
    """Yields the lines to train on; every HELD_OUT_EVERYth of them goes to `held_out` instead."""
    replaced_bytes = number = 0
    drawn = 0.0
    for chunk in corpus.cut_in_chunks(files, corpus.CHUNK_BYTES):
        for piece in reading.read_pieces(chunk, False, text_field):
            replaced_bytes += piece.replaced_bytes
            for line in piece.lines:
                drawn += sample_share
                if drawn < 1:
                    continue
                drawn -= 1
                number += 1
                if number % HELD_OUT_EVERY or len(held_out) == _MAX_HELD_OUT:
                    yield line
                else:
                    held_out.append(line)
    if replaced_bytes:
        logging.warning("%d bytes are not UTF-8 and were left out.", replaced_bytes)
