# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Every path may be remote: all commands, one after the other, on a file system in memory.

`ram://` lives in this process and is no folder of the disk, so what reads or writes by another
way than TensorFlow's file system fails here, as it would on `gs://`.
"""

import gzip
import json
import uuid

import numpy as np
import pytest
import tensorflow as tf
from commands import electra
from tiny_finetuning import SETTINGS, sentences
from tiny_run import LENGTH, WORDS, hparams_with

import electra_tf
from electra_tf.data import PretrainingRecords
from electra_tf.files import TEMPORARY, read_bytes, read_json, read_text, write_bytes, write_text
from electra_tf.folders import files_in
from electra_tf.text import load_tokenizer
from electra_tf.training.checkpoints.checkpoint import read_step, resolve_prefix
from electra_tf.training.loop.logs import read_log

SIZE = ["--vocab-size", 80]


@pytest.fixture(scope="module")
def folders_in_memory():
    """Mends what `ram://` does unlike file systems that people have.

    Whatever a name begins with is a folder to it, and renaming a folder leaves behind what is
    inside.
    """
    gfile = tf.io.gfile
    plain = {name: getattr(gfile, name) for name in ("isdir", "exists", "listdir", "rename")}
    plain["rmtree"] = gfile.rmtree

    def in_memory(path):
        return str(path).startswith("ram://")

    def listdir(path):
        found = plain["listdir"](path)
        if not in_memory(path):
            return found
        path = path.rstrip("/")
        return [name for name in found if exists(f"{path}/{name}")]

    def isdir(path):
        if not (in_memory(path) and plain["isdir"](path)):
            return plain["isdir"](path)
        return not plain["listdir"](path) or bool(listdir(path))

    def exists(path):
        return isdir(path) if plain["isdir"](path) else plain["exists"](path)

    def rename(source, target, overwrite=False):
        if not (in_memory(source) and isdir(source)):
            return plain["rename"](source, target, overwrite)
        gfile.makedirs(target)
        for name in sorted(listdir(source), reverse=True):  # "assets.extra" before "assets"
            rename(f"{source}/{name}", f"{target}/{name}", overwrite)
        plain["rmtree"](source)

    def rmtree(path):
        if not in_memory(path):
            return plain["rmtree"](path)
        for name in sorted(listdir(path), reverse=True):
            inner = f"{path.rstrip('/')}/{name}"
            rmtree(inner) if isdir(inner) else gfile.remove(inner)
        plain["rmtree"](path)

    with pytest.MonkeyPatch.context() as patch:
        for function in (listdir, isdir, exists, rename, rmtree):
            patch.setattr(gfile, function.__name__, function)
        yield


@pytest.fixture(scope="module")
def root(folders_in_memory):
    """A folder in memory with a corpus and a task, and what is made of the corpus."""
    folder = f"ram://{uuid.uuid4().hex}"
    generator = np.random.default_rng(0)
    documents = [
        " ".join(WORDS[(first + i) % len(WORDS)] for i in range(12))
        for first in generator.integers(0, len(WORDS), 80)
    ]
    for name in ("a", "b"):
        write_text(f"{folder}/corpus/{name}.txt", "\n\n".join(documents) + "\n")
    for seed, (split, count) in enumerate((("train", 24), ("dev", 10), ("test", 5))):
        rows = [f"{' '.join(words)}\t{label}" for words, label in sentences(count, seed)]
        table = "\n".join(["text\tlabel", *rows]) + "\n"
        write_text(f"{folder}/finetuning_data/words/{split}.tsv", table)
    task = {
        "kind": "classification",
        "format": "tsv",
        "files": {split: f"{split}.tsv" for split in ("train", "dev", "test")},
        "columns": {"text_a": "text", "label": "label"},
        "labels": ["0", "1"],
    }
    write_text(f"{folder}/words.json", json.dumps(task))
    corpus = ["--corpus-dir", f"{folder}/corpus"]
    vocabulary = ["--vocab-file", f"{folder}/vocab.txt"]
    records = ["--output-dir", f"{folder}/pretrain_tfrecords", "--max-seq-length", LENGTH]
    made = ["--output-dir", f"{folder}/embeddings", "--embedding-size", 8, "--block-tokens", 40]
    assert not electra("vocab", *corpus, "--output-file", f"{folder}/vocab.txt", *SIZE)
    assert not electra("records", *corpus, *vocabulary, *records, "--held-out-share", 0.2)
    assert not electra("embeddings", *corpus, *vocabulary, *made)
    return folder


def pretrain(root, **changes):
    hparams = {"save_checkpoints_steps": 2, "vocab_size": 80, **changes}
    write_text(f"{root}/run.json", json.dumps(hparams_with({"num_hidden_layers": 1}, **hparams)))
    run = ["--data-dir", root, "--model-name", "m", "--hparams", f"{root}/run.json"]
    assert not electra("pretrain", *run)


@pytest.fixture(scope="module")
def pretrained(root):
    """The folder of a model that was pre-trained in two runs, the first from given embeddings."""
    start = {
        "init_checkpoint": f"{root}/embeddings",
        "init_checkpoint_ignore": "^(?!electra/embeddings/word_embeddings$)",
        "eval_tfrecords": f"{root}/pretrain_tfrecords/held_out",
        "eval_every_steps": 2,
    }
    pretrain(root, num_train_steps=4, **start)
    pretrain(root, num_train_steps=6, **start)
    return f"{root}/models/m"


@pytest.fixture(scope="module")
def finetuned(root, pretrained):
    """The folder of a fine-tuned model."""
    hparams = json.dumps({**SETTINGS, "task_names": [f"{root}/words.json"], "num_trials": 1})
    run = ["--data-dir", root, "--model-name", "m", "--hparams", hparams]
    assert not electra("finetune", *run)
    return f"{pretrained}/finetuning_models/words_model_1"


def test_records_are_shown(root, capsys):
    vocabulary = ["--vocab-file", f"{root}/vocab.txt"]
    assert not electra("inspect", "--records", f"{root}/pretrain_tfrecords", *vocabulary)
    assert "example 2: " in capsys.readouterr().out


def test_a_model_of_sentencepiece(root):
    output = ["--output-file", f"{root}/sp/vocab.model", "--tokenizer", "unigram", *SIZE]
    assert not electra("vocab", "--corpus-dir", f"{root}/corpus", *output)
    tokenizer = load_tokenizer(f"{root}/sp/vocab.model")
    assert tokenizer.vocabulary.unk_id not in tokenizer(["w1 w2"])[0].numpy()


def test_pretraining_resumes_and_evaluates(root, pretrained):
    assert [entry["step"] for entry in read_log(pretrained)] == [3, 4, 6]
    assert read_step(resolve_prefix(pretrained)) == 6
    evaluation = {"do_train": False, "do_eval": True, "num_train_steps": 6}
    pretrain(root, eval_tfrecords=f"{root}/pretrain_tfrecords/held_out", **evaluation)
    results = read_json(f"{pretrained}/results/unsup_results.json")
    assert results["global_step"] == 6 and results["loss"] > 0


def test_records_of_packed_files_in_shares_of_the_work(root):
    write_bytes(f"{root}/packed/a.txt.gz", gzip.compress(read_bytes(f"{root}/corpus/a.txt")))
    given = ["--input-files", f"{root}/packed/*.gz", "--vocab-file", f"{root}/vocab.txt"]
    given += ["--max-seq-length", LENGTH, "--num-out-files", 2, "--output-dir", f"{root}/shares"]
    for index in (0, 1):
        assert not electra("records", *given, "--num-shards", 2, "--shard-index", index)
    assert not electra("records", *given)
    assert PretrainingRecords(f"{root}/shares").num_examples > 50


def test_paths_that_hyperparameters_give(root, pretrained):
    write_text(f"{root}/elsewhere/v.txt", read_text(f"{root}/vocab.txt"))
    stages = [{"steps": 2, "pretrain_tfrecords": f"{root}/pretrain_tfrecords/*tfrecord*"}]
    paths = {"vocab_file": f"{root}/elsewhere/v.txt", "model_dir": f"{root}/elsewhere/m"}
    pretrain(root, num_train_steps=2, stages=stages, **paths)
    assert read_step(resolve_prefix(f"{root}/elsewhere/m")) == 2
    assert not electra("flops", "--hparams", f"{root}/run.json")
    for split in ("train", "dev", "test"):
        rows = read_text(f"{root}/finetuning_data/words/{split}.tsv")
        write_text(f"{root}/raw/{split}.tsv", rows)
    folders = {"raw_data_dir": "raw", "preprocessed_data_dir": "cache", "model_dir": "tuned/m"}
    paths = {name: f"{root}/{folder}" for name, folder in folders.items()}
    given = {"task_names": [f"{root}/words.json"], "init_checkpoint": pretrained}
    given |= {"num_trials": 1, "skip_bad_rows": True}
    write_text(f"{root}/tune.json", json.dumps({**SETTINGS, **given, **paths}))
    run = ["--data-dir", root, "--model-name", "other", "--hparams", f"{root}/tune.json"]
    assert not electra("finetune", *run)
    assert files_in(f"{root}/cache") and resolve_prefix(f"{root}/tuned/m_1")


def test_predictions(root, finetuned):
    flags = ["--input", f"{root}/finetuning_data/words/test.tsv", "--layout", "test"]
    output = f"{root}/predictions.jsonl"
    assert not electra("predict", "--model-dir", finetuned, *flags, "--output", output)
    lines = read_text(output).splitlines()
    assert len(lines) == 5 and json.loads(lines[0])["prediction"] in ("0", "1")


@pytest.mark.parametrize("to", ["huggingface", "reference", "electra_tf"])
def test_conversions(root, pretrained, to):
    output = f"{root}/as_{to}"
    assert not electra("convert", "--input", pretrained, "--output", output, "--to", to)
    expected = electra_tf.load(pretrained).replaced_tokens(["w1 w2 w3"])["probabilities"]
    hparams = {"vocab_file": f"{root}/vocab.txt", "max_seq_length": LENGTH}
    model = electra_tf.load(output, hparams=hparams if to == "reference" else None)
    found = model.replaced_tokens(["w1 w2 w3"])["probabilities"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    again = f"{root}/again_{to}"
    assert not electra("convert", "--input", output, "--output", again, "--to", "electra_tf")


def test_an_export(root, finetuned):
    export = f"{root}/export"
    assert not electra("export", "--model-dir", finetuned, "--export-dir", export)
    found, expected = (electra_tf.load(f).predict(["w1 w2"]) for f in (export, finetuned))
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], rtol=1e-5)

    assert "Results, `" in read_text(f"{export}/README.md")


def test_flags_of_conversions_and_the_card_of_an_export(root, pretrained):
    for part in ("discriminator", "generator"):
        output = ["--output", f"{root}/{part}", "--to", "huggingface", "--part", part]
        assert not electra("convert", "--input", pretrained, *output)
    output = ["--output", f"{root}/joined", "--to", "reference"]
    pair = ["--input", f"{root}/discriminator", "--generator", f"{root}/generator"]
    assert not electra("convert", *pair, *output)
    write_text(f"{root}/joined.json", json.dumps({"max_seq_length": LENGTH}))
    given = ["--vocab-file", f"{root}/vocab.txt", "--hparams", f"{root}/joined.json"]
    output = ["--output", f"{root}/back", "--to", "electra_tf"]
    assert not electra("convert", "--input", f"{root}/joined", *given, *output)
    output = ["--export-dir", f"{root}/e", "--signatures", "ids"]
    assert not electra("export", "--model-dir", pretrained, *output)
    assert "Manifest of the records" in read_text(f"{root}/e/README.md")


def test_what_tensorflow_cannot_read_ends_in_one_error(root, pretrained, capfd):
    output = f"{root}/b[x]/m"
    assert not electra("convert", "--input", pretrained, "--output", output, "--to", "electra_tf")
    with pytest.raises(OSError, match=r"in a remote folder with \[ or .* Rename it"):
        electra_tf.load(output)
    assert electra("vocab", "--corpus-dir", "unknown://a", "--output-file", "unknown://b") == 2
    assert "error: File system scheme 'unknown' not implemented" in capfd.readouterr().err


def test_nothing_is_left_under_other_names(root, pretrained, finetuned):
    left = [name for name in files_in(root) if "incomplete" in name or TEMPORARY in name]
    assert left == []
