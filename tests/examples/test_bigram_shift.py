# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The task bigram shift: which sentences, which swaps; the baselines that stand beside it."""

import collections
import os
import random
import subprocess
import sys

import baselines
import bigram_shift
import numpy as np
import pytest
from quickstart_comparison import read_sentences

NOUNS = "film plot actor story scene hero music ending town".split()
VERBS = "likes sees finds tells makes shows".split()


def random_sentences(count, seed=0):
    """Sentences whose order of words has rules."""
    draw = random.Random(seed)
    return [
        f"The {draw.choice(NOUNS)} {draw.choice(VERBS)} the {draw.choice(NOUNS)} in the "
        f"{draw.choice(NOUNS)} and it {draw.choice(VERBS)} {i} of us."
        for i in range(count)
    ]


def run_command(capsys, *flags):
    bigram_shift.run(bigram_shift.make_parser().parse_args([str(flag) for flag in flags]))
    return capsys.readouterr().out


@pytest.fixture
def texts(tmp_path):
    """Files with 300 and with 60 sentences; 20 are in both."""
    sentences = random_sentences(340)
    train, dev = tmp_path / "train.txt", tmp_path / "dev.txt"
    train.write_text("\n".join([*sentences[:300], "Too short to count.", "no capital " * 5]))
    dev.write_text("\n".join(sentences[280:]))
    return train, dev


def test_swaps_are_seen_from_the_order_only():
    words = "The old film is, well old old and isn't very good.".split()
    assert [words[i : i + 2] for i in bigram_shift.swappable(words)] == [
        ["old", "film"],
        ["well", "old"],
        ["old", "and"],
        ["and", "isn't"],
        ["isn't", "very"],
    ]
    assert bigram_shift.swappable(["The", "old", "film", "is,", "well", "old"]) == [1, 4]
    assert bigram_shift.swappable(["One", "word"]) == []


def test_half_of_the_sentences_have_one_swap_and_no_other_change(texts, tmp_path, capsys):
    train, dev = texts
    said = run_command(
        capsys,
        *("--train-text", train, "--dev-text", dev, "--output-dir", tmp_path / "task"),
        *("--num-train", 200, "--num-dev", 40),
    )
    assert "200 sentences in train.tsv, 40 in dev.tsv" in said
    known = {}
    for name, text, count in (("train", train, 200), ("dev", dev, 40)):
        originals = {" ".join(sorted(line.split())): line for line in text.read_text().splitlines()}
        sentences, labels = read_sentences(tmp_path / "task" / f"{name}.tsv")
        assert collections.Counter(labels) == {"original": count // 2, "swapped": count // 2}
        for sentence, label in zip(sentences, labels, strict=True):
            words, original = sentence.split(), originals[" ".join(sorted(sentence.split()))]
            different = [i for i, word in enumerate(original.split()) if word != words[i]]
            assert bool(different) == (label == "swapped")
            assert not different or (len(different) == 2 and np.diff(different) == 1)
            known.setdefault(name, set()).add(original)
    assert not known["train"] & known["dev"]
    # The 20 sentences of both texts are not held out.
    assert len(known["dev"]) == 40


def test_the_seed_decides(texts, tmp_path, capsys):
    train, dev = texts
    contents = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        run_command(
            capsys,
            *("--train-text", train, "--dev-text", dev, "--output-dir", tmp_path / folder),
            *("--num-train", 100, "--num-dev", 20, "--seed", seed),
        )
        contents.append((tmp_path / folder / "train.tsv").read_bytes())
    assert contents[0] == contents[1] != contents[2]


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--num-dev", "41"], r"dev.txt is expected to have 41 sentences .* but has 40"),
        (["--min-words", "40", "--max-words", "50"], "train.txt is expected to have 8000 .* has 0"),
        (["--num-train", "0"], "--num-train is expected to be 1 or more, but is 0"),
        (["--max-words", "7"], "--max-words is expected to be at least --min-words, 8, but is 7"),
    ],
)
def test_what_cannot_be_made_is_one_error_and_no_file(texts, tmp_path, capsys, flags, message):
    train, dev = texts
    if "--num-dev" in flags:
        flags = [*flags, "--num-train", "100"]
    with pytest.raises(ValueError, match=message):
        run_command(
            capsys,
            *("--train-text", train, "--dev-text", dev, "--output-dir", tmp_path / "task", *flags),
        )
    assert not (tmp_path / "task").exists()


def test_help_comes_without_tensorflow():
    source = (
        "import sys; sys.modules['tensorflow'] = None; import bigram_shift; "
        "bigram_shift.make_parser().parse_args(['--help'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "--num-train" in done.stdout


# ---- Baselines


def test_a_linear_classifier_learns_words():
    train = (["good film", "fine film", "bad film", "dull film"] * 3, ["1", "1", "0", "0"] * 3)
    dev = (["a fine one", "a dull one", "a bad one"], ["1", "0", "1"])
    assert baselines.linear_accuracy(train, dev) == pytest.approx(2 / 3)


def test_trigrams_are_interpolated_as_witten_and_bell_do():
    model = baselines.TrigramModel(["a b", "a b", "a c"])
    # Predicted are a b . a b . a c . (the end is a word); c is seen once, so it is unknown.
    vocabulary = 5  # a, b, both marks, the unknown word
    one = {"a": 3, "b": 2, "c": 1, ".": 3}
    unigram = {word: (count + 4 / vocabulary) / (9 + 4) for word, count in one.items()}
    begin = (3 + unigram["a"]) / (3 + 1)  # after a mark: a, thrice
    begin = (3 + begin) / (3 + 1)  # after two marks, too
    b = (2 + 2 * unigram["b"]) / (3 + 2)  # after a: b twice, c once
    b = (2 + 2 * b) / (3 + 2)  # after a mark and a, too
    end = (2 + unigram["."]) / (2 + 1)  # after b
    end = (2 + end) / (2 + 1)  # after a b
    expected = np.log([begin * b * end])
    np.testing.assert_allclose(model.log_probabilities(["A b"]), expected)
    both = model.log_probabilities(["a b", "b z q a"])
    np.testing.assert_allclose(both[:1], expected)
    assert both[1] < both[0]


def test_a_trigram_model_finds_swaps_without_labels(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("\n".join(random_sentences(400)))
    rows = bigram_shift.label_sentences(random_sentences(100, seed=1), 100, seed=0)
    sentences, labels = zip(*rows, strict=True)
    assert baselines.trigram_accuracy(text, sentences, labels) > 0.9


def test_an_unknown_word_may_be_one_of_the_rare_ones():
    model = baselines.TrigramModel(["a b", "a b", "a c", "a d"])  # c and d are seen once
    sentences = ["a z", "b"]
    (first, second), closed = (
        model.word_log_probabilities(sentences, order=1, open_vocabulary=is_open)
        for is_open in (True, False)
    )
    np.testing.assert_allclose(first - closed[0], [0.0, -np.log(2), 0.0])
    np.testing.assert_allclose(second, closed[1])
    whole = model.log_probabilities(sentences)
    parts = model.word_log_probabilities(sentences)
    np.testing.assert_allclose(whole, [values.sum() for values in parts])
