# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The vocabulary inside a tokenizer.json of Hugging Face's tokenizers library."""

from collections.abc import Mapping
from typing import Any

from electra_tf.files import read_json
from electra_tf.text import vocabulary_lines


def read_tokens(path: str) -> list[str]:
    """Tokens of a WordPiece tokenizer.json in the order of their ids.

    Raises:
        ValueError: the file is not JSON, or its tokenizer is another one than BERT's WordPiece.
    """
    stored = read_json(path)
    model = stored.get("model") or {}
    if not isinstance(model, dict):
        raise ValueError(f"{path}: model is expected to be a JSON object, but is {model!r}.")
    expected = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    # Files of early versions leave the type out.
    found = {name: model.get(name, expected[name] if model else None) for name in expected}
    if found != expected:
        raise ValueError(
            f"{path}: model is expected to have {_shown(expected)}, but has {_shown(found)}."
        )
    return _in_order(model.get("vocab"), f"{path}: model.vocab")


def _in_order(ids: Any, where: str) -> list[str]:
    """The tokens of {token: id}; ids of no token have an empty one, which matches nothing.

    Such files come from a vocab.txt in which a token is twice: it has its later id.
    """
    is_right = (
        isinstance(ids, dict)
        and all(type(number) is int and number >= 0 for number in ids.values())
        and len(set(ids.values())) == len(ids) > max(ids.values(), default=0) // 2
    )
    if not is_right:
        raise ValueError(
            f"{where}: ids of tokens are expected to count from 0 upwards, one for each token."
        )
    tokens = [""] * (1 + max(ids.values()))
    for token, number in ids.items():
        tokens[number] = token
    return vocabulary_lines.from_keys(tokens)


def _shown(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in settings.items())
