# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Training a SentencePiece model, unigram or BPE, on text.

The text is counted in stretches between spaces first, and the trainer gets each of them once with
its number. On 20 MB of English that gave the same tokens per word as the text itself did.
"""

import collections
import functools
import io
import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sentencepiece

from electra_tf.config import check
from electra_tf.files import writes
from electra_tf.text.vocabulary import SpecialTokens, unused_tokens

MODEL_TYPES = ("unigram", "bpe")
# Trained models depend on the number of threads, which is the same on every machine therefore.
_NUM_THREADS = 4

TRAINER_THREAD = "sentencepiece trainer"
"""Name of the thread that trains: it cannot be stopped, only left with the process."""
_LONGEST_STRETCH = 1000  # characters; longer ones are cut
_MAX_BYTES = 4 * _LONGEST_STRETCH
# The trainer leaves out lines that hold these, which it uses itself; words are split at them.
_RESERVED = re.compile("[\0\t\u2585]")
_MIN_COVERAGE = 0.98  # the trainer's own limit
# Blocks of marks of Latin, Greek and Cyrillic letters. Marks of other scripts, such as those that
# turn か into が, are no accents.
_ACCENT_BLOCKS = (
    (0x0300, 0x036F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
_ACCENTS = re.compile("[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in _ACCENT_BLOCKS) + "]")


def train_sentencepiece_model(
    texts_iterable: Iterable[str],
    vocab_size: int,
    model_type: str = "unigram",
    do_lower_case: bool = True,
    strip_accents: bool = True,
    min_frequency: int = 1,
    character_coverage: float = 0.9995,
    num_unused: int = 0,
) -> bytes:
    """Returns the content of a new `.model` file; `[PAD] [UNK] [CLS] [SEP] [MASK]` come first.

    The same texts give the same model, whatever their order.

    Args:
        texts_iterable: str, such as the lines of a file.
        vocab_size: number of tokens; fewer come back where the text has no more pieces.
        model_type: "unigram" or "bpe".
        do_lower_case: whether letters are case-folded, beside NFKC normalization.
        strip_accents: whether letters lose their accents; only if they are lower-cased.
        min_frequency: how often a stretch between spaces must occur to be learned from.
        character_coverage: share of the characters of the text that get a token, 0.98 to 1.
        num_unused: number of reserved tokens, `[unused0]` and so on, behind the special ones.

    Raises:
        ValueError: there is no text, or an argument is out of range.
    """
    choices = f"one of {', '.join(MODEL_TYPES)}"
    check(model_type in MODEL_TYPES, "model_type", choices, model_type)
    check(min_frequency >= 1, "min_frequency", "at least 1", min_frequency)
    check(num_unused >= 0, "num_unused", "at least 0", num_unused)
    covers = _MIN_COVERAGE <= character_coverage <= 1
    expected = f"between {_MIN_COVERAGE} and 1 for a SentencePiece model"
    check(covers, "character_coverage", expected, character_coverage)
    counts = collections.Counter()
    for text in texts_iterable:
        counts.update(text.split())
    return _train(
        {word: count for word, count in counts.items() if count >= min_frequency},
        vocab_size,
        model_type,
        normalizer_of(do_lower_case, strip_accents),
        character_coverage,
        num_unused,
    )


@functools.cache
def normalizer_of(
    do_lower_case: bool, strip_accents: bool
) -> sentencepiece.SentencePieceNormalizer:
    """Returns NFKC rules, which also replace invisible characters, as the trainer wants them."""
    sentencepiece.set_min_log_level(2)  # it logs what it loads
    if not do_lower_case:
        return sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    folded = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc_cf")
    if not strip_accents:
        return folded
    rules = {
        source: "".join(map(without_accents, target))
        for source, target in folded.Decompile()
        if not _ACCENTS.search(source)
    }
    for character in map(chr, range(0x110000)):
        if unicodedata.decomposition(character) and character not in rules:
            plain = without_accents(character)
            if plain != character:
                rules[character] = "".join(rules.get(part, part) for part in plain)
    for first, last in _ACCENT_BLOCKS:
        rules |= dict.fromkeys(map(chr, range(first, last + 1)), "")
    return sentencepiece.SentencePieceNormalizer(norm_map=sorted(rules.items()))


@functools.cache
def without_accents(text: str) -> str:
    """Returns the text without the marks of Latin, Greek and Cyrillic letters, as NFC."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", plain)


def _train(
    counts: Mapping[str, int],
    vocab_size: int,
    model_type: str,
    normalizer: sentencepiece.SentencePieceNormalizer,
    character_coverage: float,
    num_unused: int,
):
    special = SpecialTokens()
    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "counts.tsv")
        with writes(path):
            is_filled = _write_counts(counts, path)
        if not is_filled:
            raise ValueError("The texts hold no words to train a vocabulary on.")
        try:
            _interruptible(
                sentencepiece.SentencePieceTrainer.train,
                input=path,
                input_format="tsv",
                model_writer=model,
                model_type=model_type,
                vocab_size=vocab_size,
                # Where the text has fewer pieces, a smaller model is better than none.
                hard_vocab_limit=False,
                normalizer=normalizer,
                character_coverage=character_coverage,
                max_sentence_length=_MAX_BYTES,
                num_threads=_NUM_THREADS,
                pad_id=0,
                unk_id=1,
                bos_id=2,
                eos_id=3,
                pad_piece=special.pad,
                unk_piece=special.unk,
                bos_piece=special.cls,
                eos_piece=special.sep,
                control_symbols=[special.mask, *unused_tokens(num_unused)],
                minloglevel=2,
            )
        except RuntimeError as error:
            raise ValueError(_readable(error, vocab_size)) from error
    # Only here: the module needs a newer protobuf than Apache Beam takes.
    from sentencepiece import sentencepiece_model_pb2

    # The path of the counts, new each time, is in the model: without it, models can be compared.
    found = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    found.trainer_spec.ClearField("input")
    return found.SerializeToString(deterministic=True)


def _interruptible(function: Callable, **options: Any):
    """Calls what does not return to Python for long, where this thread can still be interrupted."""
    raised = []

    def call():
        try:
            function(**options)
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=call, name=TRAINER_THREAD, daemon=True)
    thread.start()
    thread.join()
    for error in raised:
        raise error


def _write_counts(counts: Mapping[str, int], path: str):
    """Writes lines of a stretch of text and its number; returns whether there are any."""
    is_filled = False
    with open(path, "w", encoding="utf-8") as file:
        for word, count in sorted(counts.items()):
            for part in filter(None, _RESERVED.split(word)):
                for start in range(0, len(part), _LONGEST_STRETCH):
                    file.write(f"{part[start : start + _LONGEST_STRETCH]}\t{count}\n")
                    is_filled = True
    return is_filled


def _readable(error: Exception, vocab_size: int):
    """The trainer's own words, without the place in its source."""
    reason = str(error).rsplit("] ", 1)[-1]
    found = re.search(r"required_chars\. \d+ vs (\d+)", reason)
    if found:
        return (
            f"vocab_size is expected to be at least {found[1]} for the special tokens and the "
            f"characters of this text, but is {vocab_size}; a smaller character_coverage lowers "
            "that."
        )
    return f"The SentencePiece trainer failed with vocab_size {vocab_size}: {reason}"
