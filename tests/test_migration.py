# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""All that docs/migration.md shows runs, in its order: snippets, commands, expressions in tables.

Folders that it names are tiny ones here. What it shows of other libraries (`py`) is not run.
"""

import json
import pathlib
import re
import shlex
import string

import pytest
from commands import electra
from tiny_run import SPECIAL, tiny_config

from electra_tf import runs
from electra_tf.interop import convert, open_model
from electra_tf.pretraining import ElectraPretrainer, model_folder
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.weights import weights_by_name

PAGE = pathlib.Path(__file__).parents[1] / "docs/migration.md"
SCRIPTS = {"build_pretraining_dataset": "records", "run_pretraining": "pretrain"}
SCRIPTS["run_finetuning"] = "finetune"
SHAPE = {"num_hidden_layers": 1, "max_position_embeddings": 128}
LETTERS = list(string.ascii_lowercase)
TINY = {
    "pretrain": {
        "model_hparam_overrides": {"hidden_size": 16, **SHAPE},
        "train_batch_size": 4,
    },
    "finetune": {"train_batch_size": 4, "num_train_epochs": 1.0, "num_trials": 1},
}
TEXT = "ada wrote to paris and the tower is in paris"

# A snippet, a command, or a row of a table.
PART = re.compile(
    r"^```python\n(?P<python>.*?)^```"
    r"|^    (?P<command>(?:electra|python3) (?:[^\n]|\n {8})*)"
    r"|^\| (?P<row>[^\n]*) \|$",
    re.M | re.S,
)


def parts():
    """What is to be run, in its order."""
    return PART.finditer(PAGE.read_text(encoding="utf-8"))


def expressions(row):
    """Code in the last cell of a row that can be run: calls and assignments."""
    codes = re.findall(r"`([^`]+)`", row.split(" | ")[-1])
    return [code for code in codes if "(" in code or " = " in code]


def run_line(line):
    words = shlex.split(line.replace("\\\n", " ").replace("$DATA_DIR", "data"))
    if words[0] == "python3":
        words = ["electra", SCRIPTS[words[1].removesuffix(".py")], *words[2:]]
    assert electra(*words[1:]) == 0, line


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all that the page names: models, data, text."""
    place = tmp_path_factory.mktemp("migration")
    data = place / "data"
    tasks = data / "finetuning_data"
    for folder in (place / "corpus", tasks / "mrpc", tasks / "squadv1"):
        folder.mkdir(parents=True)
    (place / "corpus/text.txt").write_text("\n\n".join([f"{TEXT}\n{TEXT}"] * 8) + "\n")
    pair = f"1\t2\t{TEXT}\t{TEXT[:20]}\n"
    header = "#1 ID\t#2 ID\t#1 String\t#2 String\n"
    labelled = "".join(f"{n % 2}\t{pair}" for n in range(8))
    for split in ("train", "dev"):
        (tasks / f"mrpc/{split}.tsv").write_text(f"Quality\t{header}{labelled}")
    (place / "new.tsv").write_text(f"index\t{header}0\t{pair}")
    answer = {"text": "ada", "answer_start": 0}
    asked = [{"id": str(n), "question": "who wrote", "answers": [answer]} for n in range(4)]
    squad = {"data": [{"paragraphs": [{"context": TEXT, "qas": asked}]}]}
    for split in ("train", "dev"):
        (tasks / f"squadv1/{split}.json").write_text(json.dumps(squad))
    write_models(place, data)
    return place


def write_models(place, data):
    """An untrained pair as two Hugging Face folders, and a vocabulary of letters."""
    tokens = SPECIAL + LETTERS + [f"##{letter}" for letter in LETTERS]
    (data / "vocab.txt").write_text("\n".join(tokens) + "\n")
    config = tiny_config(data, "pair", SHAPE, vocab_size=len(tokens))
    tokenizer = load_tokenizer(config.vocab_file)
    model_folder.write_config(config, tokenizer)
    weights = weights_by_name(ElectraPretrainer(config, tokenizer.vocabulary))
    CheckpointFolder(config.model_dir).save(1, weights, {"seen": 1})
    for part in ("discriminator", "generator"):
        path = str(place / f"electra-small-{part}")
        convert(open_model(config.model_dir), "huggingface", path, part=part)


@pytest.fixture
def in_place(place, monkeypatch):
    """Runs there are of tiny models, whatever the page asks for."""
    monkeypatch.chdir(place)
    for verb, name in {"pretrain": "run_pretraining", "finetune": "run_finetuning"}.items():
        monkeypatch.setattr(runs, name, tiny_run_of(getattr(runs, name), TINY[verb]))


def tiny_run_of(run, tiny):
    return lambda data_dir, name, hparams, *rest: run(data_dir, name, {**hparams, **tiny}, *rest)


@pytest.mark.slow
def test_all_that_is_shown_runs(in_place):
    names = {}
    for part in parts():
        if part["python"]:
            exec(part["python"], names)
        elif part["command"]:
            run_line(part["command"])
        else:
            for code in expressions(part["row"]):
                exec(code, names)


def test_what_runs_is_found():
    """A change of the page's form does not hide its code from the test."""
    found = list(parts())
    assert sum(bool(part["python"]) for part in found) == PAGE.read_text().count("```python")
    assert sum(bool(part["command"]) for part in found) == 9
    rows = [code for part in found if part["row"] for code in expressions(part["row"])]
    assert len(rows) >= 20
    assert 'model.compile("adam")' in rows and "model.encoder.trainable = False" in rows
