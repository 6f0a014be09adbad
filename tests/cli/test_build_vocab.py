# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
import gzip
import io
import os
import re
import subprocess
import sys

import pytest
from commands import run_verb

from electra_tf import text

WORDS = (
    "the of running runner runs walked walking Café naïve river rivers stone 42 well-known".split()
)


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [" ".join(WORDS[i % n] for n in range(3, 15)) + "." for i in range(300)]
    (folder / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "b.txt.gz").write_bytes(gzip.compress("\n\n".join(lines).encode()))
    return folder


def test_two_processes_write_the_same_file(corpus, tmp_path):
    """Whatever their hashes of texts, which decide the order of sets."""
    outputs = [tmp_path / f"made_{number}" / "vocab.txt" for number in (1, 2)]
    flags = ["--corpus_dir", corpus, "--vocab-size", "90", "--min-frequency", "1"]
    other_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-m", "electra_tf", "vocab", *flags, "--output-file", outputs[0]],
        env={**os.environ, "PYTHONHASHSEED": other_seed},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0
    run_verb("vocab", *flags, "--output-file", outputs[1])
    first, second = (output.read_bytes() for output in outputs)
    assert first == second
    assert first.startswith(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    assert "tokens per word:" in done.stdout and "unknown tokens:       0" in done.stdout


def test_case_and_accents_can_be_kept(corpus, tmp_path):
    output = tmp_path / "vocab.txt"
    run_verb("vocab", "--input-files", corpus / "*.txt", "--output-file", output, "--no-lower-case")
    assert {"Café", "naïve"} <= set(text.load_vocabulary(output).tokens)
    assert text.load_tokenizer(output).settings["do_lower_case"] is False  # it is stored
    run_verb("vocab", "--input-files", corpus / "*.txt", "--output-file", output)
    assert {"cafe", "naive"} <= set(text.load_vocabulary(output).tokens)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
def test_warns_if_letters_of_the_text_are_changed(tmp_path, caplog, kind):
    corpus = tmp_path / "text.txt"
    corpus.write_text("Die Mühle am Fluss ist schön\n" * 30, encoding="utf-8")
    output = tmp_path / ("vocab.txt" if kind == "wordpiece" else "vocab.model")
    flags = ["--input-files", corpus, "--output-file", output, "--tokenizer", kind]
    flags += ["--vocab-size", "60"]
    run_verb("vocab", *flags)
    (message,) = caplog.messages
    assert message == (
        "Stripping accents changes letters of 33.3% of the words in a sample of 30 lines: "
        "mühle -> muhle, schön -> schon. --no-strip-accents keeps them."
    )
    caplog.clear()
    run_verb("vocab", *flags, "--no-strip-accents")
    assert not caplog.messages


def test_words_that_begin_alike_are_one_example(tmp_path, caplog):
    corpus = tmp_path / "text.txt"
    corpus.write_text("\n".join("mühlenbäche" + "n" * number for number in range(9)))
    run_verb("vocab", "--input-files", corpus, "--output-file", tmp_path / "vocab.txt")
    (message,) = caplog.messages
    assert message.count("mühlenb -> muhlenb") == 1


def test_warns_if_the_alphabet_is_too_small(tmp_path, caplog):
    characters = [chr(0x4E00 + number) for number in range(300)]
    corpus = tmp_path / "text.txt"
    lines = ["".join(characters[first : first + 10]) for first in range(290)]
    corpus.write_text("\n".join(lines), encoding="utf-8")
    flags = ["--input-files", corpus, "--output-file", tmp_path / "vocab.txt"]
    run_verb("vocab", *flags, "--limit-alphabet", "150")
    (message,) = caplog.messages
    assert re.match(r"held-out lines \(--character-coverage .* of 20 tokens are unknown", message)
    caplog.clear()
    run_verb("vocab", *flags, "--character-coverage", "1")
    assert not caplog.messages


def test_says_if_the_text_has_fewer_pieces(corpus, tmp_path, capsys):
    run_verb("vocab", "--corpus-dir", corpus, "--output-file", tmp_path / "vocab.txt")
    out = capsys.readouterr().out
    assert "of 30522: no more pieces repeat" in out
    assert "longest pieces:       running" in out


def test_errors(corpus, tmp_path):
    output = tmp_path / "vocab.txt"
    with pytest.raises(FileNotFoundError, match=r"\.nothing' does not exist"):
        run_verb("vocab", "--input-files", corpus / "*.nothing", "--output-file", output)
    with pytest.raises(FileNotFoundError, match="absent"):
        run_verb("vocab", "--corpus-dir", tmp_path / "absent", "--output-file", output)
    with pytest.raises(ValueError, match="vocab_size is expected to be at least"):
        run_verb("vocab", "--corpus-dir", corpus, "--output-file", output, "--vocab-size", "9")
    assert not output.exists()
    # What is there already is not described by other settings.
    run_verb("vocab", "--input-files", corpus / "*.txt", "--output-file", output)
    with pytest.raises(FileExistsError, match=r"describes vocab\.txt"):
        run_verb("vocab", "--corpus-dir", corpus, "--output-file", tmp_path / "other.txt")
    assert not (tmp_path / "other.txt").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--tokenizer", "bpe"), r"--output-file must end in \.model for --tokenizer bpe"),
        (("--sample-share", "0"), "--sample-share must be above 0 and at most 1"),
        (
            ("--limit-alphabet", "9", "--character-coverage", "1"),
            "--limit-alphabet and --character-coverage exclude each other",
        ),
    ],
)
def test_flags_that_do_not_go_together(corpus, tmp_path, flags, message):
    output = tmp_path / "vocab.txt"
    with pytest.raises(ValueError, match=message):
        run_verb("vocab", "--corpus-dir", corpus, "--output-file", output, *flags)
    assert not output.exists()


def test_flags_of_models(corpus, tmp_path):
    output = tmp_path / "vocab.model"
    line = ("--corpus-dir", corpus, "--output-file", output)
    with pytest.raises(ValueError, match=r"must not end in \.model for --tokenizer wordpiece"):
        run_verb("vocab", *line)
    with pytest.raises(ValueError, match="--limit-alphabet is for WordPiece"):
        run_verb("vocab", *line, "--tokenizer", "bpe", "--limit-alphabet", "9")


def test_a_model_and_its_report(corpus, tmp_path, capsys):
    output = tmp_path / "vocab.model"
    line = ("--corpus-dir", corpus, "--output-file", output, "--tokenizer", "unigram")
    run_verb("vocab", *line, "--vocab-size", "70", "--num-unused", "2", "--sample-share", "0.5")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corpus",
        "tokenizer.json",
        "vocab.model",
    ]
    out = capsys.readouterr().out
    assert "trained on 2 file(s) (50.0% of their lines)" in out
    assert "held-out words:" in out and "characters per token:" in out
    tokens = text.load_vocabulary(output).tokens
    assert tokens[:7] == (*text.SPECIAL_TOKENS, "[unused0]", "[unused1]")


def test_json_lines_on_standard_input(tmp_path, monkeypatch):
    content = b'{"body": "kept words kept words"}\n' * 30
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    output = tmp_path / "vocab.txt"
    run_verb("vocab", "--corpus-dir", "-", "--text-field", "body", "--output-file", output)
    tokens = text.load_vocabulary(output).tokens
    assert "words" in tokens and "body" not in tokens


def test_words_that_are_split_already(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("日本 , a.b 日本\n" * 20, encoding="utf-8")
    output = tmp_path / "vocab.txt"
    flags = ["--corpus-dir", tmp_path / "corpus", "--pre-split"]
    run_verb("vocab", *flags, "--output-file", output)
    assert {"日本", "a.b"} <= set(text.load_vocabulary(output).tokens)
    tokenizer = text.load_tokenizer(output)  # it is stored
    assert [len(row) for row in tokenizer(["日本 a.b", "日本."]).to_list()] == [2, 2]
    with pytest.raises(ValueError, match="--pre-split is for WordPiece"):
        run_verb(
            "vocab", *flags, "--output-file", tmp_path / "vocab.model", "--tokenizer", "unigram"
        )
