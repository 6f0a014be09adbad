# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How much of a text is unknown to its vocabulary."""

import dataclasses

import numpy as np
from absl import logging

from electra_tf.text.vocabulary import Vocabulary

MAX_SHARE = 0.05
"""Above it, a model learns from what it cannot see; in BERT's own text it is below 0.001."""


@dataclasses.dataclass(frozen=True)
class UnknownTokens:
    """The numbers of tokens and of unknown tokens of some text; they can be added."""

    unknown: int = 0
    tokens: int = 0
    """Of the text, so without those for padding and for beginnings and ends."""

    @classmethod
    def among(cls, ids: np.ndarray, vocabulary: Vocabulary) -> "UnknownTokens":
        """Counts ids of any shape."""
        no_text = {vocabulary.pad_id, vocabulary.cls_id, vocabulary.sep_id}
        others = sum(np.count_nonzero(ids == number) for number in no_text)
        return cls(int(np.count_nonzero(ids == vocabulary.unk_id)), int(ids.size - others))

    def __add__(self, other: "UnknownTokens") -> "UnknownTokens":
        return UnknownTokens(self.unknown + other.unknown, self.tokens + other.tokens)

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.unknown / max(1, self.tokens)

    @property
    def is_high(self) -> bool:
        """Whether there is a warning."""
        return self.share > MAX_SHARE

    def __str__(self) -> str:
        return f"{self.unknown:,} of {self.tokens:,} tokens are unknown ({self.share:.1%})"

    def log(self, where: str) -> None:
        """One line: a warning if the share is high, else a piece of information."""
        if not self.is_high:
            logging.info("%s: %s.", where, self)
            return
        logging.warning(
            "%s: %s. What they stand for is lost: compare the text with the vocabulary, and the "
            "vocabulary's case and accents with do_lower_case and strip_accents; every word of "
            "more than 200 characters is unknown.",
            where,
            self,
        )
