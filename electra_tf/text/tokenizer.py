# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What every tokenizer does: strings to ids, in the graph, and where in the string each id lies."""

import abc
import dataclasses
import typing
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.text.vocabulary import SpecialTokens, Vocabulary

MAX_SHARE_UNKNOWN = 0.05
"""Above it, a model learns from what it cannot see; in BERT's own text it is below 0.001."""

Strings = tf.Tensor | Sequence[str]
"""A vector of strings [B], or what becomes one."""


class TokensWithOffsets(typing.NamedTuple):
    """Ragged [B, tokens]: ids (int32) and byte offsets in the original UTF-8 strings (int64)."""

    ids: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


class Tokenizer(tf.Module, abc.ABC):
    """Turns strings [B] into ragged int32 ids [B, tokens], eagerly or inside a graph.

    Attributes:
        vocabulary: the tokens, and which of them are special. Special tokens in the text are text.
        do_lower_case: whether letters are lower-cased.
        strip_accents: whether accents are stripped.
        pre_split: whether words are what white space separates, and nothing else.
    """

    vocabulary: Vocabulary
    do_lower_case: bool
    strip_accents: bool
    pre_split: bool = False

    @abc.abstractmethod
    def __call__(self, texts: Strings) -> tf.RaggedTensor:
        """Returns the ids of texts [B], a RaggedTensor int32 [B, tokens]."""

    @abc.abstractmethod
    def offsets(self, texts: Strings) -> TokensWithOffsets:
        """Returns the ids of texts [B] and the bytes of the texts that each of them stands for.

        Neither starts nor ends ever fall from one token to the next. A token that stands for
        nothing, such as a lone `▁`, is empty; tokens of one character share its bytes.
        """

    @abc.abstractmethod
    def of_words(self, words: Strings) -> tf.RaggedTensor:
        """Returns the ids of each of the words [n] by itself, RaggedTensor int32 [n, tokens]."""

    @abc.abstractmethod
    def files(self) -> dict[str, bytes]:
        """The content of the vocabulary file by its usual name."""

    @property
    def case(self) -> dict[str, bool]:
        """The settings that are hyperparameters too, those of later versions only if they count."""
        found = {"do_lower_case": self.do_lower_case, "strip_accents": self.strip_accents}
        return {**found, "pre_split": True} if self.pre_split else found

    @property
    def settings(self) -> dict[str, typing.Any]:
        """What decides the ids; stored with records and models and compared before they meet."""
        found = {
            "kind": self.vocabulary.kind,
            **self.case,
            "vocab_size": len(self.vocabulary),
            "vocab_sha256": self.vocabulary.sha256,
        }
        if self.vocabulary.special != SpecialTokens():
            found["special_tokens"] = list(self.vocabulary.special.all)
        if self.vocabulary.added:
            found["added_tokens"] = [dataclasses.asdict(token) for token in self.vocabulary.added]
        return found


def as_strings(texts: Strings) -> tf.Tensor:
    """Returns texts as a string tensor.

    Raises:
        ValueError: they are not a vector.
    """
    texts = tf.convert_to_tensor(texts, tf.string)
    if texts.shape.rank not in (1, None):
        raise ValueError(f"texts must be a vector of strings [B], received shape {texts.shape}.")
    return texts


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
        return self.share > MAX_SHARE_UNKNOWN

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
