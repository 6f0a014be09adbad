# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The quickstart: what it fetches and makes, what it says, and the whole way in miniature."""

import argparse
import csv
import io
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys
import zipfile

import film_reviews
import numpy as np
import pytest
import quickstart
import quickstart_comparison
import quickstart_report
import report_page
import try_it
from commands import standard_input
from quickstart_comparison import Comparison
from quickstart_report import Example
from stages import Stage, run_stages

from electra_tf.cli import arguments, demo, predict
from electra_tf.config import PretrainingConfig
from electra_tf.finetuning.split_data import TrainingBatches
from electra_tf.pretraining.run_flops import flops_of_run

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
    "eval_every_steps": 500,
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
    flags = ["--download-dir", str(tmp_path), "--output-dir", str(train.parent)]
    film_reviews.run(film_reviews.make_parser().parse_args(flags))
    parts = [quickstart_comparison.read_sentences(path) for path in (train, dev)]
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
        epochs = quickstart_comparison.epochs_of(1e-6, num_train)
        batches = TrainingBatches([{"task_id": np.zeros(num_train)}], 32, seed=0)
        assert batches.num_steps(epochs) >= 1
    whole = quickstart_comparison.FINETUNING["num_train_epochs"]
    assert quickstart_comparison.epochs_of(0.5, 7673) == whole / 2


@pytest.mark.parametrize("steps", ["0", "-3", "many", "1.5"])
def test_steps_that_are_no_positive_number_are_an_error(tmp_path, monkeypatch, steps):
    monkeypatch.setenv("QUICKSTART_STEPS", steps)
    with pytest.raises(ValueError, match="QUICKSTART_STEPS"):
        quickstart.choose_hparams(tmp_path)


def test_the_masked_lm_has_the_shape_and_the_flops_of_electra(tmp_path, monkeypatch):
    monkeypatch.delenv("QUICKSTART_STEPS", raising=False)
    hparams = quickstart.choose_hparams(tmp_path)
    config = PretrainingConfig.from_hparams("electra", str(tmp_path), hparams)
    hparams = quickstart.masked_lm_hparams(config, hparams)
    other = PretrainingConfig.from_hparams("other", str(tmp_path), hparams)
    assert not other.has_discriminator and other.encoder == config.encoder
    assert flops_of_run(other) == pytest.approx(flops_of_run(config), rel=1e-3)
    share = other.num_train_steps / config.num_train_steps
    assert other.num_warmup_steps == round(config.num_warmup_steps * share)


def test_the_masked_lm_is_a_stage_of_its_own_if_it_is_asked_for(tmp_path, monkeypatch):
    hparams = quickstart.choose_hparams(tmp_path)
    config = PretrainingConfig.from_hparams("electra", str(tmp_path), hparams)
    titles = {}
    for value in ("0", "1"):
        monkeypatch.setenv("QUICKSTART_MASKED_LM", value)
        titles[value] = [stage.title for stage in quickstart.make_stages(config, hparams, 1.0)]
    (added,) = set(titles["1"]) - set(titles["0"])
    assert "masked LM with equal FLOPs" in added and titles["1"].index(added) == 4
    monkeypatch.setenv("QUICKSTART_MASKED_LM", "yes")
    with pytest.raises(ValueError, match="QUICKSTART_MASKED_LM is expected to be 0 or 1"):
        quickstart.make_stages(config, hparams, 1.0)


# ---- Report

METRICS = {
    "masked_lm_accuracy": 0.25,
    "most_frequent_token_accuracy": 0.05,
    "disc_accuracy": 0.9,
    "disc_precision": 0.5,
    "disc_recall": 0.2,
    "disc_auc": 0.75,
    "replaced_share": 0.1,
}


def test_metrics_stand_beside_their_baselines():
    table = quickstart_report.format_metrics(METRICS)
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
    quickstart_report.draw_losses(log, log[::2], tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


COMPARISON = Comparison([75.0, 74.0, 77.0], [], [50.0, 51.0, 49.0], 87.5, 56.5, 50.4)


@pytest.mark.parametrize(
    "random, verdict",
    [
        ([70.0, 71.0, 69.0], "gains 5.0 points, more than seeds differ (3.0)"),
        ([70.0, 73.0, 66.0], "gains 5.0 points, which is not more than seeds differ (7.0)"),
    ],
)
def test_a_gain_counts_if_it_is_larger_than_the_spread_of_the_seeds(random, verdict):
    text = quickstart_comparison.format_comparison(COMPARISON._replace(random=random), share=1.0)
    rows = {line[:42].strip(): line[42:].split() for line in text.splitlines()}
    assert rows["ELECTRA, pre-trained"] == ["75.0", "75.0", "74.0", "77.0"]
    assert rows["random weights, not pre-trained"][0] == "70.0"
    assert rows["trigram model of the same text"] == ["87.5"]
    assert rows["bag of words and pairs (TF-IDF)"] == ["56.5"]
    assert rows["majority class"] == ["50.4"]
    assert verdict in text
    assert "masked LM" not in text and "proves" not in text


def test_what_is_better_than_pre_training_is_said():
    said = " ".join(quickstart_comparison.verdict(COMPARISON._replace(masked_lm=[71.0]), 1.0))
    assert "A trigram model of the same text, which needs no labels, is 12.5 points better" in said
    assert "A masked LM with equal FLOPs is 4.0 points worse" in said
    said = " ".join(quickstart_comparison.verdict(COMPARISON._replace(trigram=60.0), 1.0))
    assert "is 15.0 points worse than ELECTRA" in said


def test_a_short_run_proves_nothing():
    said = quickstart_comparison.verdict(COMPARISON, share=0.1)
    assert "10%" in said[-1] and "none of this proves anything" in said[-1]


def test_a_comparison_is_read_as_it_was_saved(tmp_path):
    quickstart_comparison.save(COMPARISON, str(tmp_path))
    assert quickstart_comparison.read(str(tmp_path)) == COMPARISON


def test_the_page_needs_no_other_file_and_quotes_what_is_text(tmp_path):
    (tmp_path / "curve.png").write_bytes(b"\x89PNG")
    example = Example(["a", "<b>", "##c"], ["a", "&", "##c"], [0.1, 0.9, 0.25])
    page = report_page.make_page(
        "Title <1>", METRICS, COMPARISON, 1.0, [example], tmp_path / "curve.png", "echo '<x>'"
    )
    assert "Title &lt;1&gt;" in page and "echo &#x27;&lt;x&gt;&#x27;" in page
    assert 'src="data:image/png;base64,iVBORw=="' in page
    assert not re.search(r"(src|href)=.(?!data:)", page)
    assert (
        '<span class="token fake" title="90% fake; was: &lt;b&gt;" '
        'style="background: rgba(220, 40, 40, 0.90)">&amp;</span><span' in page
    )
    assert '<td class="number">87.5</td>' in page


# ---- Stages


def test_the_first_line_comes_before_tensorflow(tmp_path):
    source = (
        "import sys; sys.modules['tensorflow'] = None; import quickstart; "
        "sys.argv = ['quickstart.py', '--data-dir', 'there']; quickstart.main()"
    )
    path = os.pathsep.join(filter(None, sys.path))
    for steps, error in (("9", "tensorflow"), ("few", "error: QUICKSTART_STEPS is expected")):
        done = subprocess.run(
            [sys.executable, "-c", source],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, "QUICKSTART_STEPS": steps},
            capture_output=True,
            text=True,
        )
        assert done.stdout.startswith("A small ELECTRA from nothing")
        assert error in done.stderr and not (tmp_path / "there").exists()


def test_stages_say_which_they_are_and_how_long_the_rest_takes(tmp_path, capsys):
    there, clock = tmp_path / "there", iter([0.0, 40.0, 100.0, 200.0])
    there.touch()
    done = []
    stages = [
        Stage("first", 20, lambda: done.append(1)),
        Stage("second", 1000, lambda: done.append(2), (there,)),
        Stage("third", 100, lambda: done.append(3), (tmp_path / "missing",)),
    ]
    run_stages(stages, now=lambda: next(clock))
    assert done == [1, 3]
    assert capsys.readouterr().out.split("\n\n") == [
        "\n== Stage 1 of 3: first (about 2 minutes left)",
        # Twice as slow as expected.
        f"== Stage 2 of 3: second (about 3 minutes left)\nalready there: {there}",
        "== Stage 3 of 3: third (about 3 minutes left)\n",
    ]


# ---- What to try


class FakeModel:
    """Suspects the tokens whose probabilities are given; as wide as the longest text."""

    def __init__(self, probabilities):
        self._probabilities = probabilities

    def replaced_tokens(self, texts):
        spans = [[m.span() for m in re.finditer(r"\w+", text)] for text in texts]
        return {
            "probabilities": np.array(self._probabilities),
            "num_tokens": np.array([len(row) for row in spans]),
            "starts": np.array([[a for a, _ in row] + [0] * (4 - len(row)) for row in spans]),
            "ends": np.array([[b for _, b in row] + [0] * (4 - len(row)) for row in spans]),
        }


def test_a_wrong_word_is_found_if_nothing_in_the_text_is_more_suspicious(monkeypatch):
    # The last value of the first text is padding.
    model = FakeModel([[0.1, 0.2, 0.6, 0.9], [0.1, 0.7, 0.2, 0.3], [0.2, 0.1, 0.3, 0.8]])
    monkeypatch.setattr("electra_tf.load", lambda folder: model)
    texts = [("we saw green", "green"), ("so very of it", "of"), ("it is a banana", "banana")]
    found = try_it.find_wrong_words("models/m", texts)
    assert [(s.piece, s.is_right) for s in found] == [
        ("green", True),
        ("very", False),
        ("banana", True),
    ]
    assert "In 2 of 3" in try_it.format_suspicions(found)
    assert try_it.best_example(found).text == "it is a banana"
    assert try_it.best_example(found[1:2]).text == "so very of it"


def test_the_sentences_to_try_have_their_wrong_word_once():
    for text, wrong in try_it.WRONG_WORDS:
        assert len(re.findall(rf"\b{wrong}\b", text)) == 1


def test_commands_name_the_environment_only_inside_of_one(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.base_prefix", "/usr")
    monkeypatch.setattr("sys.prefix", str(tmp_path / ".venv"))
    assert try_it.activation() == "source .venv/bin/activate"
    monkeypatch.setattr("sys.prefix", "/some where/env")
    assert try_it.activation() == "source '/some where/env'/bin/activate"
    monkeypatch.setattr("sys.prefix", "/usr")
    assert try_it.activation() is None
    assert len(try_it.commands("data/models/m", "task", "text")) == 4


# ---- The whole way


def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def run_pasted(commands, monkeypatch, capsys):
    """Run what "Try it" shows, here instead of in a shell; returns what it prints."""
    (_, predicting), (_, loading), (_, showing), (_, tensorboard) = commands
    sentence, flags = re.fullmatch(r"echo (.+) \|\s+electra predict (.+)", predicting).groups()
    monkeypatch.setattr("sys.stdin", standard_input(f"{shlex.split(sentence)[0]}\n"))
    predict.run(arguments.parser_of(predict).parse_args(shlex.split(flags)))
    (source,) = re.fullmatch(r"python - <<'END'\n(.+)\nEND", loading, re.DOTALL).groups()
    exec(source, {})
    installing, flags = re.fullmatch(r"pip install (.+) &&\s+electra demo (.+)", showing).groups()
    *_, constraints, _, checkout = shlex.split(installing)
    assert os.path.isfile(constraints)
    assert os.path.isfile(os.path.join(checkout.removesuffix("[demo]"), "setup.py"))
    flags = [*shlex.split(flags), "--port", str(free_port())]
    demo.check(arguments.parser_of(demo).parse_args(flags))
    folder = shlex.split(tensorboard)[-1]
    assert [name for *_, names in os.walk(folder) for name in names if "tfevents" in name]
    return capsys.readouterr().out


def test_the_whole_way_and_once_more(tmp_path, monkeypatch, capsys):
    write_wheel(
        tmp_path / "download" / film_reviews.WHEEL,
        [(review, "imdb") for review in random_reviews(300)],
    )
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    monkeypatch.setattr(quickstart, "HPARAMS_FILE", str(tmp_path / "tiny.json"))
    monkeypatch.setattr(quickstart, "SENTENCES", (60, 20))
    tiny_trials = {"num_trials": 1, "num_train_epochs": 500.0}  # of which QUICKSTART_STEPS leaves 1
    monkeypatch.setattr(
        quickstart_comparison, "FINETUNING", {**quickstart_comparison.FINETUNING, **tiny_trials}
    )
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # no worker processes to start
    monkeypatch.setattr("sys.prefix", "/usr")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    monkeypatch.setenv("QUICKSTART_STEPS", "2")
    arguments = argparse.Namespace(data_dir=str(tmp_path))

    quickstart.quickstart(arguments)
    first = capsys.readouterr().out
    assert "2 steps show that everything works, but prove nothing" in first
    assert re.findall(r"Stage (\d) of (\d)", first) == [(str(n), "6") for n in range(1, 7)]
    assert "discriminator: AUC" in first and first.count("original   ") == 3
    trials = re.findall(r"^([a-z -]+[a-z]) +trial 1 of 1: [\d.]+ % right$", first, re.MULTILINE)
    assert trials == ["pre-trained", "random weights"]
    assert "already there" not in first
    assert (tmp_path / "loss_curve.png").exists()
    assert "<h2>Try it</h2>" in (tmp_path / "report.html").read_text()

    quickstart.quickstart(arguments)
    second = capsys.readouterr().out
    # Texts, vocabulary, records, model; finished trials are evaluated again.
    assert second.count("already there") == 4
    report = "on held-out reviews"
    assert second.split(report)[1].split("Done")[0] == first.split(report)[1].split("Done")[0]

    pasted = first.split("== Try it\n")[1].split("\n\nDone")[0].split("\n\n# ")[1:]
    commands = [command.split("\n", 1) for command in pasted]
    printed = run_pasted(commands, monkeypatch, capsys)
    assert json.loads(printed.splitlines()[0])["prediction"] in ("original", "swapped")
    assert re.search(r"^ *\d+% \w+$", printed, re.MULTILINE)
