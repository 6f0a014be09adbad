# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""README.md and docs/recipes.md run as they stand, each line after those before it.

Models and texts are tiny here.
"""

import pathlib
import re

import pytest
from test_migration import PART, TEXT, place, run_line, tiny_run_of  # noqa: F401
from tiny_run import HPARAMS

from electra_tf import runs
from electra_tf.cli import demo

ROOT = pathlib.Path(__file__).parents[1]
SHAPE = {**HPARAMS["model_hparam_overrides"], "num_hidden_layers": 1}
SHAPE["max_position_embeddings"] = 128
TINY = {
    "run_pretraining": {
        "num_train_steps": 2,
        "train_batch_size": 4,
        "eval_batch_size": 4,
        "model_hparam_overrides": SHAPE,
        "embedding_size": HPARAMS["embedding_size"],
        "generator_hidden_size": HPARAMS["generator_hidden_size"],
    },
    "run_finetuning": {"train_batch_size": 4, "num_train_epochs": 1.0},
}

pytestmark = pytest.mark.slow


@pytest.fixture
def in_place(place, monkeypatch):  # noqa: F811
    monkeypatch.chdir(place)
    for name, tiny in TINY.items():
        monkeypatch.setattr(runs, name, tiny_run_of(getattr(runs, name), tiny))
    return place


def shown(page, start, end=None):
    """What a part of a page shows: commands and snippets, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    text = text[text.index(start) : end and text.index(end)]
    found = [part for part in PART.finditer(text) if not part["row"]]
    commands = re.findall(r"^    electra [a-z]", text, re.M)
    assert len(found) == len(commands) + text.count("```python") > 5
    return found


def run_all(found, names):
    for part in found:
        if part["python"]:
            exec(part["python"], names)
        else:
            run_line(part["command"])


def test_the_readme_runs_from_top_to_bottom(in_place, monkeypatch):
    (in_place / "data" / "vocab.txt").unlink()
    (in_place / "corpus" / "films.txt").write_text("the film was great or awful\n")
    (in_place / "texts.txt").write_text(f"{TEXT}\n")
    (in_place / "films.txt").write_text("the film was {}\n")
    (in_place / "nbest.tsv").write_text(f"1\t{TEXT}\n1\t{TEXT[:20]}\n")
    monkeypatch.setattr(demo, "run", lambda args: None)  # it would serve until Ctrl-C
    run_all(shown("README.md", "## Pre-train on your own text", "## Parity"), {})
    assert (in_place / "new.jsonl").read_text().count("\n") == 1
    assert (in_place / "my_model_tf1" / "checkpoint").exists()
    assert (in_place / "ranked.tsv").read_text().count("\n") == 2


def test_the_recipes_run(in_place):
    pairs = in_place / "own" / "finetuning_data" / "near"
    pairs.mkdir(parents=True)
    for split in ("train", "dev"):
        (pairs / f"{split}.tsv").write_text(f"text\tnear\n{TEXT}\t{TEXT[:20]}\n")
    names = {"texts": [TEXT, TEXT[:20]] * 4, "labels": [1, 0] * 4}
    run_all(shown("docs/recipes.md", "# Recipes"), names)
    assert (in_place / "my_classifier_hf" / "model.safetensors").exists()
