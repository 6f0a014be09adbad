# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The calls of docs/serving.md, as they stand there, against a stand-in for TensorFlow Serving."""

import json
import pathlib
import re
import shlex
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from served_models import ANSWER_SETTINGS, CLASSES, QUESTIONS, finetuned_folder
from stand_in_server import StandIn, serving
from tensorflow_serving.config import model_server_config_pb2

from electra_tf.serving import export_model

DOCUMENT = (pathlib.Path(__file__).parents[2] / "docs" / "serving.md").read_text()
CURLS = re.findall(r"curl (\S+) -d '([^']*)'", DOCUMENT)
LABELS = {("electra", "stable"): 1, ("electra", "canary"): 2}


def block_after(words, language):
    """The first block of code of a language behind some words."""
    return re.search(rf"{re.escape(words)}.*?```{language}\n(.*?)```", DOCUMENT, re.S)[1]


@pytest.fixture(scope="module")
def servables(tmp_path_factory, pair):
    folder = tmp_path_factory.mktemp("servables")
    found = {("electra", 1): pair, ("electra", 2): pair}
    for name, spec, settings in (("pairs", CLASSES, {}), ("questions", QUESTIONS, ANSWER_SETTINGS)):
        model = finetuned_folder(folder / name, spec, **settings)
        export_model(model, str(folder / f"{name}_export"), names=["text"])
        found[name, 1] = tf.saved_model.load(str(folder / f"{name}_export")).signatures
    return found


@pytest.fixture(scope="module")
def server(servables):
    stand_in = StandIn(servables, LABELS)
    with serving(stand_in) as addresses:
        yield stand_in, *addresses


def post(rest, url, body):
    request = urllib.request.Request(url.replace("localhost:8501", rest), body.encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_every_kind_of_model_is_called():
    named = [re.search(r"models/(\w+)", url)[1] for url, _ in CURLS]
    assert set(named) == {"electra", "pairs", "questions"} and len(CURLS) >= 5


@pytest.mark.parametrize(("url", "body"), CURLS)
def test_rest(server, servables, url, body):
    stand_in, rest, _ = server
    answer, request = post(rest, url, body), json.loads(body)
    name, version = stand_in.asked[-1]
    label = re.search(r"labels/(\w+)", url)
    assert label is None or version == LABELS[name, label[1]]
    columns = request.get("inputs")
    if columns is None:
        rows = request["instances"]
        is_plain = not isinstance(rows[0], dict)
        columns = {"text": rows} if is_plain else {k: [r[k] for r in rows] for k in rows[0]}
    function = servables[name, version][request.get("signature_name", "serving_default")]
    specs = function.structured_input_signature[1]
    expected = function(**{k: tf.constant(v, specs[k].dtype) for k, v in columns.items()})
    for key, values in expected.items():
        found = (
            answer["outputs"][key]
            if "outputs" in answer
            else [row[key] for row in answer["predictions"]]
        )
        if values.dtype != tf.string:
            np.testing.assert_allclose(found, values, rtol=1e-5)
        else:
            assert np.array_equal(np.array(found), np.char.decode(values.numpy().astype(bytes)))


def test_grpc(server, servables):
    _, _, grpc_address = server
    program = block_after("gRPC", "python").replace("localhost:8500", grpc_address)
    names = {}
    exec(program, names)
    expected = servables["pairs", 1]["text"](
        text=tf.constant(["Is it raining?", "Who won?"]),
        text_pair=tf.constant(["Look outside.", "Nobody knows."]),
    )
    assert np.array_equal(names["labels"], expected["label"])
    np.testing.assert_allclose(names["probabilities"], expected["probabilities"], rtol=1e-5)


def test_the_configuration_of_models():
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(block_after("models.config", "protobuf"), config)
    found = config.model_config_list.config
    assert [model.name for model in found] == ["electra", "pairs", "questions"]
    assert dict(found[0].version_labels) == {"stable": 1, "canary": 2}
    assert list(found[0].model_version_policy.specific.versions) == [1, 2]


def test_a_request_that_is_wrong_is_an_error(server):
    stand_in, _, _ = server
    with pytest.raises(KeyError, match="txt"):
        stand_in.rest("/v1/models/electra:predict", '{"inputs": {"txt": ["a"]}}')
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to have one shape"):
        body = '{"inputs": {"text": ["a", "b"], "text_pair": ["c"]}}'
        stand_in.rest("/v1/models/pairs:predict", body)


@pytest.mark.slow
def test_saved_model_cli(pair_export):
    lines = re.findall(r"^    (python -c .* run --dir .*)$", DOCUMENT, re.M)
    assert lines
    for line in lines[:1]:
        command = shlex.split(line.replace("served/electra/1", pair_export))
        done = subprocess.run(
            [sys.executable, *command[1:]], capture_output=True, text=True, check=True
        )
        assert "Result for output key probabilities" in done.stdout
