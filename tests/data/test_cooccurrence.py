# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import json

import numpy as np
import pytest

from electra_tf.data.cooccurrence import count_tokens
from electra_tf.data.corpus import find_sources
from electra_tf.text import load_tokenizer

TOKENS = "[PAD] [UNK] [CLS] [SEP] [MASK] a b c d".split()


@pytest.fixture
def tokenizer(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS))
    return load_tokenizer(tmp_path / "vocab.txt")


def rows(counts):
    """Every block as words with their counts."""
    return [
        {TOKENS[i]: int(n) for i, n in zip(row.indices, row.data, strict=True)} for row in counts
    ]


def count(tmp_path, tokenizer, text, **settings):
    (tmp_path / "corpus.txt").write_text(text)
    return count_tokens(find_sources([str(tmp_path / "corpus.txt")]), tokenizer, **settings)


def test_a_document_is_counted_across_its_lines(tmp_path, tokenizer):
    counts = count(tmp_path, tokenizer, "a b a\nc a\n\nd unknown\n\n\nb\n")
    assert rows(counts) == [{"a": 3, "b": 1, "c": 1}, {"[UNK]": 1, "d": 1}, {"b": 1}]
    assert counts.shape == (3, len(TOKENS)) and counts.dtype == np.float32
    whole = count(tmp_path, tokenizer, "a b\n\nc\n", blanks_separate_docs=False)
    assert rows(whole) == [{"a": 1, "b": 1, "c": 1}]


def test_long_documents_are_cut_evenly(tmp_path, tokenizer):
    counts = count(tmp_path, tokenizer, "a a a b\nb b c\n\nd d\n", block_tokens=3)
    assert rows(counts) == [{"a": 2}, {"a": 1, "b": 1}, {"b": 2, "c": 1}, {"d": 2}]


def test_the_cuts_of_files_do_not_matter(tmp_path, tokenizer, monkeypatch):
    text = "\n\n".join(f"{'a b ' * (i % 7)}c\n{'d ' * (i % 3)}b" for i in range(200)) + "\n"
    expected = rows(count(tmp_path, tokenizer, text, block_tokens=6))
    monkeypatch.setattr("electra_tf.data.reading.CHUNK_BYTES", 300)
    assert rows(count(tmp_path, tokenizer, text, block_tokens=6)) == expected
    assert sum(block.get("c", 0) for block in expected) == 200


def test_a_share_of_json_lines(tmp_path, tokenizer):
    lines = [json.dumps({"body": word}) for word in ["a", "b", "c", "d", "a", "b"]]
    counts = count(
        tmp_path, tokenizer, "\n".join(lines) + "\n", text_field="body", sample_share=0.5
    )
    assert rows(counts) == [{"b": 1}, {"d": 1}, {"b": 1}]


def test_text_without_tokens_is_an_error(tmp_path, tokenizer):
    with pytest.raises(ValueError, match="No token"):
        count(tmp_path, tokenizer, "a\n", sample_share=0.1)
