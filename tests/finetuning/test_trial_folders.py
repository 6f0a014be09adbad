# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A run removes its own trials only."""

import json
import pathlib

import pytest
from tiny_finetuning import classification, finetune

from electra_tf.finetuning import trial_folders
from electra_tf.finetuning.trial import TrialTrainer
from electra_tf.folders import files_in


@pytest.fixture
def task(tuning_dir):
    return classification(tuning_dir)


@pytest.fixture
def untrained(monkeypatch):
    """Nothing may be trained: runs end before."""

    def fail(self):
        raise AssertionError("trained")

    monkeypatch.setattr(TrialTrainer, "run", fail)


@pytest.fixture
def stored(tuning_dir, task, monkeypatch):
    """What runs store, as a function of what is changed in it."""
    with monkeypatch.context() as patch:
        patch.setattr(TrialTrainer, "run", lambda self: 0)
        finetune(tuning_dir, [task], model_dir=str(tuning_dir / "m"), do_eval=False)
    content = json.loads((tuning_dir / "m_1" / "config.json").read_text())

    def changed(model_dir, **changes):
        settings = {**content["finetuning"], "model_dir": str(model_dir)}
        return json.dumps({**content, "finetuning": settings, **changes})

    return changed


@pytest.mark.parametrize(
    ("folder", "file", "content"),
    [
        ("thesis_1", "chapter.tex", "mine"),
        ("thesis_2", "chapters/one.tex", "mine"),
        ("thesis_2_again_1", "data.csv", "mine"),
        ("thesis_1", "config.json", '{"mine": 1}'),
        ("thesis_1", "config.json", json.dumps({"pretraining": {"debug": True}})),
        ("thesis_1", "config.json", json.dumps({"finetuning": {"model_dir": "x/thesis"}})),
        ("thesis_2", "config.json", {"model_dir": "x/other", "run_key": "another"}),
        ("thesis_1", "config.json", {"model_dir": "x/thesis", "converted_from": "a release"}),
    ],
)
def test_folders_of_others_stay(tuning_dir, task, stored, untrained, folder, file, content):
    if isinstance(content, dict):
        content = stored(**{"run_key": "converted", **content})
    path = tuning_dir / folder / file
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(FileExistsError, match=rf"/{folder} is expected .* its own: {file}\. "):
        finetune(
            tuning_dir,
            [task],
            model_dir=str(tuning_dir / "thesis"),
            num_trials=2,
            retry_failed_trials=1,
        )
    assert path.read_text() == content and files_in(str(tuning_dir / folder)) == [file]


def test_a_debug_run_does_not_delete_a_real_model(tuning_dir, task, stored, untrained):
    settings = {"debug": True, "max_seq_length": 16, "model_dir": str(tuning_dir / "real")}
    path = tuning_dir / "real_1" / "config.json"
    path.parent.mkdir()
    path.write_text(stored("elsewhere/real"))
    with pytest.raises(FileExistsError, match=r"real_1 .* its own: config\.json"):
        finetune(tuning_dir, [task], vocab_size=100, **settings)
    assert path.exists()


def test_files_of_others_in_a_trial_stay(tuning_dir, task, monkeypatch):
    """When it starts over, and when it goes because only the last model is kept."""
    monkeypatch.setattr(TrialTrainer, "run", lambda self: 0)
    _, _ = finetune(tuning_dir, [task], model_dir=str(tuning_dir / "m"), do_eval=False)
    notes = tuning_dir / "m_1" / "notes.txt"
    notes.write_text("mine")
    before = (tuning_dir / "m_1" / "config.json").read_text()
    config, _ = finetune(
        tuning_dir, [task], model_dir=str(tuning_dir / "m"), do_eval=False, learning_rate=1e-3
    )
    assert (tuning_dir / "m_1" / "config.json").read_text() != before
    trial_folders.remove(config, 1)
    assert files_in(str(tuning_dir / "m_1")) == ["notes.txt"] and notes.read_text() == "mine"


def test_a_run_that_ended_before_its_configuration_was_whole_goes_on(tuning_dir, task, monkeypatch):
    monkeypatch.setattr(TrialTrainer, "run", lambda self: 0)
    with monkeypatch.context() as patch:
        patch.setattr("electra_tf.finetuning.model_folder.save_tokenizer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            finetune(tuning_dir, [task], model_dir=str(tuning_dir / "m"), do_eval=False)
    assert files_in(str(tuning_dir / "m_1")) == ["config.json"]
    for _ in range(2):
        finetune(tuning_dir, [task], model_dir=str(tuning_dir / "m"), do_eval=False)
        assert pathlib.Path(tuning_dir / "m_1" / "vocab.txt").exists()


def interrupt(*arguments):
    raise KeyboardInterrupt
