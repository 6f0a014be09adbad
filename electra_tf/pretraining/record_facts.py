# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the records of a run say before it has begun: entropy, unknown tokens, case."""

from typing import NamedTuple

import numpy as np

from electra_tf.data import PretrainingRecords
from electra_tf.text import Vocabulary

SAMPLED_TOKENS = 1 << 17
"""Enough for an entropy that is right within 0.02 nats, and read in a fraction of a second."""


class RecordFacts(NamedTuple):
    """Of the tokens that can be masked, so without [CLS], [SEP] and padding."""

    tokens: int
    """Tokens that were looked at."""
    unigram_entropy: float
    """Nats: the smallest masked-LM loss of a model that looks at no context."""
    repeat_probability: float
    """That two tokens drawn at random are the same one."""
    unknown_share: float
    """0 to 1."""
    vocabulary_cased_share: float
    """Of the vocabulary's tokens in scripts with case, the share with a capital letter, 0 to 1."""
    text_cased_share: float
    """The same of the tokens that were looked at."""
    case_tokens: float
    """Tokens that were looked at in scripts with case; those of Chinese or Arabic are not."""


def facts_of(records: PretrainingRecords, length: int, vocabulary: Vocabulary) -> RecordFacts:
    """Look at some of the records of a stage with sequences of a length.

    Raises:
        ValueError: one of them is damaged; names it.
    """
    return facts_of_tokens(records.sample(SAMPLED_TOKENS, length), vocabulary)


def facts_of_tokens(ids: np.ndarray, vocabulary: Vocabulary) -> RecordFacts:
    """The facts of the tokens of a text, int [tokens]."""
    never_masked = {vocabulary.pad_id, *vocabulary.never_masked_ids}
    ids = ids[~np.isin(ids, list(never_masked))]
    counts = np.bincount(ids, minlength=len(vocabulary))
    occurring = np.flatnonzero(counts)
    total = max(1, len(ids))
    shares = counts[occurring] / total
    # What is counted in a sample is too low; the second term mends that (Miller, 1955).
    entropy = -np.sum(shares * np.log(shares)) + max(0, len(occurring) - 1) / (2 * total)
    special = set(vocabulary.special_ids)
    letters = [
        number
        for number, token in enumerate(vocabulary.tokens)
        # Titles, as Georgian letters have capital forms that ordinary text does not use.
        if number not in special and token.lower() != token.title()
    ]
    cased = [number for number in letters if (token := vocabulary.tokens[number]) != token.lower()]
    return RecordFacts(
        len(ids),
        float(entropy),
        float(np.sum(shares**2)),
        float(counts[vocabulary.unk_id] / total),
        len(cased) / max(1, len(letters)),
        float(counts[cased].sum() / max(1, counts[letters].sum())),
        float(counts[letters].sum()),
    )
