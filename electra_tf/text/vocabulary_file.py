# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tokens in a file: the lines of a `vocab.txt`, or what a `tokenizer.json` of others lists.

What in such a file is out of the ordinary is an error or a warning.
"""

import functools
import multiprocessing
import re
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from electra_tf.files import read_json, shortened
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD

NO_WORD_HAS = "\u2028"
"""White space for every tokenizer, so a token with it matches nothing."""
FIRST_MARK, NUM_MARKS = 0xF0000, 0xFFFE
"""Characters for private use, which are removed from every text; see `wordpiece.LongTokens`."""

_BYTE_ORDER_MARK = "\ufeff"
# What cannot stand in a line of UTF-8, or not at its end.
_NO_LINE = re.compile("[\n\ud800-\udfff]|\r\\Z")
# What no word holds: white space separates words, the others are removed from every text.
_NO_WORD = re.compile(f"[\\s\0\x7f{chr(FIRST_MARK)}-{chr(FIRST_MARK + NUM_MARKS)}]")
_PIECE_AND_SCORE = re.compile(r"[^\t]+\t-?\d+(?:\.\d+)?(?:e-?\d+)?")
_WORD_AND_COUNT = re.compile(r"\S+[\t ]+\d+")


def split(text: str) -> list[str]:
    r"""The tokens of the text of a `vocab.txt`; only \n and \r\n end a line."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def joined(tokens: Sequence[str]) -> bytes:
    """The bytes of the `vocab.txt` of tokens that `check` accepts; `split` gives them back."""
    # Readers take the first mark for the file's, so a token that begins with one needs another.
    mark = _BYTE_ORDER_MARK if tokens and tokens[0].startswith(_BYTE_ORDER_MARK) else ""
    return (mark + "".join(f"{token}\n" for token in tokens)).encode()


def check(tokens: Sequence[str], where: str) -> None:
    """Check that tokens can be the lines of a file.

    Raises:
        ValueError: the first token that cannot, with its id; `where` is their file, or what else
            errors call them.
    """
    for number, token in enumerate(tokens):
        if _NO_LINE.search(token):
            raise ValueError(
                f"{where}: every token is expected to be a line of a vocab.txt, so without a line "
                f"end in it and with characters of UTF-8 only, but token {number} is "
                f"{shown(token)}."
            )


def what_it_is_instead(tokens: Sequence[str]) -> str:
    """One sentence on lines without special tokens, which people take for a vocabulary."""
    lines = [token for token in tokens if token.strip()]
    first = next(iter(lines), "")
    if _most(_PIECE_AND_SCORE, lines) and any("\t-" in line for line in lines):
        found = f"pieces with scores, as in the .vocab file of a SentencePiece model ({first!r})"
    elif _most(_WORD_AND_COUNT, lines):
        found = f"words with their counts ({first!r})"
    else:
        found = f"words without special tokens ({shown(first)})"
    return (
        f"It has {found}. Give the .model file of a SentencePiece tokenizer or the vocab.txt of a "
        "WordPiece tokenizer; `electra vocab` makes either from text."
    )


def as_keys(tokens: Sequence[str]) -> list[str]:
    """Tokens as the keys of an object of JSON, which are distinct; see `from_keys`.

    Those that a later line repeats get an ending that no text has: a, b, a becomes a\u20280, b, a.
    """
    last = {token: number for number, token in enumerate(tokens)}
    return [
        token + _ending(number)
        if last[token] != number or token.endswith(_ending(number))
        else token
        for number, token in enumerate(tokens)
    ]


def from_keys(keys: Sequence[str]) -> list[str]:
    """The tokens of `as_keys`; keys of others stay as they are."""
    return [key.removesuffix(_ending(number)) for number, key in enumerate(keys)]


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
            f"{path}: model is expected to have {_settings(expected)}, but has {_settings(found)}."
        )
    return in_order(model.get("vocab"), f"{path}: model.vocab")


def never_matches(token: str) -> bool:
    """Whether a token can stand for no piece of a text whatever the tokenizer's settings."""
    return not token or len(token) > 2 + MAX_CHARACTERS_PER_WORD or bool(_NO_WORD.search(token))


def warn_of_unmatched(tokens: Sequence[str], path: str) -> None:
    """Warn, once, of tokens that match no text though they look as if they were meant to."""
    places: dict[str, list[int]] = {}
    last = {token: number for number, token in enumerate(tokens)}
    for number, token in enumerate(tokens):
        kind = _kind_of_unmatched(token)
        if kind is None and last[token] != number:
            kind = "repeated by a later line"
        if kind is not None:
            places.setdefault(kind, []).append(number)
    if places:
        counts = ", ".join(
            f"{len(ids)} {kind} (id {ids[0]}{', ...' * (len(ids) > 1)})"
            for kind, ids in sorted(places.items())
        )
        _warn_once(
            f"{path}: {sum(map(len, places.values()))} of {len(tokens)} tokens match no text and "
            f"keep their ids: {counts}."
        )


def shown(token: str) -> str:
    """A token for a message."""
    return repr(shortened(token, 40))


def in_order(ids: Any, where: str) -> list[str]:
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
    return from_keys(tokens)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in settings.items())


def _ending(number: int) -> str:
    return f"{NO_WORD_HAS}{number}"


def _most(pattern: re.Pattern, lines: Sequence[str]) -> bool:
    return 2 * sum(map(bool, map(pattern.fullmatch, lines))) > len(lines)


def _kind_of_unmatched(token: str) -> str | None:
    if not token:
        return "empty"
    if len(token) > MAX_CHARACTERS_PER_WORD and never_matches(token):
        return f"of more than {MAX_CHARACTERS_PER_WORD} characters"
    return "with white space in it" if any(map(str.isspace, token)) else None


@functools.cache
def _warn_once(message: str) -> None:
    # What a worker process reads, the one that started it has read before.
    if multiprocessing.parent_process() is None:
        logging.warning("%s", message)
