# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A vocabulary file: one token per line, the line number is the id."""

import dataclasses
import functools
import hashlib

import tensorflow as tf

from electra_tf.files import write_bytes
from electra_tf.text import huggingface_vocabulary

PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDPIECE, SENTENCEPIECE = KINDS = ("wordpiece", "sentencepiece")
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
class Vocabulary:
    """The tokens of a model in the order of their ids; holds each special token once."""

    tokens: tuple[str, ...]
    special: SpecialTokens = dataclasses.field(default_factory=SpecialTokens)
    kind: str = WORDPIECE
    """How pieces make words: "wordpiece", `##` continues one; "sentencepiece", `▁` begins one."""
    digest: str = ""
    """Of what decides the ids where that is more than the tokens, as in a SentencePiece model."""

    def __post_init__(self):
        missing = sorted(set(self.special.all) - set(self.tokens))
        if missing:
            raise ValueError(
                f"A vocabulary must hold {' '.join(self.special.all)}; "
                f"missing: {' '.join(missing)}."
            )
        if len(self._ids) != len(self.tokens):
            twice = next(t for i, t in enumerate(self.tokens) if t in self.tokens[:i])
            raise ValueError(f"A vocabulary must hold each token once; twice in it: {twice!r}.")

    def __len__(self):
        return len(self.tokens)

    @functools.cached_property
    def _ids(self):
        return {token: number for number, token in enumerate(self.tokens)}

    @property
    def pad_id(self):
        return self._ids[self.special.pad]

    @property
    def unk_id(self):
        return self._ids[self.special.unk]

    @property
    def cls_id(self):
        return self._ids[self.special.cls]

    @property
    def sep_id(self):
        return self._ids[self.special.sep]

    @property
    def mask_id(self):
        return self._ids[self.special.mask]

    @property
    def special_ids(self):
        """Ids for padding, unknown, classification, separation, mask."""
        return tuple(self._ids[token] for token in self.special.all)

    @property
    def never_masked_ids(self):
        """Ids that stand for no text and so are never to be predicted (pretrain_helpers.py mask).

        Padding is told by the input mask; unknown tokens do stand for text.
        """
        return self.cls_id, self.sep_id, self.mask_id

    @functools.cached_property
    def sha256(self):
        """Hexadecimal SHA-256 of the tokens joined by newlines, UTF-8, or the `digest`."""
        return self.digest or hashlib.sha256("\n".join(self.tokens).encode()).hexdigest()

    def token_of(self, token_id):
        """Returns the token of an id; raises ValueError outside of 0 .. len - 1."""
        if not 0 <= token_id < len(self.tokens):
            raise ValueError(f"token_id must be in 0..{len(self.tokens) - 1}, received {token_id}.")
        return self.tokens[token_id]

    def id_of(self, token):
        """Returns the id of a token; raises ValueError if the vocabulary lacks it."""
        if token not in self._ids:
            raise ValueError(f"The vocabulary of {len(self)} tokens does not hold {token!r}.")
        return self._ids[token]

    def join(self, tokens):
        """Returns tokens as text for people; special tokens stand between spaces."""
        if self.kind == WORDPIECE:
            return " ".join(tokens).replace(" ##", "")
        special = set(self.special.all)
        parts = (f" {t} " if t in special else t.replace(WORD_START, " ") for t in tokens)
        return " ".join("".join(parts).split())


def read_vocabulary(path, special=None):
    """Reads a `vocab.txt`, or the vocabulary inside a Hugging Face `tokenizer.json`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, is not UTF-8, or has an empty line, a token twice or not all
            special tokens; names file and line.
    """
    path, special = str(path), special or SpecialTokens()
    if not tf.io.gfile.exists(path) or tf.io.gfile.isdir(path):
        raise FileNotFoundError(f"The vocabulary file {path} does not exist.")
    if path.endswith(".json"):
        return Vocabulary(tuple(huggingface_vocabulary.read_tokens(path)))
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    lines_of = {}
    # Only newlines end a line: pieces may hold characters that str.splitlines splits at.
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
        token = _decode(line, path, number)
        if not token and not content.strip():
            raise ValueError(f"The vocabulary file {path} is empty.")
        if not token:
            raise ValueError(f"{path}, line {number}: expected a token, received an empty line.")
        if token in lines_of:
            raise ValueError(
                f"{path}, line {number}: the token {token!r} is on line {lines_of[token]} already; "
                "each token must have one id."
            )
        lines_of[token] = number
    missing = [token for token in special.all if token not in lines_of]
    if missing:
        raise ValueError(
            f"The vocabulary file {path} must hold the special tokens {' '.join(special.all)}; "
            f"missing: {' '.join(missing)}."
        )
    return Vocabulary(tuple(lines_of), special)


def save_vocabulary(tokens, path):
    """Writes tokens as a `vocab.txt`, under a temporary name first: no half file is ever left.

    Raises:
        ValueError: as `Vocabulary`.
    """
    write_bytes(path, content_of(Vocabulary(tuple(tokens))))


def unused_tokens(count):
    """Returns `[unused0]` and so on: tokens that no text has, for whatever is to come later."""
    return [f"[unused{number}]" for number in range(count)]


def content_of(vocabulary):
    """Returns the bytes of the `vocab.txt` of a vocabulary."""
    return "".join(f"{token}\n" for token in vocabulary.tokens).encode()


def _decode(line, path, number):
    try:
        # As the reference (tokenization.py:84), so that files with \r\n work.
        return line.decode().strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}, line {number}: expected UTF-8, received {line!r}.") from error
