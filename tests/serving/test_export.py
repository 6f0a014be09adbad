# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What an export folder holds; that it appears only when it says what its model says."""

import json
import os
import pathlib
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from commands import electra
from run_results import stored
from served_models import CLASSES, VARIANTS, VOCABULARY, finetuned_folder, pretrained_folder
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

import electra_tf
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model
from electra_tf.serving import ExportDiffersError, export_model, served_encoder
from electra_tf.serving.export_files import write_warmup
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
TEXT_OPS = {"FastWordpieceTokenizeWithOffsets"}
WORD_OPS = TEXT_OPS | {"RegexSplitWithOffsets"}


def operations(folder, signature):
    """Names of all operations that a signature runs, through the functions it calls."""
    content = saved_model_pb2.SavedModel.FromString(
        (pathlib.Path(folder) / "saved_model.pb").read_bytes()
    )
    graph = content.meta_graphs[0].graph_def
    functions = {f.signature.name: f.node_def for f in graph.library.function}
    outputs = content.meta_graphs[0].signature_def[signature].outputs.values()
    calls = {tensor.name.split(":")[0] for tensor in outputs}
    waiting, found, seen = [n for n in graph.node if n.name in calls], set(), set()
    while waiting:
        node = waiting.pop()
        found.add(node.op)
        for value in node.attr.values():
            for function in [value.func, *value.list.func]:
                if function.name and function.name not in seen:
                    seen.add(function.name)
                    waiting.extend(functions[function.name])
    return found


def custom_operations(folder, signature):
    """Those that are not TensorFlow's own."""
    return {op for op in operations(folder, signature) if not hasattr(tf.raw_ops, op)}


def test_ids_has_no_custom_operation_and_text_few(pair, pair_export):
    custom = {name: custom_operations(pair_export, name) for name in pair}
    assert custom.pop("ids") == set()
    assert custom.pop("find_errors") == WORD_OPS
    assert all(ops == TEXT_OPS for ops in custom.values())
    assert "MatMul" in operations(pair_export, "ids")


def test_the_folder_is_complete(pair_export, pair_dir):
    folder = pathlib.Path(pair_export)
    vocabulary = (pathlib.Path(pair_dir) / "vocab.txt").read_text()
    assert (folder / "assets" / "vocab.txt").read_text() == vocabulary
    settings = json.loads((folder / "assets.extra" / "electra_tf.json").read_text())
    assert settings["kind"] == "pretrained" and settings["max_seq_length"] == 40
    compared = settings["comparison"]
    assert compared["tolerance"] == 1e-4 and 0 < compared["largest"] < 1e-4 < compared["count"]
    card = (folder / "README.md").read_text()
    assert "### fill_mask" in card and '"disc_weight": 50.0' in card
    assert "| out | `replaced_logits` | float32 | [B, *] |" in card
    assert pair_dir not in card
    assert "\n5 steps.\n" in card and "`serving_default` is `text`" in card
    assert not list(folder.parent.glob("*.incomplete"))


def test_the_card_tells_data_and_results_and_what_is_not_known(tmp_path):
    model_dir = pathlib.Path(pretrained_folder(tmp_path / "data"))
    records = tmp_path / "data" / "pretrain_tfrecords"
    records.mkdir()
    (records / "manifest.json").write_text('{"num_examples": 77, "shards": [1, 2]}')
    (model_dir / "results").mkdir()
    (model_dir / "results" / "unsup_results.json").write_text('{"disc_auc": 0.625}')
    export_model(str(model_dir), str(tmp_path / "export"), names=["ids"])
    card = (tmp_path / "export" / "README.md").read_text()
    assert '"num_examples": 77' in card and "shards" not in card
    assert '"disc_auc": 0.625' in card
    assert "`serving_default` is `ids`" in card

    convert(open_model(str(model_dir)), "electra_tf", str(tmp_path / "converted"))
    export_model(str(tmp_path / "converted"), str(tmp_path / "again"), names=["ids"])
    card = (tmp_path / "again" / "README.md").read_text()
    assert "Unknown: the weights were converted from the pre-trained model" in card
    assert "disc_weight" not in card


def test_warmup_requests_are_what_serving_reads(pair_export, pair):
    path = f"{pair_export}/assets.extra/tf_serving_warmup_requests"
    names = []
    for record in tf.data.TFRecordDataset(path):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        names.append(request.model_spec.signature_name)
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        outputs = pair[names[-1]](**{key: tf.constant(value) for key, value in inputs.items()})
        assert len({len(values) for values in outputs.values()}) == 1
    assert sorted(set(names)) == sorted(pair)


def test_without_the_extra_there_are_no_warmup_requests(pair, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    write_warmup(str(tmp_path), dict(pair))
    assert "pip install 'electra-tf[serving]'" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_differs_does_not_appear(pair_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(served_encoder, "LAYER_NORM_EPSILON", 0.3)
    with pytest.raises(ExportDiffersError, match=r"token_features .*differs by"):
        export_model(pair_dir, str(tmp_path / "export"), names=["ids"])
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_seq_length": 65}, r"max-seq-length is expected to be in 5\.\.64.* is 65"),
        ({"dtype": "float16"}, "dtype is expected to be one of float32, bfloat16"),
        ({"task": "cola"}, "task is 'cola', but .* holds a pre-trained model"),
        ({"names": ["word"]}, "signatures .* features, fill_mask, .* names word"),
        ({"top_k": 0}, "top-k is expected to be 1 or more"),
        ({"branches": 0}, r"branches is expected to be an integer in 1\.\.64, but is 0"),
        ({"branches": "2"}, r"branches is expected to be an integer in 1\.\.64, but is '2'"),
        ({"branches": 2.0}, "branches is expected to be an integer .* but is 2.0"),
        ({"branches": True}, "branches is expected to be an integer .* but is True"),
    ],
)
def test_wrong_settings(pair_dir, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export_model(pair_dir, str(tmp_path / "export"), **options)


def test_wrong_folders(pair_dir, tmp_path):
    with pytest.raises(FileExistsError, match="expected to be new"):
        export_model(pair_dir, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="`electra convert`"):
        export_model(str(tmp_path), str(tmp_path / "export"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"electric_objective": True, "electra_objective": False},
        {"electra_objective": False},
        {"uniform_generator": True},
        {"untied_generator": False},
        {"untied_generator_embeddings": True, "embedding_size": 16},
        {"precision": "bfloat16", "vocab_size": 30600},  # more ids than there are tokens
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_objective(tmp_path, changes):
    export_model(pretrained_folder(tmp_path / "data", **changes), str(tmp_path / "export"))
    signatures = tf.saved_model.load(str(tmp_path / "export")).signatures
    has_fakes = changes.get("electra_objective", True) or "electric_objective" in changes
    assert ("replaced_tokens" in signatures) == has_fakes
    has_generator = "uniform_generator" not in changes
    assert ("fill_mask" in signatures) == ("pseudo_log_likelihood" in signatures) == has_generator


def test_disentangled_embeddings_are_folded(tmp_path):
    """That the export says what the model says with both of its tables, `export_model` checks."""
    folder = pretrained_folder(tmp_path / "data", disentangled_embeddings=True)
    weights = stored(f"{folder}/model.ckpt-5")
    table = weights["electra/embeddings/word_embeddings"]
    difference = np.random.default_rng(0).normal(size=table.shape).astype(np.float32)
    weights["electra/embeddings/word_embeddings_difference"] = difference
    CheckpointFolder(folder).save(6, weights, {})
    read = ["features", "replaced_tokens", "fill_mask"]
    assert export_model(folder, str(tmp_path / "export"), names=read).count > 20
    variables = f"{tmp_path}/export/variables/variables"
    reader = tf.train.load_checkpoint(variables)
    names = [n for n, shape in reader.get_variable_to_shape_map().items() if len(shape) == 2]
    tables = [value for value in map(reader.get_tensor, names) if value.shape == table.shape]
    assert any(np.array_equal(value, table + difference) for value in tables)
    assert not any(np.array_equal(value, difference) for value in tables)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("spec", "changes"),
    [*VARIANTS.values(), (CLASSES, {"precision": "bfloat16"})],
    ids=[*VARIANTS, "trained-in-bfloat16"],
)
def test_every_kind_of_task(tmp_path, spec, changes, dtype):
    folder = finetuned_folder(tmp_path / "model", spec, **changes)
    differences = export_model(folder, str(tmp_path / "export"), dtype=dtype)
    assert differences.count > 20
    assert np.isfinite(differences.largest)
    custom = {
        name: custom_operations(tmp_path / "export", name)
        for name in ("ids", "text", "features", "serving_default")
    }
    assert custom.pop("ids") == set()
    text_ops = WORD_OPS if spec.kind == "tagging" else TEXT_OPS  # words are tagged
    assert custom == {"text": text_ops, "features": TEXT_OPS, "serving_default": text_ops}
    size = sum(f.stat().st_size for f in (tmp_path / "export" / "variables").iterdir())
    assert size < (1_400_000 if dtype == "float32" else 800_000)


# ---- What `electra_tf.load` reads can be exported


def released(case, folder):
    """A recorded checkpoint of the original with its vocabulary, and what it does not contain."""
    shutil.copytree(GOLDENS / case / "ckpt", folder)
    shutil.copy(GOLDENS / case / "vocab.txt", folder)
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    return str(folder), {"hparams": {"model_hparam_overrides": meta["model_hparam_overrides"]}}


def of_huggingface(name, folder):
    """A recorded Hugging Face folder with a vocabulary."""
    shutil.copytree(GOLDENS / "huggingface" / name, folder)
    shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", folder)
    return str(folder)


def checkpoint_of_a_task(root):
    folder, options = released("finetune/cola", root / "cola")
    return tf.train.latest_checkpoint(folder), {**options, "labels": ["bad", "good"]}


def pair_of_huggingface(root):
    folder = str(root / "pair")
    convert(open_model(pretrained_folder(root / "data")), "huggingface", folder)
    shutil.move(f"{folder}/generator", root / "generator")
    return folder, {"generator": str(root / "generator")}


def best_of_a_run(root):
    folder = pretrained_folder(root / "data", uniform_generator=True)
    weights = stored(f"{folder}/model.ckpt-5")
    weights["electra/embeddings/LayerNorm/beta"] += 1.0
    CheckpointFolder(f"{folder}/best").save(3, weights, {})
    return f"{folder}/best/", {}


@pytest.mark.parametrize(
    "make",
    [
        lambda root: released("pretrain/electra_untied", root / "released"),
        checkpoint_of_a_task,
        pytest.param(pair_of_huggingface, marks=pytest.mark.slow),
        best_of_a_run,
        *(
            pytest.param(
                lambda root, n=n: (of_huggingface(n, root / n), {}), marks=pytest.mark.slow
            )
            for n in ("token_classification", "question_answering")
        ),
    ],
    ids=["original", "original-task", "pair", "best", "tags", "answers"],
)
def test_what_loads_is_exported(make, tmp_path):
    folder, options = make(tmp_path)
    model = electra_tf.load(folder, **options)
    names = ["features", "fill_mask"] if "generator" in options else ["features"]
    assert export_model(folder, str(tmp_path / "export"), names=names, **options).count > 5
    exported = electra_tf.load(str(tmp_path / "export"))
    texts = [("tok1 tok2", "tok3 tok4")] if "answering" in folder else ["tok1 tok2 tok3"]
    found, expected = exported.encode(texts), model.encode(texts)
    for name, value in expected.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
    card = (tmp_path / "export" / "README.md").read_text()
    is_ours = "best" in folder
    assert ("Unknown: the weights were converted from" in card) == (not is_ours)
    assert not is_ours or "\n3 steps.\n" in card


def test_a_checkpoint_without_vocabulary_says_how_to_give_it(tmp_path):
    folder, options = released("pretrain/electra_untied", tmp_path / "released")
    os.remove(f"{folder}/vocab.txt")
    with pytest.raises(ValueError, match=r"has no vocabulary: .*vocab_file"):
        export_model(folder, str(tmp_path / "export"), **options)
    hparams = {**options["hparams"], "vocab_file": str(VOCABULARY)}
    with pytest.raises(ValueError, match="is expected to have at most vocab_size="):
        export_model(folder, str(tmp_path / "export"), hparams=hparams)


def test_the_command_takes_what_a_checkpoint_does_not_tell(tmp_path, monkeypatch, capsys):
    folder, options = released("finetune/cola", tmp_path / "cola")
    line = ["export", "--model-dir", folder, "--export-dir", tmp_path / "export"]
    line += ["--hparams", json.dumps(options["hparams"]), "--labels", "bad,good"]
    assert electra(*line, "--signatures", "ids", "--branches", 2) == 0
    assert "comparisons with the model" in capsys.readouterr().out
    settings = json.loads((tmp_path / "export" / "assets.extra" / "electra_tf.json").read_text())
    assert settings["labels"] == ["bad", "good"] and settings["task"] == "cola"
    assert settings["branches"] == 2
