# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Layers, models, optimizers and schedules as Keras expects them."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_seams import assert_same, check_configuration, check_layer, check_training, differ
from tiny_run import HPARAMS, NO_DROPOUT, make_examples, tensors, tiny_pretrainer

from electra_tf import registration, task_models
from electra_tf.config import EncoderConfig, FinetuningConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning import FinetuningModel
from electra_tf.finetuning.kinds import heads
from electra_tf.finetuning.kinds.embedding import EmbeddingHead
from electra_tf.finetuning.kinds.prompted import PromptHead
from electra_tf.finetuning.kinds.question_head import QuestionAnsweringHead
from electra_tf.finetuning.model import TaskHeads
from electra_tf.model import (
    CopyHead,
    Encoder,
    Initializers,
    ReplacedTokenHead,
    TokenPredictionHead,
    layers,
)
from electra_tf.model import encoder as encoder_module
from electra_tf.pretraining import discriminators, pair
from electra_tf.training import ElectraAdam, WarmupPolynomialDecay
from electra_tf.training.optimization.optimizer import ElectraLamb, ElectraStableAdamW
from electra_tf.training.optimization.schedules import WarmupCosineDecay, WarmupTrapezoid

CONFIG = EncoderConfig(
    vocab_size=30,
    embedding_size=6,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=12,
    hidden_dropout_prob=0.3,
    attention_probs_dropout_prob=0.3,
)
RANDOM = np.random.default_rng(0)
HIDDEN = tf.constant(RANDOM.normal(size=(2, 5, 8)), tf.float32)
WIDE = tf.constant(RANDOM.normal(size=(2, 5, 16)), tf.float32)
MASK_SCORES = tf.zeros([2, 1, 1, 5])
TABLE = tf.constant(RANDOM.normal(size=(30, 6)), tf.float32)
IDS = tf.constant(RANDOM.integers(5, 30, (2, 5)), tf.int32)
SEGMENTS = tf.constant(RANDOM.integers(0, 2, (2, 5)), tf.int32)
FEATURES = {"input_ids": IDS, "input_mask": tf.ones_like(IDS), "segment_ids": SEGMENTS}
MASKED = {
    **FEATURES,
    "masked_input_ids": tf.where(IDS % 3 == 0, 4, IDS),
    "masked_positions": tf.constant([[1, 3], [2, 4]]),
}


def initializers():
    return Initializers(0.5, seed=1)


def encoder(name="electra", **kwargs):
    return Encoder(CONFIG, initializers(), name=name, **kwargs)


def masked_lm(dtype):
    return pair.MaskedLanguageModel(
        encoder(dtype=dtype), TokenPredictionHead(CONFIG, initializers(), dtype=dtype)
    )


def two_towers(dtype):
    left = encoder("left", direction="left_to_right", dtype=dtype)
    right = encoder("right", direction="right_to_left", embeddings=left.embeddings, dtype=dtype)
    head = TokenPredictionHead(CONFIG, initializers(), input_width=16, dtype=dtype)
    return pair.TwoTowerClozeModel(left, right, head)


def discriminator(dtype):
    head = ReplacedTokenHead(CONFIG, initializers(), dtype=dtype)
    return discriminators.Discriminator(encoder(dtype=dtype), head)


def restorer(kind, *others):
    def make(dtype):
        made = [part(head)(dtype=dtype) for head in (TokenPredictionHead, *others)]
        return kind(encoder(dtype=dtype), *made)

    return make


def head(kind, **options):
    return lambda dtype: kind("task", initializers(), 8, dtype=dtype, **options)


def task_heads(dtype):
    given = {"initializers": initializers(), "hidden_size": 8, "dtype": dtype}
    classes = heads.ClassificationHead("a", num_outputs=3, dropout_rate=0.3, **given)
    scores = heads.RegressionHead("b", num_outputs=1, dropout_rate=0.3, **given)
    return TaskHeads([classes, scores], dtype=dtype)


def part(kind, **options):
    return lambda dtype: kind(CONFIG, initializers(), dtype=dtype, **options)


SEQUENCE = {"num_outputs": 3, "dropout_rate": 0.3}
WORDS = {"task_labeled_positions": tf.constant([[1, 2, 0], [3, 0, 0]])}
WITHOUT_DROPOUT = {"drops": False, "has_training": False}
LAYERS = {
    "LayerNorm": (lambda dtype: layers.LayerNorm(dtype=dtype), (HIDDEN,), WITHOUT_DROPOUT),
    "Embeddings": (part(layers.Embeddings, has_difference=True), (IDS, SEGMENTS), {}),
    "SelfAttention": (part(layers.SelfAttention), (HIDDEN, MASK_SCORES), {}),
    "ResidualOutput": (part(layers.ResidualOutput), (WIDE, HIDDEN), {}),
    "Attention": (part(layers.Attention), (HIDDEN, MASK_SCORES), {}),
    "Intermediate": (part(layers.Intermediate), (HIDDEN,), WITHOUT_DROPOUT),
    "TransformerLayer": (part(layers.TransformerLayer), (HIDDEN, MASK_SCORES), {}),
    "LayerStack": (part(encoder_module.LayerStack, recompute=True), (HIDDEN, MASK_SCORES), {}),
    "Encoder": (encoder, (FEATURES,), {}),
    "TokenPredictionHead": (part(TokenPredictionHead), (HIDDEN, TABLE), WITHOUT_DROPOUT),
    "ReplacedTokenHead": (part(ReplacedTokenHead), (HIDDEN,), WITHOUT_DROPOUT),
    "CopyHead": (part(CopyHead), (HIDDEN,), WITHOUT_DROPOUT),
    "MaskedLanguageModel": (masked_lm, (MASKED,), {}),
    "TwoTowerClozeModel": (two_towers, (MASKED,), {}),
    "UniformGenerator": (
        lambda dtype: pair.UniformGenerator(30),
        ({"masked_positions": MASKED["masked_positions"]},),
        {"drops": False},
    ),
    "Discriminator": (discriminator, (FEATURES,), {}),
    "TokenRestorer": (restorer(discriminators.TokenRestorer), (MASKED,), {}),
    "CopyingTokenRestorer": (
        restorer(discriminators.CopyingTokenRestorer, CopyHead),
        (FEATURES,),
        {},
    ),
    "ClassificationHead": (
        head(heads.ClassificationHead, has_hidden_layer=True, class_weights=(1, 2, 3), **SEQUENCE),
        (HIDDEN, {**FEATURES, "task_label_ids": tf.constant([0, 2])}),
        {},
    ),
    "MultiLabelHead": (head(heads.MultiLabelHead, **SEQUENCE), (HIDDEN, FEATURES), {}),
    "RegressionHead": (
        head(heads.RegressionHead, num_outputs=1, dropout_rate=0.3),
        (HIDDEN, FEATURES),
        {},
    ),
    "TaggingHead": (
        head(heads.TaggingHead, num_labels=3, label_smoothing=0.1),
        (HIDDEN, {**FEATURES, **WORDS}),
        {"drops": False},
    ),
    "QuestionAnsweringHead": (
        head(QuestionAnsweringHead, beam_size=2),
        (HIDDEN, FEATURES),
        {"drops": False},
    ),
    "EmbeddingHead": (
        head(EmbeddingHead, pooling="first_token", temperature=0.1),
        (HIDDEN, {**FEATURES, "task_text_ids": tf.constant([[1, 2], [3, 4]])}),
        {"drops": False},
    ),
    "PromptHead": (
        head(PromptHead, hidden_act="gelu"),
        (
            HIDDEN,
            {
                **FEATURES,
                "task_label_ids": tf.constant([0, 1]),
                "task_option_ids": tf.constant([0, 0]),
                "task_option_mask": tf.constant([[0, 1, 1, 0, 0], [0, 0, 1, 0, 0]]),
            },
        ),
        {"drops": False},
    ),
    "TaskHeads": (task_heads, (HIDDEN, FEATURES), {}),
}

LARGE = ("MaskedLanguageModel", "TwoTowerClozeModel")
LARGE += ("Discriminator", "TokenRestorer", "CopyingTokenRestorer")
"""Made of others that are checked."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name for name in LAYERS],
)
def test_layers_do_what_keras_layers_do(name, tmp_path):
    make, inputs, options = LAYERS[name]
    check_layer(make, inputs, tmp_path, **options)


def test_every_class_that_keras_can_save_is_checked():
    ours = {name for names in registration.CLASSES.values() for name in names}
    registered = {
        name.removeprefix("electra_tf>")
        for name in keras.saving.get_custom_objects()
        if name.startswith("electra_tf>")
    }
    # What registers itself can be found without its module's import, too.
    assert registered == ours == {*LAYERS, *OPTIMIZERS, *SCHEDULES, *MODELS}


# ---- Dropout


def test_a_seed_decides_what_is_dropped_and_training_whether():
    layer, seed = encoder(), tf.constant([3, 4])
    plain = layer(FEATURES)
    assert_same(layer(FEATURES, seed=seed), layer(FEATURES, seed=seed, training=True))
    assert differ(layer(FEATURES, seed=seed), plain)
    assert_same(layer(FEATURES, seed=seed, training=False), plain)


def test_training_reaches_an_encoder_inside_of_a_model():
    given = {name: keras.Input([5], dtype="int32", name=name) for name in FEATURES}
    model = keras.Model(given, encoder()(given).last_hidden_state)
    assert differ(model(FEATURES, training=True), model(FEATURES, training=True))
    assert_same(model(FEATURES, training=False), model(FEATURES))


def test_replicas_drop_differently(two_replicas):
    with two_replicas.scope():
        layer = encoder()
    found = two_replicas.run(lambda: layer(FEATURES, training=True).last_hidden_state)
    first, second = two_replicas.experimental_local_results(found)
    assert differ(first, second)


def test_keras_seed_makes_dropout_repeatable():
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        outputs.append(encoder()(FEATURES, training=True))
    assert_same(*outputs)


# ---- Optimizers and schedules

OPTIMIZERS = {
    "ElectraAdam": ElectraAdam,
    "ElectraLamb": ElectraLamb,
    "ElectraStableAdamW": ElectraStableAdamW,
}
RULES = {
    "weight_decay_factors": (("bias", 0.0), ("kernel", 0.5)),
    "learning_rate_factors": (("layer_0/", 0.25), ("", 0.5)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_come_back_from_their_configuration(name, tmp_path):
    """The same rates and decay for every variable, and the same next step."""
    optimizer = OPTIMIZERS[name](WarmupPolynomialDecay(0.1, 20, 5, 2.0), 0.3, **RULES)
    given = keras.Input([3])
    hidden = keras.layers.Dense(2, name="layer_0")(given)
    model = keras.Model(given, keras.layers.Dense(1, name="layer_1")(hidden))
    model.compile(optimizer=optimizer, loss="mse")
    data = tf.ones([4, 3]), tf.ones([4, 1])
    model.fit(*data, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    config = json.loads(json.dumps(keras.optimizers.serialize(optimizer)))
    assert json.loads(json.dumps(keras.optimizers.serialize(loaded.optimizer))) == config
    assert loaded.optimizer.rules == optimizer.rules
    assert [rule.learning_rate_multiplier for rule in optimizer.rules] == [0.25, 0.25, 0.5, 0.5]
    assert [rule.weight_decay for rule in optimizer.rules] == [0.15, 0.0, 0.15, 0.0]
    for one in (model, loaded):
        one.fit(*data, verbose=0)
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


SCHEDULES = {
    "WarmupPolynomialDecay": WarmupPolynomialDecay(0.1, 20, 5, 2.0),
    "WarmupTrapezoid": WarmupTrapezoid(0.1, 20, 5, 2.0, 8),
    "WarmupCosineDecay": WarmupCosineDecay(0.1, 20, 5, 2.0),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_come_back_from_their_configuration(name):
    schedule = SCHEDULES[name]
    schedules = keras.optimizers.schedules
    found = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert [float(found(step)) for step in range(21)] == [
        float(schedule(step)) for step in range(21)
    ]


# ---- The pretrainer as a model of Keras

MODELS = ("ElectraPretrainer", "FinetuningModel", "HuggingFaceModel", *task_models.__all__)
"""Those of fine-tuning are fitted and saved in finetuning/test_keras_model.py and task_models/."""


def finetuning_model(precision):
    names = ("model_hparam_overrides", "embedding_size", "vocab_size", "max_seq_length")
    hparams = {name: HPARAMS[name] for name in names}
    config = FinetuningConfig.from_hparams("m", "/none", {**hparams, "precision": precision})
    return FinetuningModel(config, [TaskSpec("t", "regression", (), "mse", value_range=(0.0, 4.0))])


@pytest.mark.parametrize("name", ["pretrainer", "fine-tuned"])
@pytest.mark.parametrize(
    "precision",
    ["float32", *(pytest.param(p, marks=pytest.mark.slow) for p in ("bfloat16", "float16"))],
)
def test_models_do_what_keras_models_do(name, precision, data_dir):
    """Configuration, `training=`, `tf.function` and XLA, in every precision."""
    batch = tensors(make_examples(8))
    if name == "pretrainer":
        model = tiny_pretrainer(data_dir, {"num_hidden_layers": 1}, precision=precision)
        batch = model.mask(batch, tf.constant([1, 2]))
        # Fakes are samples, which other sums may change.
        outputs = lambda given: model.generator(given)  # noqa: E731
    else:
        model = finetuning_model(precision)
        batch["task_id"] = tf.zeros([8], tf.int32)
        outputs = model
    check_configuration(model, (batch,))
    check_training(model, (batch,), drops=True, has_training=True)
    tolerance = 1e-5 if precision == "float32" else 0.15
    for compiled in (False, True):
        found = tf.function(lambda given: outputs(given), jit_compile=compiled)(batch)
        assert_same(found, outputs(batch), tolerance)


def batches(count):
    rows = [tensors(make_examples(8, seed=i)) for i in range(count)]
    stacked = {name: tf.stack([row[name] for row in rows]) for name in rows[0]}
    return tf.data.Dataset.from_tensor_slices(stacked)


def test_a_pretrainer_is_fitted_evaluated_and_saved(data_dir, tmp_path):
    pretrainer = tiny_pretrainer(data_dir, ema_decay=0.9)
    best = str(tmp_path / "best.keras")
    callbacks = [
        keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True),
        keras.callbacks.EarlyStopping(patience=5),
        keras.callbacks.TensorBoard(str(tmp_path / "events")),
        keras.callbacks.BackupAndRestore(str(tmp_path / "backup")),
    ]
    history = pretrainer.fit(
        batches(3), validation_data=batches(2), epochs=2, callbacks=callbacks, verbose=0
    ).history
    assert len(history["loss"]) == len(history["val_loss"]) == len(history["disc_auc"]) == 2
    assert {name for name in history if name.startswith("val_")} == {
        f"val_{name}" for name in history if not name.startswith("val_")
    } - {"val_gradient_norm"}
    assert list((tmp_path / "events" / "train").iterdir())
    found = pretrainer.evaluate(batches(2), return_dict=True, verbose=0)
    assert found["loss"] == found["total_loss"] == history["val_loss"][-1] > 0
    pretrainer.save(tmp_path / "last.keras")
    loaded = keras.models.load_model(tmp_path / "last.keras")
    assert loaded.evaluate(batches(2), return_dict=True, verbose=0) == pytest.approx(found)
    # Averages, moments and steps are there, too: both continue alike.
    for one in (pretrainer, loaded):
        one.fit(batches(1), verbose=0)
    state = {**loaded.updates.state, **loaded.optimizer.slots()}
    for name, value in {**pretrainer.updates.state, **pretrainer.optimizer.slots()}.items():
        np.testing.assert_allclose(state[name].numpy(), value.numpy(), atol=1e-6, err_msg=name)
    assert keras.models.load_model(best).config == pretrainer.config


def test_a_pretrainer_comes_back_from_its_configuration(data_dir):
    pretrainer = tiny_pretrainer(data_dir)
    pretrainer.discriminator.encoder.stack.blocks[0].trainable = False
    for config in (pretrainer.get_config(), json.loads(json.dumps(pretrainer.get_config()))):
        other = type(pretrainer).from_config(config)
        assert (other.config, other.vocabulary) == (pretrainer.config, pretrainer.vocabulary)
        assert [v.path for v in other.trainable_variables] == [
            v.path for v in pretrainer.trainable_variables
        ]


def test_a_pretrainer_has_its_own_loss_and_metrics(data_dir):
    for given in ({"loss": "mse"}, {"metrics": ["accuracy"]}):
        with pytest.raises(ValueError, match=f"{next(iter(given))} is expected to be None"):
            tiny_pretrainer(data_dir).compile("adam", **given)


def test_weights_of_a_layer_alone_are_saved(tmp_path):
    first, second = encoder(), Encoder(CONFIG, Initializers(0.5, seed=2))
    assert differ(first(FEATURES), second(FEATURES))
    first.save_weights(str(tmp_path / "encoder.weights.h5"))
    second.load_weights(str(tmp_path / "encoder.weights.h5"))
    assert_same(first(FEATURES), second(FEATURES))


def test_frozen_parts_stay_frozen_in_files(tmp_path):
    layer = encoder()
    layer.stack.blocks[0].attention.trainable = False
    given = {name: keras.Input([5], dtype="int32", name=name) for name in FEATURES}
    model = keras.Model(given, layer(given).last_hidden_state)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert len(loaded.trainable_variables) == len(model.trainable_variables)
    assert len(model.trainable_variables) == len(model.weights) - 10


@pytest.mark.parametrize("inputs", [{"input_ids": IDS}, IDS])
def test_inputs_that_are_missing_are_named(inputs):
    with pytest.raises(ValueError, match="a dict with input_ids, input_mask, segment_ids, but is"):
        encoder()(inputs)


def test_weights_of_a_pretrainer_with_other_state_are_refused(data_dir, tmp_path):
    path = str(tmp_path / "all.weights.h5")
    tiny_pretrainer(data_dir).save_weights(path)
    with pytest.raises(ValueError, match=r"ema_decay=0\.9"):
        tiny_pretrainer(data_dir, ema_decay=0.9).load_weights(path)


def test_training_without_a_seed_draws_anew(data_dir):
    pretrainer = tiny_pretrainer(data_dir)
    batch = pretrainer.mask(tensors(make_examples(8)), tf.constant([1, 2]))
    assert differ(pretrainer(batch, training=True), pretrainer(batch, training=True))
    assert_same(pretrainer(batch), pretrainer(batch, training=False))
    quiet = tiny_pretrainer(data_dir, NO_DROPOUT)
    first, second = (quiet(batch, training=True)["mlm_logits"] for _ in range(2))
    assert_same(first, second)


# ---- Another process


@pytest.mark.parametrize(
    "imports",
    [
        "import electra_tf, importlib.util; importlib.util.find_spec('keras'); import keras",
        "import keras, electra_tf",
    ],
)
def test_a_saved_model_opens_in_a_process_that_imports_the_library(tmp_path, imports):
    given = {name: keras.Input([None], dtype="int32", name=name) for name in FEATURES}
    pooled = encoder()(given).last_hidden_state[:, 0]
    model = keras.Model(given, keras.layers.Dense(3)(pooled))
    model.compile(optimizer=ElectraAdam(WarmupPolynomialDecay(0.1, 20)), loss="mse")
    path = str(tmp_path / "model.keras")
    model.save(path)
    np.savez(tmp_path / "inputs.npz", **{name: value.numpy() for name, value in FEATURES.items()})
    code = (
        f"{imports}, sys, numpy\n"
        f"model = keras.models.load_model({path!r})\n"
        f"inputs = dict(numpy.load({str(tmp_path / 'inputs.npz')!r}))\n"
        "print(type(model.optimizer).__name__)\n"
        f"numpy.save({str(tmp_path / 'outputs.npy')!r}, model(inputs).numpy())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ElectraAdam\n"
    np.testing.assert_allclose(np.load(tmp_path / "outputs.npy"), model(FEATURES), atol=1e-6)
