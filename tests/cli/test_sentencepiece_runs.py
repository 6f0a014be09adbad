# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From text to a fine-tuned model by the commands, with a SentencePiece model all the way."""

import json

import own_texts
import pytest
import tensorflow as tf
from commands import run_verb
from tiny_run import hparams_with

from electra_tf.data import Manifest
from electra_tf.finetuning import run as finetuning
from electra_tf.finetuning.prediction import Predictor
from electra_tf.pretraining import model_folder, run
from electra_tf.runs import resolve_finetuning
from electra_tf.serving import export_model
from electra_tf.text import load_tokenizer

TEXTS = {"de": own_texts.GERMAN, "ja": own_texts.JAPANESE}
ONE_LAYER = {"num_hidden_layers": 1}


def prepare(folder, language, *flags):
    """A data folder with a model and records; returns the tokenizer."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    (corpus / "text.txt").write_text("\n".join(TEXTS[language] * 15), encoding="utf-8")
    line = ("--corpus-dir", corpus, "--output-file", folder / "data" / "vocab.model")
    run_verb("vocab", *line, *flags)
    # The settings are in the files: no flags, and the original's name for any vocabulary.
    line = ("--corpus-dir", corpus, "--vocab-file", folder / "data" / "vocab.txt")
    line += ("--output-dir", folder / "data" / "pretrain_tfrecords", "--max-seq-length", 16)
    run_verb("records", *line)
    return load_tokenizer(folder / "data")


def pretrained(folder, tokenizer, steps=2):
    hparams = hparams_with(
        ONE_LAYER, vocab_size=len(tokenizer.vocabulary), num_train_steps=steps, num_warmup_steps=1
    )
    config = model_folder.resolve_config("sp", str(folder / "data"), hparams)
    run.train(config)
    return config


@pytest.fixture(scope="module")
def german(tmp_path_factory):
    folder = tmp_path_factory.mktemp("german")
    flags = ("--tokenizer", "bpe", "--vocab-size", 150, "--no-lower-case")
    tokenizer = prepare(folder, "de", *flags)
    return folder, tokenizer, pretrained(folder, tokenizer)


def test_records_say_what_they_were_made_with(german):
    folder, tokenizer, _ = german
    manifest = Manifest.load(str(folder / "data" / "pretrain_tfrecords"))
    assert dict(manifest.tokenizer) == tokenizer.settings
    assert tokenizer.settings["kind"] == "sentencepiece"
    assert tokenizer.settings["do_lower_case"] is False


def test_records_are_shown_as_text(german, capsys):
    folder, _, _ = german
    line = ("--records", folder / "data" / "pretrain_tfrecords", "--vocab-file")
    run_verb("inspect", *line, folder / "data" / "vocab.model")
    out = capsys.readouterr().out
    assert "sentencepiece" in out and "[CLS] " in out and "▁" not in out
    assert any(word in out for word in ("Mühle", "Straße", "Fluss"))


def test_a_run_takes_its_settings_from_the_model(german):
    folder, tokenizer, config = german
    assert (config.do_lower_case, config.strip_accents) == (False, False)
    stored = json.loads((folder / "data/models/sp/config.json").read_text())
    assert stored["tokenizer"] == tokenizer.settings
    assert load_tokenizer(config.model_dir).settings == tokenizer.settings
    assert not (folder / "data/models/sp/vocab.txt").exists()


def test_a_vocabulary_that_is_too_large_is_refused(german):
    _, tokenizer, config = german
    small = config.replace(vocab_size=len(tokenizer.vocabulary) - 1)
    with pytest.raises(ValueError, match="vocab_size is expected to be at least 150"):
        run.load_matching_tokenizer(small)


def test_other_case_than_the_models_is_refused(german):
    _, _, config = german
    with pytest.raises(ValueError, match="was made with do_lower_case False"):
        run.load_matching_tokenizer(config.replace(do_lower_case=True))


def test_special_pieces_are_never_masked(german):
    _, tokenizer, config = german
    pretrainer = run.load_pretrainer(config)
    assert pretrainer.vocabulary.sha256 == tokenizer.vocabulary.sha256
    batch = next(
        iter(run.open_records(config, config.pretrain_tfrecords, 16, tokenizer).batches(8, 16, 0))
    )
    masked = pretrainer.mask({name: batch[name] for name in batch})
    chosen = masked["masked_ids"].numpy()[masked["masked_weights"].numpy() > 0]
    assert len(chosen) and not set(tokenizer.vocabulary.never_masked_ids).intersection(chosen)
    put = masked["masked_input_ids"].numpy()[masked["masked_input_ids"] != masked["input_ids"]]
    assert (put == tokenizer.vocabulary.mask_id).all()


@pytest.mark.slow
@pytest.mark.parametrize("language", ["de", "ja"])
def test_fine_tuning_and_prediction(tmp_path, language):
    tokenizer = prepare(tmp_path, language, "--tokenizer", "unigram", "--vocab-size", 200)
    pretrained(tmp_path, tokenizer)
    data = tmp_path / "data"
    task = write_questions(data, TEXTS[language])
    hparams = {"task_names": [task], "max_seq_length": 16, "max_query_length": 4}
    hparams |= {"train_batch_size": 4, "num_train_epochs": 1.0, "learning_rate": 1e-3}
    config, start = resolve_finetuning("sp", str(data), hparams)
    assert config.do_lower_case is True
    finetuning.finetune(config, start)
    model_dir = f"{config.model_dir}_1"
    predictor = Predictor(model_dir)
    assert predictor._loaded.tokenizer.settings == tokenizer.settings
    context = TEXTS[language][1]
    (found,) = predictor.of_lines(
        [json.dumps({"question": TEXTS[language][0], "context": context})], "here"
    )
    for answer in found["answers"]:
        start = answer["start"]
        assert context[start : start + len(answer["text"])] == answer["text"]

    # The exports are compared with their models before they appear.
    export_model(str(data / "models" / "sp"), str(tmp_path / "pair"))
    export_model(model_dir, str(tmp_path / "reader"))
    served = tf.saved_model.load(str(tmp_path / "reader")).signatures["text"]
    outputs = served(question=tf.constant([TEXTS[language][0]]), context=tf.constant([context]))
    begin, end = (int(outputs[name][0, 0]) for name in ("answer_starts", "answer_ends"))
    first = outputs["answers"].numpy()[0, 0]
    assert context.encode()[begin:end] == first != b""


def write_questions(data, lines):
    folder = data / "finetuning_data" / "own"
    folder.mkdir(parents=True)
    paragraphs = []
    for number, line in enumerate(lines):
        answer = line[2:8].strip()
        answers = [{"text": answer, "answer_start": line.index(answer)}]
        question = {"id": f"q{number}", "question": line[:6], "answers": answers}
        paragraphs.append({"context": line, "qas": [question]})
    content = json.dumps({"version": "1", "data": [{"title": "own", "paragraphs": paragraphs}]})
    for split in ("train", "dev"):
        (folder / f"{split}.json").write_text(content)
    path = data / "own.json"
    files = {"train": "train.json", "dev": "dev.json"}
    path.write_text(json.dumps({"kind": "qa", "format": "squad_v1", "files": files}))
    return str(path)
