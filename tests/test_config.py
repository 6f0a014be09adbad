# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hyperparameters: the original's names and defaults, derived values, and what is an error."""

import dataclasses
import json

import pytest

from electra_tf.config import EncoderConfig, FinetuningConfig, PretrainingConfig, load_hparams

REFERENCE_DEFAULTS = {
    "debug": False,
    "do_train": True,
    "do_eval": False,
    "electra_objective": True,
    "electric_objective": False,
    "gen_weight": 1.0,
    "disc_weight": 50.0,
    "mask_prob": 0.15,
    "learning_rate": 5e-4,
    "lr_decay_power": 1.0,
    "weight_decay_rate": 0.01,
    "num_warmup_steps": 10000,
    "iterations_per_loop": 200,
    "save_checkpoints_steps": 1000,
    "num_train_steps": 1000000,
    "num_eval_steps": 100,
    "keep_checkpoint_max": 5,
    "model_size": "small",
    "model_hparam_overrides": {},
    "embedding_size": 128,  # None in its class, 128 once the size (small) is known
    "vocab_size": 30522,
    "do_lower_case": True,
    "uniform_generator": False,
    "two_tower_generator": False,
    "untied_generator_embeddings": False,
    "untied_generator": True,
    "generator_layers": 1.0,
    "generator_hidden_size": 0.25,
    "disallow_correct": False,
    "temperature": 1.0,
    "max_seq_length": 128,
    "train_batch_size": 128,
    "eval_batch_size": 128,
    "use_tpu": False,
    "num_tpu_cores": 1,
    "tpu_job_name": None,
    "tpu_name": None,
    "tpu_zone": None,
    "gcp_project": None,
    "pretrain_tfrecords": "/data/pretrain_tfrecords/pretrain_data.tfrecord*",
    "vocab_file": "/data/vocab.txt",
    "model_dir": "/data/models/name",
    "results_txt": "/data/models/name/results/unsup_results.txt",
    "results_pkl": "/data/models/name/results/unsup_results.pkl",
}
"""Every hyperparameter of the original (configure_pretraining.py) for data in /data."""

NEW_DEFAULTS = {
    "pre_split": False,
    "tokenizer": None,
    "masking": "without_replacement",
    "adam_bias_correction": False,
    "seed": 0,
    "eval_every_steps": 0,
    "log_every_steps": 100,
    "init_checkpoint": None,
    "init_checkpoint_ignore": None,
    "strip_accents": True,
    "eval_tfrecords": None,
    "gradient_accumulation_steps": 1,
    "whole_word_masking": False,
    "length_buckets": [],
    "mask_prob_end": None,
    "lr_schedule": "reference",
    "lr_decay_share": 0.2,
    "decay_from": None,
    "adam_beta_1": 0.9,
    "adam_beta_2": 0.999,
    "adam_epsilon": 1e-6,
    "temperature_end": None,
    "generator_embedding_size": None,
    "generator_checkpoint": None,
    "discriminator_objective": "replaced_tokens",
    "freeze_generator": False,
    "optimizer": "adam",
    "ema_decay": 0.0,
    "precision": None,
    "jit_compile": None,
    "recompute_activations": False,
    "generator_dropout": True,
    "disentangled_embeddings": False,
    "stages": [],
    "extend_positions": False,
    "strategy": "one_device",
    "max_predictions_per_seq": None,  # computed and not to be set in the original
}


def configure(saved=None, **hparams):
    return PretrainingConfig.from_hparams("name", "/data", hparams, saved)


def test_names_and_defaults_are_the_originals():
    defaults = configure().to_dict()
    assert {name: defaults.get(name, "missing") for name in REFERENCE_DEFAULTS} == (
        REFERENCE_DEFAULTS
    )


def test_what_is_new_is_listed_and_keeps_the_originals_behaviour():
    defaults = configure().to_dict()
    new = set(defaults) - set(REFERENCE_DEFAULTS) - {"model_name", "data_dir"}
    assert {name: defaults[name] for name in new} == NEW_DEFAULTS


@pytest.mark.parametrize("name", sorted(REFERENCE_DEFAULTS))
def test_every_name_can_be_given(name):
    assert getattr(configure(**{name: REFERENCE_DEFAULTS[name]}), name) == REFERENCE_DEFAULTS[name]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # hidden, layers, heads, feed-forward, embedding
        ("small", (256, 12, 4, 1024, 128)),
        ("base", (768, 12, 12, 3072, 768)),
        ("large", (1024, 24, 16, 4096, 1024)),
    ],
)
def test_shape_follows_from_the_size(size, expected):
    assert shape_of(configure(model_size=size).encoder) == expected


def shape_of(encoder):
    return (
        encoder.hidden_size,
        encoder.num_hidden_layers,
        encoder.num_attention_heads,
        encoder.intermediate_size,
        encoder.embedding_size,
    )


@pytest.mark.parametrize(
    ("hparams", "expected"),
    [
        ({}, (64, 12, 1, 256, 128)),
        ({"generator_hidden_size": 1.0}, (256, 12, 4, 1024, 128)),
        ({"generator_layers": 0.5}, (256 // 4, 6, 1, 256, 128)),
        ({"model_size": "base", "generator_hidden_size": 1 / 3}, (256, 12, 4, 1024, 768)),
        ({"model_size": "large"}, (256, 24, 4, 1024, 1024)),
        ({"untied_generator_embeddings": True}, (64, 12, 1, 256, 64)),
        ({"untied_generator": False}, (256, 12, 4, 1024, 128)),
        ({"electra_objective": False}, (256, 12, 4, 1024, 128)),
    ],
)
def test_generator_is_a_narrower_encoder_of_the_same_depth(hparams, expected):
    assert shape_of(configure(**hparams).generator_encoder) == expected


def test_overrides_decide_heads_and_feed_forward_unless_given():
    encoder = configure(model_hparam_overrides={"hidden_size": 192}).encoder
    assert shape_of(encoder) == (192, 12, 3, 768, 128)
    encoder = configure(
        model_hparam_overrides={
            "hidden_size": 192,
            "num_attention_heads": 6,
            "intermediate_size": 100,
        }
    ).encoder
    assert shape_of(encoder) == (192, 12, 6, 100, 128)
    assert encoder.head_size == 32


def test_embedding_size_is_the_users_where_given():
    """The original sets 128 for small, then lets the user's value win."""
    assert configure(embedding_size=64).encoder.embedding_size == 64
    assert configure(model_size="base", embedding_size=128).encoder.embedding_size == 128


@pytest.mark.parametrize(
    ("hparams", "masked"),
    [
        ({}, 19),  # int(0.155 * 128)
        ({"max_seq_length": 512}, 79),
        ({"max_seq_length": 512, "mask_prob": 0.25}, 130),
        ({"max_predictions_per_seq": 7}, 7),
    ],
)
def test_masked_positions_follow_from_length_and_rate(hparams, masked):
    assert configure(**hparams).num_masked == masked


def test_debug_is_small_and_short_but_gives_way_to_what_is_given():
    config = configure(debug=True, num_train_steps=7)
    assert (config.train_batch_size, config.eval_batch_size) == (8, 4)
    assert (config.num_train_steps, config.num_eval_steps, config.iterations_per_loop) == (7, 2, 1)
    assert shape_of(config.encoder) == (144, 3, 4, 576, 128)
    assert config.generator_encoder.hidden_size == 36


def test_electric_turns_the_two_tower_generator_on():
    assert configure(electra_objective=False, electric_objective=True).two_tower_generator
    assert not configure().two_tower_generator


def test_files_follow_a_model_folder_that_was_moved():
    config = configure(model_dir="gs://bucket/run")
    assert config.results_txt == "gs://bucket/run/results/unsup_results.txt"
    assert config.results_json == "gs://bucket/run/results/unsup_results.json"


@pytest.mark.parametrize(
    ("objective", "discriminator", "generator", "separate"),
    [
        ({}, True, True, True),
        ({"untied_generator": False}, True, True, False),
        ({"uniform_generator": True}, True, False, False),
        ({"electra_objective": False}, False, True, False),
        ({"electra_objective": False, "electric_objective": True}, True, True, True),
    ],
)
def test_objectives_say_which_models_there_are(objective, discriminator, generator, separate):
    config = configure(**objective)
    assert config.has_discriminator == discriminator
    assert config.has_generator == generator
    assert config.has_separate_generator == separate


# ---- Errors


@pytest.mark.parametrize(
    ("hparams", "names"),
    [
        ({"learning_rte": 1e-4}, ["'learning_rte'", "'learning_rate'"]),
        ({"max_sequence_length": 64, "vocab": "x"}, ["'max_seq_length'", "'vocab_"]),
        ({"model_hparam_overrides": {"num_layers": 2}}, ["'num_layers'", "'num_hidden_layers'"]),
        ({"model_hparam_overrides": {"vocab_size": 9}}, ["'vocab_size'"]),
        ({"model_name": "x"}, ["'model_name'"]),
    ],
)
def test_unknown_names_name_the_nearest(hparams, names):
    with pytest.raises(ValueError, match="unknown") as error:
        configure(**hparams)
    for name in names:
        assert name in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_train_steps", "100"),
        ("num_train_steps", 1e3),
        ("num_train_steps", True),
        ("train_batch_size", None),
        ("learning_rate", "5e-4"),
        ("learning_rate", False),
        ("do_eval", 1),
        ("do_eval", "false"),
        ("model_size", 3),
        ("model_hparam_overrides", [1]),
        ("embedding_size", 12.5),
        ("vocab_file", None),
    ],
)
def test_wrong_types_name_the_hyperparameter_and_the_type(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is expected to be of type "):
        configure(**{name: value})


def test_whole_numbers_are_taken_where_floats_are_declared():
    assert configure(gen_weight=2).gen_weight == 2


@pytest.mark.parametrize(
    ("hparams", "named"),
    [
        ({"mask_prob": 0.0}, "mask_prob"),
        ({"mask_prob": 1.0}, "mask_prob"),
        ({"mask_prob": float("nan")}, "mask_prob"),
        ({"max_seq_length": 513}, "max_seq_length"),
        ({"max_seq_length": 4}, "max_seq_length"),
        ({"max_predictions_per_seq": 0}, "max_predictions_per_seq"),
        ({"max_predictions_per_seq": 129}, "max_predictions_per_seq"),
        ({"model_size": "tiny"}, "model_size"),
        ({"masking": "whole"}, "masking"),
        ({"train_batch_size": 0}, "train_batch_size"),
        ({"num_train_steps": 0}, "num_train_steps"),
        ({"num_warmup_steps": -1}, "num_warmup_steps"),
        ({"learning_rate": -1e-4}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"temperature": 0.0}, "temperature"),
        ({"generator_hidden_size": 0.0}, "generator_hidden_size"),
        ({"generator_hidden_size": 0.001}, "hidden_size"),
        ({"generator_layers": 0.01}, "num_hidden_layers"),
        ({"keep_checkpoint_max": -1}, "keep_checkpoint_max"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"seed": 2**63}, "seed"),
        ({"init_checkpoint_ignore": "("}, "init_checkpoint_ignore"),
        ({"model_hparam_overrides": {"hidden_size": "16"}}, "hidden_size"),
        ({"model_hparam_overrides": {"hidden_size": None}}, "hidden_size"),
        ({"vocab_size": 0}, "vocab_size"),
        ({"embedding_size": 0}, "embedding_size"),
        ({"model_hparam_overrides": {"num_attention_heads": 5}}, "num_attention_heads"),
        ({"model_hparam_overrides": {"hidden_act": "swish"}}, "hidden_act"),
        ({"model_hparam_overrides": {"hidden_dropout_prob": 1.0}}, "hidden_dropout_prob"),
        ({"model_hparam_overrides": {"max_position_embeddings": 64}}, "max_seq_length"),
        ({"uniform_generator": True, "electra_objective": False}, "uniform_generator"),
        ({"two_tower_generator": True, "untied_generator": False}, "two_tower_generator"),
        (
            {"electra_objective": False, "electric_objective": True, "two_tower_generator": False},
            "two_tower_generator",
        ),
        (
            {"untied_generator_embeddings": True, "untied_generator": False},
            "untied_generator_embeddings",
        ),
    ],
)
def test_impossible_values_are_errors_that_name_them(hparams, named):
    with pytest.raises(ValueError, match=rf"\b{named} is expected to be "):
        configure(**hparams)


PATHS = ["", " ", ".", "..", "../..", "../x", "a/b", "/tmp/x", "x/", "~", "~/x", "~me", "a\\b"]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("kind", [PretrainingConfig, FinetuningConfig])
def test_the_name_of_a_model_is_no_path(kind, name):
    """What a run writes and deletes is inside <data_dir>/models."""
    with pytest.raises(ValueError, match=r"^model_name is expected to be the name of a folder"):
        kind.from_hparams(name, "/data", {})


@pytest.mark.parametrize("name", ["my_model", "lr=1e-4,bs=8", "v1.2", "Ümlaut", ".hidden", "a~b"])
@pytest.mark.parametrize("kind", [PretrainingConfig, FinetuningConfig])
def test_other_names_of_models_are_taken(kind, name):
    assert kind.from_hparams(name, "/data", {}).model_name == name


def test_configurations_are_values():
    config = configure()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.learning_rate = 1.0
    assert config.replace(learning_rate=1.0).learning_rate == 1.0
    with pytest.raises(ValueError, match="mask_prob"):
        config.replace(mask_prob=2.0)


# ---- Saved models


def test_a_saved_model_decides_what_is_left_out():
    saved = configure(
        model_size="base",
        vocab_size=8000,
        generator_hidden_size=0.5,
        model_hparam_overrides={"num_hidden_layers": 3},
    ).to_dict()
    config = configure(saved=json.loads(json.dumps(saved)), learning_rate=1e-3)
    assert shape_of(config.encoder) == (768, 3, 12, 3072, 768)
    assert config.encoder.vocab_size == 8000
    assert config.generator_encoder.hidden_size == 384
    assert config.learning_rate == 1e-3


def test_hyperparameters_that_contradict_a_saved_model_are_listed():
    saved = configure(model_hparam_overrides={"num_hidden_layers": 3}).to_dict()
    with pytest.raises(ValueError) as error:
        configure(
            saved=saved,
            vocab_size=100,
            generator_hidden_size=0.25,  # agrees: not listed
            electra_objective=False,
            # An override that is what the size has anyway agrees too.
            model_hparam_overrides={
                "num_hidden_layers": 4,
                "hidden_act": "relu",
                "hidden_size": 256,
            },
        )
    message = str(error.value)
    assert "/data/models/name" in message
    assert "vocab_size: saved 30522, given 100" in message
    assert "electra_objective: saved True, given False" in message
    assert "model_hparam_overrides['num_hidden_layers']: saved 3, given 4" in message
    assert "model_hparam_overrides['hidden_act']: saved 'gelu', given 'relu'" in message
    assert "hidden_size" not in message


def test_the_run_may_change_while_the_model_stays():
    saved = configure(num_train_steps=10, learning_rate=1e-3).to_dict()
    config = configure(saved=saved, num_train_steps=20)
    assert (config.num_train_steps, config.learning_rate) == (20, 5e-4)


# ---- Reading


def test_hparams_come_from_json_text_or_a_file(tmp_path):
    file = tmp_path / "run.json"
    file.write_text('{"debug": true}')
    assert load_hparams(str(file)) == load_hparams('{"debug": true}') == {"debug": True}


@pytest.mark.parametrize(
    "text", ["", "[1]", "debugging", '{"debug": True}', '{"debug": true', '{"seed": 1, "seed": 2}']
)
def test_text_that_is_no_json_object_is_an_error(text):
    with pytest.raises(ValueError, match="--hparams is expected to be a JSON object"):
        load_hparams(text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("name", ["run.json", "run.jsn", "{a}"])
def test_files_of_hparams_may_have_any_name_and_a_byte_order_mark(name, encoding, tmp_path):
    file = tmp_path / name
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    file.write_bytes(f'{mark}{{"debug": true}}'.encode(encoding))
    assert load_hparams(str(file)) == {"debug": True}


@pytest.mark.parametrize("text", ["my_hparams.jsn", "configs/x", "{a}/run.json", "seed=3", "3"])
def test_what_is_neither_json_nor_a_file_is_an_error_that_says_both(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = "a JSON object or the path of a file with one, but .* is no JSON object, and there"
    with pytest.raises((ValueError, FileNotFoundError), match=expected) as error:
        load_hparams(text)
    assert isinstance(error.value, OSError) == ("." in text or "/" in text)
    with pytest.raises(IsADirectoryError, match="is expected to be a file, but is a folder"):
        load_hparams(str(tmp_path))


def test_problems_in_a_file_name_it(tmp_path):
    file = tmp_path / "run.json"
    with pytest.raises(FileNotFoundError, match=r"run\.json"):
        load_hparams(str(file))
    file.write_text("{")
    with pytest.raises(ValueError, match=r"run\.json"):
        load_hparams(str(file))


def test_encoder_defaults_are_berts():
    encoder = EncoderConfig()
    assert shape_of(encoder) == (768, 12, 12, 3072, 768)
    assert encoder.hidden_dropout_prob == encoder.attention_probs_dropout_prob == 0.1
    assert (encoder.hidden_act, encoder.max_position_embeddings) == ("gelu", 512)
    assert (encoder.type_vocab_size, encoder.initializer_range) == (2, 0.02)
