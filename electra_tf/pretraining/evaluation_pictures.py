# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What TensorBoard shows of an evaluation: examples as text, and how probabilities are spread."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from electra_tf.text import Vocabulary
from electra_tf.text.vocabulary import WORD_START, WORDPIECE

NUM_EXAMPLES = 4
"""Of the first batch; the same ones at every evaluation, with the same masks."""
OF_EXAMPLES = (
    "input_ids",
    "input_mask",
    "masked_input_ids",
    "masked_positions",
    "masked_weights",
    "guessed_ids",
    "corrupted_input_ids",
    "is_replaced",
    "rtd_logits",
    "rtd_weights",
    "restored_ids",
)
"""The outputs of a batch that `describe_examples` needs; the last five of a discriminator, by its
objective."""

# What Markdown and HTML would read as markup, line breaks, and a `▁` that is a token by itself.
_MARKUP = re.compile(rf"[\0-\x1f\\`*_{{}}\[\]()#+\-!|<>&~{WORD_START}]")


def rtd_histograms(is_replaced: np.ndarray, rtd_logits: np.ndarray) -> dict[str, np.ndarray]:
    """The discriminator's probabilities of "replaced", of replaced and of original tokens.

    Args:
        is_replaced: bool [tokens].
        rtd_logits: float32 [tokens].

    Returns:
        Name -> float32 [tokens of it]; together they are all tokens.
    """
    from scipy.special import expit

    probabilities = expit(rtd_logits)
    return {
        "rtd_probability_of_replaced": probabilities[is_replaced],
        "rtd_probability_of_original": probabilities[~is_replaced],
    }


def describe_examples(
    outputs: Mapping[str, np.ndarray], vocabulary: Vocabulary, source: str
) -> str:
    """The first examples of a batch as Markdown: masked tokens, fakes, flags.

    Args:
        outputs: of `ElectraPretrainer.compute_outputs`, those of `OF_EXAMPLES`, [B, ...].
        vocabulary: of their ids.
        source: of the examples, for the heading.
    """
    parts = [f"Examples from {_escaped(source)}. Masked tokens are **bold**."]
    for number, tokens in enumerate(_examples(outputs, vocabulary), start=1):
        has_discriminator = "corrupted_input_ids" in outputs
        parts += [
            f"### Example {number}",
            _counts(tokens, has_discriminator),
            f"*original:* {_text(tokens, vocabulary, False)}",
        ]
        if has_discriminator:
            parts.append(f"*corrupted:* {_text(tokens, vocabulary, True)}")
        parts.append(_table(tokens, has_discriminator, "restored_ids" in outputs))
    return "\n\n".join(parts) + "\n"


class _Token(NamedTuple):
    position: int
    original: str
    is_masked: bool
    masked_as: str
    """[MASK], or in 15 % of the masked positions the token itself."""
    new: str
    """What the discriminator reads; without one, what a masked token was guessed to be."""
    is_replaced: bool
    probability: float | None
    """Of "replaced", by the discriminator; None of a token that its loss does not cover."""
    restored: str | None
    """What a discriminator that restores tokens takes a masked one for."""

    @property
    def is_flagged(self) -> bool:
        return self.probability is not None and self.probability > 0.5


def _examples(outputs: Mapping[str, np.ndarray], vocabulary: Vocabulary) -> Iterator[list[_Token]]:
    """The tokens of each example; rows that only fill a batch up are none."""
    from scipy.special import expit

    def token_of(token_id: int) -> str:
        # A model may have more embeddings than its vocabulary has tokens; a generator draws them.
        return vocabulary.token_of(token_id) if token_id < len(vocabulary) else f"[{token_id}]"

    has_discriminator = "corrupted_input_ids" in outputs
    for row in range(min(NUM_EXAMPLES, len(outputs["input_mask"]))):
        of = {name: values[row] for name, values in outputs.items()}
        positions = of["masked_positions"][of["masked_weights"] > 0]
        guesses = _by_position(positions, of["guessed_ids"])
        restored = _by_position(positions, of["restored_ids"]) if "restored_ids" in of else {}
        tokens = []
        for position in np.flatnonzero(of["input_mask"]):
            original = of["input_ids"][position]
            if has_discriminator:
                new, is_replaced = of["corrupted_input_ids"][position], of["is_replaced"][position]
            else:
                new, is_replaced = guesses.get(position, original), False
            probability = None
            if "rtd_logits" in of and of["rtd_weights"][position] > 0:
                probability = float(expit(of["rtd_logits"][position]))
            tokens.append(
                _Token(
                    int(position),
                    token_of(original),
                    position in guesses,
                    token_of(of["masked_input_ids"][position]),
                    token_of(new),
                    bool(is_replaced),
                    probability,
                    token_of(restored[position]) if position in restored else None,
                )
            )
        if tokens:
            yield tokens


def _by_position(positions: np.ndarray, ids: np.ndarray) -> dict[int, int]:
    """The ids of masked positions; where one occurs twice, its first."""
    return dict(zip(positions[::-1], ids[: len(positions)][::-1], strict=True))


def _counts(tokens: list[_Token], has_discriminator: bool) -> str:
    counts = [f"{len(tokens)} tokens", f"{sum(t.is_masked for t in tokens)} masked"]
    if has_discriminator:
        counts.append(f"{sum(t.is_replaced for t in tokens)} replaced")
    if any(t.probability is not None for t in tokens):
        counts.append(f"{sum(t.is_flagged for t in tokens)} flagged as replaced")
    return ", ".join(counts)


def _text(tokens: list[_Token], vocabulary: Vocabulary, corrupted: bool) -> str:
    """The words of an example, masked tokens bold."""
    start = "##" if vocabulary.kind == WORDPIECE else WORD_START
    pieces = []
    for token in tokens:
        piece = token.new if corrupted else token.original
        if piece in vocabulary.special.all:
            pieces.append(piece)
            continue
        # What says how pieces make words is no part of the word.
        prefix = start if piece.startswith(start) and piece != start else ""
        word = _escaped(piece.removeprefix(prefix))
        pieces.append(f"{prefix}**{word}**" if token.is_masked else f"{prefix}{word}")
    return vocabulary.join(pieces).replace("****", "")  # between pieces of a word


def _table(tokens: list[_Token], has_discriminator: bool, restores: bool) -> str:
    """A row for each token that is masked or flagged."""
    header = ["position", "token", "masked as"]
    if has_discriminator:
        header += ["in its place", "replaced", "restored as" if restores else "P(replaced)", ""]
    else:
        header += ["guess", ""]
    rows = []
    for token in tokens:
        if not token.is_masked and not token.is_flagged:
            continue
        cells = [str(token.position), token.original, token.masked_as, token.new]
        if has_discriminator:
            is_right = token.is_replaced == token.is_flagged
            cells.append("yes" if token.is_replaced else "no")
            cells.append(token.restored if restores else f"{token.probability:.1%}")
        if restores:
            is_right = token.restored == token.original
        elif not has_discriminator:
            is_right = token.new == token.original
        cells.append("right" if is_right else "wrong")
        rows.append([_escaped(cell) for cell in cells])
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)
