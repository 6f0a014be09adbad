# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`hf://` paths by a stand-in for huggingface_hub: nothing here needs a network."""

import sys
import types

import pytest
from tiny_finetuning import LEARNING

import electra_tf
from electra_tf.interop import convert, load_huggingface, open_model
from electra_tf.runs import resolve_finetuning
from electra_tf.task_models import TextClassifier

PATH = "hf://someone/tiny-electra"


@pytest.fixture(scope="module")
def on_the_hub(pretrained_dir, tmp_path_factory):
    """The folder that a download gives."""
    folder = str(tmp_path_factory.mktemp("hub") / "snapshot")
    convert(open_model(str(pretrained_dir / "models" / "tiny")), "huggingface", folder)
    return folder


@pytest.fixture
def hub(monkeypatch, on_the_hub):
    """Calls of `snapshot_download`, which knows one model."""
    calls = []

    def snapshot_download(name, revision, ignore_patterns):
        calls.append((name, revision))
        assert "*.h5" in ignore_patterns
        if name != "someone/tiny-electra":
            raise ConnectionError("no\nroute to host")
        return on_the_hub

    module = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return calls


def test_all_that_take_a_folder_take_such_a_path(hub, on_the_hub, pretrained_dir):
    own = open_model(on_the_hub)
    assert open_model(PATH).fingerprint == own.fingerprint
    assert electra_tf.load_tokenizer(PATH).settings == own.tokenizer.settings
    assert electra_tf.load(f"{PATH}@main").replaced_tokens(["w5 w6"])["num_tokens"] == 2
    assert load_huggingface(PATH).config.encoder == own.encoder
    model = TextClassifier.from_preset(PATH, num_classes=2, **LEARNING)
    assert model.encoder.config.hidden_size == own.encoder.hidden_size
    hparams = {**LEARNING, "task_names": ["cola"], "init_checkpoint": PATH}
    config, start = resolve_finetuning("new", str(pretrained_dir), hparams)
    assert start.fingerprint == model_fingerprint(own) and config.vocab_file.startswith(on_the_hub)
    assert {name for name, _ in hub} == {"someone/tiny-electra"}
    assert {revision for _, revision in hub} == {None, "main"}


def model_fingerprint(stored):
    from electra_tf.training.checkpoints.weights import fingerprint

    return fingerprint({n: w for n, w in stored.weights.items() if n.startswith("electra/")})


def test_without_a_network_there_is_one_error(hub):
    with pytest.raises(FileNotFoundError, match="no route to host") as error:
        open_model("hf://someone/else")
    assert "run `hf download someone/else --local-dir FOLDER`" in str(error.value)


def test_without_the_library_there_is_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ValueError, match="huggingface_hub is not installed") as error:
        TextClassifier.from_preset(PATH, num_classes=2)
    assert "pip install huggingface_hub" in str(error.value)


@pytest.mark.parametrize("path", ["hf://", "hf://name", "hf://a/b/c", "hf://a b/c"])
def test_paths_on_the_hub_have_two_parts(path):
    with pytest.raises(ValueError, match=r"is expected to be hf://owner/name, but is hf://"):
        open_model(path)
