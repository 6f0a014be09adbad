# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fine-tuning by two worker processes that talk over the loopback interface."""

import json
import shutil
import signal

import numpy as np
import pytest
import tensorflow as tf
from test_worker_processes import run_workers
from tiny_finetuning import MODEL, SETTINGS, classification, finetune, make_data_dir


@pytest.mark.slow
def test_two_workers_are_two_replicas_also_after_one_was_killed(tmp_path, two_replicas):
    data_dir = make_data_dir(tmp_path / "data")
    task = classification(data_dir)
    changes = {"iterations_per_loop": 1, "task_names": [task]}
    shutil.copytree(data_dir, tmp_path / "one_process")
    config, results = finetune(tmp_path / "one_process", strategy=two_replicas, **changes)

    arguments = ["--data-dir", str(data_dir), "--model-name", MODEL]
    plan = {
        "command": "finetune",
        "arguments": [*arguments, "--hparams", json.dumps({**SETTINGS, **changes})],
    }
    stop = {"worker": 1, "signal": signal.SIGKILL, "step": 4}
    killed, resumed = run_workers(tmp_path / "out", {**plan, "stop": stop}, plan)
    assert killed["statuses"] == [2, -signal.SIGKILL], killed.texts
    assert killed["lived_on"] < 60
    assert "error: lost worker 1 (localhost:" in killed.texts[0]

    assert resumed["statuses"] == [0, 0], resumed.texts
    ours, theirs = (
        tf.train.load_checkpoint(f"{folder}_1")
        for folder in (
            config.model_dir.replace(str(tmp_path / "one_process"), str(data_dir)),
            config.model_dir,
        )
    )
    names = set(theirs.get_variable_to_shape_map())
    assert names == set(ours.get_variable_to_shape_map())
    for name in names - {"electra_tf/state"}:
        np.testing.assert_allclose(
            ours.get_tensor(name), theirs.get_tensor(name), rtol=1e-5, atol=1e-6, err_msg=name
        )
    path = config.results_txt.replace(str(tmp_path / "one_process"), str(data_dir))
    with open(path.replace(".txt", ".json"), encoding="utf-8") as file:
        scores = json.load(file)["trials"][0]["scores"]
    assert scores["words"] == pytest.approx(results.trials[0]["scores"]["words"], abs=1e-3)
