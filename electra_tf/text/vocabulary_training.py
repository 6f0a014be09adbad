# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Training a WordPiece vocabulary on text, and a report on how well any vocabulary fits text.

Words are counted with the basic tokenization that runs in front of the tokenizer, so training and
use cannot disagree. Pieces are learned by Hugging Face's trainer: on 32 MB of film reviews it took
2 s for 8192 pieces and needed 1.1205 pieces per word, tensorflow-text's learner 127 s and 1.1236.
"""

import collections
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
import tokenizers

from electra_tf.config import check
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD, BasicNormalizer
from electra_tf.text.tokenizer import Tokenizer, UnknownTokens
from electra_tf.text.vocabulary import SPECIAL_TOKENS, UNK, WORD_START, unused_tokens
from electra_tf.text.wordpiece import is_long

_TEXTS_PER_BATCH = 2048
_CHARACTERS_PER_ITEM = 1 << 16
_LINES_PER_BATCH = 1024
_NUM_LONGEST = 10
_MIN_SHARE_CHANGED = 0.01
"""Of the words; English text has fewer words with accents."""
_NUM_CHANGED = 5
_CHARACTERS_AROUND = 6


def train_wordpiece_vocabulary(
    texts_iterable: Iterable[str | bytes],
    vocab_size: int,
    do_lower_case: bool = True,
    strip_accents: bool = True,
    min_frequency: int = 2,
    limit_alphabet: int = 1000,
    character_coverage: float | None = None,
    num_unused: int = 0,
    pre_split: bool = False,
) -> list[str]:
    """Returns the tokens of a new vocabulary, `[PAD] [UNK] [CLS] [SEP] [MASK]` first.

    The same texts give the same tokens, whatever their order. Behind the special tokens come the
    reserved ones, `[unused0]` and so on, then the characters, sorted, then the pieces, as they were
    learned. None has more than 256 bytes, which is 85 letters of Thai.

    Args:
        texts_iterable: str or UTF-8 bytes, such as the lines of a file.
        vocab_size: number of tokens; fewer come back where the text has no more repeated pieces.
        do_lower_case: whether letters are made small first.
        strip_accents: whether accents are left out.
        min_frequency: how often two neighbouring pieces must occur to be joined to a new one.
        limit_alphabet: number of different characters to keep, the most frequent ones; words that
            contain others will be [UNK].
        character_coverage: instead of a number, the share of the text that the kept characters
            make up, up to 1.
        num_unused: number of reserved tokens.
        pre_split: whether words are what white space separates, and nothing else.

    Raises:
        ValueError: there is no word in the texts, or an argument is out of range.
    """
    counts = count_words(texts_iterable, do_lower_case, strip_accents, pre_split)
    return wordpieces_from_counts(
        counts, vocab_size, min_frequency, limit_alphabet, character_coverage, num_unused
    )


def count_words(
    texts_iterable: Iterable[str | bytes],
    do_lower_case: bool = True,
    strip_accents: bool = True,
    pre_split: bool = False,
) -> dict[str, int]:
    """Returns {word: number of occurrences} after the basic tokenization of texts."""
    normalizer = BasicNormalizer(
        do_lower_case, strip_accents and do_lower_case, *[not pre_split] * 3
    )

    def batches():
        remaining = iter(texts_iterable)
        while batch := list(itertools.islice(remaining, _TEXTS_PER_BATCH)):
            yield np.array(batch, dtype=object)

    def count(texts: tf.Tensor):
        words, _, counts = tf.unique_with_counts(normalizer.words(texts).flat_values, tf.int64)
        return words, counts

    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec([None], tf.string)
    )
    total = collections.Counter()
    for words, counts in dataset.map(count, tf.data.AUTOTUNE).prefetch(2).as_numpy_iterator():
        for word, number in zip(words.tolist(), counts.tolist(), strict=True):
            total[word] += number
    return {word.decode(): number for word, number in total.items()}


def wordpieces_from_counts(
    word_counts: Mapping[str, int],
    vocab_size: int,
    min_frequency: int = 2,
    limit_alphabet: int = 1000,
    character_coverage: float | None = None,
    num_unused: int = 0,
) -> list[str]:
    """Returns the tokens of a vocabulary for words and their numbers of occurrences.

    Arguments and errors as in `train_wordpiece_vocabulary`.
    """
    check(min_frequency >= 1, "min_frequency", "at least 1", min_frequency)
    check(limit_alphabet >= 1, "limit_alphabet", "at least 1", limit_alphabet)
    is_share = character_coverage is None or 0 < character_coverage <= 1
    check(is_share, "character_coverage", "above 0 and at most 1", character_coverage)
    check(num_unused >= 0, "num_unused", "at least 0", num_unused)
    alphabet = _most_frequent_characters(word_counts, limit_alphabet, character_coverage)
    words = {
        word: number
        for word, number in sorted(word_counts.items())
        if len(word) <= MAX_CHARACTERS_PER_WORD and alphabet.issuperset(word)
    }
    if not words:
        too_long = sum(len(word) > MAX_CHARACTERS_PER_WORD for word in word_counts)
        hint = (
            f" Words of more than {MAX_CHARACTERS_PER_WORD} characters are left out: {too_long} of "
            f"{len(word_counts)} different words. Split them by spaces, or train a SentencePiece "
            "model, which cuts them."
        )
        raise ValueError(
            f"The texts hold no words to train a vocabulary on.{hint if too_long else ''}"
        )
    reserved = [*SPECIAL_TOKENS, *unused_tokens(num_unused)]
    inner = {f"##{character}" for word in words for character in word[1:]}
    first_tokens = [*reserved, *sorted(set().union(*words)), *sorted(inner)]
    if vocab_size < len(first_tokens):
        limit = f"limit_alphabet than {limit_alphabet}"
        if character_coverage is not None:
            limit = f"character_coverage than {character_coverage}"
        raise ValueError(
            f"vocab_size is expected to be at least {len(first_tokens)} for {len(reserved)} "
            f"special tokens and the characters of this text, but is {vocab_size}; a smaller "
            f"{limit} lowers that."
        )
    return _learned(words, vocab_size, min_frequency, first_tokens)


def _learned(
    words: Mapping[str, int], vocab_size: int, min_frequency: int, first_tokens: Sequence[str]
):
    """Returns so many tokens, or fewer, none of which is too long for the fast tokenizer."""
    size = vocab_size
    while True:
        trainer = tokenizers.trainers.WordPieceTrainer(
            vocab_size=size,
            min_frequency=min_frequency,
            # Given here in a fixed order, because the trainer numbers characters as its hash map
            # has them, and breaks ties by these numbers: two runs would differ.
            special_tokens=first_tokens,
            show_progress=False,
        )
        learner = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token=UNK))
        learner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
        learner.train_from_iterator(_repeated(words), trainer)
        ids = learner.get_vocab()
        kept = [token for token in sorted(ids, key=ids.get) if not is_long(token)]
        missing = vocab_size - len(kept)
        if missing <= 0 or len(ids) < size:  # else the text has more pieces
            return kept[:vocab_size]
        size += 2 * missing


def _most_frequent_characters(word_counts: Mapping[str, int], limit: int, coverage: float | None):
    """Returns so many characters, or so many that they make up that share of the text."""
    totals = collections.Counter()
    for word, number in word_counts.items():
        for character in word:
            totals[character] += number
    ordered = sorted(totals, key=lambda character: (-totals[character], character))
    if coverage is not None:
        seen = np.cumsum([totals[character] for character in ordered])
        limit = 1 + int(np.searchsorted(seen, coverage * seen[-1])) if len(seen) else 0
    return set(ordered[:limit])


def _repeated(words: Mapping[str, int]):
    """Yields each word as often as it occurs, in strings of limited size."""
    for word, number in words.items():
        per_item = _CHARACTERS_PER_ITEM // (len(word) + 1)
        for done in range(0, number, per_item):
            yield f"{word} " * min(per_item, number - done)


# ---- Report


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
    pieces = set(vocabulary.tokens) - set(vocabulary.special.all)
    pieces -= {piece for piece in pieces if piece.startswith("[unused") and piece.endswith("]")}

    def order(piece: str) -> tuple[int, str]:
        return -len(piece.removeprefix("##").removeprefix(WORD_START)), piece

    longest = sorted(pieces, key=order)
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
