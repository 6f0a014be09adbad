# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs: what they write, begin with, and refuse."""

import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from golden_cases import FOLDER as GOLDENS
from golden_cases import config_of
from run_results import logged_steps, stored
from tiny_run import LENGTH, hparams_with, make_examples, tiny_config, write_records

from electra_tf.data import Manifest, PretrainingRecords
from electra_tf.pretraining import ElectraPretrainer, model_folder, run
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, read_state, step_in_name
from electra_tf.training.loop.logs import read_log

pytestmark = pytest.mark.usefixtures("info_log")
ONE_LAYER = {"num_hidden_layers": 1}


# ---- What a run writes


def test_files_of_a_run(finished):
    folder = pathlib.Path(finished.config.model_dir)
    names = {path.name for path in folder.iterdir() if not path.name.startswith("events.")}
    checkpoints = {f"model.ckpt-{step}.index" for step in (4, 8, 12)}
    assert {name for name in names if name.endswith(".index")} == checkpoints
    assert names >= {"checkpoint", "config.json", "vocab.txt", "train_log.jsonl"}
    assert not [name for name in names if "tmp" in name or "incomplete" in name]
    assert (folder / "vocab.txt").read_text() == (finished.data_dir / "vocab.txt").read_text()
    stored_config = json.loads((folder / "config.json").read_text())
    assert stored_config["pretraining"] == finished.config.to_dict()
    assert stored_config["tokenizer"]["vocab_size"] == 100
    assert stored_config["encoder"]["hidden_size"] == 16
    assert stored_config["generator_encoder"]["hidden_size"] == 8


def test_log_of_a_run(finished):
    log = read_log(finished.config.model_dir)
    assert [entry["step"] for entry in log] == [3, 6, 9, 12]
    for entry in log:
        assert set(entry) >= {
            "total_loss",
            "masked_lm_loss",
            "masked_lm_accuracy",
            "sampled_masked_lm_accuracy",
            "disc_loss",
            "disc_auc",
            "disc_accuracy",
            "disc_precision",
            "disc_recall",
            "learning_rate",
            "gradient_norm",
            "tokens_per_second",
            "steps_per_second",
            "input_wait_share",
        }
        decayed = 1e-3 * (1 - entry["step"] / 12)  # warm-up ends at step 2
        assert entry["learning_rate"] == pytest.approx(decayed, abs=1e-9)
        assert entry["gradient_norm"] > 0
        assert 0 <= entry["input_wait_share"] <= 1
        assert np.isfinite([value for value in entry.values() if value != "train"]).all()
    assert finished.last == {key: value for key, value in log[-1].items() if key != "kind"}
    tags = {
        value.tag
        for file in pathlib.Path(finished.config.model_dir).glob("events.*")
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert tags == {f"train/{name}" for name in log[0]} - {"train/kind", "train/step"}


def test_state_of_a_run(finished):
    state = read_state(os.path.join(finished.config.model_dir, "model.ckpt-8"))
    assert state["examples_seen"] == [8 * 8]
    assert state["num_examples"] == [80]
    assert state["configuration"] == finished.config.to_dict()


def test_a_finished_run_is_left_as_it_is(finished, caplog):
    def files():
        folder = pathlib.Path(finished.config.model_dir)
        return {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    before = files()
    assert run.train(finished.config) == {}
    assert "is trained already: 12 of num_train_steps=12 steps are done" in caplog.text
    assert files() == before


def test_training_learns(data_dir):
    """Of 95 words only 4 occur in this text, which a generator sees soon."""
    examples = make_examples(40)
    ids = examples["input_ids"]
    examples["input_ids"] = np.where(ids > 4, 5 + ids % 4, ids)
    write_records(data_dir / "four_words.tfrecord", examples)
    config = tiny_config(
        data_dir,
        "learns",
        ONE_LAYER,
        num_train_steps=60,
        learning_rate=2e-2,
        log_every_steps=20,
        pretrain_tfrecords=str(data_dir / "four_words.tfrecord"),
    )
    run.train(config)
    losses = [entry["masked_lm_loss"] for entry in read_log(config.model_dir)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1.5  # log(4) = 1.39


# ---- Evaluation while training


def test_best_checkpoint_is_kept(data_dir, idle_steps, monkeypatch):
    losses, measure = iter([3.0, 1.0, 2.0, 4.0, 2.5]), run.Evaluator.measure
    monkeypatch.setattr(
        run.Evaluator,
        "measure",
        lambda self: measure(self)._replace(results={"loss": next(losses)}),
    )
    for steps in (12, 15):  # the second run remembers the best of the first
        config = tiny_config(data_dir, "best", ONE_LAYER, eval_every_steps=3, num_train_steps=steps)
        run.train(config)
    assert logged_steps(config.model_dir, "eval") == [3, 6, 9, 12, 15]
    assert [entry["loss"] for entry in read_log(config.model_dir, "eval")] == [3, 1, 2, 4, 2.5]
    best = model_folder.best_checkpoints(config)
    assert [path.name for path in pathlib.Path(best.folder).glob("*.index")] == [
        "model.ckpt-6.index"
    ]
    assert read_state(best.latest())["best_loss"] == 1.0
    assert step_in_name(model_folder.checkpoints(config).latest()) == 15


# ---- Losses that are not finite


def test_a_loss_that_is_not_finite_stops_the_run(data_dir, monkeypatch):
    def train_step(pretrainer, batch):
        pretrainer.optimizer.iterations.assign_add(1)
        bad = pretrainer.optimizer.iterations.value == 6
        return {"loss": tf.where(bad, float("nan"), 1.0)}

    monkeypatch.setattr(ElectraPretrainer, "train_step", train_step)
    config = tiny_config(data_dir, "nonfinite", ONE_LAYER)
    with pytest.raises(ArithmeticError, match="the loss of step 6 is nan, so training stopped"):
        run.train(config)
    assert step_in_name(CheckpointFolder(config.model_dir).latest()) == 4
    assert logged_steps(config.model_dir) == [3]
    saved = np.load(os.path.join(config.model_dir, "nonfinite_batch_step_6.npz"))
    records = PretrainingRecords(config.pretrain_tfrecords)
    expected = list(records.batches(8, LENGTH, config.seed).take(6))[5]
    assert set(saved) == set(expected)
    for name, rows in expected.items():
        np.testing.assert_array_equal(saved[name], rows)


# ---- What a run begins with


def test_init_checkpoint_gives_weights_only(finished, data_dir, idle_steps, caplog):
    config = tiny_config(
        data_dir, "init", ONE_LAYER, num_train_steps=1, init_checkpoint=finished.config.model_dir
    )
    run.train(config)
    source, begun = stored(finished.config.model_dir), stored(config.model_dir)
    assert begun.pop("global_step") == 1
    for name, value in begun.items():
        expected = np.zeros_like(value) if "/adam_" in name else source[name]
        np.testing.assert_array_equal(value, expected, err_msg=name)
    weights = [name for name in begun if "/adam_" not in name]
    assert f"model.ckpt-12: {len(weights)} variables matched" in caplog.text


def test_init_checkpoint_of_another_shape(finished, data_dir, idle_steps, caplog):
    changes = {"num_train_steps": 1, "init_checkpoint": finished.config.model_dir}
    with pytest.raises(ValueError) as error:
        run.train(tiny_config(data_dir, "deeper", {"num_hidden_layers": 2}, **changes))
    lines = str(error.value).splitlines()
    assert "does not fit the model" in lines[0]
    differing = "  hyperparameters that differ: num_hidden_layers is 1 in the checkpoint, 2 here"
    assert lines[1] == differing
    names = lines[2:-1]
    assert len(names) == 10 and names == sorted(names)
    assert all("missing in the checkpoint: " in line and "layer_1" in line for line in names)
    assert lines[-1] == f"  and {2 * 16 - 10} more: {2 * 16 - 10} missing in the checkpoint"
    assert not (data_dir / "models").exists()

    changes["init_checkpoint_ignore"] = "/layer_1/"
    config = tiny_config(data_dir, "deeper", {"num_hidden_layers": 2}, **changes)
    run.train(config)
    source, begun = stored(finished.config.model_dir), stored(config.model_dir)
    name = "electra/encoder/layer_0/output/dense/kernel"
    np.testing.assert_array_equal(begun[name], source[name])
    assert "left alone: electra/encoder/layer_1/attention/output/LayerNorm/beta" in caplog.text


@pytest.fixture
def original(data_dir):
    """A configuration that fits a checkpoint of the original, and a copy of its folder."""
    case = GOLDENS / "electra_untied"
    released = data_dir / "released"
    shutil.copytree(case / "ckpt", released)
    files = {
        "pretrain_tfrecords": str(data_dir / "pretrain_tfrecords" / "*"),
        "model_dir": str(data_dir / "models" / "original"),
    }
    return config_of("electra_untied", **files), released


def test_init_checkpoint_of_the_original(original, idle_steps):
    config, released = original
    config = config.replace(init_checkpoint=str(released), num_train_steps=1)
    run.train(config)
    source, begun = stored(released), stored(config.model_dir)
    assert begun["global_step"] == 1
    for name, value in source.items():
        if "/adam_" not in name and name != "global_step":
            np.testing.assert_array_equal(begun[name], value, err_msg=name)


def test_a_folder_with_a_checkpoint_of_the_original_is_continued(original, idle_steps):
    """Weights, moments and step go on; the downloaded files stay."""
    config, released = original
    source = stored(released)
    generator = np.random.default_rng(0)
    for name, value in source.items():
        if "/adam_" in name:  # zero in the recorded checkpoint
            source[name] = generator.random(value.shape, np.float32)
    os.makedirs(config.model_dir)
    prefix = os.path.join(config.model_dir, "model.ckpt-2")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(source),
        shape_and_slices=[""] * len(source),
        tensors=list(source.values()),
    )
    shutil.copy(released / "checkpoint", config.model_dir)

    run.train(config.replace(num_train_steps=5, keep_checkpoint_max=1))
    continued = stored(config.model_dir)
    assert source.pop("global_step") == 2 and continued.pop("global_step") == 5
    assert set(continued) == set(source)
    for name, value in source.items():
        np.testing.assert_array_equal(continued[name], value, err_msg=name)
    assert os.path.exists(f"{prefix}.index")
    state = read_state(CheckpointFolder(config.model_dir).latest())
    assert state["examples_seen"] == [5 * config.train_batch_size]


# ---- The model folder and the hyperparameters


def test_a_contradiction_to_the_model_folder_lists_the_keys(finished):
    hparams = hparams_with(
        {**ONE_LAYER, "intermediate_size": 64}, embedding_size=4, generator_hidden_size=0.25
    )
    with pytest.raises(ValueError) as error:
        model_folder.resolve_config("finished", str(finished.data_dir), hparams)
    message = str(error.value)
    assert "embedding_size: saved 8, given 4" in message
    assert "generator_hidden_size: saved 0.5, given 0.25" in message
    assert "model_hparam_overrides['intermediate_size']: saved 32, given 64" in message
    assert "hidden_size'" not in message and "num_hidden_layers" not in message


def test_a_contradiction_is_found_without_the_command_line_too(finished):
    config = tiny_config(finished.data_dir, "finished", {"num_hidden_layers": 2})
    for action in (run.train, run.evaluate, run.load_pretrainer):
        with pytest.raises(ValueError, match="model_hparam_overrides"):
            action(config)


def test_later_runs_take_the_shape_from_the_folder(finished):
    config = model_folder.resolve_config(
        "finished", str(finished.data_dir), {"num_train_steps": 20, "max_seq_length": LENGTH}
    )
    assert config.encoder == finished.config.encoder
    assert config.generator_encoder == finished.config.generator_encoder
    assert config.num_train_steps == 20
    assert config.train_batch_size == 128  # not the shape: the default


def test_another_vocabulary_is_refused(finished, data_dir, idle_steps):
    shutil.copytree(finished.config.model_dir, data_dir / "models" / "finished")
    tokens = (data_dir / "vocab.txt").read_text().split()
    (data_dir / "vocab.txt").write_text("\n".join([*tokens[:-1], "other"]) + "\n")
    with pytest.raises(ValueError, match=r"vocab_file .* is expected to be the vocabulary of the"):
        run.train(tiny_config(data_dir, "finished", ONE_LAYER, num_train_steps=20))


# ---- Debug runs


def test_debug_runs_start_over(data_dir, idle_steps):
    hparams = hparams_with(debug=True, num_train_steps=2)
    del hparams["model_hparam_overrides"]
    for _ in range(2):
        config = model_folder.resolve_config("debugged", str(data_dir), hparams)
        assert config.encoder.hidden_size == 144 and config.encoder.num_hidden_layers == 3
        left_over = pathlib.Path(config.model_dir) / "left_over"
        run.train(config)
        assert not left_over.exists()
        left_over.write_text("of an earlier run")
        assert logged_steps(config.model_dir) == [2]


def test_debug_runs_do_not_delete_a_real_model(finished):
    hparams = hparams_with(debug=True)
    before = stored(finished.config.model_dir)
    config = model_folder.resolve_config("finished", str(finished.data_dir), hparams)
    with pytest.raises(ValueError, match="it is not the folder of a debug run"):
        run.train(config)
    assert set(stored(finished.config.model_dir)) == set(before)


def test_debug_runs_delete_nothing_but_debug_runs(data_dir):
    """A folder without a checkpoint may still hold what somebody wants."""
    config = tiny_config(data_dir, "notes", debug=True)
    notes = pathlib.Path(config.model_dir) / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    with pytest.raises(ValueError, match="it is not the folder of a debug run"):
        run.train(config)
    assert notes.read_text() == "mine"


def test_a_debug_run_is_not_trained_further(data_dir, idle_steps):
    """Else a run that forgot its own folder would silently be one more debug run."""
    hparams = hparams_with(debug=True, num_train_steps=1)
    run.train(model_folder.resolve_config("debugged", str(data_dir), hparams))
    hparams = {"max_seq_length": LENGTH}
    with pytest.raises(ValueError, match="is a debug run's"):
        model_folder.resolve_config("debugged", str(data_dir), hparams)
    hparams |= {"do_train": False, "do_eval": True}
    assert model_folder.resolve_config("debugged", str(data_dir), hparams).debug


# ---- Records


def write_manifest(data_dir, **changes):
    config = tiny_config(data_dir, "any", ONE_LAYER)
    folder = data_dir / "pretrain_tfrecords"
    shards = [
        {"name": path.name, "num_examples": 40, "bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
    ]
    tokenizer = load_tokenizer(config.vocab_file).settings
    content = {
        "shards": shards,
        "num_examples": 80,
        "num_tokens": 800,
        "max_seq_length": LENGTH,
        "mean_length": 10.0,
        "padding_share": 0.375,
        "length_histogram": [40, 40],
        "tokenizer": {**tokenizer, **changes.pop("tokenizer", {})},
        "seed": 1,
        "blanks_separate_docs": True,
        "replaced_bytes": 0,
        "cut_tokens": 0,
        "sources": [],
        "format_version": 1,
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(content))
    Manifest.load(str(folder))


def test_records_whose_manifest_fits(data_dir, idle_steps):
    write_manifest(data_dir)
    logged = run.train(tiny_config(data_dir, "fits", ONE_LAYER, num_train_steps=1))
    assert logged["step"] == 1


@pytest.mark.parametrize("action", [run.train, run.evaluate])
def test_records_whose_manifest_contradicts_the_run(data_dir, action):
    write_manifest(
        data_dir, max_seq_length=64, tokenizer={"do_lower_case": False, "vocab_sha256": "0" * 64}
    )
    with pytest.raises(ValueError) as error:
        action(tiny_config(data_dir, "refused", ONE_LAYER))
    message = str(error.value)
    assert "max_seq_length is 64, the configuration has 16" in message
    assert "do_lower_case is False, the configuration has True" in message
    assert "vocab_sha256" in message
    assert not (data_dir / "models").exists()


def test_held_out_records_are_checked_before_training(data_dir):
    with pytest.raises(ValueError, match="nowhere"):
        run.train(
            tiny_config(
                data_dir,
                "x",
                ONE_LAYER,
                eval_every_steps=3,
                eval_tfrecords=str(data_dir / "nowhere*"),
            )
        )
    assert not (data_dir / "models").exists()


def test_a_run_goes_on_in_a_folder_with_a_scheme(data_dir):
    """file:// is read and written as gs:// is, by TensorFlow only."""
    folder, shape = f"file://{data_dir}", {"num_hidden_layers": 1}

    def resolve(steps):
        hparams = hparams_with(shape, num_train_steps=steps, iterations_per_loop=1)
        return model_folder.resolve_config("remote", folder, hparams)

    run.train(resolve(2))
    run.train(resolve(3))
    assert CheckpointFolder(resolve(3).model_dir).latest() == f"{resolve(3).model_dir}/model.ckpt-3"


def test_the_folder_that_is_named_is_where_the_model_is(finished, tmp_path):
    """Not where it was made."""
    data_dir = tmp_path / "moved"
    shutil.copytree(finished.data_dir, data_dir)
    with pytest.raises(ValueError, match=f"model in {data_dir}/models/finished was made with"):
        model_folder.resolve_config("finished", str(data_dir), hparams_with(seed=8))
