# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The names of tags that mark spans: letters of BIO, BIOES, BILOU and BMES, and types."""

import re
from collections.abc import Sequence

OUTSIDE = "O"
SPAN_TAGS = "tags O, B-type, I-type, E-type or S-type (or L, U of BILOU, M, W of BMES)"
"""What a tag is expected to be, for messages."""
_SPAN_TAG = re.compile(r"[BIESLUMW](-.+)?")
_LETTER_OF_BIOES = {"L": "E", "U": "S", "M": "I", "W": "S"}


def is_span_tag(tag: str) -> bool:
    """Whether a tag is O or a letter of a scheme, with or without a type."""
    return tag == OUTSIDE or _SPAN_TAG.fullmatch(tag) is not None


def tag_parts(tag: str) -> tuple[str, str]:
    """The letter of BIOES and the type, "" for none: ("E", "PER") of "L-PER".

    Splits at the first hyphen: types such as geo-loc have hyphens.
    """
    letter, _, kind = tag.partition("-")
    return _LETTER_OF_BIOES.get(letter, letter), kind


def tag_of(letter: str, kind: str) -> str:
    """The tag of a letter and a type, the reverse of `tag_parts`: "E-PER" of ("E", "PER")."""
    return f"{letter}-{kind}" if kind else letter


def with_all_letters(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags in BIOES and, behind them, the others that it has for their types.

    ["O", "B-A", "I-A"] becomes O, B-A, I-A, E-A, S-A.
    """
    parts = [tag_parts(tag) for tag in tags]
    kinds = dict.fromkeys(kind for letter, kind in parts if letter != OUTSIDE)
    every = [tag_of(letter, kind) for kind in kinds for letter in "BIES"]
    return tuple(dict.fromkeys([*(tag_of(*part) for part in parts), OUTSIDE, *every]))
