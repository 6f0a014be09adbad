# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tokenizers of Hugging Face folders on every way into this library, and through every format."""

import json
import pathlib
import shutil

import pytest
import tokenizers
from commands import run_verb
from tiny_finetuning import finetune, write_task

import electra_tf
from electra_tf import text
from electra_tf.finetuning.model_folder import load_finetuned
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.interop import find_starting_point, load_huggingface, save_huggingface
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model
from electra_tf.pretraining.model_folder import resolve_config
from electra_tf.runs import resolve_finetuning
from electra_tf.serving import export_model

FOLDER = pathlib.Path(__file__).parent.parent / "goldens" / "huggingface" / "discriminator"
TOKENS = [
    *text.SPECIAL_TOKENS,
    *"abcdefghijklmnopqrstuvwxyz[].",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz."),
    "日",
    "本",
    "日本",
]
JAPANESE = {
    "tokenizer_class": "BertJapaneseTokenizer",
    "word_tokenizer_type": "mecab",
    "subword_tokenizer_type": "wordpiece",
    "do_lower_case": False,
}
URL, USER = len(TOKENS), len(TOKENS) + 1
ADDED = {
    "do_lower_case": True,
    "added_tokens_decoder": {
        str(URL): {"content": "[URL]", "rstrip": True, "special": False, "normalized": True},
        str(USER): {"content": "<User>", "normalized": False, "single_word": True},
        "8": {"content": "d", "lstrip": True, "special": True},
    },
}


@pytest.fixture
def folder(tmp_path):
    """A Hugging Face model with a vocabulary."""
    shutil.copytree(FOLDER, tmp_path / "model")
    text.save_vocabulary(TOKENS, tmp_path / "model" / "vocab.txt")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("日本. 本\nab cd\n" * 10, encoding="utf-8")
    return tmp_path / "model"


def say(folder, config):
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def with_flags(verb, folder, *flags, **choice):
    switches = ["--pre-split"] if choice.get("pre_split") else []
    switches += ["--tokenizer", choice["tokenizer"]] if "tokenizer" in choice else []
    line = ["--corpus-dir", folder.parent / "corpus", "--vocab-file", folder / "vocab.txt"]
    line += ["--output-dir", folder.parent / "_".join(["out", verb, *choice])]
    run_verb(verb, *line, *flags, *switches)


WAYS = {
    "open_model": lambda folder, **choice: open_model(str(folder), choice),
    "load": lambda folder, **choice: electra_tf.load(str(folder), **choice),
    "load_huggingface": lambda folder, **choice: load_huggingface(str(folder), **choice),
    "starting point": lambda folder, **choice: find_starting_point(str(folder), **choice),
    "fine-tuning from it": lambda folder, **choice: resolve_finetuning(
        "m", str(folder.parent), {"init_checkpoint": str(folder), "max_seq_length": 40, **choice}
    ),
    "fine-tuning with its vocabulary": lambda folder, **choice: config_for(
        "m", "d", {"vocab_file": str(folder / "vocab.txt"), **choice}, None
    ),
    "pre-training": lambda folder, **choice: resolve_config(
        "m", str(folder.parent), {"vocab_file": str(folder / "vocab.txt"), **choice}
    ),
    "records": lambda folder, **choice: with_flags("records", folder, **choice),
    "embeddings": lambda folder, **choice: with_flags(
        "embeddings",
        folder,
        "--embedding-size=1",
        "--block-tokens=3",
        **choice,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_asks_the_same(folder, way):
    say(folder, JAPANESE)
    with pytest.raises(
        ValueError, match=r"BertJapaneseTokenizer.*mecab.*tokenizer 'bert'.*pre_spl"
    ):
        WAYS[way](folder)
    WAYS[way](folder, tokenizer="bert")
    WAYS[way](folder, pre_split=True)


def test_what_is_asked_of_a_run_is_checked(folder):
    say(folder, JAPANESE)
    with pytest.raises(ValueError, match='tokenizer is expected to be null or "bert", but is'):
        WAYS["pre-training"](folder, tokenizer="mecab")
    with pytest.raises(ValueError, match='tokenizer is expected to be null or "bert", but is'):
        WAYS["fine-tuning from it"](folder, tokenizer="mecab")
    config, start = WAYS["fine-tuning from it"](folder, pre_split=True)
    assert config.pre_split and not config.do_lower_case
    assert start.tokenizer_settings == {
        "do_lower_case": False,
        "strip_accents": False,
        "pre_split": True,
    }


LINES = ("ab [url]  日本. d d", "<User> <user> x<User>", "[URL][URL] 日本 本. a.b", "")


def through_all_formats(folder, source, **hparams):
    """The tokenizers of a model's folders, as one format after the other is written."""
    for number, target in enumerate(("electra_tf", "huggingface", "reference", "huggingface")):
        transfer = open_model(str(source), hparams)
        yield transfer.tokenizer, source
        source, hparams = folder.parent / f"{number}_{target}", {}
        convert(transfer, target, str(source))
    yield open_model(str(source)).tokenizer, source


@pytest.mark.parametrize(
    ("config", "hparams"),
    [(ADDED, {}), (JAPANESE, {"pre_split": True})],
    ids=["added", "pre_split"],
)
def test_every_format_keeps_the_tokenizer(folder, config, hparams):
    say(folder, config)
    (first, _), *others = through_all_formats(folder, folder, **hparams)
    expected = first.offsets(LINES)
    assert len(first.vocabulary) == len(TOKENS) + len(first.vocabulary.added) - (config is ADDED)
    theirs = []
    for tokenizer, source in others:
        assert tokenizer.settings == first.settings, source
        found = tokenizer.offsets(LINES)
        for ours, same in zip(found, expected, strict=True):
            assert ours.to_list() == same.to_list()
        if "huggingface" in source.name:
            library = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
            encoded = library.encode_batch(list(LINES), add_special_tokens=False)
            theirs.append([line.ids for line in encoded])
    assert theirs == [expected.ids.to_list()] * 2


def test_a_model_that_was_loaded_is_written_with_its_tokenizer(folder):
    say(folder, ADDED)
    model = load_huggingface(str(folder))
    save_huggingface(model, str(folder.parent / "again"))
    again = load_huggingface(str(folder.parent / "again"))
    assert again.tokenizer.settings == model.tokenizer.settings
    assert again.tokenizer(["[URL]"]).to_list() == [[URL]]


def test_more_added_tokens_than_embeddings_are_an_error(folder):
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    many = {f"[E{number}]": number for number in range(len(TOKENS), size + 1)}
    (folder / "added_tokens.json").write_text(json.dumps(many))
    with pytest.raises(ValueError, match=rf"vocab_size={size}.*but has {size + 1}"):
        open_model(str(folder))


def test_a_model_is_served_with_its_added_tokens(folder):
    say(folder, ADDED)
    found = electra_tf.load(str(folder)).replaced_tokens(["ab[URL] d"])
    assert found["tokens"].tolist() == [["a", "##b", "[URL]", "d"]]
    # The space before d is its own.
    assert found["starts"].tolist() == [[0, 1, 2, 7]] and found["ends"].tolist() == [[1, 2, 7, 9]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "hparams", "line", "tokens"),
    [
        (ADDED, {}, "ab[URL] <User>", ["a", "##b", "[URL]", "<User>"]),
        (JAPANESE, {"pre_split": True}, "日本. 日", ["日本", "##.", "日"]),
    ],
    ids=["added", "pre_split"],
)
def test_an_export_has_the_tokenizer(folder, config, hparams, line, tokens):
    say(folder, config)
    convert(open_model(str(folder), hparams), "electra_tf", str(folder.parent / "own"))
    export_model(str(folder.parent / "own"), str(folder.parent / "export"))
    found = electra_tf.load(str(folder.parent / "export")).replaced_tokens([line])
    assert found["tokens"].tolist() == [tokens]
    assets = folder.parent / "export" / "assets"
    expected = text.load_tokenizer(folder.parent / "own").settings
    assert text.load_tokenizer(assets).settings == expected


@pytest.mark.slow
def test_a_fine_tuned_model_keeps_the_tokenizer(folder):
    say(folder, JAPANESE)
    rows = ["text\tlabel", *["日本. 日\tyes", "本 a.\tno"] * 8]
    table = "\n".join(rows) + "\n"
    columns = {"text_a": "text", "label": "label"}
    fields = {"kind": "classification", "format": "tsv", "columns": columns}
    task = write_task(folder.parent, "own", {"train.tsv": table, "dev.tsv": table}, **fields)
    config, _ = finetune(
        folder.parent, [task], init_checkpoint=str(folder), pre_split=True, num_trials=1
    )
    loaded = load_finetuned(f"{config.model_dir}_1")
    assert loaded.tokenizer.pre_split and loaded.config.pre_split
    found = electra_tf.load(f"{config.model_dir}_1").predict(["日本. 日"])
    assert found["label"].tolist()[0] in ("yes", "no")


def test_a_model_is_served_on_words_that_were_split(folder):
    say(folder, JAPANESE)
    found = electra_tf.load(str(folder), pre_split=True).replaced_tokens(["日本. 日"])
    assert found["tokens"].tolist() == [["日本", "##.", "日"]]
    found = electra_tf.load(str(folder), tokenizer="bert").replaced_tokens(["日本. 日"])
    assert found["tokens"].tolist() == [["日", "本", ".", "日"]]
