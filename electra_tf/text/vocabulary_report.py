# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How well a vocabulary fits text that it was not trained on."""

from electra_tf.text.vocabulary import WORD_START

_LINES_PER_BATCH = 1024
_NUM_LONGEST = 10


def report(tokenizer, held_out_lines, asked_size):
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


def _measures(tokenizer, lines, num_words):
    num_tokens = num_unknown = 0
    num_characters = sum(len("".join(line.split())) for line in lines)
    for start in range(0, len(lines), _LINES_PER_BATCH):
        ids = tokenizer(lines[start : start + _LINES_PER_BATCH]).flat_values.numpy()
        num_tokens += len(ids)
        num_unknown += int((ids == tokenizer.vocabulary.unk_id).sum())
    yield f"held-out words:       {num_words} in {len(lines)} lines"
    yield f"tokens per word:      {num_tokens / num_words:.3f}"
    yield f"characters per token: {num_characters / max(1, num_tokens):.2f}"
    yield f"unknown tokens:       {num_unknown} ({num_unknown / max(1, num_tokens):.3%})"


def _reserved(pieces):
    return (piece for piece in pieces if piece.startswith("[unused") and piece.endswith("]"))


def _length(piece):
    return len(piece.removeprefix("##").removeprefix(WORD_START))
