# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import hashlib
import json

import pytest

from electra_tf import text

SPECIAL = list(text.SPECIAL_TOKENS)


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_ids_are_line_numbers(tmp_path):
    tokens = ["a", *SPECIAL, "##b"]
    vocabulary = text.load_vocabulary(write(tmp_path / "v.txt", "\n".join(tokens) + "\n"))
    assert vocabulary.tokens == tuple(tokens)
    assert len(vocabulary) == 7
    assert (vocabulary.pad_id, vocabulary.unk_id, vocabulary.cls_id) == (1, 2, 3)
    assert (vocabulary.sep_id, vocabulary.mask_id) == (4, 5)
    assert vocabulary.special_ids == (1, 2, 3, 4, 5)
    assert vocabulary.token_of(6) == "##b"
    assert vocabulary.id_of("##b") == 6
    assert vocabulary.sha256 == hashlib.sha256("\n".join(tokens).encode()).hexdigest()


def test_line_ends_do_not_matter(tmp_path):
    unix = text.load_vocabulary(write(tmp_path / "unix", "\n".join(SPECIAL)))
    windows = text.load_vocabulary(write(tmp_path / "windows", "\r\n".join(SPECIAL) + "\r\n"))
    assert unix == windows
    assert unix.sha256 == windows.sha256


def test_only_newlines_end_a_line(tmp_path):
    tokens = [*SPECIAL, "a\u2028b"]
    assert text.load_vocabulary(write(tmp_path / "v", "\n".join(tokens))).tokens == tuple(tokens)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"v\.txt is empty"),
        ("\n\n", r"v\.txt is empty"),
        ("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", r"v\.txt must hold .*; missing: \[MASK\]"),
        ("[PAD] \n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", r"missing: \[PAD\].*'\[PAD\] ', with white sp"),
        ("the\nof\n", r"missing: \[PAD\] .*words without special tokens \('the'\).*\.model file"),
        ("the 23\nof\t20\n", r"v\.txt must .*words with their counts \('the 23'\).*\.model file"),
        ("<unk>\t0\n<s>\t0\n▁the\t-3.28\n▁\t-1e-05\n", r"pieces with scores, .*\.model file"),
        ("<unk>\t0\r\n▁a\t-0\r\n▁of\t-1\r\n", r"SentencePiece .*'<unk>\\t0'.*\.model file"),
        (b"[PAD]\n\xff\n", r"v\.txt, line 2: expected UTF-8"),
    ],
)
def test_errors_name_file_and_line(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        text.load_vocabulary(write(tmp_path / "v.txt", content))


TWICE = [*SPECIAL, "a", "##b", "a", "c", "##b", "[PAD]"]


@pytest.mark.parametrize(
    ("tokens", "of_text"),
    [
        ([*SPECIAL, "a", "", "c", "", "##b"], [5, 9, 7]),  # empty lines, as in no vocabulary
        (
            [*SPECIAL, "\u2028", "a", "##\u2028", "c", "##b", "\u3000", " "],
            [6, 9, 8],
        ),  # Chinese BERT
        ([*SPECIAL, "a", " a", "a ", "c", "##b", "##b "], [5, 9, 8]),
        (TWICE, [7, 9, 8]),
        ([*SPECIAL, "a", "##b", "c", "a c", "a\tc", "[unused1]", "\0", "a\0b", "\x7f"], [5, 6, 7]),
        ([*SPECIAL, "a", "##b", "c", "\ufffd5", "\ufffd", "##\ufffd", "\U000f0000"], [5, 6, 7]),
        ([*SPECIAL, "x" * 201, "##" + "b" * 300, "a", "##b", "c", "x" * 1000], [7, 8, 9]),
        (SPECIAL, [1, 1]),
    ],
)
def test_tokens_that_match_nothing_keep_their_ids(tmp_path, tokens, of_text):
    tokenizer = text.load_tokenizer(write(tmp_path / "v.txt", "\n".join([*tokens, ""])))
    vocabulary = tokenizer.vocabulary
    assert vocabulary.tokens == tuple(tokens)
    assert [vocabulary.token_of(number) for number in range(len(vocabulary))] == tokens
    assert tokenizer(["ab c"]).to_list() == [of_text]
    assert tokenizer.of_words(["ab", "c"]).flat_values.numpy().tolist() == of_text
    assert tokenizer.offsets(["ab\u2028c"]).ids.to_list() == [of_text]
    assert tokenizer([f"a{space}c" for space in " \t\u2028\u3000"]).to_list() == (
        [[of_text[0], of_text[-1]]] * 4
    )


def test_of_tokens_that_are_there_twice_the_later_id_counts():
    vocabulary = text.Vocabulary(tuple(TWICE))
    assert (vocabulary.id_of("a"), vocabulary.id_of("##b"), vocabulary.pad_id) == (7, 9, 10)
    assert [vocabulary.token_of(number) for number in (5, 7)] == ["a", "a"]
    assert vocabulary.join(["a", "##b"]) == "ab"
    assert vocabulary.sha256 != text.Vocabulary(tuple(TWICE[:-1])).sha256


def test_empty_lines_at_the_end_need_no_rows():
    vocabulary = text.Vocabulary((*SPECIAL, "", "a", "", ""))
    assert (len(vocabulary), vocabulary.num_rows) == (9, 7)
    text.loading.check_rows(vocabulary, 7, "v.txt")
    with pytest.raises(ValueError, match=r"at least 7, the number of entries of v\.txt, but is"):
        text.loading.check_rows(vocabulary, 6, "v.txt")


def test_one_warning_names_how_many_tokens_match_nothing(tmp_path, caplog):
    tokens = [*SPECIAL, "a", "", "a", "\u2028", "##\u2028", "[unused1]"]
    path = write(tmp_path / "v.txt", "\r\n".join(tokens))
    for _ in range(2):
        text.load_tokenizer(path)
    (message,) = caplog.messages
    assert message == (
        f"{path}: 4 of 11 tokens match no text and keep their ids: 1 empty (id 6), 1 repeated "
        "by a later line (id 5), 2 with white space in it (id 8, ...)."
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_skipped(tmp_path, encoding):
    tokens = (*SPECIAL, "é", "中")
    path = write(tmp_path / "v.txt", "\n".join(tokens).encode(encoding))
    assert text.load_vocabulary(path).tokens == tokens


@pytest.mark.parametrize("token", ["\n", "a\nb", "\r", "a\r", "\ud800"])
def test_a_token_that_is_no_line_is_named(tmp_path, token):
    tokens = (*SPECIAL, "a", token)
    with pytest.raises(ValueError, match=r"but token 6 is '.*'\.$"):
        text.Vocabulary(tokens)
    path = write_json(tmp_path, {token: number for number, token in enumerate(tokens)})
    with pytest.raises(ValueError, match=r"tokenizer\.json: .*without a line end.* token 6 is "):
        text.load_tokenizer(path)


def write_json(folder, ids):
    path = folder / "tokenizer.json"
    stored = {
        "model": {"type": "WordPiece", "vocab": ids},
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    }
    path.write_text(json.dumps(stored))
    return path


def test_a_tokenizer_json_made_from_a_vocabulary_with_a_token_twice(tmp_path):
    """transformers writes it with its later id, and leaves the earlier one out."""
    ids = {token: number for number, token in enumerate([*SPECIAL, "a", "b", "a", "c"])}
    assert sorted(set(range(9)) - set(ids.values())) == [5]
    tokenizer = text.load_tokenizer(write_json(tmp_path, ids))
    assert tokenizer.vocabulary.tokens == (*SPECIAL, "", "b", "a", "c")
    assert tokenizer(["a b c"]).to_list() == [[7, 6, 8]]


@pytest.mark.parametrize(
    "ids", [{"a": 0, "b": 0}, {"a": -1}, {"a": 0.5}, {"a": 10**9}, {}, ["a"], None]
)
def test_ids_of_a_tokenizer_json_that_cannot_be_right(tmp_path, ids):
    with pytest.raises(ValueError, match=r"tokenizer\.json: model.*expected to count from 0"):
        text.load_tokenizer(write_json(tmp_path, ids))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.txt does not exist"):
        text.load_vocabulary(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt does not exist"):
        text.load_tokenizer(tmp_path)


def test_ids_and_tokens_outside_of_the_vocabulary():
    vocabulary = text.Vocabulary(text.SPECIAL_TOKENS)
    with pytest.raises(ValueError, match=r"token_id is expected to be in 0\.\.4, but is 5"):
        vocabulary.token_of(5)
    with pytest.raises(ValueError, match="does not hold 'a'"):
        vocabulary.id_of("a")


def test_tokens_are_checked_before_they_are_written(tmp_path):
    with pytest.raises(ValueError, match="missing"):
        text.save_vocabulary(["[PAD]"], tmp_path / "v.txt")
    assert list(tmp_path.iterdir()) == []
    text.save_vocabulary([*SPECIAL, "a"], tmp_path / "v.txt")
    assert text.load_vocabulary(tmp_path / "v.txt").tokens == (*SPECIAL, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["v.txt"]
