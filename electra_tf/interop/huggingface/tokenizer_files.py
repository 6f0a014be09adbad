# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The tokenizer of a Hugging Face folder: vocab.txt, tokenizer_config.json, tokenizer.json."""

import dataclasses
import json
import os
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from electra_tf.files import exists, write_bytes, write_json, write_text
from electra_tf.text import Tokenizer, load_tokenizer, stored_settings
from electra_tf.text.huggingface_settings import VOCABULARY_FILES, read_huggingface_settings
from electra_tf.text.loading import said_by
from electra_tf.text.normalization import MAX_CHARACTERS_PER_WORD
from electra_tf.text.vocabulary import WORDPIECE
from electra_tf.text.vocabulary_file import as_keys

TOKENIZER_FILE = "tokenizer.json"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"


@dataclasses.dataclass(frozen=True)
class TokenizerFiles:
    """What the files say."""

    tokenizer: Tokenizer | None
    """None if there is no vocabulary."""
    vocab_file: str | None
    """Where it is: vocab.txt, or tokenizer.json where that is all there is."""
    settings: dict[str, bool]
    """See `text.stored_settings`; empty if nothing says."""


def read_tokenizer(
    folder: str, pre_split: bool | None = None, tokenizer: str | None = None
) -> TokenizerFiles:
    """Read what there is; vocab.txt has the last word on tokens.

    Args:
        folder: a Hugging Face folder.
        pre_split: see `text.load_tokenizer`.
        tokenizer: likewise.

    Raises:
        ValueError: the tokenizer is none that can be represented here.
    """
    paths = (os.path.join(folder, name) for name in VOCABULARY_FILES)
    vocab_file = next(filter(exists, paths), None)
    if vocab_file is None:
        settings = read_huggingface_settings(folder)
        return TokenizerFiles(None, None, said_by(settings, tokenizer, pre_split))
    given: dict[str, Any] = {"pre_split": pre_split, "tokenizer": tokenizer}
    return TokenizerFiles(
        load_tokenizer(vocab_file, **given), vocab_file, stored_settings(vocab_file, **given)
    )


def write_tokenizer(folder: str, tokenizer: Tokenizer, max_length: int) -> None:
    """Write all files that transformers, old and new, looks for.

    Args:
        folder: an existing one.
        tokenizer: of WordPiece.
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
    built = _as_library(tokenizer)
    write_text(os.path.join(folder, TOKENIZER_FILE), built.to_str(pretty=True))
    write_json(os.path.join(folder, SPECIAL_TOKENS_FILE), special)
    content = {
        # Takes tokenizer.json as it is; BertTokenizer of transformers 5 makes one of its own, in
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
