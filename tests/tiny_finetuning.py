# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tiny pre-trained model and tiny tasks of every kind, for whole runs in seconds."""

import json

import numpy as np
from tiny_run import HPARAMS, SPECIAL, WORDS, tiny_config

from electra_tf.finetuning import run
from electra_tf.pretraining import ElectraPretrainer, model_folder
from electra_tf.runs import resolve_finetuning
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.weights import weights_by_name

MODEL = "tiny"
SHAPE = {**HPARAMS["model_hparam_overrides"], "num_hidden_layers": 1}
LEARNING = {
    "max_seq_length": 16,
    "train_batch_size": 8,
    "num_train_epochs": 2.0,
    "learning_rate": 1e-2,
    "layerwise_lr_decay": 0.0,
    "seed": 3,
}
"""What Keras models may be given."""
SETTINGS = {**LEARNING, "save_checkpoints_steps": 2, "log_every_steps": 3}


def make_data_dir(folder):
    """A data folder with a vocabulary and a pre-trained model of one narrow layer."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    config = tiny_config(folder, MODEL, {"num_hidden_layers": 1})
    tokenizer = load_tokenizer(config.vocab_file)
    pretrainer = ElectraPretrainer(config, tokenizer.vocabulary)
    model_folder.write_config(config, tokenizer)
    CheckpointFolder(config.model_dir).save(5, weights_by_name(pretrainer), {"seen": 1})
    return folder


def sentences(count, seed):
    """Word lists, and 0 or 1 for each: whether w1 is among the words."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        words = [f"w{i}" for i in generator.integers(3, 40, generator.integers(3, 9))]
        words[int(generator.integers(len(words)))] = "w1" if number % 2 else "w2"
        rows.append((words, number % 2))
    return rows


def write_task(data_dir, name, files, **fields):
    """A task described in JSON with its files; returns the path of the description."""
    folder = data_dir / "finetuning_data" / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    splits = {file.split(".")[0]: file for file in files}
    path = data_dir / f"{name}.json"
    path.write_text(json.dumps({"files": splits, **fields}))
    return str(path)


def classification(data_dir, name="words", sizes=(24, 10, 5)):
    def table(rows, labelled):
        lines = ["text\tlabel" if labelled else "text"]
        for words, label in rows:
            lines.append(" ".join(words) + (f"\t{('no', 'yes')[label]}" if labelled else ""))
        return "\n".join(lines) + "\n"

    files = {
        f"{split}.tsv": table(sentences(count, seed), split != "test")
        for seed, (split, count) in enumerate(zip(("train", "dev", "test"), sizes, strict=True))
    }
    fields = {"kind": "classification", "format": "tsv", "unlabelled": ["test"]}
    columns = {"text_a": "text", "label": "label"}
    return write_task(data_dir, name, files, columns=columns, labels=["no", "yes"], **fields)


def finetune(data_dir, task_names, strategy=None, **changes):
    """Run; returns the configuration and the results."""
    hparams = {**SETTINGS, "task_names": task_names, **changes}
    config, start = resolve_finetuning(MODEL, str(data_dir), hparams)
    return config, run.finetune(config, start, strategy)
