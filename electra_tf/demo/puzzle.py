# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A guessing game: the generator replaces words of a text, a person and the discriminator guess."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from electra_tf.demo.display import (
    Spans,
    Table,
    Word,
    has_letters,
    part_of,
    parts_of,
    percent,
    words_of,
)
from electra_tf.loading import LoadedModel

MASK_TOKENS = ("[MASK]", "<mask>")
"""What tokenizers call the mask; which one it is, the model shows."""


class Piece(NamedTuple):
    """A word of a puzzle, or what stands between two."""

    text: str
    original: str | None = None
    """What the generator replaced."""


def suspicious_words(model: LoadedModel, text: str) -> list[Word]:
    """The words of a text as the discriminator sees them."""
    return words_of(text, model.find_errors([text]))


def mask_of(model: LoadedModel) -> str:
    """The mask token of a model that fills masks.

    Raises:
        ValueError: it is none of `MASK_TOKENS`.
    """
    for token in MASK_TOKENS:
        if model.fill_mask([token])["num_masks"][0] == 1:
            return token
    raise ValueError(f"The mask token is expected to be one of {', '.join(MASK_TOKENS)}.")


def replacements(model: LoadedModel, text: str, word: Word) -> list[tuple[str, float]]:
    """What the generator would write in the place of a word, with probabilities, best first."""
    (found,) = _fillings(model, text, [word])
    return found


def make_puzzle(model: LoadedModel, text: str, share: float, seed: int) -> list[Piece]:
    """A text of which the generator has replaced some words.

    Args:
        model: with a generator and a discriminator.
        text: the text.
        share: of the words, above 0 and at most 1; one at least is chosen.
        seed: decides which, and by what.

    Raises:
        ValueError: the text has no words.
    """
    found = suspicious_words(model, text)
    words = [word for word in found if has_letters(part_of(text, word.start, word.end))]
    if not words:
        raise ValueError("The text is expected to have a word at least, but has none.")
    draw = np.random.default_rng(seed)
    count = min(len(words), max(1, round(share * len(words))))
    chosen = [words[i] for i in sorted(draw.choice(len(words), count, replace=False))]
    new = {}
    for word, fillings in zip(chosen, _fillings(model, text, chosen), strict=True):
        original = part_of(text, word.start, word.end)
        others = [row for row in fillings if _differs(row[0], original)]
        if others:
            weights = np.array([probability for _, probability in others])
            filling = others[draw.choice(len(others), p=weights / weights.sum())][0]
            new[word.start] = filling.capitalize() if original[:1].isupper() else filling
    parts = parts_of(text, ((word.start, word.end, None) for word in words))
    originals = [(start, part_of(text, start, end)) for start, end, _ in parts]
    return [Piece(new[at], old) if at in new else Piece(old) for at, old in originals]


def toggled(guesses: Collection[int], place: int, pieces: Sequence[Piece]) -> list[int]:
    """The guesses with a piece added, or without it if it was there; only words can be guessed."""
    return sorted({*guesses} ^ ({place} if has_letters(pieces[place].text) else set()))


def marked(pieces: Sequence[Piece], guesses: Collection[int]) -> Spans:
    """The puzzle with the guesses in colour."""
    return [(p.text, "your guess" if i in guesses else None) for i, p in enumerate(pieces)]


def fakes_of(pieces: Sequence[Piece]) -> set[int]:
    """The places of the words that were replaced."""
    return {place for place, piece in enumerate(pieces) if piece.original is not None}


def solution(
    model: LoadedModel, pieces: Sequence[Piece], guesses: Collection[int]
) -> tuple[Spans, Table, str]:
    """The puzzle with the fakes in colour; a row for each word that is a fake or was guessed.

    The discriminator guesses as many words as were replaced: those that look most wrong to it.

    Returns:
        Spans; rows [word, original, yours, the discriminator's]; and how many both have found.
    """
    starts = np.cumsum([0, *(len(piece.text.encode()) for piece in pieces)])
    found = suspicious_words(model, "".join(piece.text for piece in pieces))
    probabilities = dict.fromkeys(range(len(pieces)), 0.0)
    for word in found:
        probabilities[int(np.searchsorted(starts, word.start, "right")) - 1] = word.probability
    fakes = fakes_of(pieces)
    ranked = sorted(probabilities, key=lambda place: -probabilities[place])
    accused = set(ranked[: len(fakes)])
    table = [
        [
            pieces[place].text,
            pieces[place].original or "(the same)",
            "fake" if place in guesses else "",
            f"{'fake, ' if place in accused else ''}{percent(probabilities[place])}",
        ]
        for place in sorted({*fakes, *guesses, *accused})
    ]
    sentence = f"You: {_score(fakes, guesses)}. The discriminator: {_score(fakes, accused)}."
    spans = [(piece.text, "fake" if at in fakes else None) for at, piece in enumerate(pieces)]
    return spans, table, sentence


def _score(fakes: Collection[int], guesses: Collection[int]):
    right = len({*fakes} & {*guesses})
    return f"{right} of {len(fakes)} found, {len(guesses) - right} wrong"


def _fillings(
    model: LoadedModel, text: str, words: Sequence[Word]
) -> list[list[tuple[str, float]]]:
    """For each word what fills its place, while all of the words are masked."""
    mask, data = mask_of(model), text.encode()
    parts, done = [], 0
    for word in words:
        parts += [data[done : word.start], mask.encode()]
        done = word.end
    masked = b"".join([*parts, data[done:]]).decode()
    outputs = model.fill_mask([masked])
    columns = (outputs[name][0] for name in ("tokens", "probabilities"))
    rows = [
        [(str(token).lstrip("▁"), float(p)) for token, p in zip(*row, strict=True)]
        for row in zip(*columns, strict=True)
    ]
    # A mask at the very end may be cut off, if it is longer than its word.
    return (rows + [[]] * len(words))[: len(words)]


def _differs(filling: str, original: str):
    """Whether it is another word; tokens that continue a word begin with "##"."""
    is_new = filling.casefold() != original.casefold()
    return is_new and not filling.startswith("##") and has_letters(filling)
