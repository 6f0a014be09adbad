# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model size and a task of GLUE are one row of a table each: all that uses them follows."""

import numpy as np

from electra_tf.config import MODEL_SIZES, FinetuningConfig, PretrainingConfig
from electra_tf.config.encoder import ModelSize, encoder_of_size, nearest_size
from electra_tf.config.task_table import TASKS, BuiltIn, Columns, Split, TaskSpec
from electra_tf.finetuning.evaluation import Evaluation
from electra_tf.finetuning.kinds.kind import Predictions
from electra_tf.finetuning.results import write_test_predictions
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.task import load_task


def test_a_model_size_is_one_row(monkeypatch):
    row = ModelSize(192, 6, embedding_size=96, finetuning={"layerwise_lr_decay": 0.7})
    monkeypatch.setitem(MODEL_SIZES, "tiny", row)
    for kind in (PretrainingConfig, FinetuningConfig):
        config = kind.from_hparams("m", "/data", {"model_size": "tiny"})
        encoder = config.encoder
        assert encoder == encoder_of_size("tiny", {}, 30522, 96)
        assert (encoder.hidden_size, encoder.num_hidden_layers) == (192, 6)
        assert (encoder.embedding_size, encoder.num_attention_heads) == (96, 3)
    assert config.layerwise_lr_decay == 0.7
    assert nearest_size(encoder) == "tiny"


def test_a_task_is_one_row(monkeypatch, tmp_path):
    columns = Columns(text_a=0, label=1, header=False)
    splits = tuple(Split(name, f"{name}.tsv", "tsv", columns) for name in ("train", "dev"))
    splits += (Split("test", "test.tsv", "tsv", Columns(0, header=False), labelled=False),)
    spec = TaskSpec("ax-g", "classification", splits, metric="mcc", labels=("0", "1"))
    row = BuiltIn(spec, {"num_train_epochs": 7.0}, {"test": "AX-g"})
    monkeypatch.setitem(TASKS, "ax-g", row)

    config = FinetuningConfig.from_hparams("m", str(tmp_path), {"task_names": ["ax-g"]})
    assert config.num_train_epochs == 7.0
    both = {"task_names": ["ax-g", "rte"]}
    assert FinetuningConfig.from_hparams("m", str(tmp_path), both).num_train_epochs == 3.0

    folder = tmp_path / "finetuning_data" / "ax-g"
    folder.mkdir(parents=True)
    for name in ("train", "dev"):
        (folder / f"{name}.tsv").write_text("good\t1\nbad\t0\nfine\t1\n")
    (folder / "test.tsv").write_text("good\nbad\n")
    task = load_task("ax-g", config.raw_data_dir)
    labels = {"ax-g_label_ids": np.array([1, 0, 1])}
    dev = SplitData(task, "dev", task.examples("dev"), labels, None, "", config)
    right = Predictions(np.array([1, 0, 1]), loss=0.0)
    assert task.kind.scores(dev, right)["mcc"] == 100.0
    test = SplitData(task, "test", task.examples("test"), {}, None, "", config)
    write_test_predictions(config, Evaluation(test, Predictions(np.array([1, 0])), {}), trial=1)
    files = list(tmp_path.rglob("AX-g.tsv"))
    assert [file.read_text() for file in files] == ["index\tprediction\n0\t1\n1\t0\n"]
