# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer of a Hugging Face folder: vocab.txt, tokenizer_config.json, tokenizer.json."""

import dataclasses
import os

import tensorflow as tf
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from electra_tf.files import read_json, write_bytes, write_json, write_text
from electra_tf.text import Tokenizer, Vocabulary, load_vocabulary
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD
from electra_tf.text.vocabulary import WORDPIECE
from electra_tf.text.vocabulary_lines import as_keys

VOCABULARY_FILE = "vocab.txt"
TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"


@dataclasses.dataclass(frozen=True)
class TokenizerFiles:
    """What the files say."""

    vocabulary: Vocabulary | None
    """None if there is none."""
    vocab_file: str | None
    """Where it is: vocab.txt, or tokenizer.json where that is all there is."""
    settings: dict[str, bool]
    """do_lower_case and strip_accents; empty if nothing says."""


def read_tokenizer(folder: str) -> TokenizerFiles:
    """Read what there is; tokenizer_config.json has the last word on case, vocab.txt on tokens.

    Raises:
        ValueError: the tokenizer is none that can be represented here.
    """
    settings = _settings_of_config(os.path.join(folder, TOKENIZER_CONFIG_FILE))
    described = os.path.join(folder, TOKENIZER_FILE)
    vocab_file = os.path.join(folder, VOCABULARY_FILE)
    vocabulary = None
    if tf.io.gfile.exists(vocab_file):
        vocabulary = load_vocabulary(vocab_file)
    if tf.io.gfile.exists(described):
        stored = read_json(described)
        settings = settings or _settings_of_normalizer(described, stored)
        if vocabulary is None:
            vocabulary, vocab_file = load_vocabulary(described), described
    return TokenizerFiles(vocabulary, vocab_file if vocabulary else None, settings)


def write_tokenizer(folder: str, tokenizer: Tokenizer, max_length: int):
    """Write all files that transformers, old and new, looks for.

    Args:
        max_length: longest sequence of the model, in tokens.

    Raises:
        ValueError: the tokenizer is another one than WordPiece.
    """
    vocabulary = tokenizer.vocabulary
    if vocabulary.kind != WORDPIECE:
        raise ValueError(
            "the tokenizer cannot be written: Hugging Face's ELECTRA has WordPiece, this one is of "
            f"the kind {vocabulary.kind!r}. The SavedModel export takes every tokenizer."
        )
    special = {
        f"{name}_token": token for name, token in dataclasses.asdict(vocabulary.special).items()
    }
    for name, content in tokenizer.files().items():
        write_bytes(os.path.join(folder, name), content)
    write_text(os.path.join(folder, TOKENIZER_FILE), _as_library(tokenizer).to_str(pretty=True))
    write_json(os.path.join(folder, SPECIAL_TOKENS_FILE), special)
    content = {
        # Takes tokenizer.json as it is; BertTokenizer of transformers 5 makes one of its own, in
        # which words of more than 100 characters are unknown.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "do_lower_case": tokenizer.do_lower_case,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": True,
        "model_max_length": max_length,
        **special,
    }
    write_json(os.path.join(folder, TOKENIZER_CONFIG_FILE), content)


def _as_library(tokenizer) -> tokenizers.Tokenizer:
    """The tokenizer as the tokenizers library runs it."""
    vocabulary = tokenizer.vocabulary
    ids = {key: number for number, key in enumerate(as_keys(vocabulary.tokens))}
    special = vocabulary.special
    model = models.WordPiece(
        ids, unk_token=special.unk, max_input_chars_per_word=MAX_CHARACTERS_PER_WORD
    )
    built = tokenizers.Tokenizer(model)
    built.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=True,
        strip_accents=tokenizer.strip_accents,
        lowercase=tokenizer.do_lower_case,
    )
    built.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    built.decoder = decoders.WordPiece(prefix="##")
    built.post_processor = processors.TemplateProcessing(
        single=f"{special.cls}:0 $A:0 {special.sep}:0",
        pair=f"{special.cls}:0 $A:0 {special.sep}:0 $B:1 {special.sep}:1",
        special_tokens=[(special.cls, vocabulary.cls_id), (special.sep, vocabulary.sep_id)],
    )
    built.add_special_tokens(list(special.all))
    return built


def _settings_of_config(path) -> dict[str, bool]:
    """Accents follow case where nothing is said of them."""
    if not tf.io.gfile.exists(path):
        return {}
    stored = read_json(path)
    if stored.get("tokenize_chinese_chars", True) is not True:
        raise ValueError(f"{path}: tokenize_chinese_chars is expected to be true, but is not.")
    if "do_lower_case" not in stored:
        return {}
    return _settings(stored["do_lower_case"], stored.get("strip_accents"))


def _settings_of_normalizer(path, stored) -> dict[str, bool]:
    normalizer = stored.get("normalizer") or {}
    expected = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
    found = {name: normalizer.get(name) for name in expected}
    if found != expected:
        raise ValueError(f"{path}: normalizer is expected to have {expected}, but has {found}.")
    return _settings(normalizer["lowercase"], normalizer.get("strip_accents"))


def _settings(lower, accents) -> dict[str, bool]:
    lower = bool(lower)
    return {"do_lower_case": lower, "strip_accents": lower if accents is None else bool(accents)}
