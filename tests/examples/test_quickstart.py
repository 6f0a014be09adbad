# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The quickstart: what it fetches and holds out, what it says, and the whole way in miniature."""

import argparse
import csv
import io
import json
import os
import random
import zipfile

import film_reviews
import numpy as np
import pytest
import quickstart
import quickstart_report
import quickstart_sentiment
from quickstart_report import Example
from quickstart_sentiment import Comparison

from electra_tf.finetuning.split_data import TrainingBatches

WORDS = "a the film plot actor was is not good bad very long and so funny dull".split()


def write_wheel(path, rows):
    """A package with the given (text, source) or (text, source, label) rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["text", "source", "label"])
    writer.writerows([*row, 1][:3] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(film_reviews.CSV_FILE, text.getvalue())


TINY = {
    "model_hparam_overrides": {"hidden_size": 16, "num_hidden_layers": 1},
    "embedding_size": 16,
    "generator_hidden_size": 1.0,
    "vocab_size": 60,
    "max_seq_length": 32,
    "train_batch_size": 4,
    "eval_batch_size": 4,
    "num_warmup_steps": 100,
    "num_train_steps": 1000,
}


def random_reviews(count):
    draw = random.Random(0)
    return [
        " ".join(
            f"{' '.join(draw.choices(WORDS, k=draw.randint(12, 16))).capitalize()}."
            for _ in range(6)
        )
        for _ in range(count)
    ]


# ---- Text


def test_reviews_become_a_sentence_per_line(tmp_path):
    wheel = tmp_path / film_reviews.WHEEL
    rows = [
        ("Great  film!<br /><br />See it. Now,\nplease?", "imdb"),
        ("Not this one.", "rotten_tomatoes"),
        ('It has "quotes", commas', "imdb"),
    ]
    write_wheel(wheel, rows)
    assert list(film_reviews.imdb_reviews(wheel)) == [
        "Great film!\nSee it.\nNow,\nplease?",
        'It has "quotes", commas',
    ]


def test_about_two_percent_are_held_out_and_repeats_stay_together(tmp_path):
    reviews = random_reviews(1000)
    write_wheel(tmp_path / film_reviews.WHEEL, [(review, "imdb") for review in reviews + reviews])
    train, held_out = tmp_path / "text/train/reviews.txt", tmp_path / "text/heldout/reviews.txt"
    film_reviews.write_reviews(tmp_path, train, held_out)
    documents = [path.read_text().strip().split("\n\n") for path in (train, held_out)]
    assert sum(map(len, documents)) == 2000
    assert 20 <= len(documents[1]) <= 60
    assert not set(documents[0]) & set(documents[1])
    assert not list(tmp_path.rglob("*.part"))


def test_without_a_network_the_error_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ValueError) as error:
        film_reviews.write_reviews(tmp_path / "download", tmp_path / "a.txt", tmp_path / "b.txt")
    message = str(error.value)
    assert film_reviews.PACKAGE in message and film_reviews.WHEEL in message
    assert str(tmp_path / "download") in message
    assert "\n" not in message


def test_sentences_keep_their_labels_and_a_tenth_is_held_out(tmp_path):
    sentences = [f"film  number {i} is\tfine" for i in range(1000)]
    rows = [(text, "rotten_tomatoes", i % 2) for i, text in enumerate(sentences)]
    write_wheel(tmp_path / film_reviews.WHEEL, [*rows, ("A whole review.", "imdb", 1)])
    train, dev = tmp_path / "task/train.tsv", tmp_path / "task/dev.tsv"
    film_reviews.write_sentences(tmp_path, train, dev)
    parts = [quickstart_sentiment.read_sentences(path) for path in (train, dev)]
    assert 70 <= len(parts[1][0]) <= 130
    labels = {
        text: label for texts, labels in parts for text, label in zip(texts, labels, strict=True)
    }
    assert labels == {f"film number {i} is fine": str(i % 2) for i in range(1000)}


@pytest.mark.parametrize("content", [b"half a downl", None])
def test_a_broken_package_is_named(tmp_path, content):
    wheel = tmp_path / film_reviews.WHEEL
    if content is None:
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("something/else.csv", "")
    else:
        wheel.write_bytes(content)
    with pytest.raises(ValueError, match=film_reviews.WHEEL):
        film_reviews.write_reviews(tmp_path, tmp_path / "a.txt", tmp_path / "b.txt")


# ---- Configuration


def test_fewer_steps_shorten_the_warm_up_too(tmp_path, monkeypatch):
    whole = quickstart.choose_hparams(tmp_path)
    monkeypatch.setenv("QUICKSTART_STEPS", str(whole["num_train_steps"] // 10))
    short = quickstart.choose_hparams(tmp_path)
    assert short["num_train_steps"] == whole["num_train_steps"] // 10
    assert short["num_warmup_steps"] == round(whole["num_warmup_steps"] / 10)


def test_the_shortest_quickstart_has_one_step_of_fine_tuning_at_least():
    for num_train in (1, 32, 49 * 32, 7673):
        epochs = quickstart_sentiment.epochs_of(1e-6, num_train)
        batches = TrainingBatches([{"task_id": np.zeros(num_train)}], 32, seed=0)
        assert batches.num_steps(epochs) >= 1
    whole = quickstart_sentiment.FINETUNING["num_train_epochs"]
    assert quickstart_sentiment.epochs_of(0.5, 7673) == whole / 2


@pytest.mark.parametrize("steps", ["0", "-3", "many", "1.5"])
def test_steps_that_are_no_positive_number_are_an_error(tmp_path, monkeypatch, steps):
    monkeypatch.setenv("QUICKSTART_STEPS", steps)
    with pytest.raises(ValueError, match="QUICKSTART_STEPS"):
        quickstart.choose_hparams(tmp_path)


# ---- Report


def test_metrics_stand_beside_their_baselines():
    table = quickstart_report.format_metrics(
        {
            "masked_lm_accuracy": 0.25,
            "most_frequent_token_accuracy": 0.05,
            "disc_accuracy": 0.9,
            "disc_precision": 0.5,
            "disc_recall": 0.2,
            "disc_auc": 0.75,
            "replaced_share": 0.1,
        }
    )
    rows = [line.split() for line in table.splitlines()[1:]]
    numbers = [[float(cell) for cell in row if cell[0].isdigit()] for row in rows]
    # Of 100 tokens 10 are replaced; 2 are found, so 4 were flagged.
    assert numbers == [[0.25, 0.05], [0.9, 0.9], [0.5, 0.1], [0.2, 0.04], [0.75, 0.5]]


def test_a_discriminator_that_flags_nothing_has_a_table_too():
    names = ["masked_lm_accuracy", "most_frequent_token_accuracy", "disc_accuracy", "disc_auc"]
    zeros = dict.fromkeys([*names, "disc_precision", "disc_recall", "replaced_share"], 0.0)
    assert "0.000" in quickstart_report.format_metrics(zeros)


def test_examples_mark_fakes_and_list_flagged_tokens():
    example = Example(
        ["the", "play", "##ers", "won"], ["the", "play", "##ing", "lost"], [0.6, 0.1, 0.2, 0.9]
    )
    text = quickstart_report.format_example(example, colour=False)
    assert text.splitlines() == [
        "original   the players won",
        "corrupted  the play<ing> <lost>",
        "flagged    the (60%), lost (90%, fake)",
    ]
    assert "\033[" in quickstart_report.format_example(example, colour=True)
    nothing = quickstart_report.format_example(
        example._replace(replaced_probability=[0] * 4), False
    )
    assert nothing.endswith("flagged    nothing")


def test_losses_are_drawn_as_png(tmp_path):
    log = [{"step": step, "masked_lm_loss": 9 / step, "disc_loss": 0.5} for step in (1, 2, 3)]
    quickstart_report.draw_losses(log, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_linear_classifier_learns_words():
    train = (["good film", "fine film", "bad film", "dull film"] * 3, ["1", "1", "0", "0"] * 3)
    dev = (["a fine one", "a dull one", "a bad one"], ["1", "0", "1"])
    assert quickstart_sentiment.linear_accuracy(train, dev) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "random, verdict",
    [
        ([70.0, 71.0, 69.0], "gains 5.0 points, more than seeds differ (3.0)"),
        ([70.0, 73.0, 66.0], "gains 5.0 points, which is not more than seeds differ (7.0)"),
    ],
)
def test_a_gain_counts_if_it_is_larger_than_the_spread_of_the_seeds(random, verdict):
    comparison = Comparison([75.0, 74.0, 77.0], random, 76.5, 50.4, 900, 100)
    text = quickstart_sentiment.format_comparison(comparison)
    rows = {line[:34].strip(): line[34:].split() for line in text.splitlines()}
    assert rows["pre-trained discriminator"] == ["75.0", "75.0", "74.0", "77.0"]
    assert rows["random weights, same budget"][0] == "70.0"
    assert rows["TF-IDF + logistic regression"] == ["76.5"]
    assert rows["majority class"] == ["50.4"]
    assert verdict in text


# ---- The whole way


def test_the_whole_way_and_once_more(tmp_path, monkeypatch, capfd):
    reviews = [(review, "imdb") for review in random_reviews(300)]
    sentences = [
        (sentence, "rotten_tomatoes", int("good" in sentence))
        for review in random_reviews(20)
        for sentence in review.split(". ")
    ]
    write_wheel(tmp_path / "download" / film_reviews.WHEEL, reviews + sentences)
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    monkeypatch.setattr(quickstart, "HPARAMS_FILE", str(tmp_path / "tiny.json"))
    tiny_trials = {"num_trials": 2, "num_train_epochs": 500.0}  # of which QUICKSTART_STEPS leaves 1
    monkeypatch.setattr(
        quickstart_sentiment, "FINETUNING", {**quickstart_sentiment.FINETUNING, **tiny_trials}
    )
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # no worker processes to start
    monkeypatch.setenv("QUICKSTART_STEPS", "2")
    arguments = argparse.Namespace(data_dir=str(tmp_path))

    quickstart.quickstart(arguments)
    first = capfd.readouterr().out
    assert "discriminator: AUC" in first and first.count("original   ") == 3
    assert "already there" not in first
    assert (tmp_path / "loss_curve.png").exists()
    assert (tmp_path / "models/quickstart/results/unsup_results.txt").exists()

    quickstart.quickstart(arguments)
    second = capfd.readouterr().out
    # Reviews, vocabulary, embeddings, two of records, evaluation, sentences; trials say so in
    # the log.
    assert second.count("already there") == 7
    report = "== What was learned"
    assert second.split(report)[1].split("Done")[0] == first.split(report)[1].split("Done")[0]
