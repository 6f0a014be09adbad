# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hugging Face folders: another tokenizer than BERT's is refused, what is added to one is taken."""

import copy
import json

import pytest

from electra_tf import text
from electra_tf.text.vocabulary import AddedToken

TOKENS = [*text.SPECIAL_TOKENS, *"abc[]", "##b", "##c", "日", "日本", "##。"]
VOCABULARY = {token: number for number, token in enumerate(TOKENS)}
BERT = {
    "version": "1.0",
    "added_tokens": [
        {"id": number, "content": token, "special": True, "normalized": False}
        for number, token in enumerate(text.SPECIAL_TOKENS)
    ],
    "normalizer": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": False,
    },
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {
        "type": "WordPiece",
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": VOCABULARY,
    },
}


def folder_with(folder, config=None, described=None, **files):
    """A folder with vocab.txt and what else is given; `described` replaces parts of tokenizer.json.

    Keys of `described` are paths such as "model.type".
    """
    text.save_vocabulary(TOKENS, folder / "vocab.txt")
    files = {**files, "tokenizer_config": config}
    if described is not None:
        files["tokenizer"] = stored = copy.deepcopy(BERT)
        for path, value in described.items():
            *parents, last = path.split(".")
            place = stored
            for parent in parents:
                place = place[parent]
            place[last] = value
    for name, content in files.items():
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def ids_of(folder, line, **choice):
    return text.load_tokenizer(folder / "vocab.txt", **choice)([line]).to_list()[0]


SPLIT_OTHERWISE = [
    (
        {"tokenizer_class": "BertJapaneseTokenizer"},
        "tokenizer_config.json: tokenizer_class .*BertJ",
    ),
    (
        {"tokenizer_class": "XLNetTokenizer"},
        'tokenizer_class is expected.*, but is "XLNetTokenizer"',
    ),
    (
        {"word_tokenizer_type": "mecab"},
        'word_tokenizer_type is expected to be "basic", but is "mec',
    ),
    ({"word_tokenizer_type": "sudachi"}, 'but is "sudachi"'),
    ({"do_basic_tokenize": False}, "do_basic_tokenize is expected to be true, but is false"),
    ({"never_split": ["[X]"]}, r'never_split is expected to be \[\], but is \["\[X\]"\]'),
    ({"tokenize_chinese_chars": False}, "tokenize_chinese_chars is expected to be true"),
]
OTHER_PIECES = [
    ({"subword_tokenizer_type": "character"}, 'subword_tokenizer_type .*but is "character"'),
    ({"cls_token": {"content": "<s>"}}, r'cls_token is expected to be "\[CLS\]", but is "<s>"'),
    ({"do_lower_case": False, "strip_accents": True}, "strip_accents is true though letters keep"),
]
OTHER_STAGES = [
    ({"pre_tokenizer": {"type": "Metaspace"}}, 'pre_tokenizer.type .*but is "Metaspace"'),
    ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": []}}, 'but is "Sequence"'),
    ({"pre_tokenizer": {"type": "WhitespaceSplit"}}, 'pre_tokenizer.type .* "WhitespaceSplit"'),
    (
        {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}},
        'tokenizer.json: normalizer.type is expected to be "BertNormalizer", but is "Sequence"',
    ),
    ({"normalizer": {"type": "NFKC"}}, 'but is "NFKC"'),
    ({"normalizer": None}, "normalizer is null"),
    ({"normalizer.clean_text": False}, "normalizer.clean_text is expected to be true"),
    ({"normalizer.handle_chinese_chars": False}, "normalizer.handle_chinese_chars"),
]
OTHER_MODELS = [
    ({"model.type": "Unigram"}, 'tokenizer.json: model.type is expected .*, but is "Unigram"'),
    ({"model.type": "BPE"}, 'but is "BPE"'),
    ({"model.continuing_subword_prefix": "@@"}, "model.continuing_subword_prefix"),
    ({"model.max_input_chars_per_word": 20}, "max_input_chars_per_word .* 200 or 100, but is 20"),
]


@pytest.mark.parametrize(
    ("config", "described", "message"),
    [
        *((config, None, message) for config, message in SPLIT_OTHERWISE + OTHER_PIECES),
        *((None, described, message) for described, message in OTHER_STAGES + OTHER_MODELS),
    ],
)
def test_another_tokenizer_is_refused(tmp_path, config, described, message):
    folder_with(tmp_path, config, described)
    for call in (text.load_tokenizer, text.stored_settings):
        for path in (tmp_path, tmp_path / "vocab.txt"):
            with pytest.raises(ValueError, match=f"{message}.*Give tokenizer 'bert'"):
                call(path)
    assert text.load_tokenizer(tmp_path, tokenizer="bert").vocabulary.tokens == tuple(TOKENS)
    # Of the tokens themselves nothing is wrong, nor of vocabularies that the files are not about.
    assert text.load_vocabulary(tmp_path).tokens == tuple(TOKENS)
    text.save_vocabulary(TOKENS, tmp_path / "other.txt")
    assert text.load_tokenizer(tmp_path / "other.txt").vocabulary.tokens == tuple(TOKENS)


def test_the_class_may_stand_in_the_models_configuration(tmp_path):
    folder_with(tmp_path)
    (tmp_path / "config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    with pytest.raises(ValueError, match=r"/config\.json: tokenizer_class .*BertJapaneseTokenizer"):
        text.load_tokenizer(tmp_path)
    folder_with(tmp_path, {"tokenizer_class": "BertTokenizer"})
    assert ids_of(tmp_path, "ab") == [VOCABULARY["a"], VOCABULARY["##b"]]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"tokenizer_class": None, "never_split": None, "do_basic_tokenize": True},
        {"tokenizer_class": "ElectraTokenizerFast", "never_split": [], "strip_accents": None},
        {"tokenizer_class": "PreTrainedTokenizerFast", "mask_token": {"content": "[MASK]"}},
        {"tokenizer_class": "TokenizersBackend", "model_max_length": 512},
        {"tokenizer_class": "DistilBertTokenizer", "word_tokenizer_type": "basic"},
    ],
)
def test_berts_tokenizer_is_taken(tmp_path, config):
    folder_with(tmp_path, config, {})
    assert ids_of(tmp_path, "ab日") == [VOCABULARY[token] for token in ("a", "##b", "日")]
    assert text.load_tokenizer(tmp_path).do_lower_case is False


def test_words_split_before_need_no_rule_to_split_them(tmp_path):
    for number, (config, _) in enumerate(SPLIT_OTHERWISE):
        (tmp_path / str(number)).mkdir()
        folder = folder_with(tmp_path / str(number), {**config, "do_lower_case": False})
        expected = [VOCABULARY[token] for token in ("日本", "##。", "日")]
        assert ids_of(folder, "日本。 日", pre_split=True) == expected
        assert text.stored_settings(folder, pre_split=True)["pre_split"] is True
        assert ids_of(folder, "日本。 日", tokenizer="bert")[0] == VOCABULARY["日"]
    for number, (config, message) in enumerate(OTHER_PIECES):
        (tmp_path / f"p{number}").mkdir()
        folder_with(tmp_path / f"p{number}", config)
        with pytest.raises(ValueError, match=message):
            text.load_tokenizer(tmp_path / f"p{number}", pre_split=True)


def test_a_folder_can_say_that_words_are_split_before(tmp_path):
    described = {"pre_tokenizer": {"type": "WhitespaceSplit"}, "normalizer": None}
    folder_with(tmp_path, {"do_basic_tokenize": False}, described)
    assert text.stored_settings(tmp_path) == {
        "do_lower_case": False,
        "strip_accents": False,
        "pre_split": True,
    }
    assert ids_of(tmp_path, "日本。") == [VOCABULARY["日本"], VOCABULARY["##。"]]
    assert ids_of(tmp_path, "日本。", tokenizer="bert")[0] == VOCABULARY["日"]
    with pytest.raises(ValueError, match="words are split before, but pre_split is false"):
        text.load_tokenizer(tmp_path, pre_split=False)


@pytest.mark.parametrize(
    ("config", "described", "message"),
    [
        (
            {"do_lower_case": True},
            {},
            r"tokenizer_config\.json and .*/tokenizer\.json disagree: do_lower_case is true in the "
            r"one, normalizer\.lowercase false in the other",
        ),
        (
            {"do_lower_case": True, "strip_accents": False},
            {"normalizer.lowercase": True},
            r"strip_accents is false in the one, normalizer\.strip_accents true",
        ),
        (
            {"do_basic_tokenize": True},
            {"pre_tokenizer.type": "WhitespaceSplit", "normalizer": None},
            "do_basic_tokenize is true in the one, pre_tokenizer.type WhitespaceSplit in the other",
        ),
        (
            {"do_lower_case": True},
            {"normalizer.lowercase": True, "normalizer.strip_accents": False},
            r"strip_accents is true as do_lower_case in the one, normalizer\.strip_accents false",
        ),
        (
            {"added_tokens_decoder": {"9": {"content": "new", "lstrip": True}}},
            {"added_tokens": [{"id": 9, "content": "new"}]},
            'disagree on the added token \'new\'.*"lstrip": false.*"lstrip": true',
        ),
        (
            {"added_tokens_decoder": {"7": {"content": "[CLS]"}}},
            {},
            r"disagree on the added token '\[CLS\]'",
        ),
    ],
)
def test_files_that_disagree_are_an_error(tmp_path, config, described, message):
    folder_with(tmp_path, config, described)
    for choice in ({}, {"tokenizer": "bert"}, {"pre_split": True}):
        with pytest.raises(ValueError, match=message):
            text.load_tokenizer(tmp_path, **choice)


@pytest.mark.parametrize(
    ("config", "described"),
    [
        ({"do_lower_case": True, "strip_accents": None}, {"normalizer.lowercase": True}),
        ({"strip_accents": True}, {"normalizer.lowercase": True, "normalizer.strip_accents": True}),
        ({"do_lower_case": None}, {"normalizer.lowercase": True}),
    ],
)
def test_accents_follow_case_where_nothing_is_said(tmp_path, config, described):
    folder_with(tmp_path, config, described)
    expected = {"do_lower_case": True, "strip_accents": True}
    assert text.stored_settings(tmp_path) == expected


@pytest.mark.parametrize(
    ("config", "described", "message"),
    [
        ({"do_lower_case": 1}, None, "do_lower_case is expected to be true, false or null"),
        (
            {"added_tokens_decoder": ["x"]},
            None,
            "'added_tokens_decoder' is expected to be a JSON obj",
        ),
        (
            {"added_tokens_decoder": {"x": {}}},
            None,
            "added_tokens_decoder is expected to have an obj",
        ),
        (None, {"added_tokens": ["new"]}, "an added token is expected to be an object"),
        (
            None,
            {"added_tokens": [{"content": "x", "id": "9"}]},
            "'id' is expected to be an integer",
        ),
        (None, {"normalizer": "lower"}, "'normalizer' is expected to be a JSON object"),
        (
            {"extra_special_tokens": "[E]"},
            None,
            "extra_special_tokens is expected to be a JSON list",
        ),
        ({"additional_special_tokens": [5]}, None, "'content' is expected to be a string"),
    ],
)
def test_wrong_files(tmp_path, config, described, message):
    folder_with(tmp_path, config, described)
    with pytest.raises(ValueError, match=rf"tokenizer(_config)?\.json.*{message}"):
        text.load_tokenizer(tmp_path)


NEXT = len(TOKENS)
URL = {"id": NEXT, "content": "[URL]", "rstrip": True, "normalized": False}


@pytest.mark.parametrize(
    "files",
    [
        {"described": {"added_tokens": [*BERT["added_tokens"], URL]}},
        {"config": {"added_tokens_decoder": {str(NEXT): URL}}},
        {
            "described": {"added_tokens": [URL]},
            "config": {"added_tokens_decoder": {str(NEXT): URL}},
            "added_tokens": {"[URL]": NEXT},
        },
    ],
)
def test_added_tokens_are_taken_from_all_files(tmp_path, files):
    folder_with(tmp_path, **files)
    tokenizer = text.load_tokenizer(tmp_path)
    assert tokenizer.vocabulary.added == (AddedToken("[URL]", NEXT, rstrip=True, normalized=False),)
    assert tokenizer(["a[URL] b"]).to_list() == [[VOCABULARY["a"], NEXT, VOCABULARY["b"]]]


@pytest.mark.parametrize("content", ["", "\ud800", "a\0b"])
def test_added_tokens_that_are_no_text(tmp_path, content):
    folder_with(tmp_path, described={"added_tokens": [{"content": content, "id": NEXT}]})
    with pytest.raises(ValueError, match="token is expected to be text of one or more characters"):
        text.load_tokenizer(tmp_path)


@pytest.mark.parametrize("vocab", [None, [], {"[PAD]": "0"}, {"[PAD]": 0, "[UNK]": None}])
def test_a_vocabulary_inside_the_file_that_is_wrong(tmp_path, vocab):
    folder_with(tmp_path, described={"model.vocab": vocab})
    (tmp_path / "vocab.txt").unlink()
    with pytest.raises(ValueError, match=r"tokenizer\.json: model.*expected to count from 0"):
        text.load_tokenizer(tmp_path)


def test_an_added_token_that_normalization_removes(tmp_path):
    folder_with(tmp_path, added_tokens={"\u200d": NEXT})
    with pytest.raises(ValueError, match=r"vocab\.txt: the added token .* cannot be matched"):
        text.load_tokenizer(tmp_path)


def test_added_tokens_without_flags(tmp_path):
    folder_with(
        tmp_path,
        config={"additional_special_tokens": ["[E]", "c"]},
        added_tokens={"[URL]": NEXT, "[E]": NEXT + 1},
        special_tokens_map={"additional_special_tokens": ["[F]"], "cls_token": "[CLS]"},
    )
    found = text.load_vocabulary(tmp_path).added
    special = {"normalized": False, "special": True}
    assert found == (
        AddedToken("[URL]", NEXT),
        AddedToken("[E]", NEXT + 1, **special),
        AddedToken("c", VOCABULARY["c"], **special),
        AddedToken("[F]", NEXT + 2, **special),
    )


def test_another_choice_of_tokenizer(tmp_path):
    folder_with(tmp_path)
    with pytest.raises(ValueError, match="tokenizer is expected to be null or 'bert', but is 'mec"):
        text.load_tokenizer(tmp_path, tokenizer="mecab")


def places(value, place=()):
    """The places of all parts of a value of JSON."""
    yield place
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*place, key))


def replaced(value, place, part):
    if not place:
        return part
    value = copy.copy(value)
    value[place[0]] = replaced(value[place[0]], place[1:], part)
    return value


ODD = (None, True, 0, -1, 1e308, 10**30, "", "x", "\ud800", [], {}, [1], [[]], {"content": "x"})
GOOD = {
    "tokenizer": {**BERT, "added_tokens": [*BERT["added_tokens"], URL]},
    "tokenizer_config": {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,
        "never_split": None,
        "added_tokens_decoder": {str(NEXT): URL},
        "additional_special_tokens": ["[E]"],
        "cls_token": {"content": "[CLS]"},
    },
    "added_tokens": {"[URL]": NEXT},
    "special_tokens_map": {"additional_special_tokens": ["[E]"]},
    "config": {"tokenizer_class": "BertTokenizer"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("has_vocabulary", [True, False])
def test_no_odd_value_is_a_traceback(tmp_path, name, has_vocabulary):
    if has_vocabulary:
        text.save_vocabulary(TOKENS, tmp_path / "vocab.txt")
    for file, content in GOOD.items():
        (tmp_path / f"{file}.json").write_text(json.dumps(content))
    assert len(text.load_vocabulary(tmp_path)) == NEXT + 2
    for place in places(GOOD[name]):
        for part in ODD:
            changed = json.dumps(replaced(GOOD[name], place, part))
            (tmp_path / f"{name}.json").write_text(changed)
            try:
                text.stored_settings(tmp_path)
                text.load_vocabulary(tmp_path)
            except ValueError as error:
                assert str(tmp_path) in str(error), (place, part)
                assert not isinstance(error, UnicodeError), (place, part)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["x" if token == "b" else token for token in TOKENS], "token 6 is 'b' .*, 'x' in"),
        (TOKENS[:-1], "token 14 is '##。' in the one, no token in"),
        ([*TOKENS, "d"], "token 15 is no token in the one, 'd' in"),
    ],
)
def test_files_with_different_tokens_are_refused(tmp_path, tokens, said):
    vocabulary = {token: number for number, token in enumerate(tokens)}
    folder = folder_with(tmp_path, None, {"model.vocab": vocabulary})
    for path in (folder, folder / "tokenizer.json"):
        with pytest.raises(ValueError, match=f"vocab.txt and .*tokenizer.json disagree: .*{said}"):
            text.load_tokenizer(path)


def test_repeated_tokens_and_white_space_at_ends_of_lines_are_no_difference(tmp_path):
    folder = folder_with(tmp_path, None, {"model.vocab": {**VOCABULARY, "b": 15, "e": 16}})
    text.save_vocabulary([*TOKENS, "b", "e\u2028", "\u2028", ""], folder / "vocab.txt")
    assert ids_of(folder, "b") == [15]
