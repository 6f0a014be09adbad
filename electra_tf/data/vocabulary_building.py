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

    The settings are written beside `output_file`, the vocabulary or SentencePiece model.
    `tokenizer` is "wordpiece" or one of `MODEL_TYPES`, and `limits` are arguments of the function
    in `text` that trains it. With `text_field` the files are JSON lines; of all lines a share of
    `sample_share` is used.
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
        strip = without_accents if is_model else without_marks
        if changed := warning_of_changed_letters(first + held_out, strip):
            logging.warning("%s", changed)
    return report(text.load_tokenizer(output_file), held_out, vocab_size)


def _training_lines(
    files: Sequence[corpus.SourceFile],
    held_out: list[str],
    text_field: str | None,
    sample_share: float,
) -> Iterator[str]:
    """Yields the lines to train on; every HELD_OUT_EVERYth of them goes to `held_out` instead."""
    number, drawn = 0, 0.0
    for piece in reading.read_all(files, False, text_field):
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
