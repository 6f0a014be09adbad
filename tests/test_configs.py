# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The files in configs/: each loads, has a run card, and holds the published values."""

import pathlib

import pytest

from electra_tf.config import PretrainingConfig, load_hparams

CONFIGS = pathlib.Path(__file__).parent.parent / "configs"
FILES = sorted(path.stem for path in (CONFIGS / "pretraining").glob("*.json"))

TABLE_6 = {
    # name: layers, hidden, feed-forward, heads, embedding, generator width, mask, rate, warm-up,
    #       decay, batch, steps, length
    "small": (12, 256, 1024, 4, 128, 64, 0.15, 5e-4, 10000, 0.01, 128, 1_000_000, 128),
    "base": (12, 768, 3072, 12, 768, 256, 0.15, 2e-4, 10000, 0.01, 256, 766_000, 512),
    "large": (24, 1024, 4096, 16, 1024, 256, 0.25, 2e-4, 10000, 0.01, 2048, 400_000, 512),
}
"""Table 6 of the paper (ICLR 2020); lengths from its section 3.1 and appendix A."""


def load(name):
    hparams = load_hparams(str(CONFIGS / "pretraining" / f"{name}.json"))
    return PretrainingConfig.from_hparams(name, "/data", hparams)


def test_all_published_and_local_runs_are_there():
    assert set(FILES) == {
        *("small", "small_plus_plus", "base", "large", "small_owt", "mlm", "electric"),
        *("quickstart", "reviews", "debug"),
    }


@pytest.mark.parametrize("name", FILES)
def test_every_file_loads_and_has_a_run_card(name):
    load(name)
    assert f"[{name}](pretraining/{name}.json)" in (CONFIGS / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(TABLE_6))
def test_published_sizes_have_the_papers_values(name):
    config = load(name)
    encoder = config.encoder
    assert TABLE_6[name] == (
        encoder.num_hidden_layers,
        encoder.hidden_size,
        encoder.intermediate_size,
        encoder.num_attention_heads,
        encoder.embedding_size,
        config.generator_encoder.hidden_size,
        config.mask_prob,
        config.learning_rate,
        config.num_warmup_steps,
        config.weight_decay_rate,
        config.train_batch_size,
        config.num_train_steps,
        config.max_seq_length,
    )
    assert config.generator_encoder.num_hidden_layers == encoder.num_hidden_layers
    assert encoder.hidden_dropout_prob == encoder.attention_probs_dropout_prob == 0.1
    assert (config.gen_weight, config.disc_weight, config.lr_decay_power) == (1.0, 50.0, 1.0)


def test_the_released_small_model_has_a_generator_of_full_size():
    config = load("small_plus_plus")
    assert config.generator_encoder == config.encoder
    assert (config.max_seq_length, config.num_train_steps) == (512, 4_000_000)


def test_the_openwebtext_run_is_the_originals_default():
    defaults = PretrainingConfig.from_hparams("small_owt", "/data", {})
    assert load("small_owt") == defaults


def test_objectives():
    assert not load("mlm").has_discriminator
    assert load("electric").electric_objective and load("electric").two_tower_generator
    assert load("debug").encoder.num_hidden_layers == 3
