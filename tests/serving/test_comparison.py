# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports say what their models say, and the comparison before they appear would notice if not."""

import numpy as np
import pytest
import tensorflow as tf
from differences import Differences
from full_comparison import compare_fully
from served_models import NAMES, QUESTIONS, VARIANTS, finetuned_folder, pretrained_folder

from electra_tf.interop.opening import open_model
from electra_tf.serving import ExportDiffersError
from electra_tf.serving.comparison import compare
from electra_tf.serving.export import live_encoders
from electra_tf.serving.finetuned import server_of
from electra_tf.serving.pretrained import PretrainedServer

IN_QUICK_SUITE = ("regression",)
TASKS = [
    pytest.param(name, marks=() if name in IN_QUICK_SUITE else pytest.mark.slow)
    for name in VARIANTS
]


def task_server(folder, name, dtype=tf.float32):
    spec, changes = VARIANTS[name]
    source = open_model(finetuned_folder(folder / "model", spec, **changes))
    return source, server_of(source, 0, source.config.max_seq_length, dtype)


def pair_server(folder, dtype=tf.float32, **changes):
    source = open_model(pretrained_folder(folder / "data", **changes))
    server = PretrainedServer(
        source.model, source.tokenizer, source.config.max_seq_length, dtype, 3
    )
    return source, server


# ---- On hostile texts, beside what the model says by way of fine-tuning and pre-training


def test_an_exported_pair_says_what_its_models_say(pair, pair_dir):
    compare_fully(pair, open_model(pair_dir), "float32")


def test_an_exported_tagger_says_what_its_model_says(tagger, tmp_path):
    compare_fully(tagger, open_model(finetuned_folder(tmp_path / "model", NAMES)), "float32")


def test_an_exported_reader_says_what_its_model_says(reader, tmp_path):
    _, changes = VARIANTS["qa"]
    model = finetuned_folder(tmp_path / "model", QUESTIONS, **changes)
    compare_fully(reader, open_model(model), "float32")


@pytest.mark.parametrize("name", TASKS)
def test_what_a_task_serves_is_what_its_model_says(tmp_path, name):
    source, server = task_server(tmp_path, name)
    compare_fully(server.signatures, source, "float32")


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_a_task_in_bfloat16_is_close_to_its_model(tmp_path, name):
    source, server = task_server(tmp_path, name, tf.bfloat16)
    compare_fully(server.signatures, source, "bfloat16")


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"electric_objective": True, "electra_objective": False},
        {"electra_objective": False},
        {"untied_generator": False},
        {"untied_generator_embeddings": True, "embedding_size": 16},
        {"disentangled_embeddings": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_each_objective_serves_is_what_its_models_say(tmp_path, changes):
    source, server = pair_server(tmp_path, **changes)
    compare_fully(server.signatures, source, "float32")


# ---- Before an export appears


class Recorded:
    """A function that gives again what it gave for the same inputs, one output changed."""

    def __init__(self, function):
        self.input_signature = function.input_signature
        self._function = function
        self._seen = {}
        self.changed = None
        self.names = ()

    def __call__(self, **inputs):
        key = tuple(tf.convert_to_tensor(value).numpy().tobytes() for value in inputs.values())
        if key not in self._seen:
            self._seen[key] = self._function(**inputs)
        outputs = dict(self._seen[key])
        self.names = tuple(outputs)
        if self.changed is not None:
            outputs[self.changed] = different(outputs[self.changed])
        return outputs


def different(values):
    """All values others than they were."""
    if values.dtype == tf.string:
        return tf.strings.join([values, "?"])
    if values.dtype == tf.bool:
        return ~values
    return values + tf.cast(1, values.dtype)


def rest_of(source, server):
    """What `compare` takes beside the functions."""
    encoders = list(zip(server.encoders, live_encoders(source), strict=True))
    return encoders, source.tokenizer, source.config.max_seq_length, "float32"


def check_all_outputs(source, server):
    """Whether `compare` raises for each output of each signature, were it another one."""
    exported = {name: Recorded(function) for name, function in server.signatures.items()}
    saved = {name: Recorded(function) for name, function in server.signatures.items()}
    others = rest_of(source, server)
    compare(exported, saved, *others)
    for name, recorded in exported.items():
        for output in recorded.names:
            recorded.changed = output
            with pytest.raises(ExportDiffersError, match=f"{name}: {output}"):
                compare(exported, saved, *others)
                pytest.fail(f"{name}: {output} may be anything")
        recorded.changed = None


@pytest.mark.parametrize("name", TASKS)
def test_every_output_of_a_task_is_compared(tmp_path, name):
    check_all_outputs(*task_server(tmp_path, name))


@pytest.mark.slow
def test_every_output_of_a_pair_is_compared(tmp_path):
    check_all_outputs(*pair_server(tmp_path))


def test_an_encoder_that_computes_something_else_is_noticed(tmp_path):
    source, server = task_server(tmp_path, "regression")
    encoder = source.model.encoder
    bias = encoder.stack.blocks[0].intermediate.dense.bias
    bias.assign_add(0.01 * tf.ones_like(bias))
    others = rest_of(source, server)
    with pytest.raises(ExportDiffersError, match="token_features of layer 1: differs by"):
        compare(server.signatures, server.signatures, *others)


def test_missing_outputs_shapes_and_nan_are_differences(tmp_path):
    source, server = task_server(tmp_path, "regression")
    others = rest_of(source, server)
    ids = server.signatures["ids"]
    for wrong, message in (
        (lambda **batch: {}, r"the outputs \[\] exported, \['score'\] expected"),
        (lambda **batch: {"score": ids(**batch)["score"][:-1]}, "score: shape"),
        (lambda **batch: {"score": np.nan * ids(**batch)["score"]}, "score: differs by nan"),
    ):
        with pytest.raises(ExportDiffersError, match=message):
            compare({"ids": wrong}, {"ids": ids}, *others)


def test_features_may_differ_much_at_few_places_only():
    live = np.zeros([10, 10])
    few, all_over = live.copy(), live + 0.3
    few[0, 0] = 0.9
    Differences("bfloat16").feature("features", few, live)
    with pytest.raises(ExportDiffersError, match=r"root mean square: differs by 3\.00e-01"):
        Differences("bfloat16").feature("features", all_over, live)
    with pytest.raises(ExportDiffersError, match=r"differs by 1\.10e"):
        Differences("bfloat16").feature("features", few * 1.1 / 0.9, live)
