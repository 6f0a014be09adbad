# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How well a vocabulary fits text that it was not trained on, and what is lost of the text."""

import collections
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from electra_tf.text.tokenizer import Tokenizer
from electra_tf.text.unknown import UnknownTokens
from electra_tf.text.vocabulary import WORD_START

_LINES_PER_BATCH = 1024
_NUM_LONGEST = 10
_MIN_SHARE_CHANGED = 0.01
"""Of the words; English text has fewer words with accents."""
_NUM_CHANGED = 5
_CHARACTERS_AROUND = 6


def report(tokenizer: Tokenizer, held_out_lines: Sequence[str], asked_size: int) -> Iterator[str]:
    """Yields lines on the size of a vocabulary and on how it cuts held-out lines.

    Words are what stands between spaces, whatever the kind of the tokenizer.
    """
    vocabulary = tokenizer.vocabulary
    note = ""
    if len(vocabulary) != asked_size:
        note = f" of {asked_size}: no more pieces repeat"
    yield f"tokens:               {len(vocabulary)}{note}"
    num_words = sum(len(line.split()) for line in held_out_lines)
    if num_words:
        yield from _measures(tokenizer, held_out_lines, num_words)
    else:
        yield "held-out words:       none, the text is too short"
    special = set(vocabulary.special.all)
    pieces = {token for token in vocabulary.tokens if token not in special}
    longest = sorted(pieces - set(_reserved(pieces)), key=lambda piece: (-_length(piece), piece))
    yield f"longest pieces:       {' '.join(longest[:_NUM_LONGEST])}"


def without_marks(word: str) -> str:
    """The word as WordPiece's normalization leaves it where accents are stripped."""
    decomposed = unicodedata.normalize("NFD", word)
    kept = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", kept)


def warning_of_changed_letters(lines: Sequence[str], strip: Callable[[str], str]) -> str | None:
    """One sentence if stripping accents changes letters of more than 1 % of the words.

    Args:
        lines: a sample of the text.
        strip: what the normalization does to a lower-cased word beside NFC.
    """
    counts = collections.Counter(word for line in lines for word in line.lower().split())
    changed = {}
    for word, number in counts.items():
        if not word.isascii():
            word = unicodedata.normalize("NFC", word)
            if strip(word) != word:
                changed[word] = changed.get(word, 0) + number
    share = sum(changed.values()) / max(1, counts.total())
    if share < _MIN_SHARE_CHANGED:
        return None
    frequent = sorted(changed, key=lambda word: (-changed[word], word))
    # Long words may begin alike.
    examples = dict.fromkeys(_example(word, strip) for word in frequent[: 10 * _NUM_CHANGED])
    shown = ", ".join(itertools.islice(examples, _NUM_CHANGED))
    return (
        f"Stripping accents changes letters of {share:.1%} of the words in a sample of "
        f"{len(lines)} lines: {shown}. --no-strip-accents keeps them."
    )


def _example(word: str, strip: Callable[[str], str]):
    """The word, or what is around the first change in it, and what comes of that."""
    place = next((i for i, character in enumerate(word) if strip(character) != character), 0)
    start = max(0, place - _CHARACTERS_AROUND)
    part = word[start : place + _CHARACTERS_AROUND]
    return f"{part} -> {strip(part)}"


def _measures(tokenizer: Tokenizer, lines: Sequence[str], num_words: int):
    found = UnknownTokens()
    num_characters = sum(len("".join(line.split())) for line in lines)
    for start in range(0, len(lines), _LINES_PER_BATCH):
        ids = tokenizer(lines[start : start + _LINES_PER_BATCH]).flat_values.numpy()
        found += UnknownTokens.among(ids, tokenizer.vocabulary)
    yield f"held-out words:       {num_words} in {len(lines)} lines"
    yield f"tokens per word:      {found.tokens / num_words:.3f}"
    yield f"characters per token: {num_characters / max(1, found.tokens):.2f}"
    yield f"unknown tokens:       {found.unknown} ({found.share:.3%})"
    if found.is_high:
        found.log("held-out lines (--character-coverage 0.9995 keeps more characters)")


def _reserved(pieces: Iterable[str]):
    return (piece for piece in pieces if piece.startswith("[unused") and piece.endswith("]"))


def _length(piece: str):
    return len(piece.removeprefix("##").removeprefix(WORD_START))
