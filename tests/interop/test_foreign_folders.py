# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hugging Face folders as others leave them: no class named, other types, wrong sizes, damage."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from electra_tf.interop import find_starting_point, load_huggingface, save_huggingface
from electra_tf.interop.huggingface.content import read_content, read_encoder
from electra_tf.text import Vocabulary, WordPieceTokenizer
from electra_tf.text.vocabulary import SPECIAL_TOKENS
from electra_tf.training.checkpoints.checkpoint import load_variables
from electra_tf.training.checkpoints.weights import usable_weights

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens" / "huggingface"
ARCHITECTURES = {
    path.name: json.loads((path / "config.json").read_text())["architectures"][0]
    for path in sorted(GOLDENS.iterdir())
}
NORM = "electra.embeddings.LayerNorm.weight"
EMBEDDINGS = "electra.embeddings.word_embeddings.weight"


@pytest.fixture
def folder_of(tmp_path):
    """A copy of a recorded folder with other settings (None: left out) and other tensors."""

    def copy(name="discriminator", change=lambda tensors: None, **settings):
        folder = shutil.copytree(GOLDENS / name, tmp_path / f"copy_of_{name}")
        path = folder / "config.json"
        stored = {**json.loads(path.read_text()), **settings}
        path.write_text(json.dumps({key: v for key, v in stored.items() if v is not None}))
        tensors = safetensors.numpy.load_file(folder / "model.safetensors")
        raw = {name: (TYPES[str(t.dtype)], t.shape, t.tobytes()) for name, t in tensors.items()}
        change(raw)
        write_raw(folder / "model.safetensors", raw)
        return folder

    return copy


TYPES = {"float32": "F32", "int64": "I64"}


def write_raw(path, tensors):
    """A safetensors file of any types: name -> (type, shape, bytes)."""
    header, place = {}, 0
    for name, (kind, shape, data) in tensors.items():
        offsets = [place, place + len(data)]
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": offsets}
        place += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(data for _, _, data in tensors.values())
    path.unlink(missing_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def as_type(kind, convert, names=None):
    """A change that stores tensors as another type."""

    def change(tensors):
        for name in list(tensors) if names is None else names:
            _, shape, data = tensors[name]
            values = np.frombuffer(data, np.float32)
            tensors[name] = kind, shape, convert(values).tobytes()

    return change


# ---- Which class


@pytest.mark.parametrize("named", [None, []])
@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_class_follows_from_the_names_of_the_tensors(name, named, folder_of):
    content = read_content(str(folder_of(name, architectures=named)))
    assert content.config == read_content(str(GOLDENS / name)).config
    assert content.config.architecture == ARCHITECTURES[name]


@pytest.mark.parametrize("keep", ["electra.", ""])
def test_the_class_of_a_bare_encoder(folder_of, keep):
    """Also where its tensors are named as inside a model."""

    def strip(tensors):
        for name in list(tensors):
            tensor = tensors.pop(name)
            if name.startswith("electra."):
                tensors[keep + name.removeprefix("electra.")] = tensor

    content = read_content(str(folder_of("discriminator", strip, architectures=None)))
    assert content.config.architecture == "ElectraModel"
    gamma = content.weights["electra/embeddings/LayerNorm/gamma"]
    np.testing.assert_array_equal(
        gamma,
        read_content(str(GOLDENS / "discriminator")).weights["electra/embeddings/LayerNorm/gamma"],
    )


def test_heads_of_two_classes(folder_of):
    def add(tensors):
        tensors["qa_outputs.bias"] = "F32", (2,), bytes(8)

    with pytest.raises(ValueError, match=r"heads of several classes: disc.*, qa_outputs\.bias"):
        read_content(str(folder_of("discriminator", add, architectures=None)))


def test_the_head_of_a_class_without_counterpart(folder_of):
    """As of ElectraForMultipleChoice; fine-tuning takes its encoder all the same."""

    def change(tensors):
        for name in [name for name in tensors if not name.startswith("electra.")]:
            del tensors[name]
        tensors["sequence_summary.summary.bias"] = "F32", (32,), bytes(128)
        tensors["classifier.bias"] = "F32", (1,), bytes(4)

    folder = str(folder_of("discriminator", change, architectures=None))
    with pytest.raises(ValueError, match="ElectraForMultipleChoice, which has no counterpart"):
        read_content(folder)
    assert "electra/embeddings/word_embeddings" in read_encoder(folder).weights


@pytest.mark.parametrize("named", ["ElectraModel", [None], {"0": "ElectraModel"}])
def test_classes_that_are_no_list_of_names(named, folder_of):
    with pytest.raises(ValueError, match=r"config\.json: architectures is expected to be a list"):
        read_content(str(folder_of(architectures=named)))


# ---- Special ids


def test_special_ids_are_written_as_they_are(folder_of, tmp_path):
    model = load_huggingface(str(folder_of(bos_token_id=5, eos_token_id=6)))
    others = tuple(f"t{number}" for number in range(20))
    model.tokenizer = WordPieceTokenizer(Vocabulary((*others, *reversed(SPECIAL_TOKENS))))
    save_huggingface(model, str(tmp_path / "written"))
    stored = json.loads((tmp_path / "written" / "config.json").read_text())
    expected = {"mask": 20, "sep": 21, "cls": 22, "unk": 23, "pad": 24, "bos": 5, "eos": 6}
    assert {k: v for k, v in stored.items() if k.endswith("_token_id")} == {
        f"{name}_token_id": number for name, number in expected.items()
    }
    assert read_content(str(tmp_path / "written")).config.special_ids["pad_token_id"] == 24


def test_special_ids_of_a_folder_without_vocabulary(folder_of, tmp_path):
    folder = folder_of(pad_token_id=7, bos_token_id=1)
    for path in folder.glob("*token*"):
        path.unlink()
    (folder / "vocab.txt").unlink(missing_ok=True)
    model = load_huggingface(str(folder))
    assert model.tokenizer is None
    save_huggingface(model, str(tmp_path / "written"))
    stored = json.loads((tmp_path / "written" / "config.json").read_text())
    assert (stored["pad_token_id"], stored["bos_token_id"]) == (7, 1)


def test_ids_that_are_not_those_of_the_vocabulary(folder_of, caplog):
    folder = folder_of(pad_token_id=3)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL_TOKENS, "a"]) + "\n")
    assert read_content(str(folder)).config.special_ids["pad_token_id"] == 0
    assert "pad_token_id is 3 in config.json, but the vocabulary has 0, which counts" in caplog.text


@pytest.mark.parametrize("number", [-1, 300, 10**9, 2.0, "0", True])
def test_padding_outside_of_the_vocabulary(number, folder_of):
    with pytest.raises(ValueError, match=r"pad_token_id is expected to be in 0\.\.299, but is"):
        read_content(str(folder_of(pad_token_id=number)))


# ---- Types of numbers


def upper_half(values):
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def test_bfloat16_is_widened_exactly(folder_of):
    found = read_content(str(folder_of("generator", as_type("BF16", upper_half)))).weights
    for name, expected in read_content(str(GOLDENS / "generator")).weights.items():
        cut = (np.ascontiguousarray(expected).view(np.uint32) & 0xFFFF0000).view(np.float32)
        np.testing.assert_array_equal(found[name], cut, err_msg=name)
        assert found[name].dtype == np.float32


def test_bfloat16_in_several_files(folder_of):
    folder = folder_of()
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    parts = {"a.safetensors": sorted(tensors)[:9], "b.safetensors": sorted(tensors)[9:]}
    for file, names in parts.items():
        halves = {n: ("BF16", tensors[n].shape, upper_half(tensors[n]).tobytes()) for n in names}
        write_raw(folder / file, halves)
    write_index(folder, {name: file for file, names in parts.items() for name in names})
    weights = read_content(str(folder)).weights
    cut = (tensors[NORM].view(np.uint32) & 0xFFFF0000).view(np.float32)
    np.testing.assert_array_equal(weights["electra/embeddings/LayerNorm/gamma"], cut)


def test_float64_is_said(folder_of, caplog):
    change = as_type("F64", lambda values: values.astype(np.float64), [NORM, EMBEDDINGS])
    weights = read_content(str(folder_of("discriminator", change))).weights
    assert weights["electra/embeddings/LayerNorm/gamma"].dtype == np.float32
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert "2 variables are float64 and are rounded to float32, such as" in record.getMessage()


@pytest.mark.parametrize(
    ("kind", "convert"),
    [
        ("F8_E4M3", lambda values: np.zeros(values.size, np.uint8)),
        ("F8_E5M2", lambda values: np.zeros(values.size, np.uint8)),
        ("I64", lambda values: np.ones(values.size, np.int64)),
        ("I8", lambda values: np.ones(values.size, np.int8)),
        ("U8", lambda values: np.ones(values.size, np.uint8)),
        ("BOOL", lambda values: np.ones(values.size, bool)),
        ("C64", lambda values: np.ones(values.size, np.complex64)),
    ],
)
def test_weights_that_are_no_floats_are_refused(kind, convert, folder_of):
    folder = str(folder_of("discriminator", as_type(kind, convert, [NORM])))
    for read in (read_content, read_encoder):
        with pytest.raises(ValueError, match=f"safetensors: .*{NORM[8:]} .* of the type {kind}"):
            read(folder)


def test_float64_beyond_float32_is_refused(folder_of):
    change = as_type("F64", lambda values: np.full(values.size, 1e300), [NORM])
    with pytest.raises(ValueError, match=f"{NORM} is expected to fit float32"):
        read_content(str(folder_of("discriminator", change)))


def test_integers_that_are_no_weights_do_not_matter(folder_of):
    def add(tensors):
        tensors["electra.embeddings.position_ids"] = "I64", (1, 4), np.arange(4).tobytes()

    assert read_content(str(folder_of("discriminator", add))).weights


@pytest.mark.parametrize("kind", [tf.int32, tf.bool, tf.complex64])
def test_checkpoints_of_the_original_with_other_types(kind, tmp_path):
    prefix, name = str(tmp_path / "model.ckpt-1"), "electra/embeddings/LayerNorm/gamma"
    tensor = tf.cast(tf.ones([4]), kind)
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[name], shape_and_slices=[""], tensors=[tensor])
    with pytest.raises(ValueError, match=f"{prefix}: {name} is expected to"):
        usable_weights(prefix)
    with pytest.raises(ValueError, match=f"{prefix}: {name} is expected to"):
        load_variables(prefix, {name: tf.Variable(tf.zeros([4]))})


@pytest.mark.parametrize("kind", [tf.float64, tf.bfloat16, tf.float16])
def test_checkpoints_of_the_original_with_other_floats(kind, tmp_path, caplog):
    prefix, name = str(tmp_path / "model.ckpt-1"), "electra/embeddings/LayerNorm/gamma"
    tensor = tf.constant([0.5, -1.25, 3.0, 0.0], kind)
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[name], shape_and_slices=[""], tensors=[tensor])
    variable = tf.Variable(tf.zeros([4]))
    load_variables(prefix, {name: variable})
    weights = usable_weights(prefix)
    assert weights[name].dtype == np.float32
    np.testing.assert_array_equal(weights[name], [0.5, -1.25, 3.0, 0.0])
    np.testing.assert_array_equal(variable, weights[name])
    assert ("1 variables are float64 and are rounded" in caplog.text) == (kind == tf.float64)


# ---- Sizes


@pytest.mark.parametrize("read", [read_content, read_encoder])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocab_size": 10**9}, "vocab_size is expected to be at most"),
        ({"vocab_size": 10**6}, "vocab_size is 300 in the file, 1000000 here"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is expected to be at most"),
        ({"num_hidden_layers": 1000}, "num_hidden_layers is 2 in the file, 1000 here"),
        ({"hidden_size": 40000}, "hidden_size is 32 in the file, 40000 here"),
        ({"intermediate_size": 10**5}, "intermediate_size is .* in the file, 100000 here"),
        ({"max_position_embeddings": 10**6}, "max_position_embeddings is 40 in the file"),
        ({"type_vocab_size": 10**4}, "type_vocab_size is 2 in the file, 10000 here"),
        ({"num_hidden_layers": 3}, "num_hidden_layers is 2 in the file, 3 here"),
        ({"vocab_size": -1}, "vocab_size is expected to be at least 1, but is -1"),
        ({"num_hidden_layers": True}, "num_hidden_layers is expected to be of type int"),
        ({"hidden_size": 32.0}, "hidden_size is expected to be of type int"),
        ({"embedding_size": "16"}, "embedding_size is expected to be of type int"),
        ({"num_attention_heads": 33}, "num_attention_heads is expected to be a divisor"),
    ],
)
def test_sizes_are_those_of_the_tensors(read, settings, message, folder_of):
    with pytest.raises(ValueError, match=message) as error:
        read(str(folder_of(**settings)))
    assert "config.json" in str(error.value) and len(str(error.value).splitlines()) <= 13


LABELLED = [name for name in ARCHITECTURES if "Classification" in ARCHITECTURES[name]]


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_labels": 10**6, "id2label": None}, "num_labels is expected to have the . classes"),
        ({"num_labels": 10**6}, "num_labels is expected to be ., as many as id2label"),
        ({"num_labels": -1, "id2label": None}, "num_labels is expected to be at least 1"),
        ({"num_labels": 3.0, "id2label": None}, "num_labels is expected to be at least 1"),
        ({"num_labels": True, "id2label": None}, "num_labels is expected to be at least 1"),
        ({"num_labels": "3", "id2label": None}, "num_labels is expected to be at least 1"),
        ({"id2label": {str(n): "x" for n in range(5000)}}, "id2label is expected to have the ."),
        ({"id2label": {"0": "a", "1000000000": "b", "2": "c"}}, "that of '1' is not there"),
        ({"id2label": {"zero": "a"}}, "that of '0' is not there"),
        ({"id2label": {"0": None}}, "that of '0' is None"),
        ({"id2label": ["a", "b", "c"]}, "id2label is expected to be an object"),
        ({"classifier_dropout": "much"}, "'classifier_dropout' is expected to be a number"),
    ],
)
def test_labels_are_those_of_the_head(name, settings, message, folder_of):
    with pytest.raises(ValueError, match=rf"config\.json: .*{message}"):
        read_content(str(folder_of(name, **settings)))


def test_another_problem_than_there_is(folder_of):
    name = next(n for n in LABELLED if "Sequence" in ARCHITECTURES[n])
    with pytest.raises(ValueError, match="problem_type is expected to be null or one of"):
        read_content(str(folder_of(name, problem_type="ranking")))


def test_an_encoder_does_not_mind_the_labels(folder_of):
    folder = str(folder_of(LABELLED[0], num_labels=10**6, id2label=None))
    assert find_starting_point(folder).encoder.hidden_size == 32


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("number", [10**9, 10**6 + 1, 2**70])
def test_absurd_numbers_of_labels_are_refused_whatever_the_class(name, number, folder_of):
    folder = str(folder_of(name, num_labels=number, id2label=None))
    for read_folder in (read_content, find_starting_point):
        with pytest.raises(ValueError, match=r"config\.json: num_labels .* at most 1,000,000"):
            read_folder(folder)


# ---- Indices


def write_index(folder, weight_map):
    content = json.dumps({"weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(content)


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        "../secret.safetensors",
        "a/../b.safetensors",
        "sub/a.safetensors",
        "..\\secret.safetensors",
        "",
        "..",
        7,
        None,
        "config.json",
    ],
)
def test_an_index_names_files_of_its_folder_only(file, folder_of, tmp_path):
    folder = folder_of()
    names = list(safetensors.numpy.load_file(folder / "model.safetensors"))
    shutil.move(folder / "model.safetensors", tmp_path / "secret.safetensors")
    write_index(folder, dict.fromkeys(names, file))
    with pytest.raises(ValueError, match=r"index\.json: the file of .* of the same folder"):
        read_content(str(folder))


@pytest.mark.parametrize("content", ["[]", "{}", '{"weight_map": []}', "{", '{"weight_map": 1}'])
def test_an_index_of_another_form(content, folder_of):
    folder = folder_of()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ValueError, match=r"model\.safetensors\.index\.json"):
        read_content(str(folder))


def test_an_index_and_files_that_disagree(folder_of):
    folder = folder_of()
    shutil.move(folder / "model.safetensors", folder / "a.safetensors")
    names = list(safetensors.numpy.load_file(folder / "a.safetensors"))
    write_index(folder, {**dict.fromkeys(names, "a.safetensors"), "lost": "a.safetensors"})
    with pytest.raises(ValueError, match=r"lost is expected to be in a\.safetensors, but is not"):
        read_content(str(folder))
    shutil.copy(folder / "a.safetensors", folder / "b.safetensors")
    write_index(folder, {**dict.fromkeys(names, "a.safetensors"), NORM: "b.safetensors"})
    with pytest.raises(ValueError, match="is expected in one file, but is in b"):
        read_content(str(folder))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 zip", b"\xff" * 100, bytes(8) + b"{}"])
def test_a_damaged_file(content, folder_of):
    folder = folder_of()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors "):
        read_content(str(folder))
