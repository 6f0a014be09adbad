# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A guessing game: the generator replaces words of a text, a person and the discriminator guess."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from electra_tf.demo import display
from electra_tf.demo.display import Spans, Table, Word, part_of, percent
from electra_tf.loading import LoadedModel

MASK_TOKENS = ("[MASK]", "<mask>")
"""What tokenizers call the mask; a model shows which one it fills."""


class Piece(NamedTuple):
    """A word of a puzzle, or what stands between two, and what the generator replaced by it."""

    text: str
    original: str | None = None


def mask_of(model: LoadedModel) -> str | None:
    """The mask token of a model; None if it fills no masks, or they have another name."""
    if "fill_mask" not in model.signatures:
        return None
    return next((t for t in MASK_TOKENS if model.fill_mask([t])["num_masks"][0] == 1), None)


def replacements(
    model: LoadedModel, mask: str, text: str, words: Sequence[Word]
) -> list[list[tuple[str, float]]]:
    """What the generator would write in the places of words, all of which are masked.

    Args:
        model: with a generator.
        mask: its mask token.
        text: the text.
        words: of the text, in their order.

    Returns:
        For each word tokens with their probabilities, best first; none behind what it reads.
    """
    data, masked, done, places = text.encode(), b"", 0, []
    for word in words:
        masked += data[done : word.start]
        places.append(len(masked))
        masked, done = masked + mask.encode(), word.end
    outputs = model.fill_mask([(masked + data[done:]).decode()])
    found = {
        int(start): [(str(t).lstrip("▁"), float(p)) for t, p in zip(*columns, strict=True)]
        for start, *columns in zip(
            *(outputs[name][0] for name in ("starts", "tokens", "probabilities")), strict=True
        )
    }
    return [found.get(place, []) for place in places]


def make_puzzle(model: LoadedModel, mask: str, text: str, share: float, seed: int) -> list[Piece]:
    """A text of which the generator has replaced some words.

    Args:
        model: with a generator and a discriminator.
        mask: its mask token.
        text: the text.
        share: of the words, above 0 and at most 1; one at least is chosen.
        seed: decides which, and by what.

    Raises:
        ValueError: the text has no words.
    """
    found = display.words_of(text, model.find_errors([text]))
    words = [word for word in found if display.has_letters(part_of(text, *word[:2]))]
    if not words:
        raise ValueError("The text is expected to have a word at least, but has none.")
    draw = np.random.default_rng(seed)
    count = min(len(words), max(1, round(share * len(words))))
    chosen = [words[i] for i in sorted(draw.choice(len(words), count, replace=False))]
    new = {}
    for word, fillings in zip(chosen, replacements(model, mask, text, chosen), strict=True):
        original = part_of(text, *word[:2])
        others = [row for row in fillings if _differs(row[0], original)]
        if others:
            weights = np.array([probability for _, probability in others])
            filling = others[draw.choice(len(others), p=weights / weights.sum())][0]
            new[word.start] = filling.capitalize() if original[:1].isupper() else filling
    parts = display.parts_of(text, ((word.start, word.end, None) for word in words))
    originals = [(start, part_of(text, start, end)) for start, end, _ in parts]
    return [Piece(new[at], old) if at in new else Piece(old) for at, old in originals]


def _differs(filling: str, original: str):
    """Whether it is another word; tokens that continue a word begin with "##"."""
    is_new = filling.casefold() != original.casefold()
    return is_new and not filling.startswith("##") and display.has_letters(filling)


def toggled(guesses: Collection[int], place: int, pieces: Sequence[Piece]) -> list[int]:
    """The guesses with a piece added, or without it if it was there; only words can be guessed."""
    return sorted({*guesses} ^ ({place} if display.has_letters(pieces[place].text) else set()))


def marked(pieces: Sequence[Piece], places: Collection[int], name: str) -> Spans:
    """The puzzle with some pieces in colour."""
    return [(piece.text, name if at in places else None) for at, piece in enumerate(pieces)]


def fakes_of(pieces: Sequence[Piece]) -> set[int]:
    """The places of the words that were replaced."""
    return {place for place, piece in enumerate(pieces) if piece.original is not None}


def solution(
    model: LoadedModel, pieces: Sequence[Piece], guesses: Collection[int]
) -> tuple[Table, str]:
    """A row for each word that is a fake or was guessed, and how many both have found.

    The discriminator guesses as many words as were replaced: those that look most wrong to it.

    Returns:
        Rows [word, original, yours, the discriminator's], and a sentence.
    """
    text = "".join(piece.text for piece in pieces)
    starts = np.cumsum([0, *(len(piece.text.encode()) for piece in pieces)])
    probabilities = dict.fromkeys(range(len(pieces)), 0.0)
    for word in display.words_of(text, model.find_errors([text])):
        probabilities[int(np.searchsorted(starts, word.start, "right")) - 1] = word.probability
    fakes = fakes_of(pieces)
    accused = set(sorted(probabilities, key=lambda at: -probabilities[at])[: len(fakes)])
    table = [
        [
            pieces[place].text,
            pieces[place].original or "(the same)",
            "fake" if place in guesses else "",
            f"{'fake, ' if place in accused else ''}{percent(probabilities[place])}",
        ]
        for place in sorted({*fakes, *guesses, *accused})
    ]
    return table, f"You: {_score(fakes, guesses)}. The discriminator: {_score(fakes, accused)}."


def _score(fakes: Collection[int], guesses: Collection[int]):
    right = len({*fakes} & {*guesses})
    return f"{right} of {len(fakes)} found, {len(guesses) - right} wrong"
