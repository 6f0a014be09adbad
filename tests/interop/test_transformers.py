# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is written is read back by transformers itself: outputs and tokens are the same."""

import json
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf

from electra_tf.interop import load_huggingface
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model

# Of the extra `bench`: several hundred megabytes, which the quick tests do without.
transformers = pytest.importorskip("transformers", reason="pip install 'electra-tf[bench]'")
torch = pytest.importorskip("torch", reason="pip install 'electra-tf[bench]'")

pytestmark = pytest.mark.slow

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"
VOCABULARY = GOLDENS / "tokenization" / "bert_uncased_vocab.txt"
TEXTS = (
    "A dog doesn't bark (much).",
    "Cafés in São Paulo, 北京 and Ærø!",
    "",
    "  tabs\tand\nnewlines  ",
    "x" * 150,
    "Ω≈ç√ 12,345.67 e-mail@example.org",
)
BATCH = ("input_ids", "input_mask", "segment_ids")


def written(tmp_path, case, lower=True, labels=None, task=None):
    """A recorded checkpoint as a Hugging Face folder."""
    folder = shutil.copytree(GOLDENS / case / "ckpt", tmp_path / "released")
    shutil.copy(GOLDENS / case / "vocab.txt", folder / "vocab.txt")
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    hparams = {"model_hparam_overrides": meta["model_hparam_overrides"], "do_lower_case": lower}
    transfer = open_model(str(folder), hparams, labels)
    convert(transfer, "huggingface", str(tmp_path / "written"), task=task)
    return str(tmp_path / "written")


def batch_of(case):
    recorded = np.load(GOLDENS / case / "io.npz")
    return {name: recorded[f"batch0/{name}"] for name in BATCH}


def theirs(folder, batch, **options):
    """Outputs of the class that config.json names; no weight may be missing or left over."""
    stored = json.loads(
        (pathlib.Path(folder) / options.get("subfolder", "") / "config.json").read_text()
    )
    model_class = getattr(transformers, stored["architectures"][0])
    model, report = model_class.from_pretrained(folder, output_loading_info=True, **options)
    problems = ("missing_keys", "unexpected_keys", "mismatched_keys")
    assert {name: list(report[name]) for name in problems} == {name: [] for name in problems}
    with torch.no_grad():
        return model.eval()(
            input_ids=torch.tensor(batch["input_ids"], dtype=torch.long),
            attention_mask=torch.tensor(batch["input_mask"], dtype=torch.long),
            token_type_ids=torch.tensor(batch["segment_ids"], dtype=torch.long),
        )


def agree(found, expected):
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5, atol=1e-5)


def as_tensors(batch):
    return {name: tf.constant(values, tf.int32) for name, values in batch.items()}


def small_model():
    """Of a real vocabulary, with random weights."""
    config = transformers.ElectraConfig(
        vocab_size=len(VOCABULARY.read_text(encoding="utf-8").splitlines()),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    )
    return transformers.ElectraForPreTraining(config).eval()


def test_a_pair(tmp_path):
    case = "pretrain/electra_untied"
    folder, batch = written(tmp_path, case), batch_of(case)
    agree(load_huggingface(folder)(as_tensors(batch))["logits"], theirs(folder, batch).logits)
    generator = load_huggingface(f"{folder}/generator")(as_tensors(batch))["logits"]
    agree(generator, theirs(folder, batch, subfolder="generator").logits)


@pytest.mark.parametrize("name", ["token_classification", "sequence_classification"])
def test_labels_come_along(name, tmp_path):
    source = shutil.copytree(GOLDENS / "huggingface" / name, tmp_path / "source")
    shutil.copy(GOLDENS / "finetune" / "cola" / "vocab.txt", source / "vocab.txt")
    convert(open_model(str(source)), "huggingface", str(tmp_path / "written"))
    recorded = np.load(GOLDENS / "huggingface" / name / "io.npz")
    found = theirs(str(tmp_path / "written"), {key: recorded[key] for key in BATCH})
    agree(recorded["logits"], found.logits)
    config = transformers.AutoConfig.from_pretrained(str(tmp_path / "written"))
    assert list(config.id2label.values()) == [f"LABEL_{i}" for i in range(config.num_labels)]


def test_question_answering(tmp_path):
    case = "finetune/squadv1"
    folder, batch = written(tmp_path, case), batch_of(case)
    ours, found = load_huggingface(folder)(as_tensors(batch)), theirs(folder, batch)
    agree(ours["start_logits"], found.start_logits)
    agree(ours["end_logits"], found.end_logits)


def test_tags_are_those_of_our_model_on_the_other_segment(tmp_path):
    case = "finetune/chunk"
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    labels = [f"T{i}" for i in range(meta["variables"]["task_specific/chunk/dense/bias"][0])]
    folder, batch = written(tmp_path, case, labels=labels), batch_of(case)
    ours = open_model(
        str(tmp_path / "released"),
        {"model_hparam_overrides": meta["model_hparam_overrides"]},
        labels,
    ).model
    ones = np.ones_like(batch["segment_ids"])
    tagged = as_tensors({**batch, "segment_ids": ones})  # as in training
    hidden = ours.encoder(tagged).last_hidden_state
    expected = ours.task_heads.heads[0].output_layer(hidden)
    found = theirs(folder, {**batch, "segment_ids": 0 * ones}).logits
    agree(expected, found)


@pytest.mark.parametrize("lower", [True, False])
def test_the_tokenizer(lower, tmp_path):
    folder = tmp_path / "source"
    small_model().save_pretrained(folder)
    shutil.copy(VOCABULARY, folder / "vocab.txt")
    stored = {"do_lower_case": lower}
    (folder / "tokenizer_config.json").write_text(json.dumps(stored))
    transfer = open_model(str(folder))
    ours = transfer.tokenizer
    convert(transfer, "huggingface", str(tmp_path / "written"))
    assert ours.do_lower_case is lower
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(tmp_path / "written"))
    specials = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.mask_token_id
    assert specials == (ours.vocabulary.cls_id, ours.vocabulary.sep_id, ours.vocabulary.mask_id)
    assert tokenizer.model_max_length == 512
    for text in TEXTS:
        found = tokenizer(text)["input_ids"]
        inner = ours([text])[0].numpy().tolist()
        assert found == [ours.vocabulary.cls_id, *inner, ours.vocabulary.sep_id], text
    pair = tokenizer("a dog", "barks")
    assert pair["token_type_ids"] == [0, 0, 0, 0, *[1] * (len(pair["input_ids"]) - 4)]


def test_what_transformers_writes_is_read(tmp_path):
    """Also of a folder with tokenizer.json alone, as recent versions write it."""
    model = small_model()
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        _tokenizer_source(tmp_path), do_lower_case=False
    )
    folder = tmp_path / "theirs"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "vocab.txt").unlink(missing_ok=True)
    assert (folder / "tokenizer.json").exists()
    found = open_model(str(folder))
    assert len(found.tokenizer.vocabulary) == model.config.vocab_size
    for text in TEXTS[:3]:
        assert found.tokenizer([text])[0].numpy().tolist() == tokenizer.encode(
            text, add_special_tokens=False
        )
    ids = np.arange(20, dtype=np.int32).reshape(2, 10) + 1000
    batch = {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}
    ours = load_huggingface(str(folder))(as_tensors(batch))["logits"]
    agree(ours, theirs(str(folder), batch).logits)


def _tokenizer_source(tmp_path):
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    shutil.copy(VOCABULARY, folder / "vocab.txt")
    (folder / "config.json").write_text('{"model_type": "electra"}')
    return str(folder)
