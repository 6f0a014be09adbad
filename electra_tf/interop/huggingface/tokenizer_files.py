# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tokenizer as a Hugging Face folder: vocab.txt, tokenizer_config.json, tokenizer.json."""

import dataclasses
import json
import os

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from electra_tf.files import write_bytes, write_json, write_text
from electra_tf.text import Tokenizer
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD
from electra_tf.text.vocabulary import WORDPIECE
from electra_tf.text.vocabulary_file import as_keys

TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"


def write_tokenizer(folder: str, tokenizer: Tokenizer, max_length: int) -> None:
    """Write all files that transformers, old and new, looks for.

    The longest sequence of the model has `max_length` tokens.

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
    built = _as_library(tokenizer)
    write_text(os.path.join(folder, TOKENIZER_FILE), built.to_str(pretty=True))
    write_json(os.path.join(folder, SPECIAL_TOKENS_FILE), special)
    content = {
        # Takes tokenizer.json as it is; BertTokenizer of transformers 5 makes its own, in
        # which words of more than 100 characters are unknown.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "do_lower_case": tokenizer.do_lower_case,
        "strip_accents": tokenizer.strip_accents,
        "tokenize_chinese_chars": not tokenizer.pre_split,
        "model_max_length": max_length,
        **special,
    }
    if tokenizer.pre_split:
        content["do_basic_tokenize"] = False
    if vocabulary.added:
        content["added_tokens_decoder"] = {
            str(entry.pop("id")): entry for entry in json.loads(built.to_str())["added_tokens"]
        }
    write_json(os.path.join(folder, TOKENIZER_CONFIG_FILE), content)


def _as_library(tokenizer: Tokenizer) -> tokenizers.Tokenizer:
    """The tokenizer as the tokenizers library runs it."""
    vocabulary = tokenizer.vocabulary
    ids = {key: number for number, key in enumerate(as_keys(vocabulary.pieces))}
    special = vocabulary.special
    model = models.WordPiece(
        ids, unk_token=special.unk, max_input_chars_per_word=MAX_CHARACTERS_PER_WORD
    )
    built = tokenizers.Tokenizer(model)
    built.normalizer = normalizers.BertNormalizer(
        clean_text=not tokenizer.pre_split,
        handle_chinese_chars=not tokenizer.pre_split,
        strip_accents=tokenizer.strip_accents,
        lowercase=tokenizer.do_lower_case,
    )
    built.pre_tokenizer = (
        pre_tokenizers.WhitespaceSplit()
        if tokenizer.pre_split
        else pre_tokenizers.BertPreTokenizer()
    )
    built.decoder = decoders.WordPiece(prefix="##")
    built.post_processor = processors.TemplateProcessing(
        single=f"{special.cls}:0 $A:0 {special.sep}:0",
        pair=f"{special.cls}:0 $A:0 {special.sep}:0 $B:1 {special.sep}:1",
        special_tokens=[(special.cls, vocabulary.cls_id), (special.sep, vocabulary.sep_id)],
    )
    built.add_special_tokens(list(special.all))
    for token in vocabulary.added:  # in the order of their ids, which follow from it
        flags = dataclasses.asdict(token)
        del flags["id"]
        built.add_tokens([tokenizers.AddedToken(**flags)])
    return built
