# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Any value for any hyperparameter: taken, or one error that names the hyperparameter."""

import dataclasses
import math

import pytest

from electra_tf.config import EncoderConfig, FinetuningConfig, PretrainingConfig
from electra_tf.config.pretraining_checks import SETTABLE

NUMBERS = (
    *(-1, 0, 1, 10**12, 2**63, -(2**64), 10**400, -(10**400)),
    *(1e308, -1e308, 5e-324, -1.5, 0.5, math.nan, math.inf, -math.inf),
)
SCALARS = (None, True, False, *NUMBERS, "", "x", "1", "\0", "\ud800", "[", "(", "a*", "x" * 10**5)
BAD = (
    *SCALARS,
    *([], {}, [[]], [{}], [None, {}], {"x": {}}, {"x": []}, [[["x"]]]),
    *([value] for value in SCALARS),
    *({"x": value} for value in SCALARS),
)
CONFIGS = (PretrainingConfig, FinetuningConfig)
FIELDS = [
    (config, field.name)
    for config in CONFIGS
    for field in dataclasses.fields(config)
    if field.name not in ("model_name", "data_dir")
]


def assert_taken_or_named(config, hparams, name):
    """Returns whether it is taken."""
    try:
        encoder = config.from_hparams("model", "/data", hparams).encoder
    except ValueError as error:
        assert not isinstance(error, UnicodeError), hparams
        message = str(error)
        assert name in message, hparams
        assert "\n" not in message, hparams
        assert len(message) < 2000, name
        return False
    # What is taken is of a size that can be made.
    assert encoder.vocab_size * encoder.embedding_size <= 2**40
    return True


@pytest.mark.parametrize(("config", "name"), FIELDS)
def test_every_hyperparameter(config, name):
    taken = [value for value in BAD if assert_taken_or_named(config, {name: value}, name)]
    # No hyperparameter takes values of all types.
    assert len(taken) < len(BAD) / 2


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(EncoderConfig)])
def test_every_field_of_the_encoder(config, name):
    for value in BAD:
        hparams = {"model_hparam_overrides": {name: value}}
        assert_taken_or_named(config, hparams, name)


@pytest.mark.parametrize("name", SETTABLE)
def test_every_field_of_a_stage(name):
    for value in BAD:
        hparams = {"stages": [{"steps": 5}, {"steps": 5, name: value}]}
        assert_taken_or_named(PretrainingConfig, hparams, name)


def test_stages_that_are_none():
    for value in BAD:
        taken = assert_taken_or_named(PretrainingConfig, {"stages": [value]}, "stages[0]")
        assert not taken


@pytest.mark.parametrize("config", CONFIGS)
def test_names_and_folders_are_texts(config):
    for value in (None, 3, ["x"], {}, b"x", "\0"):
        with pytest.raises(ValueError, match="model_name is expected"):
            config.from_hparams(value, "/data", {})
        with pytest.raises(ValueError, match="data_dir is expected"):
            config.from_hparams("model", value, {})


@pytest.mark.parametrize(
    ("hparams", "named"),
    [
        # A model that is too large for any machine.
        ({"vocab_size": 10**9}, "vocab_size is expected to be at most"),
        ({"model_hparam_overrides": {"num_hidden_layers": 10**6}}, "num_hidden_layers"),
        ({"generator_hidden_size": 1e30}, "generator_hidden_size=1e\\+30"),
        ({"generator_layers": 1e5}, "generator_layers=100000.0"),
        # Nothing that could be learned.
        ({"gen_weight": 0, "disc_weight": 0.0}, "gen_weight or disc_weight is expected"),
        ({"electra_objective": False, "gen_weight": 0}, "gen_weight is expected"),
        ({"uniform_generator": True, "disc_weight": 0}, "disc_weight is expected"),
        ({"mask_prob": 0.002}, "mask_prob is expected"),
    ],
)
def test_runs_that_cannot_be(hparams, named):
    with pytest.raises(ValueError, match=named):
        PretrainingConfig.from_hparams("model", "/data", hparams)


def test_a_discriminator_or_a_generator_may_be_trained_alone():
    for hparams in ({"gen_weight": 0}, {"disc_weight": 0}):
        PretrainingConfig.from_hparams("model", "/data", hparams)


@pytest.mark.parametrize(
    ("hparams", "named"),
    [
        ({"task_names": ["cola", "cola"]}, "task_names"),
        ({"task_names": ["cola", ""]}, "task_names"),
        ({"class_weights": {"yes": 10**400}}, "class_weights of 'yes'"),
        ({"num_train_epochs": 1e9}, "num_train_epochs"),
        ({"n_writes_test": -1}, "n_writes_test"),
        ({"num_trials": 10**9}, "num_trials"),
    ],
)
def test_finetuning_that_cannot_be(hparams, named):
    with pytest.raises(ValueError, match=named):
        FinetuningConfig.from_hparams("model", "/data", hparams)
