# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts of answers end where the model's own path ends them."""

import sys

import tensorflow as tf

from electra_tf.finetuning.kinds.question_answers import SPACE_AT_THE_END


def test_space_at_the_end_is_what_python_takes_for_space():
    characters = [chr(c) for c in range(1, sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    texts = [f"a {character}{character}" for character in characters]
    found = tf.strings.regex_replace(texts, SPACE_AT_THE_END, "").numpy()
    differing = [
        hex(ord(character))
        for character, text, cut in zip(characters, texts, found, strict=True)
        if text.rstrip() != cut.decode()
    ]
    assert differing == []
