# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Added tokens and words that were split before: as transformers itself tokenizes."""

import json
import random

import pytest

from electra_tf import text
from electra_tf.interop.huggingface.tokenizer_files import write_tokenizer
from electra_tf.text.vocabulary import AddedToken

transformers = pytest.importorskip("transformers", reason="pip install 'electra-tf[bench]'")

pytestmark = pytest.mark.slow

LETTERS = "abcdelrsu"
TOKENS = [*text.SPECIAL_TOKENS, *LETTERS, *(f"##{c}" for c in LETTERS), *"[]<>@.日本", "[unused1]"]
NEXT = len(TOKENS)
ATOMS = (
    *("[URL]", "[url]", "<user>", " <user>", "日本", "日", "@@", "ab", "[unused1]", "[E1]"),
    *(" ", "  ", "\u3000", "a", "B", "sub", "é", ".", "[", "x"),
)


def lines():
    rng = random.Random(5)
    return ["".join(rng.choices(ATOMS, k=rng.randint(0, 10))) for _ in range(300)]


def same_tokens(ours, theirs):
    found = ours.offsets(lines())
    expected = theirs(lines(), add_special_tokens=False, return_offsets_mapping=True)
    assert found.ids.to_list() == expected["input_ids"]
    for line, starts, ends, offsets in zip(
        lines(),
        found.starts.to_list(),
        found.ends.to_list(),
        expected["offset_mapping"],
        strict=True,
    ):
        bounds = [tuple(len(line[:place].encode()) for place in pair) for pair in offsets]
        assert list(zip(starts, ends, strict=True)) == bounds, line


def folder_with(folder, **files):
    text.save_vocabulary(TOKENS, folder / "vocab.txt")
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return str(folder)


@pytest.mark.parametrize("lower", [True, False])
def test_tokens_that_transformers_added(tmp_path, lower):
    config = {"tokenizer_class": "ElectraTokenizer", "do_lower_case": lower}
    theirs = transformers.AutoTokenizer.from_pretrained(
        folder_with(tmp_path, tokenizer_config=config)
    )
    theirs.add_tokens(["[URL]", transformers.AddedToken("<user>", lstrip=True, normalized=False)])
    theirs.add_tokens([transformers.AddedToken("日本", rstrip=True)])
    theirs.add_tokens([transformers.AddedToken("@@", single_word=True), "[unused1]"])
    theirs.add_tokens(["[E1]"], special_tokens=True)
    theirs.save_pretrained(tmp_path / "saved")
    ours = text.load_tokenizer(tmp_path / "saved")
    assert ours.do_lower_case is lower and len(ours.vocabulary) == NEXT + 5
    same_tokens(ours, theirs)


def test_an_older_folder(tmp_path):
    folder = folder_with(
        tmp_path,
        tokenizer_config={"tokenizer_class": "ElectraTokenizer", "do_lower_case": True},
        added_tokens={"[URL]": NEXT, "[E1]": NEXT + 1},
        special_tokens_map={"additional_special_tokens": ["[E1]"]},
    )
    same_tokens(text.load_tokenizer(folder), transformers.AutoTokenizer.from_pretrained(folder))


@pytest.mark.parametrize("pre_split", [False, True])
def test_what_is_written(tmp_path, pre_split):
    added = (AddedToken("[URL]", NEXT), AddedToken("日本", NEXT + 1, lstrip=True, normalized=False))
    vocabulary = text.Vocabulary(tuple(TOKENS)).with_added(added, "the test")
    ours = text.WordPieceTokenizer(vocabulary, True, True, pre_split)
    write_tokenizer(str(tmp_path), ours, max_length=16)
    same_tokens(ours, transformers.AutoTokenizer.from_pretrained(str(tmp_path)))
    assert text.load_tokenizer(tmp_path).settings == ours.settings
