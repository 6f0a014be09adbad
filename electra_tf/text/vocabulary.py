# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A vocabulary file: one token per line, the line number is the id."""

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterable, Sequence

import tensorflow as tf

from electra_tf.config import check
from electra_tf.files import read_text, shortened, write_bytes
from electra_tf.given_files import missing_vocabulary
from electra_tf.text import vocabulary_file

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""BERT's tokens that are no text."""
PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS
WORDPIECE, SENTENCEPIECE = KINDS = ("wordpiece", "sentencepiece")
# Zero bytes and what stands for them while added tokens are looked for; halves of characters.
_NO_TEXT = re.compile("[\0\1\ud800-\udfff]")
WORD_START = "\u2581"
"""What a piece of a SentencePiece model has in place of the space before it."""


@dataclasses.dataclass(frozen=True)
class SpecialTokens:
    """The names of the tokens that are no text; BERT's, unless a tokenizer has others."""

    pad: str = PAD
    unk: str = UNK
    cls: str = CLS
    sep: str = SEP
    mask: str = MASK

    @property
    def all(self) -> tuple[str, ...]:
        """The names in the order of the fields."""
        return dataclasses.astuple(self)


@dataclasses.dataclass(frozen=True)
class AddedToken:
    """A token that is found in the text before it is tokenized, as in Hugging Face's library."""

    content: str
    id: int | None
    """None for where it is in the vocabulary, else behind it."""
    single_word: bool = False
    """Whether it is found only where no letter or the like is right beside it."""
    lstrip: bool = False
    """Whether white space in front of it belongs to it."""
    rstrip: bool = False
    """Whether white space behind it belongs to it."""
    normalized: bool = True
    """Whether it is looked for after normalization, which it undergoes too."""
    special: bool = False


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The tokens of a model in the order of their ids.

    As in the reference (tokenization.py:79-88), a token that occurs twice has the later id; the
    earlier id stays, and no text has it.
    """

    tokens: tuple[str, ...]
    special: SpecialTokens = dataclasses.field(default_factory=SpecialTokens)
    kind: str = WORDPIECE
    """How pieces make words: "wordpiece", `##` continues one; "sentencepiece", `▁` begins one."""
    digest: str = ""
    """Of what decides the ids where that is more than the tokens, as in a SentencePiece model."""
    added: tuple[AddedToken, ...] = ()
    """In the order of their ids; some may be among the tokens of the vocabulary file."""
    num_added: int = 0
    """How many of `tokens`, the last ones, the vocabulary file does not have."""

    def __post_init__(self):
        _check(self.pieces, self.special, self.kind, "A vocabulary")

    def __len__(self):
        return len(self.tokens)

    @functools.cached_property
    def num_rows(self) -> int:
        """How many rows of embeddings the tokens need; empty lines at the end need none."""
        return 1 + max(number for number, token in enumerate(self.tokens) if token)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The tokens of the vocabulary file."""
        return self.tokens[: len(self.tokens) - self.num_added]

    def with_added(self, added: Iterable[AddedToken], where: str) -> "Vocabulary":
        """Returns the vocabulary with some `AddedToken`s; the special ones stay what they are.

        where: what errors call the source.

        Raises:
            ValueError: an id is neither that of the vocabulary nor the next one behind it, or a
                token is no text.
        """
        tokens, placed = list(self.tokens), []
        for token in sorted(added, key=lambda token: (token.id is None, token.id or 0)):
            is_text = token.content and not _NO_TEXT.search(token.content)
            expected = "text of one or more characters"
            check(is_text, f"{where}: an added token", expected, token.content)
            known = token.content in self._ids
            expected = self._ids[token.content] if known else len(tokens)
            if token.id not in (expected, None):
                place = "its place in" if known else "the next one behind"
                raise ValueError(
                    f"{where}: the added token {token.content!r} is expected to have the id "
                    f"{expected}, {place} the vocabulary, but has {token.id}."
                )
            if not known:
                tokens.append(token.content)
            placed.append(dataclasses.replace(token, id=expected))
        return dataclasses.replace(
            self,
            tokens=tuple(tokens),
            added=tuple(token for token in placed if token.content not in self.special.all),
            num_added=len(tokens) - len(self.tokens),
        )

    @functools.cached_property
    def _ids(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    @property
    def pad_id(self) -> int:
        return self._ids[self.special.pad]

    @property
    def unk_id(self) -> int:
        return self._ids[self.special.unk]

    @property
    def cls_id(self) -> int:
        return self._ids[self.special.cls]

    @property
    def sep_id(self) -> int:
        return self._ids[self.special.sep]

    @property
    def mask_id(self) -> int:
        return self._ids[self.special.mask]

    @property
    def special_ids(self) -> tuple[int, ...]:
        """Ids for padding, unknown, classification, separation, mask."""
        return tuple(self._ids[token] for token in self.special.all)

    @property
    def never_masked_ids(self) -> tuple[int, ...]:
        """Ids that stand for no text and so are never to be predicted (pretrain_helpers.py mask).

        The input mask marks padding; unknown tokens do stand for text.
        """
        return self.cls_id, self.sep_id, self.mask_id

    @functools.cached_property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the tokens joined by newlines, UTF-8, or the `digest`."""
        return self.digest or hashlib.sha256("\n".join(self.tokens).encode()).hexdigest()

    def token_of(self, token_id: int) -> str:
        """Returns the token of an id; raises ValueError outside of 0 .. len - 1."""
        is_known = 0 <= token_id < len(self.tokens)
        check(is_known, "token_id", f"in 0..{len(self.tokens) - 1}", token_id)
        return self.tokens[token_id]

    def id_of(self, token: str) -> int:
        """Returns the id of a token; raises ValueError if the vocabulary lacks it."""
        if token not in self._ids:
            raise ValueError(f"The vocabulary of {len(self)} tokens does not hold {token!r}.")
        return self._ids[token]

    def join(self, tokens: Iterable[str]) -> str:
        """Returns tokens as text for people; special tokens stand between spaces."""
        if self.kind == WORDPIECE:
            return " ".join(tokens).replace(" ##", "")
        special = set(self.special.all)
        parts = (f" {t} " if t in special else t.replace(WORD_START, " ") for t in tokens)
        return " ".join("".join(parts).split())


def read_vocabulary(path: str, special: SpecialTokens | None = None) -> Vocabulary:
    """Reads a `vocab.txt`, or the vocabulary inside a Hugging Face `tokenizer.json`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, is not text, lacks a special token, or is the list of another
            kind of tokenizer; names the file.
    """
    path, special = str(path), special or SpecialTokens()
    if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        raise missing_vocabulary(path)
    if path.endswith(".json"):
        tokens = vocabulary_file.read_tokens(path)
    else:
        text = read_text(path)
        if not text.strip():
            raise ValueError(f"The vocabulary file {path} is empty.")
        tokens = vocabulary_file.split(text)
    _check(tokens, special, WORDPIECE, f"The vocabulary file {path}")
    vocabulary_file.warn_of_unmatched(tokens, path)
    return Vocabulary(tuple(tokens), special)


def save_vocabulary(tokens: Iterable[str], path: str) -> None:
    """Writes tokens as a `vocab.txt`, under a temporary name first: no half file is ever left.

    Raises:
        ValueError: as `Vocabulary`.
    """
    write_bytes(path, content_of(Vocabulary(tuple(tokens))))


def unused_tokens(count: int) -> list[str]:
    """Returns `[unused0]` and so on: tokens that no text has, for whatever is to come later."""
    return [f"[unused{number}]" for number in range(count)]


def content_of(vocabulary: Vocabulary) -> bytes:
    """Returns the bytes of the `vocab.txt` of a vocabulary."""
    return vocabulary_file.joined(vocabulary.pieces)


def _check(tokens: Sequence[str], special: SpecialTokens, kind: str, where: str):
    """Raises ValueError if a special token is missing, or a token cannot be written."""
    known = set(tokens)
    missing = [token for token in special.all if token not in known]
    if missing:
        hint = ""
        spaced = next((token for token in tokens if token.strip() in missing), None)
        if spaced is not None:
            hint = f" It has {spaced!r}, with white space around it."
        elif len(missing) == len(special.all):
            hint = f" {vocabulary_file.what_it_is_instead(tokens)}"
        raise ValueError(
            f"{where} must hold the special tokens {_listed(special.all)}; missing: "
            f"{_listed(missing)}.{hint}"
        )
    if kind == WORDPIECE:
        vocabulary_file.check(tokens, where)


def _listed(tokens: Sequence[str]) -> str:
    """Tokens for a message, whatever characters a damaged file has given them."""
    return " ".join(shortened(ascii(token)[1:-1], 40) for token in tokens)
