# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import hashlib

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
        ("[PAD]\n[UNK]\na\n[CLS]\n[SEP]\na\n[MASK]\n", r"v\.txt, line 6: .*'a' is on line 3"),
        ("[PAD]\n\n[UNK]\n", r"v\.txt, line 2: expected a token, received an empty line"),
        (b"[PAD]\n\xff\n", r"v\.txt, line 2: expected UTF-8"),
    ],
)
def test_errors_name_file_and_line(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        text.load_vocabulary(write(tmp_path / "v.txt", content))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.txt does not exist"):
        text.load_vocabulary(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt does not exist"):
        text.load_tokenizer(tmp_path)


def test_ids_and_tokens_outside_of_the_vocabulary():
    vocabulary = text.Vocabulary(text.SPECIAL_TOKENS)
    with pytest.raises(ValueError, match=r"token_id must be in 0\.\.4, received 5"):
        vocabulary.token_of(5)
    with pytest.raises(ValueError, match="does not hold 'a'"):
        vocabulary.id_of("a")


def test_tokens_are_checked_before_they_are_written(tmp_path):
    with pytest.raises(ValueError, match="missing"):
        text.save_vocabulary(["[PAD]"], tmp_path / "v.txt")
    with pytest.raises(ValueError, match="twice in it: 'a'"):
        text.save_vocabulary([*SPECIAL, "a", "a"], tmp_path / "v.txt")
    assert list(tmp_path.iterdir()) == []
    text.save_vocabulary([*SPECIAL, "a"], tmp_path / "v.txt")
    assert text.load_vocabulary(tmp_path / "v.txt").tokens == (*SPECIAL, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["v.txt"]
