# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the files of a Hugging Face folder say of its tokenizer, and whether it is BERT's.

tokenizer.json is the tokenizers library's, tokenizer_config.json, added_tokens.json and
special_tokens_map.json are those of transformers, config.json is the model's.
"""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from electra_tf.files import check_keys, exists, read_json, read_text, shortened
from electra_tf.text import vocabulary_file
from electra_tf.text.settings_file import TokenizerSettings, is_huggingface
from electra_tf.text.vocabulary import SPECIAL_TOKENS, WORDPIECE, AddedToken

TOKENIZER_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
VOCABULARY_FILES = ("vocab.txt", TOKENIZER_FILE)
"""The files whose tokens are described."""

TOKENIZER_CLASSES = (
    *("BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer", "MobileBertTokenizer"),
    "ConvBertTokenizer",
    # Whatever tokenizer.json says.
    *("PreTrainedTokenizer", "TokenizersBackend"),
)
"""Names of BERT's tokenizer, each also with "Fast" behind it."""
_OF_WORDS: dict[str, tuple] = {
    "word_tokenizer_type": ("basic",),
    "do_word_tokenize": (True,),
    "do_basic_tokenize": (True,),
    "never_split": ([],),
    "tokenize_chinese_chars": (True,),
    "clean_text": (True,),
}
"""Key of tokenizer_config.json -> values that BERT's tokenizer has; null is none at all."""
_OF_PIECES: dict[str, tuple] = {
    "subword_tokenizer_type": ("wordpiece",),
    "do_subword_tokenize": (True,),
    "wordpieces_prefix": ("##",),
    "pad_token": ("[PAD]",),
    "unk_token": ("[UNK]",),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("[MASK]",),
}
_IN_MODEL: dict[str, tuple] = {
    "type": ("WordPiece",),
    "unk_token": ("[UNK]",),
    "continuing_subword_prefix": ("##",),
    # The original's limit, which counts here in any case, and transformers'.
    "max_input_chars_per_word": (200, 100),
}
_SHAPE = {"model": dict, "normalizer": dict, "pre_tokenizer": dict, "added_tokens": list}
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def read_huggingface_settings(folder: str) -> TokenizerSettings | None:
    """What a folder's files say; None if they say nothing.

    What no tokenizer of BERT's has is listed in `problems`.

    Raises:
        ValueError: a file is wrong, or two of them disagree.
    """
    path, config_path = (os.path.join(folder, name) for name in (TOKENIZER_FILE, CONFIG_FILE))
    described = _read(path, _SHAPE) if exists(path) else None
    config = read_json(config_path) if exists(config_path) else {}
    check_keys(config, {k: dict for k in ("added_tokens_decoder",) if config.get(k)}, config_path)
    if not is_huggingface(described):
        described = None
    added = _added_tokens(folder, described or {}, config)
    name, class_path = config.get("tokenizer_class"), config_path
    if name is None:
        class_path = os.path.join(folder, "config.json")
        name = _class_of_model(class_path)
    if described is None and not config and not added and name is None:
        return None
    pre_split = described is not None and _is_pre_split(described)
    if pre_split and config.get("do_basic_tokenize"):
        raise ValueError(
            f"{config_path} and {path} disagree: do_basic_tokenize is true in the one, "
            "pre_tokenizer.type WhitespaceSplit in the other. Correct the one that is wrong."
        )
    word_problems = _wrong_class(name, class_path)
    word_problems += _wrong(config, {} if pre_split else _OF_WORDS, config_path)
    plain = {key: _content(config.get(key)) for key in _OF_PIECES}
    problems = _wrong(plain, _OF_PIECES, config_path)
    said = _case(config.get("do_lower_case"), config.get("strip_accents"), config_path)
    if described is not None:
        model_problems = _wrong(described["model"] or {}, _IN_MODEL, path, "model.")
        if not model_problems:
            _check_same_tokens(described["model"] or {}, path, os.path.join(folder, "vocab.txt"))
        problems += model_problems
        word_problems += () if pre_split else _wrong_stages(described, path)
        normalizer = described.get("normalizer") or {}
        if normalizer.get("type") == "BertNormalizer" or pre_split:
            case = normalizer.get("lowercase", False), normalizer.get("strip_accents")
            theirs = _case(*case, f"{path}: normalizer")
            _check_agreement(said, theirs, config, config_path, path)
            said = {**theirs, **said}
    if said.get("strip_accents") and said.get("do_lower_case") is False:
        place = config_path if config.get("strip_accents") else path
        problems += (f"{place}: strip_accents is true though letters keep their case",)
        said["strip_accents"] = False
    return TokenizerSettings(
        WORDPIECE,
        "vocab.txt",
        said.get("do_lower_case"),
        said.get("strip_accents"),
        pre_split=pre_split,
        added_tokens=added,
        is_binding=False,
        problems=problems,
        word_problems=word_problems,
    )


def _read(path: str, shape: Mapping[str, type]) -> Any:
    """The value of a file; if it is an object, keys that are not null have the type given."""
    stored = read_json(path, object)
    if isinstance(stored, dict):
        check_keys(stored, {key: kind for key, kind in shape.items() if stored.get(key)}, path)
    return stored


def _class_of_model(path: str) -> str | None:
    """`tokenizer_class` of a config.json; what else may be wrong with that is for its readers."""
    try:
        return read_json(path).get("tokenizer_class") if exists(path) else None
    except ValueError:
        return None


def _wrong_class(name: Any, path: str) -> tuple[str, ...]:
    if name is None or str(name).removesuffix("Fast") in TOKENIZER_CLASSES:
        return ()
    return (
        f"{path}: tokenizer_class is expected to be one of {', '.join(TOKENIZER_CLASSES)}, with or "
        f"without Fast, but is {_shown(name)}",
    )


def _wrong(
    found: Mapping[str, Any], allowed: Mapping[str, tuple], path: str, prefix: str = ""
) -> tuple[str, ...]:
    """A phrase for each value that is not allowed."""
    return tuple(
        f"{path}: {prefix}{key} is expected to be {' or '.join(map(_shown, values))}, but is "
        f"{_shown(found[key])}"
        for key, values in allowed.items()
        if found.get(key) is not None and found[key] not in values
    )


def _wrong_stages(described: Mapping[str, Any], path: str) -> tuple[str, ...]:
    normalizer, pre_tokenizer = (
        described.get(stage) or {} for stage in ("normalizer", "pre_tokenizer")
    )
    if not normalizer:  # nothing is removed then, and ideographs are parts of words
        problems: tuple[str, ...] = (f"{path}: normalizer is null",)
    else:
        problems = _wrong(normalizer, {"type": ("BertNormalizer",)}, path, "normalizer.")
    flags = {"clean_text": (True,), "handle_chinese_chars": (True,)}
    problems += _wrong(_only_flags(normalizer), flags, path, "normalizer.")
    # No pre-tokenizer at all would make a word of each text: the file says nothing of it.
    expected = {"type": ("BertPreTokenizer",)}
    return problems + _wrong(pre_tokenizer, expected, path, "pre_tokenizer.")


def _only_flags(normalizer: Mapping[str, Any]) -> dict[str, Any]:
    if normalizer.get("type") != "BertNormalizer":
        return {}
    return {name: normalizer.get(name) for name in ("clean_text", "handle_chinese_chars")}


def _is_pre_split(described: Mapping[str, Any]) -> bool:
    """Whether words are what white space separates, and nothing is removed from them."""
    normalizer = described.get("normalizer") or {}
    if (described.get("pre_tokenizer") or {}).get("type") != "WhitespaceSplit":
        return False
    is_bert = normalizer.get("type") == "BertNormalizer"
    flags = _only_flags(normalizer).values()
    return not normalizer or (is_bert and all(flag is False for flag in flags))


def _case(lower: Any, accents: Any, where: str) -> dict[str, bool]:
    """do_lower_case and strip_accents as far as they are said; accents follow case by default."""
    for name, value in (("do_lower_case", lower), ("strip_accents", accents)):
        if not isinstance(value, bool | None):
            raise ValueError(
                f"{where}: {name} is expected to be true, false or null, but is {_shown(value)}."
            )
    accents = lower if accents is None else accents
    said = {"do_lower_case": lower, "strip_accents": accents}
    return {name: value for name, value in said.items() if value is not None}


def _check_agreement(
    ours: Mapping[str, bool],
    theirs: Mapping[str, bool],
    config: Mapping[str, Any],
    config_path: str,
    path: str,
):
    names = {"do_lower_case": "lowercase", "strip_accents": "strip_accents"}
    for name, value in ours.items():
        if theirs.get(name, value) != value:
            follows = " as do_lower_case" if config.get(name) is None else ""
            raise ValueError(
                f"{config_path} and {path} disagree: {name} is {_shown(value)}{follows} in the "
                f"one, normalizer.{names[name]} {_shown(theirs[name])} in the other. Correct the "
                "one that is wrong."
            )


def _check_same_tokens(model: Mapping[str, Any], path: str, lines_path: str):
    """Raises a ValueError if a folder's tokenizer.json and vocab.txt list different tokens."""
    if not model.get("vocab") or not exists(lines_path):
        return
    in_lines = vocabulary_file.split(read_text(lines_path))
    in_json = vocabulary_file.in_order(model["vocab"], f"{path}: model.vocab")
    # What repeats is found by its last id; the library strips white space from ends of lines.
    ids, others = (
        {token.rstrip(): number for number, token in enumerate(tokens) if token.rstrip()}
        for tokens in (in_lines, in_json)
    )
    differing = ids.items() ^ others.items()
    if differing:
        first = min(number for _, number in differing)
        line, key = (
            repr(shortened(tokens[first], 40)) if first < len(tokens) else "no token"
            for tokens in (in_lines, in_json)
        )
        raise ValueError(
            f"{lines_path} and {path} disagree: the token {first} is {line} in the one, {key} in "
            "the other. Correct the one that is wrong."
        )


# ---- Added tokens


def _added_tokens(
    folder: str, described: Mapping[str, Any], config: Mapping[str, Any]
) -> tuple[AddedToken, ...]:
    """Those of all files, each once."""
    found: dict[str, tuple[AddedToken, str]] = {}

    def add(token: AddedToken, path: str):
        earlier, place = found.setdefault(token.content, (token, path))
        # Of the flags of the usual special tokens nothing is taken.
        is_same = token.id == earlier.id if token.content in SPECIAL_TOKENS else token == earlier
        if not is_same:
            raise ValueError(
                f"{place} and {path} disagree on the added token {token.content!r}: "
                f"{_shown(dataclasses.asdict(earlier))} in the one, "
                f"{_shown(dataclasses.asdict(token))} in the other. Correct the one that is wrong."
            )

    path = os.path.join(folder, TOKENIZER_FILE)
    for entry in described.get("added_tokens") or ():
        add(_token(entry, path), path)
    path = os.path.join(folder, CONFIG_FILE)
    for number, entry in (config.get("added_tokens_decoder") or {}).items():
        if not number.isdecimal() or not isinstance(entry, dict):
            raise ValueError(
                f"{path}: added_tokens_decoder is expected to have an object for each id, but has "
                f"{_shown({number: entry})}."
            )
        add(_token({**entry, "id": int(number)}, path), path)
    special = {token.content: (token, path) for token in _special(config, path)}
    path = os.path.join(folder, "special_tokens_map.json")
    if exists(path):
        special |= {token.content: (token, path) for token in _special(read_json(path), path)}
    path = os.path.join(folder, "added_tokens.json")
    for content, number in (read_json(path) if exists(path) else {}).items():
        check_keys({content: number}, {content: int}, path)
        unknown = AddedToken(
            content, number, normalized=content not in special, special=content in special
        )
        # This file has no flags: they are those of the other files.
        add(dataclasses.replace(found.get(content, (unknown,))[0], id=number), path)
    for content, place in special.items():
        if content not in SPECIAL_TOKENS:
            found.setdefault(content, place)
    return tuple(token for token, _ in found.values())


def _token(entry: Any, path: str) -> AddedToken:
    if not isinstance(entry, dict):
        raise ValueError(f"{path}: an added token is expected to be an object, but is {entry!r}.")
    check_keys(entry, {"content": str, "id": int}, f"{path}, an added token")
    flags = {name: entry[name] for name in _FLAGS if name in entry}
    check_keys(flags, dict.fromkeys(flags, bool), f"{path}, the added token {entry['content']!r}")
    flags.setdefault("normalized", not flags.get("special", False))
    return AddedToken(entry["content"], entry["id"], **flags)


def _special(stored: Mapping[str, Any], path: str) -> Iterator[AddedToken]:
    """Special tokens beside the usual five, which transformers adds wherever they are."""
    for key in ("additional_special_tokens", "extra_special_tokens"):
        values = stored.get(key) or ()
        if not isinstance(values, list | dict | tuple):
            raise ValueError(f"{path}: {key} is expected to be a JSON list, but is {values!r}.")
        for value in values.values() if isinstance(values, dict) else values:
            entry = value if isinstance(value, dict) else {"content": value}
            flags = {name: entry[name] for name in _FLAGS[:3] if name in entry}
            check_keys({**entry, **flags}, {"content": str, **dict.fromkeys(flags, bool)}, path)
            yield AddedToken(entry["content"], None, **flags, normalized=False, special=True)


def _content(value: Any) -> Any:
    """A token may be written as an object with its flags."""
    return value.get("content") if isinstance(value, dict) else value


def _shown(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False), 300)
