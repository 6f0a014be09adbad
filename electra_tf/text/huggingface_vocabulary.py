# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The vocabulary inside a tokenizer.json of Hugging Face's tokenizers library."""

import json

import tensorflow as tf

from electra_tf.text import vocabulary_lines


def read_tokens(path: str) -> list[str]:
    """Tokens of a WordPiece tokenizer.json in the order of their ids.

    Raises:
        ValueError: the file is not JSON, or its tokenizer is another one than BERT's WordPiece.
    """
    with tf.io.gfile.GFile(path) as file:
        try:
            stored = json.load(file)
        except ValueError as error:
            raise ValueError(f"{path} is expected to be JSON: {error}.") from error
    model = (stored.get("model") if isinstance(stored, dict) else None) or {}
    expected = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    # Files of early versions leave the type out.
    found = {name: model.get(name, expected[name] if model else None) for name in expected}
    if found != expected:
        raise ValueError(
            f"{path}: model is expected to have {_shown(expected)}, but has {_shown(found)}."
        )
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    if [model["vocab"][token] for token in tokens] != list(range(len(tokens))):
        raise ValueError(f"{path}: the ids of model.vocab are expected to count from 0 upwards.")
    return vocabulary_lines.from_keys(tokens)


def _shown(settings) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in settings.items())
