# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What pre-training begins with: Hugging Face folders, discriminators alone, random weights."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from run_results import stored
from tiny_finetuning import SETTINGS, classification
from tiny_run import half_length, make_data_dir, tiny_config

import electra_tf
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import (
    find_pretraining_weights,
    find_starting_point,
    open_model,
)
from electra_tf.pretraining import model_folder, run
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, read_state

pytestmark = pytest.mark.usefixtures("idle_steps", "info_log")
ONE_LAYER = {"num_hidden_layers": 1}


@pytest.fixture
def data_dir(tmp_path):
    return make_data_dir(tmp_path / "data")


@pytest.fixture
def as_huggingface(finished, tmp_path):
    """The finished run as a Hugging Face folder: its path."""

    def write(**options):
        folder = str(tmp_path / "theirs")
        convert(open_model(finished.config.model_dir), "huggingface", folder, **options)
        return folder

    return write


def begun(config):
    """The variables of a run after its first step, which changes nothing."""
    run.train(config, find_weights=find_pretraining_weights)
    values = stored(config.model_dir)
    return {name: v for name, v in values.items() if "/adam_" not in name and v.dtype.kind == "f"}


def config_from(data_dir, folder, shape=None, **changes):
    shape = {**ONE_LAYER, **(shape or {})}
    first = {"num_train_steps": 1, "num_warmup_steps": 0}
    changes = {**first, "init_checkpoint": str(folder), **changes}
    return tiny_config(data_dir, "begun", shape, **changes)


def assert_same(found, finished, without=()):
    source = stored(finished.config.model_dir)
    names = [name for name in found if not name.startswith(tuple(without))]
    assert names
    for name in names:
        np.testing.assert_array_equal(found[name], source[name], err_msg=name)
    return sorted(set(found) - set(names))


def test_a_hugging_face_pair(finished, data_dir, as_huggingface, caplog):
    found = begun(config_from(data_dir, as_huggingface()))
    assert assert_same(found, finished) == []
    assert f"Hugging Face model {data_dir.parent}/theirs: {len(found)} variables" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_hugging_face_discriminator_alone(finished, data_dir, as_huggingface, caplog):
    found = begun(config_from(data_dir, as_huggingface(part="discriminator")))
    random = assert_same(found, finished, without=("generator",))
    assert "generator_predictions/dense/kernel" in random
    assert all(np.isfinite(found[name]).all() for name in random)
    assert "theirs is a discriminator without its generator: the generator starts from" in (
        caplog.text
    )


@pytest.mark.parametrize(
    "objective",
    [
        {"untied_generator": False},
        {"electra_objective": False, "electric_objective": True, "two_tower_generator": True},
        {"untied_generator_embeddings": True},
    ],
)
def test_a_discriminator_for_other_generators(
    objective, finished, data_dir, as_huggingface, caplog
):
    found = begun(config_from(data_dir, as_huggingface(part="discriminator"), **objective))
    assert_same(found, finished, without=("generator", "cloze_predictions"))
    assert "is a discriminator without its generator" in caplog.text


def test_a_discriminator_against_uniform_fakes(finished, data_dir, as_huggingface, caplog):
    folder = as_huggingface(part="discriminator")
    found = begun(config_from(data_dir, folder, uniform_generator=True))
    assert assert_same(found, finished) == []
    assert "is a discriminator without its generator" not in caplog.text
    assert "uniform_generator: fakes are drawn uniformly from the vocabulary." in caplog.text


def test_a_hugging_face_encoder_alone(finished, data_dir, as_huggingface):
    """Its heads are missing, which a run has to excuse."""
    folder = as_huggingface(part="discriminator")
    path = f"{folder}/config.json"
    with open(path) as file:
        stored_config = json.load(file)
    with open(path, "w") as file:
        json.dump({**stored_config, "architectures": ["ElectraForMultipleChoice"]}, file)
    config = config_from(data_dir, folder)
    with pytest.raises(ValueError, match="missing in what was loaded: discriminator_predictions"):
        begun(config)
    found = begun(config.replace(init_checkpoint_ignore="predictions/|^generator/"))
    assert_same(found, finished, without=("generator", "discriminator_predictions"))


def test_a_hugging_face_folder_of_another_shape(data_dir, as_huggingface):
    config = config_from(data_dir, as_huggingface(), {"num_hidden_layers": 2})
    with pytest.raises(ValueError) as error:
        begun(config)
    lines = str(error.value).splitlines()
    assert lines[0].endswith("theirs does not fit the model:")
    assert "num_hidden_layers is 1 in what was loaded, 2 here" in lines[1]
    assert "generator_layers" not in lines[1] and len(lines) <= 13


def test_a_vocabulary_that_is_not_that_of_the_weights(data_dir, as_huggingface, caplog):
    folder = as_huggingface()
    path = data_dir / "vocab.txt"
    path.write_text(path.read_text().replace("w7\n", "other\n"))
    begun(config_from(data_dir, folder))
    assert f"beside the Hugging Face model {folder} differs from that of the run" in caplog.text


def test_nothing_is_at_the_path(data_dir):
    with pytest.raises(FileNotFoundError, match=r"init_checkpoint: .*Nothing is downloaded"):
        begun(config_from(data_dir, "google/electra-small-discriminator"))


@pytest.mark.parametrize("name", ["init_checkpoint", "generator_checkpoint"])
def test_a_folder_without_weights_is_named_with_its_hyperparameter(data_dir, tmp_path, name):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/config.json").write_text('{"model_type": "electra"}')
    config = tiny_config(data_dir, **{name: str(tmp_path / "theirs")})
    with pytest.raises(FileNotFoundError, match=f"{name}: .*theirs is expected to have the file"):
        find_pretraining_weights(config, name)


def test_random_weights_are_said(data_dir, caplog):
    config = tiny_config(data_dir, "new", ONE_LAYER, num_train_steps=1)
    run.train(config)
    line = f"There is no checkpoint in {config.model_dir}: beginning at step 0 from random weights."
    assert line in caplog.text
    caplog.clear()
    run.train(config.replace(num_train_steps=2))
    assert "random weights" not in caplog.text


def test_a_folder_that_lost_its_checkpoints_begins_from_random_weights(finished, data_dir, caplog):
    config = tiny_config(data_dir, "lost", ONE_LAYER, num_train_steps=1)
    shutil.copytree(finished.config.model_dir, config.model_dir)
    for path in (data_dir / "models" / "lost").glob("model.ckpt*"):
        path.unlink()
    run.train(config)
    assert "from random weights" in caplog.text


def test_a_converted_discriminator_without_its_generator(
    finished, data_dir, as_huggingface, caplog
):
    folder = str(data_dir / "models" / "converted")
    lines = convert(open_model(as_huggingface(part="discriminator")), "electra_tf", folder)
    assert any("no generator was found: this is a discriminator alone" in line for line in lines)
    hparams = {"num_train_steps": 13, "num_warmup_steps": 0, "train_batch_size": 8}
    config = model_folder.resolve_config(
        "converted", str(data_dir), {**hparams, "max_seq_length": 16}
    )
    caplog.clear()
    run.train(config)
    logged = [r for r in caplog.records if r.name == "absl"]  # TensorFlow may warn of retracing
    (warning,) = [r.getMessage() for r in logged if r.levelname == "WARNING"]
    assert "a discriminator without its generator: fakes are drawn uniformly" in warning


def test_conversion_of_a_pair_says_nothing_of_generators(finished, tmp_path):
    lines = convert(open_model(finished.config.model_dir), "electra_tf", str(tmp_path / "pair"))
    assert not any("generator" in line for line in lines)


# ---- More positions

POSITIONS = "embeddings/position_embeddings"


@pytest.fixture(params=["checkpoint", pytest.param("huggingface", marks=pytest.mark.slow)])
def source(request, finished):
    """A model of 16 positions: its path."""
    if request.param == "checkpoint":
        return finished.config.model_dir
    return request.getfixturevalue("as_huggingface")()


def test_positions_are_extended(source, finished, data_dir, tmp_path):
    config = config_from(
        data_dir, source, {"max_position_embeddings": 40}, extend_positions=True, ema_decay=0.5
    )
    found, table = begun(config), stored(finished.config.model_dir)[f"electra/{POSITIONS}"]
    copied = [*range(16), *range(1, 15), *range(1, 11)]
    np.testing.assert_array_equal(found[f"electra/{POSITIONS}"], table[copied])
    np.testing.assert_array_equal(found[f"electra/{POSITIONS}/ema"], table[copied])
    others = {name: v for name, v in found.items() if not name.endswith(("/ema", POSITIONS))}
    assert_same(others, finished)
    # Conversion and fine-tuning take the longer model, with all of its positions.
    convert(open_model(config.model_dir), "huggingface", str(tmp_path / "long"))
    ids = {"input_ids": np.full([1, 40], 9, np.int32)}
    ids |= {"input_mask": np.ones([1, 40], np.int32), "segment_ids": np.zeros([1, 40], np.int32)}
    outputs = []
    for folder in (config.model_dir, str(tmp_path / "long")):
        assert find_starting_point(folder).encoder.max_position_embeddings == 40
        outputs.append(open_model(folder).model.discriminator(ids)["rtd_logits"])
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_positions_are_extended_only_where_it_is_asked_for(source, finished, data_dir):
    longer = {"max_position_embeddings": 40}
    with pytest.raises(ValueError, match=r"max_position_embeddings is expected to be 16, as in .*"):
        begun(config_from(data_dir, source, longer))
    with pytest.raises(ValueError, match=r"extend_positions is expected to be false, since .* 16"):
        begun(config_from(data_dir, source, extend_positions=True))


def test_trained_positions_stay_whatever_the_stages(finished, data_dir):
    """Of a source with 16 trained positions, in a run whose first stage uses 8; and resumed."""
    first = {"steps": 1, **half_length(data_dir)}
    stages = {"stages": [first, {"steps": 1}], "num_train_steps": 2}
    longer = {"max_position_embeddings": 40}
    source = finished.config.model_dir
    config = config_from(data_dir, source, longer, extend_positions=True, **stages)
    table = stored(source)[f"electra/{POSITIONS}"][[*range(16), *range(1, 15), *range(1, 11)]]
    for _ in range(2):
        np.testing.assert_array_equal(begun(config)[f"electra/{POSITIONS}"], table)
        last = CheckpointFolder(config.model_dir).latest()
        assert read_state(last)["trained_positions"][f"electra/{POSITIONS}"] == 16
        for path in pathlib.Path(config.model_dir).glob("*ckpt-2.*"):
            path.unlink()
    other = {"model_dir": str(data_dir / "models" / "other")}
    with pytest.raises(ValueError, match="has trained the 16 positions that the stages use"):
        begun(config_from(data_dir, source, extend_positions=True, **stages, **other))


@pytest.mark.slow
def test_positions_that_a_source_has_not_trained_are_no_source_of_copies(data_dir):
    half = tiny_config(data_dir, "half", ONE_LAYER, **half_length(data_dir))
    run.train(half)
    longer = {"max_position_embeddings": 40}
    config = config_from(data_dir, half.model_dir, longer, extend_positions=True)
    table = stored(half.model_dir)[f"electra/{POSITIONS}"]
    expected = table[[*range(8), *[1, 2, 3, 4, 5, 6] * 5, 1, 2]]
    np.testing.assert_array_equal(begun(config)[f"electra/{POSITIONS}"], expected)


@pytest.mark.slow
def test_a_model_with_more_positions_is_fine_tuned(source, data_dir):
    """With a length that the weights had no positions for."""
    longer = {"max_position_embeddings": 40}
    config = config_from(data_dir, source, longer, extend_positions=True)
    begun(config)
    task = classification(data_dir, sizes=(8, 4, 4))
    fitted = {**SETTINGS, "max_seq_length": 40, "num_train_epochs": 1.0}
    results = electra_tf.finetune(config.model_dir, task, str(data_dir), **fitted)
    found = open_model(results.trials[0]["folder"])
    assert found.encoder.max_position_embeddings == 40
