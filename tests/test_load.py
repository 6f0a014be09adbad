# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra_tf.load` gives the same for every kind of folder, and what the models give."""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tiny_finetuning import make_data_dir

import electra_tf
from electra_tf.interop import load_huggingface
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model
from electra_tf.serving import export_model
from electra_tf.serving.pretrained import PretrainedServer

GOLDENS = pathlib.Path(__file__).parent / "goldens"
HEADS = {"model_hparam_overrides": {"num_attention_heads": 2}}
"""What a checkpoint of the original does not contain."""
TEXTS = ["w5 w6", "w1 nothing w90", "", "w7"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One pre-trained model in every format."""
    root = tmp_path_factory.mktemp("loading")
    own = str(make_data_dir(root / "data") / "models" / "tiny")
    transfer = open_model(own)
    found = {"own": own}
    for name in ("reference", "huggingface"):
        found[name] = str(root / name)
        convert(transfer, name, found[name])
    length = transfer.config.max_seq_length
    server = PretrainedServer(transfer.model, transfer.tokenizer, length, tf.float32, 5)
    found["exported"] = str(root / "exported")
    signatures = {name: f.get_concrete_function() for name, f in server.signatures.items()}
    tf.saved_model.save(server, found["exported"], signatures)
    return found


@pytest.fixture(scope="module")
def models(folders):
    return {
        name: electra_tf.load(folder, hparams=HEADS if name == "reference" else None)
        for name, folder in folders.items()
    }


def same(found, expected):
    assert set(found) == set(expected)
    for key, value in expected.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(found[key], value, rtol=1e-5, atol=1e-5, err_msg=key)
        else:
            np.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("kind", ["reference", "huggingface", "exported"])
def test_every_kind_of_folder_gives_the_same(kind, models):
    own, other = models["own"], models[kind]
    assert other.signatures.keys() == own.signatures.keys()
    assert {*other.signatures["features"]} == {"text", "layer"}
    same(other.encode(TEXTS), own.encode(TEXTS))
    same(other.replaced_tokens(TEXTS), own.replaced_tokens(TEXTS))
    same(other.fill_mask(["w5 [MASK] w7", "w1"]), own.fill_mask(["w5 [MASK] w7", "w1"]))
    same(other.pseudo_log_likelihood(TEXTS), own.pseudo_log_likelihood(TEXTS))
    choices = (["w5 {} w7", "{}"], ["w1", "w2 w3"])
    same(other.score_options(*choices), own.score_options(*choices))


@pytest.mark.parametrize("kind", ["own", "exported"])
def test_similarities_are_cosines_of_means(kind, models):
    vectors = models["own"].encode(TEXTS)["mean"]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = models[kind].similarity(TEXTS, TEXTS[1:], batch_size=3)
    np.testing.assert_allclose(found, vectors @ vectors[1:].T, atol=1e-5)


@pytest.mark.parametrize("kind", ["own", "reference", "huggingface", "exported"])
def test_a_folder_may_have_brackets_in_its_name(kind, folders, models, tmp_path):
    moved = str(shutil.copytree(folders[kind], tmp_path / "[x],*"))
    other = electra_tf.load(moved, hparams=HEADS if kind == "reference" else None)
    same(other.encode(TEXTS), models["own"].encode(TEXTS))


def test_replaced_tokens_are_the_discriminators(folders, models):
    found = models["own"].replaced_tokens(TEXTS)
    assert found["tokens"].tolist()[0] == ["w5", "w6", *[""] * (found["tokens"].shape[1] - 2)]
    assert found["num_tokens"].tolist()[0] == 2 and found["num_tokens"].tolist()[2] == 0
    assert (found["starts"][0, :2].tolist(), found["ends"][0, :2].tolist()) == ([0, 3], [2, 5])
    model = open_model(folders["own"])
    ids = [model.tokenizer.vocabulary.id_of(token) for token in ("[CLS]", "w5", "w6", "[SEP]")]
    batch = {
        "input_ids": tf.constant([ids]),
        "input_mask": tf.ones([1, 4], tf.int32),
        "segment_ids": tf.zeros([1, 4], tf.int32),
    }
    outputs = model.model.discriminator(batch)
    expected = tf.sigmoid(outputs["rtd_logits"])[0, 1:3]
    np.testing.assert_allclose(found["probabilities"][0, :2], expected, rtol=1e-5, atol=1e-6)
    features = models["own"].encode(["w5 w6"])
    hidden = outputs["discriminator_hidden"].numpy()
    np.testing.assert_allclose(features["token_features"], hidden, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(features["mean"], hidden.mean(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(features["first_token"], hidden[:, 0], rtol=1e-4, atol=1e-5)


def test_fillings_are_probabilities_best_first(models):
    found = models["own"].fill_mask(["w5 [MASK] [MASK]", "w1 w2", "[MASK]"])
    assert found["num_masks"].tolist() == [2, 0, 1]
    assert found["tokens"].shape == found["probabilities"].shape == (3, 2, 5)
    assert (found["starts"][0].tolist(), found["ends"][0].tolist()) == ([3, 10], [9, 16])
    chances = found["probabilities"][0]
    assert (np.diff(chances) <= 0).all() and (chances > 0).all() and (chances.sum(-1) < 1).all()
    assert (found["tokens"][1] == "").all()


def test_batches_do_not_matter(models):
    texts = [" ".join(["w3"] * count) for count in (1, 9, 2, 5, 0)]
    same(models["own"].replaced_tokens(texts, batch_size=2), models["own"].replaced_tokens(texts))
    same(models["own"].encode(texts, layer=0, batch_size=3), models["own"].encode(texts, layer=0))


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory):
    """Hugging Face models with heads, and a vocabulary."""
    root, found = tmp_path_factory.mktemp("finetuned"), {}
    for name in ("sequence_classification", "token_classification", "question_answering"):
        found[name] = shutil.copytree(GOLDENS / "huggingface" / name, root / name)
        shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", found[name] / "vocab.txt")
    return {name: str(folder) for name, folder in found.items()}


def test_a_fine_tuned_model_gives_the_same_in_every_format(tmp_path):
    golden = GOLDENS / "finetune" / "cola"
    original = shutil.copytree(golden / "ckpt", tmp_path / "original")
    shutil.copy(golden / "vocab.txt", original / "vocab.txt")
    meta = json.loads((golden / "meta.json").read_text())
    hparams = {"model_hparam_overrides": meta["model_hparam_overrides"]}
    labels = ["bad", "good"]
    transfer = open_model(str(original), hparams, labels)
    convert(transfer, "electra_tf", str(tmp_path / "own"))
    export_model(str(tmp_path / "own"), str(tmp_path / "exported"), names=["text", "features"])

    texts = ["tok1 tok2", "", "tok9 nothing"]
    found = electra_tf.load(str(original), hparams=hparams, labels=labels).predict(texts)
    assert set(found["label"]) <= set(labels) and found["logits"].shape == (3, 2)
    for name in ("own", "exported"):
        model = electra_tf.load(str(tmp_path / name))
        same(model.predict(texts), found)
        assert model.encode(texts)["mean"].shape == (3, 32)


def rows_of(model, texts, pairs=None):
    """The rows transformers would make, by hand, one at a time."""
    vocabulary = model.tokenizer.vocabulary
    for i, text in enumerate(texts):
        ids = [vocabulary.cls_id, *model.tokenizer([text])[0].numpy(), vocabulary.sep_id]
        segments = [0] * len(ids)
        if pairs:
            second = [*model.tokenizer([pairs[i]])[0].numpy(), vocabulary.sep_id]
            ids, segments = ids + second, segments + [1] * len(second)
        columns = {"input_ids": ids, "input_mask": [1] * len(ids), "segment_ids": segments}
        yield {name: tf.constant([column], tf.int32) for name, column in columns.items()}


def test_classes(finetuned):
    folder = finetuned["sequence_classification"]
    texts = ["tok1 tok2 tok3", "tok9"]
    found = electra_tf.load(folder).predict(texts)
    model = load_huggingface(folder)
    expected = np.concatenate([model(row)["logits"] for row in rows_of(model, texts)])
    np.testing.assert_allclose(found["logits"], expected, rtol=1e-5, atol=1e-5)
    assert found["label"].tolist() == [f"LABEL_{i}" for i in expected.argmax(-1)]
    chances = tf.nn.softmax(expected).numpy().max(-1)
    np.testing.assert_allclose(found["probability"], chances, rtol=1e-5)
    features = electra_tf.load(folder).encode(texts)
    assert features["first_token"].shape == (2, 32)


def test_tags_are_those_of_transformers_segment(finetuned):
    folder = finetuned["token_classification"]
    text = "tok1 tok2 tok3"
    found = electra_tf.load(folder).predict([text])
    model = load_huggingface(folder)
    (row,) = rows_of(model, [text])
    expected = model(row)["logits"][0, 1:-1].numpy()
    assert found["words"].tolist() == [["tok1", "tok2", "tok3"]]
    assert found["tags"].tolist() == [[f"LABEL_{i}" for i in expected.argmax(-1)]]
    chances = tf.nn.softmax(expected).numpy().max(-1)
    np.testing.assert_allclose(found["probabilities"][0], chances, rtol=1e-5)


def test_answers(finetuned):
    folder = finetuned["question_answering"]
    question, context = "tok7 tok8", "tok1 tok2 tok3 tok4"
    found = electra_tf.load(folder).predict([(question, context)])
    model = load_huggingface(folder)
    (row,) = rows_of(model, [question], [context])
    outputs = model(row)
    first = 4  # [CLS] tok7 tok8 [SEP]
    starts, ends = (outputs[f"{side}_logits"][0, first:-1].numpy() for side in ("start", "end"))
    scores = np.triu(starts[:, None] + ends[None])
    scores[np.tril_indices(4, -1)] = -np.inf
    start, end = np.unravel_index(scores.argmax(), scores.shape)
    assert found["answer"].tolist() == [" ".join(context.split()[start : end + 1])]
    assert context.encode()[found["start"][0] : found["end"][0]].decode() == found["answer"][0]


def test_what_a_model_cannot_do_is_said(models, finetuned, folders):
    own = models["own"]
    with pytest.raises(ValueError, match="is not fine-tuned, so there is nothing that it predicts"):
        own.predict(["w1"])
    classifier = electra_tf.load(finetuned["sequence_classification"])
    with pytest.raises(ValueError, match="has no fill_mask; it has features, ids, text"):
        classifier.fill_mask(["w1"])
    for wrong in ("w1", b"w1", np.array("w1"), tf.constant("w1"), tf.constant([["w1", "w2"]])):
        with pytest.raises(ValueError, match="texts is expected to be a sequence of one or more s"):
            own.encode(wrong)
    for wrong in ([["w1", "w2"]], np.array([["w1", "w2"]]), np.array([[["w1"]]]), [[]], [b"w1"]):
        with pytest.raises(ValueError, match=r"texts\[0\] is expected to be str, but is"):
            own.encode(wrong)
    with pytest.raises(ValueError, match=r"texts is expected to be a sequence of .*generator"):
        own.encode(text for text in ["w1"])
    with pytest.raises(ValueError, match=r"texts\[1\] is expected to be Unicode text"):
        own.encode(["w1", "\ud800"])
    with pytest.raises(ValueError, match=r"texts\[0\] is expected to be str, but is 5"):
        own.encode([5])
    with pytest.raises(ValueError, match=r"texts\[1\] is expected to be str, but is \('a', 'b'\)"):
        own.encode(["w1", ("a", "b")])
    with pytest.raises(ValueError, match="layer is expected to be in"):
        own.encode(["w1"], layer=5)
    with pytest.raises(ValueError, match="batch_size is expected to be at least 1"):
        own.encode(["w1"], batch_size=0)
    with pytest.raises(ValueError, match=r"has no vocabulary: put vocab\.txt into it"):
        electra_tf.load(str(GOLDENS / "huggingface" / "discriminator"))
    with pytest.raises(ValueError, match=r"task is .cola., but .* holds a pre-trained model"):
        electra_tf.load(folders["own"], task="cola")
    with pytest.raises(ValueError, match="is an exported model, which has nothing to choose"):
        electra_tf.load(folders["exported"], task="cola")
    with pytest.raises(FileNotFoundError, match="Nothing is downloaded"):
        electra_tf.load("google/electra-small-discriminator")


def test_the_package_alone_is_light():
    code = "import sys, electra_tf; print('tensorflow' in sys.modules, electra_tf.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", electra_tf.__version__]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        electra_tf.nothing  # noqa: B018
