# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`tokenizer.json`: settings are found, held to, and told apart from Hugging Face's file."""

import json

import pytest
import tokenizers
from tokenizers import models, normalizers

from electra_tf import text
from electra_tf.text import settings_file

TOKENS = [*text.SPECIAL_TOKENS, "cafe", "café", "Café"]
KEPT = {"do_lower_case": False, "strip_accents": False}


def make_vocabulary(folder, **settings):
    """A vocab.txt, and a tokenizer.json with changed settings if there are any."""
    text.save_vocabulary(TOKENS, folder / "vocab.txt")
    if settings:
        text.save_tokenizer(text.load_tokenizer(folder / "vocab.txt"), folder)
        change(folder, **settings)


def change(folder, **settings):
    path = folder / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def write_huggingface(folder, lowercase, accents=None):
    ids = {token: number for number, token in enumerate(TOKENS)}
    made = tokenizers.Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=accents)
    made.save(str(folder / "tokenizer.json"))


def token_of(tokenizer, word="Café"):
    (found,) = tokenizer([word]).to_list()[0]
    return tokenizer.vocabulary.token_of(found)


def test_a_saved_tokenizer_is_loaded_with_its_settings(tmp_path):
    text.save_vocabulary(TOKENS, tmp_path / "v.txt")
    for lower, accents, token in [
        (True, True, "cafe"),
        (True, False, "café"),
        (False, False, "Café"),
    ]:
        folder = tmp_path / token
        made = text.load_tokenizer(tmp_path / "v.txt", lower, accents)
        text.save_tokenizer(made, folder)
        assert sorted(p.name for p in folder.iterdir()) == ["tokenizer.json", "vocab.txt"]
        for path in (folder, folder / "vocab.txt", folder / "tokenizer.json"):
            found = text.load_tokenizer(path)
            assert found.settings == made.settings
            assert token_of(found) == token
        assert text.stored_settings(folder) == {"do_lower_case": lower, "strip_accents": accents}


def test_without_settings_the_defaults_are_the_originals(tmp_path):
    make_vocabulary(tmp_path)
    assert token_of(text.load_tokenizer(tmp_path)) == "cafe"
    assert token_of(text.load_tokenizer(tmp_path, strip_accents=False)) == "café"
    assert text.stored_settings(tmp_path / "vocab.txt") == {}
    assert text.stored_settings(tmp_path / "absent.txt") == {}


def test_other_settings_than_those_stored_are_an_error(tmp_path):
    make_vocabulary(tmp_path, **KEPT)
    assert token_of(text.load_tokenizer(tmp_path, False)) == "Café"
    # As the original: accents are stripped only where letters are lower-cased.
    assert token_of(text.load_tokenizer(tmp_path, False, True)) == "Café"
    with pytest.raises(ValueError, match=r"vocab\.txt was made with do_lower_case False .*True"):
        text.load_tokenizer(tmp_path, do_lower_case=True)


def test_settings_count_for_their_own_file_only(tmp_path):
    make_vocabulary(tmp_path, **KEPT)
    text.save_vocabulary(TOKENS, tmp_path / "other.txt")
    assert token_of(text.load_tokenizer(tmp_path / "other.txt")) == "cafe"
    assert token_of(text.load_tokenizer(tmp_path)) == "Café"


def test_settings_of_another_file_are_not_written_over(tmp_path):
    make_vocabulary(tmp_path, do_lower_case=True)
    with pytest.raises(FileExistsError, match=r"describes vocab\.txt, so the settings of b\.txt"):
        settings_file.check_free(str(tmp_path), "b.txt")
    (tmp_path / "vocab.txt").unlink()
    settings_file.check_free(str(tmp_path), "b.txt")


@pytest.mark.parametrize(
    ("lowercase", "accents", "token"),
    [(True, None, "cafe"), (True, False, "café"), (False, None, "Café")],
)
def test_hugging_faces_file_gives_defaults_and_tokens(tmp_path, lowercase, accents, token):
    write_huggingface(tmp_path, lowercase, accents)
    assert token_of(text.load_tokenizer(tmp_path)) == token
    assert text.load_vocabulary(tmp_path / "tokenizer.json").tokens == tuple(TOKENS)
    make_vocabulary(tmp_path)
    assert token_of(text.load_tokenizer(tmp_path)) == token
    assert token_of(text.load_tokenizer(tmp_path / "vocab.txt")) == token
    # There, the word of tokenizer_config.json is the last one: whoever read it passes it on.
    assert token_of(text.load_tokenizer(tmp_path, do_lower_case=True, strip_accents=True)) == "cafe"


def test_hugging_faces_file_is_not_written_over(tmp_path):
    write_huggingface(tmp_path, True)
    text.save_vocabulary(TOKENS, tmp_path / "vocab.txt")
    before = (tmp_path / "tokenizer.json").read_bytes()
    with pytest.raises(FileExistsError, match=r"tokenizer\.json is Hugging Face's"):
        text.save_tokenizer(text.load_tokenizer(tmp_path), tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == before


def test_files_of_others_are_left_aside(tmp_path):
    make_vocabulary(tmp_path)
    for content in ('{"lines": []}', "[1]"):
        (tmp_path / "tokenizer.json").write_text(content)
        assert token_of(text.load_tokenizer(tmp_path)) == "cafe"


def test_other_names_for_special_tokens(tmp_path):
    names = {"pad": "<p>", "unk": "<u>", "cls": "<c>", "sep": "<s>", "mask": "<m>"}
    make_vocabulary(tmp_path, special_tokens=names)
    (tmp_path / "vocab.txt").write_text("a\n<m>\n<s>\n<c>\n<u>\n<p>\n")
    tokenizer = text.load_tokenizer(tmp_path)
    vocabulary = tokenizer.vocabulary
    assert vocabulary.special_ids == (5, 4, 3, 2, 1)
    assert vocabulary.never_masked_ids == (3, 2, 1)
    assert tokenizer(["a b"]).to_list() == [[0, 4]]
    assert tokenizer.settings["special_tokens"] == ["<p>", "<u>", "<c>", "<s>", "<m>"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"kind": "bytes"},
            r"tokenizer\.json: kind is expected .* wordpiece, sentencepiece, but",
        ),
        ({"do_lower_case": 1}, "'do_lower_case' is expected to be true or false, but is 1"),
        ({"special_tokens": {"pad": "x"}}, "special_tokens is expected to be"),
        ({"version": 7}, "version is expected to be 1, but is 7"),
        ({"more": 1}, "unknown key 'more'"),
        ({"file": "absent.txt"}, r"absent\.txt does not exist"),
    ],
)
def test_wrong_settings(tmp_path, settings, message):
    make_vocabulary(tmp_path, **settings)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        text.load_tokenizer(tmp_path)


def test_damaged_names_of_special_tokens_are_a_short_error_that_can_be_written(tmp_path):
    names = {"pad": "\ud800", "unk": "y" * 5000, "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    make_vocabulary(tmp_path, special_tokens=names)
    with pytest.raises(ValueError, match=r"vocab\.txt must hold the special tokens") as error:
        text.load_tokenizer(tmp_path)
    assert len(str(error.value).encode()) < 1000


def test_what_is_no_json(tmp_path):
    make_vocabulary(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"format": "elec')
    with pytest.raises(ValueError, match=r"tokenizer\.json is expected to be JSON"):
        text.load_tokenizer(tmp_path / "vocab.txt")
