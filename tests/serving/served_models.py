# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Folders of small models of every kind with random weights and a real vocabulary."""

import pathlib
import shutil

from electra_tf.config import FinetuningConfig, PretrainingConfig
from electra_tf.config.task_table import Columns, Split, TaskSpec
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import KINDS
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.task import Task
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.weights import weights_by_name

VOCABULARY = pathlib.Path(__file__).parents[1] / "goldens/tokenization/bert_uncased_vocab.txt"
SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    # So large that probabilities are far from even ones.
    "initializer_range": 0.5,
}
LENGTH = 40
HPARAMS = {"model_hparam_overrides": SHAPE, "embedding_size": 8, "max_seq_length": LENGTH}


def pretrained_folder(folder, **changes) -> str:
    """A folder as pre-training leaves it."""
    data_dir = pathlib.Path(folder)
    data_dir.mkdir(parents=True)
    shutil.copy(VOCABULARY, data_dir / "vocab.txt")
    hparams = {**HPARAMS, "generator_hidden_size": 0.5, **changes}
    config = PretrainingConfig.from_hparams("model", str(data_dir), hparams)
    tokenizer = load_tokenizer(VOCABULARY)
    pretrainer = ElectraPretrainer(config, tokenizer.vocabulary)
    pretrained.write_config(config, tokenizer)
    pretrained.checkpoints(config).save(5, weights_by_name(pretrainer), {})
    return config.model_dir


def finetuned_folder(folder, *specs, **changes) -> str:
    """A folder as fine-tuning leaves it."""
    hparams = {**HPARAMS, "task_names": [spec.name for spec in specs], **changes}
    config = FinetuningConfig.from_hparams("model", str(folder), hparams)
    model = FinetuningModel(config, specs)
    tokenizer = load_tokenizer(VOCABULARY)
    tasks = [Task(spec, str(folder), BadRows()) for spec in specs]
    finetuned.write_config(str(folder), config, tokenizer, tasks, run_key="none")
    finetuned.checkpoints(str(folder)).save(5, weights_by_name(model), {})
    return str(folder)


def text_task(kind, is_pair=False, **fields) -> TaskSpec:
    columns = Columns("a", "b" if is_pair else None, "label")
    splits = (Split("train", "train.tsv", "tsv", columns),)
    return TaskSpec(kind, kind, splits, metric=KINDS[kind].metrics[0], **fields)


CLASSES = text_task("classification", is_pair=True, labels=("bad", "good", "ugly"))
SEVERAL = text_task("multilabel", labels=("blue", "green", "red"))
SCORES = text_task("regression", is_pair=True, value_range=(1.0, 5.0))
NAMES = TaskSpec(
    "names",
    "tagging",
    (Split("train", "train.txt", "conll", Columns(0, None, -1, False)),),
    metric="f1",
    scheme="spans",
    labels=tuple(sorted(["O", *(f"{p}-{t}" for p in "BIES" for t in ("geo-loc", "PER"))])),
)
QUESTIONS = TaskSpec(
    "questions",
    "qa",
    (Split("train", "train.json", "squad"),),
    metric="f1",
    official="squad_v2",
)
ANSWER_SETTINGS = {"max_query_length": 8, "doc_stride": 12}
TASKS = {spec.kind: (spec, {}) for spec in (CLASSES, SEVERAL, SCORES, NAMES)}
TASKS["qa"] = (QUESTIONS, ANSWER_SETTINGS)
"""Kind -> a task of it, and hyperparameters that go with it."""
VARIANTS = {
    **TASKS,
    "qa-independent": (QUESTIONS, {**ANSWER_SETTINGS, "joint_prediction": False}),
    "qa-without-classifier": (QUESTIONS, {**ANSWER_SETTINGS, "answerable_classifier": False}),
}
"""The same, and the heads of questions that there are besides."""
