# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs: options, what they write, and what they refuse."""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from run_results import logged_steps, stored
from task_files import GOLDENS
from tiny_finetuning import MODEL, SETTINGS, classification, finetune
from tiny_run import WORDS

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning import FinetuningModel, model, model_folder, run
from electra_tf.finetuning.evaluation import Evaluator
from electra_tf.finetuning.results import summarize
from electra_tf.finetuning.split_data import load_split
from electra_tf.interop import find_starting_point
from electra_tf.runs import resolve_finetuning
from electra_tf.training.checkpoints.checkpoint import step_in_name
from electra_tf.training.loop.logs import read_log

pytestmark = pytest.mark.usefixtures("info_log")


@pytest.fixture
def task(tuning_dir):
    return classification(tuning_dir)


@pytest.fixture
def idle_steps(monkeypatch):
    """Steps that only count."""

    def train_step(model, batch):
        model.optimizer.iterations.assign_add(1)
        model.running_loss.update_state(1.0)
        return {"loss": tf.constant(1.0)}

    monkeypatch.setattr(FinetuningModel, "update", train_step)


def results_json(config):
    return json.loads(pathlib.Path(config.results_txt.replace(".txt", ".json")).read_text())


def test_training_learns_what_the_majority_does_not_know(tuning_dir):
    task = classification(tuning_dir, sizes=(96, 40, 1))
    steady = {"learning_rate": 3e-3, "num_train_epochs": 12.0}
    config, results = finetune(tuning_dir, [task], num_trials=2, **steady)
    assert results.baselines["words"]["accuracy"] == 50.0
    best = results.as_dict()["summary"]["words"]["accuracy"]["best"]
    assert best > 90
    assert results_json(config) == json.loads(json.dumps(results.as_dict()))
    losses = [entry["loss"] for entry in read_log(f"{config.model_dir}_1")]
    # Dropout may hide the one word that tells, so a single batch may still be hard.
    assert np.mean(losses[-10:]) < 0.5 * losses[0]


def test_trials_have_seeds_of_their_own(tuning_dir, task):
    config, results = finetune(tuning_dir, [task], num_trials=2, num_train_epochs=1.0)
    assert [trial["seed"] for trial in results.trials] == [3, 4]
    one, two = (stored(f"{config.model_dir}_{i}") for i in (1, 2))
    assert any((one[name] != two[name]).any() for name in one)
    _, again = finetune(tuning_dir, [task], num_train_epochs=1.0, seed=4)
    assert again.trials[0]["scores"]["words"] == pytest.approx(
        results.trials[1]["scores"]["words"], rel=1e-5
    )


def test_starts_with_the_pretrained_encoder(tuning_dir, task, idle_steps, caplog):
    config, _ = finetune(tuning_dir, [task])
    assert "Beginning with the pre-trained model" in caplog.text
    assert "from random weights" not in caplog.text
    found = stored(f"{config.model_dir}_1")
    expected = stored(tuning_dir / "models" / MODEL)
    names = [name for name in expected if name.startswith("electra/")]
    assert names
    for name in names:
        np.testing.assert_array_equal(found[name], expected[name])
    random, _ = finetune(
        tuning_dir,
        [task],
        init_checkpoint=None,
        model_hparam_overrides={"hidden_size": 16, "num_hidden_layers": 1},
        vocab_size=len(WORDS) + 5,
        embedding_size=8,
    )
    assert "Beginning from random weights." in caplog.text
    name = "electra/embeddings/word_embeddings"
    assert (stored(f"{random.model_dir}_1")[name] != expected[name]).any()


def test_failed_trials_are_named_and_tried_again(tuning_dir, task, idle_steps, caplog):
    """Without training the model has no chance: all predictions are forced to one class."""
    with pytest.MonkeyPatch.context() as patch:
        outputs = Evaluator.outputs

        def collapsed(evaluator, *arguments):
            found = outputs(evaluator, *arguments)
            return {**found, "predictions": np.zeros_like(found["predictions"])}

        patch.setattr(Evaluator, "outputs", collapsed)
        config, results = finetune(tuning_dir, [task], retry_failed_trials=2, num_trials=2)
    assert [trial["attempt"] for trial in results.trials] == [2, 2]
    assert [trial["seed"] for trial in results.trials] == [7, 8]
    (reasons,) = results.trials[0]["failures"].values()
    assert reasons[0] == "collapsed to no"
    assert reasons[1] == "accuracy 50.00 is not better than the baseline's 50.00"
    assert results_json(config)["failed_trials"] == [1, 2]
    assert "Trial 1 failed on words: collapsed to no" in caplog.text
    assert results.lines()[1].startswith("trial 1 failed on words: collapsed to no")
    folders = {path.name for path in pathlib.Path(config.model_dir).parent.iterdir()}
    assert folders == {
        f"words_model_{i}{again}" for i in (1, 2) for again in ("", "_again_1", "_again_2")
    }


def scripted_scores(monkeypatch, scores):
    """The evaluations on the way give these scores; the last one is also the result."""
    scores = iter(scores)
    outputs = Evaluator.__call__

    def scored(evaluator, data):
        evaluation = outputs(evaluator, data)
        evaluation.scores["accuracy"] = next(scores)
        return evaluation

    monkeypatch.setattr(Evaluator, "__call__", scored)


def test_best_checkpoint_is_kept_and_evaluated(tuning_dir, task, idle_steps, monkeypatch, caplog):
    scripted_scores(monkeypatch, [50.0, 80.0, 70.0, 60.0, 77.0])
    config, results = finetune(tuning_dir, [task], eval_every_steps=2, num_train_epochs=2.5)
    folder = f"{config.model_dir}_1"
    assert logged_steps(folder, "eval") == [2, 4, 6, 7]
    assert step_in_name(model_folder.weights_prefix(folder)) == 4
    assert step_in_name(model_folder.checkpoints(folder).latest()) == 7
    assert "best/model.ckpt-4" in caplog.text
    assert results.trials[0]["scores"]["words"]["accuracy"] == 77.0


def test_early_stopping(tuning_dir, task, idle_steps, monkeypatch, caplog):
    settings = {"eval_every_steps": 1, "early_stopping_patience": 2, "save_checkpoints_steps": 100}
    with pytest.MonkeyPatch.context() as patch:
        scripted_scores(patch, [50.0, 80.0, 70.0, 60.0, 80.0])
        _, results = finetune(tuning_dir, [task], **settings)
    assert results.trials[0]["steps"] == 4
    assert "step 4: not better for 2 evaluations, so trial 1 ends" in caplog.text
    scripted_scores(monkeypatch, [81.0])
    _, again = finetune(tuning_dir, [task], **settings)
    assert "is trained already, 4 steps" in caplog.text
    assert again.trials[0]["steps"] == 4


def test_only_the_last_model_is_kept_if_asked(tuning_dir, task, idle_steps, caplog):
    settings = {"num_trials": 3, "keep_all_models": False}
    config, results = finetune(tuning_dir, [task], **settings)
    folders = [path.name for path in pathlib.Path(config.model_dir).parent.iterdir()]
    assert folders == ["words_model_3"] and len(results.trials) == 3

    caplog.clear()
    _, again = finetune(tuning_dir, [task], **settings)  # what is gone need not be made again
    assert caplog.text.count("trial 3/3") == 1 and "trial 1/3" not in caplog.text
    assert again.as_dict()["summary"] == results.as_dict()["summary"]
    finetune(tuning_dir, [task], label_smoothing=0.1, **settings)  # but this changes them
    assert "trial 1/3" in caplog.text


def test_a_loss_that_is_not_finite_stops_the_run(tuning_dir, task, monkeypatch):
    def train_step(model, batch):
        model.optimizer.iterations.assign_add(1)
        bad = model.optimizer.iterations.value == 5
        return {"loss": tf.where(bad, float("nan"), 1.0)}

    monkeypatch.setattr(FinetuningModel, "update", train_step)
    with pytest.raises(ArithmeticError, match="the loss of step 5 is nan, so training stopped"):
        finetune(tuning_dir, [task])
    (saved,) = (tuning_dir / "models" / MODEL / "finetuning_models").rglob("nonfinite*.npz")
    assert np.load(saved)["input_ids"].shape == (8, 16)


def test_a_trial_that_diverges_has_failed_and_the_others_go_on(tuning_dir, task, monkeypatch):
    def train_step(model, batch):
        model.optimizer.iterations.assign_add(1)
        return {"loss": tf.constant(float("nan") if model.seed == SETTINGS["seed"] else 1.0)}

    monkeypatch.setattr(FinetuningModel, "update", train_step)
    config, results = finetune(tuning_dir, [task], num_trials=2)
    assert [bool(trial["scores"]) for trial in results.trials] == [False, True]
    (reason,) = results.trials[0]["failures"]["words"]
    assert reason.startswith("the loss of step 1 is nan")
    assert 1 in results_json(config)["failed_trials"]
    (summary,) = results.as_dict()["summary"].values()
    assert summary["accuracy"]["median"] == results.trials[1]["scores"]["words"]["accuracy"]


def test_bad_rows_are_errors_or_listed(tuning_dir, task, idle_steps):
    path = tuning_dir / "finetuning_data" / "words" / "train.tsv"
    path.write_text(path.read_text() + "w5 w6\tmaybe\n")
    with pytest.raises(
        ValueError, match=r"train\.tsv, line 26: expected one of the labels no, yes"
    ):
        finetune(tuning_dir, [task])
    config, _ = finetune(tuning_dir, [task], skip_bad_rows=True)
    listed = pathlib.Path(config.results_txt.replace(".txt", "_words_bad_rows.txt")).read_text()
    assert listed.startswith("1 rows skipped\n") and "line 26" in listed


def test_debug_mode_starts_over_with_a_tiny_model(tuning_dir, task, idle_steps, caplog):
    settings = {"debug": True, "vocab_size": len(WORDS) + 5, "max_seq_length": 16}
    for _ in range(2):
        config, _ = finetune(tuning_dir, [task], **settings)
    assert config.encoder.hidden_size == 144 and config.init_checkpoint is None
    assert "_model_1 is of another run and starts over" in caplog.text
    assert "First example of words: TextExample" in caplog.text
    assert "tokens: [CLS] w" in caplog.text


def test_a_vocabulary_larger_than_the_model_is_an_error(tuning_dir, task):
    path = tuning_dir / "models" / MODEL / "vocab.txt"
    path.write_text(path.read_text() + "more\n")
    with pytest.raises(ValueError, match="vocab_size is expected to be at least 101"):
        finetune(tuning_dir, [task])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"do_train": False, "do_eval": False},
            ValueError,
            "do_train or do_eval is expected to be t",
        ),
        ({"do_train": False}, FileNotFoundError, "words_model_1 is expected to be a checkpoint"),
        ({"init_checkpoint": "absent"}, FileNotFoundError, "init_checkpoint: absent is expected"),
        ({"early_stopping_patience": 2}, ValueError, "eval_every_steps is expected to be above 0"),
        (
            {"do_eval": False, "write_test_outputs": True},
            ValueError,
            "do_eval is expected to be true where write_test_outputs is",
        ),
        ({"model_size": "base"}, ValueError, "model_size='base' asked for"),
        ({"max_seq_length": 17}, ValueError, "max_position_embeddings=16"),
        ({"classifier_dropout": 1.0}, ValueError, r"classifier_dropout is expected to be in"),
        ({"class_weights": {"yes": "2"}}, ValueError, "class_weights of 'yes' is expected"),
        ({"class_weights": {"other": 2.0}}, ValueError, r"\(words: no, yes\), but names other"),
    ],
)
def test_wrong_settings(tuning_dir, task, changes, error, message):
    with pytest.raises(error, match=message):
        finetune(tuning_dir, [task], **changes)


def test_class_weights_of_several_tasks(tuning_dir, task):
    weights = {"yes": 3.0, "odd": 2.0}
    hparams = {**SETTINGS, "task_names": [task], "class_weights": weights}
    config, _ = resolve_finetuning(MODEL, str(tuning_dir), hparams)
    words, parity = (
        TaskSpec(name, "classification", (), "accuracy", labels=labels)
        for name, labels in (("words", ("no", "yes")), ("parity", ("odd", "even")))
    )
    score = TaskSpec("score", "regression", (), "mse", value_range=(0.0, 1.0))
    heads = FinetuningModel(config, [words, parity, score]).task_heads.heads
    assert heads[0].class_weights == (1.0, 3.0) and heads[1].class_weights == (2.0, 1.0)
    with pytest.raises(ValueError, match=r"\(words: no, yes\), but names odd"):
        FinetuningModel(config, [words, score])
    with pytest.raises(ValueError, match="there are none here"):
        FinetuningModel(config, [score])


def test_missing_files(tuning_dir, task):
    with pytest.raises(FileNotFoundError, match=r"cola/train\.tsv does not exist"):
        finetune(tuning_dir, ["cola"])
    (tuning_dir / "finetuning_data" / "words" / "test.tsv").unlink()
    with pytest.raises(FileNotFoundError, match="no test file of it is in"):
        finetune(tuning_dir, [task], write_test_outputs=True)
    with pytest.raises(ValueError, match="is expected to have different names"):
        finetune(tuning_dir, [task, task])


def test_evaluation_scores_every_row_once_whatever_the_batches(tuning_dir, task):
    config, results = finetune(tuning_dir, [task], num_train_epochs=1.0)
    folder = f"{config.model_dir}_1"
    model = model_folder.load_finetuned(folder)
    data = load_split(model.tasks[0], "dev", 0, config, model.tokenizer)
    for size in (1, 3, 32):
        evaluation = Evaluator(model.model, size)(data)
        assert len(evaluation.predictions.values) == 10
        assert evaluation.scores == pytest.approx(results.trials[0]["scores"]["words"], rel=1e-4)


def test_summary_by_hand():
    trials = [{"t": {"f1": value, "mse": value}} for value in (1.0, 5.0, 3.0, 3.0)]
    summary = summarize(trials)["t"]
    assert summary["f1"]["median"] == summary["f1"]["mean"] == 3.0
    assert summary["f1"]["std"] == pytest.approx((8 / 3) ** 0.5)
    assert (summary["f1"]["best"], summary["mse"]["best"]) == (5.0, 1.0)


@pytest.mark.parametrize("way", ["replicas", pytest.param("compiled", marks=pytest.mark.slow)])
def test_ways_to_compute_change_nothing_but_the_order_of_sums(tuning_dir, task, two_replicas, way):
    """Two replicas, and steps that are compiled with the loop around them."""
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    settings = {"model_hparam_overrides": no_dropout, "num_train_epochs": 1.0}
    config, _ = finetune(tuning_dir, [task], **settings)
    expected = stored(f"{config.model_dir}_1")
    strategy = two_replicas if way == "replicas" else None
    settings |= {"model_dir": str(tuning_dir / "other"), "jit_compile": way == "compiled"}
    config, results = finetune(tuning_dir, [task], strategy, **settings)
    found = stored(f"{config.model_dir}_1")
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-5, err_msg=name)
    assert results.trials[0]["scores"]["words"]["accuracy"] >= 0


def test_replicas_drop_elements_of_their_own(tuning_dir, task, two_replicas, monkeypatch):
    seeds, step_seed = [], model.step_seed

    def remember(*arguments):
        seed = step_seed(*arguments)
        tf.py_function(lambda value: seeds.append(tuple(value.numpy())), [seed], [])
        return seed

    monkeypatch.setattr(model, "step_seed", remember)
    finetune(tuning_dir, [task], two_replicas, num_train_epochs=1.0)
    assert seeds and len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"train_batch_size": 7},
            "train_batch_size is expected to be a multiple of the 2 replicas",
        ),
        ({"precision": "float16"}, "on several replicas, but is 'float16'"),
    ],
)
def test_settings_that_replicas_cannot_use_leave_models_alone(
    tuning_dir, task, two_replicas, idle_steps, setting, message
):
    config, _ = finetune(tuning_dir, [task])
    before = stored(f"{config.model_dir}_1")
    with pytest.raises(ValueError, match=message):
        finetune(tuning_dir, [task], two_replicas, **setting)
    after = stored(f"{config.model_dir}_1")
    assert set(after) == set(before)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_another_fine_tuned_model_can_be_begun_with(tuning_dir, task, idle_steps):
    config, _ = finetune(tuning_dir, [task])
    other = classification(tuning_dir, "others")
    config_of_other, _ = finetune(tuning_dir, [other], init_checkpoint=f"{config.model_dir}_1")
    found, expected = (stored(f"{c.model_dir}_1") for c in (config_of_other, config))
    for name in found:
        if name.startswith("electra/"):
            np.testing.assert_array_equal(found[name], expected[name])


def test_evaluation_alone_takes_the_last_attempt(tuning_dir, task, idle_steps, monkeypatch):
    reasons = iter([["collapsed"], [], ["collapsed"]])
    monkeypatch.setattr(run, "failures_of", lambda *_: next(reasons))
    _, trained = finetune(tuning_dir, [task], retry_failed_trials=3)
    _, evaluated = finetune(tuning_dir, [task], retry_failed_trials=3, do_train=False)
    for results in (trained, evaluated):
        assert [trial["attempt"] for trial in results.trials] == [1]
        assert results.trials[0]["folder"].endswith("_model_1_again_1")


def test_how_answers_are_looked_for_does_not_start_training_over(
    tuning_dir, task, idle_steps, caplog
):
    finetune(tuning_dir, [task], num_train_epochs=0.4)
    finetune(tuning_dir, [task], num_train_epochs=0.4, max_answer_length=7)
    assert "is trained already, 1 steps" in caplog.text
    settings = {"num_train_epochs": 0.4, "eval_every_steps": 1}
    finetune(tuning_dir, [task], **settings)
    caplog.clear()
    finetune(tuning_dir, [task], max_answer_length=7, **settings)
    assert "starts over" in caplog.text


@pytest.mark.parametrize(
    ("start", "overrides"),
    [("finetune/cola/ckpt", {"num_attention_heads": 4}), ("huggingface/discriminator", {})],
)
def test_models_of_others_can_be_begun_with(tuning_dir, task, idle_steps, start, overrides):
    config, _ = finetune(
        tuning_dir,
        [task],
        init_checkpoint=str(GOLDENS / start),
        vocab_file=str(GOLDENS / "finetune" / "cola" / "vocab.txt"),
        model_hparam_overrides=overrides,
    )
    assert (config.encoder.hidden_size, config.encoder.num_attention_heads) == (32, 4)
    expected = find_starting_point(str(GOLDENS / start)).weights
    found = stored(f"{config.model_dir}_1")
    assert {name for name in found if name.startswith("electra/") and "adam" not in name} == set(
        expected
    )
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_a_trial_goes_on_in_a_folder_with_a_scheme(tuning_dir, task, caplog):
    """file:// is read and written as gs:// is, by TensorFlow only; the pre-trained model too."""
    folder = f"file://{tuning_dir}"
    changes = {"num_train_epochs": 1.0}
    config, first = finetune(folder, [task], **changes)
    assert config.model_dir.startswith(folder)
    caplog.clear()
    _, again = finetune(folder, [task], **changes)
    assert "is trained already, 3 steps" in caplog.text
    assert again.trials[0]["scores"] == first.trials[0]["scores"]
    _, evaluated = finetune(folder, [task], do_train=False, **changes)
    assert evaluated.trials[0]["scores"] == first.trials[0]["scores"]
