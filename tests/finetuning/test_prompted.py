# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Classes by a prompt: rows, the discriminator's head, scores before training, and its exports."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tiny_finetuning import finetune, make_data_dir, sentences, write_task

import electra_tf
from electra_tf.config.task_json import task_from_json
from electra_tf.config.task_table import Prompt
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.kinds.prompted import PromptHead
from electra_tf.finetuning.prediction import Predictor
from electra_tf.finetuning.starting_weights import fingerprint_of
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import find_starting_point, open_model
from electra_tf.model import Initializers
from electra_tf.serving import export_model
from electra_tf.text import load_tokenizer

TEMPLATE = "{text_a} w20 {} w21"
OPTIONS = {"no": "w30", "yes": "w31 w32"}
PROMPT = {"template": TEMPLATE, "options": OPTIONS}


def table(count, seed):
    rows = [f"{' '.join(words)}\t{('no', 'yes')[label]}" for words, label in sentences(count, seed)]
    return "\n".join(["text\tlabel", *rows]) + "\n"


def prompted(data_dir, name="words", **fields):
    files = {"train.tsv": table(24, 0), "dev.tsv": table(10, 1)}
    columns = {"text_a": "text", "label": "label"}
    fields = {"kind": "classification", "format": "tsv", "columns": columns, **fields}
    return write_task(data_dir, name, files, **{"prompt": PROMPT, **fields})


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return make_data_dir(tmp_path_factory.mktemp("prompted") / "data")


@pytest.fixture(scope="module")
def tokenizer(data_dir):
    return load_tokenizer(str(data_dir / "vocab.txt"))


def test_a_prompt_makes_another_kind_of_a_classification(data_dir):
    spec = task_from_json(prompted(data_dir))
    assert spec.kind == "prompted_classification" and spec.labels == ("no", "yes")
    assert spec.prompt == Prompt(TEMPLATE, ("w30", "w31 w32"))
    # The order of the ids is that of the labels.
    spec = task_from_json(prompted(data_dir, labels=["yes", "no"]))
    assert spec.labels == ("yes", "no") and spec.prompt.options == ("w31 w32", "w30")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": "w1 {}"}, "expected 'prompt' to be a dict"),
        ({"prompt": {"template": TEMPLATE}}, 'to have the keys "template" and "options"'),
        *(
            ({"prompt": {**PROMPT, "template": template}}, "with {} and {text_a} once each")
            for template in ("{text_a} w20", "{text_a} {} {}", "w20 {}", "{text_a} {} {x}", 3)
        ),
        (
            {"prompt": {**PROMPT, "template": TEMPLATE + "{text_b}"}},
            "with {} and {text_a} once each, and no other braces",
        ),
        ({"labels": ["no", "yes", "maybe"]}, "an option for each of the labels no, yes, maybe"),
        ({"labels": ["no", "nope"]}, "an option for each of the labels no, nope, and no other"),
        ({"prompt": {**PROMPT, "options": ["w1", "w2"]}}, "to have options {"),
        ({"prompt": {**PROMPT, "options": {"yes": "w1"}}}, "to have two or more options"),
        ({"prompt": {**PROMPT, "options": {"no": " ", "yes": "w1"}}}, "that are not empty"),
        ({"prompt": {**PROMPT, "options": {"no": "w1", "yes": "w1"}}}, "options that differ"),
        ({"kind": "multilabel"}, "a task of kind multilabel has no key 'prompt'"),
    ],
)
def test_prompts_that_cannot_be_used_are_named(data_dir, fields, message):
    path = prompted(data_dir, "wrong", **fields)
    with pytest.raises(ValueError) as error:
        task_from_json(path)
    assert message in str(error.value) and path in str(error.value)


def rows_of(spec, tokenizer, texts, max_seq_length=16):
    examples = [TextExample(n, *text.split("\t"), label="yes") for n, text in enumerate(texts)]
    arrays, _ = kind_of(spec).rows(spec, examples, tokenizer, max_seq_length)
    found = []
    for ids, mask in zip(arrays["input_ids"], arrays[f"{spec.name}_option_mask"], strict=True):
        names = [tokenizer.vocabulary.token_of(int(i)) for i in ids]
        marked = [f"<{n}>" if m else n for n, m in zip(names, mask, strict=True)]
        found.append(" ".join(name for name in marked if name != "[PAD]"))
    return found, arrays


def test_an_example_has_a_row_for_each_class(data_dir, tokenizer):
    spec = task_from_json(prompted(data_dir))
    rows, arrays = rows_of(spec, tokenizer, ["w1 w2", "w3 " * 20])
    assert rows[:2] == [
        "[CLS] w1 w2 w20 <w30> w21 [SEP]",
        "[CLS] w1 w2 w20 <w31> <w32> w21 [SEP]",
    ]
    # What is cut is the text.
    assert rows[2] == f"[CLS] {'w3 ' * 11}w20 <w30> w21 [SEP]"
    assert rows[3] == f"[CLS] {'w3 ' * 10}w20 <w31> <w32> w21 [SEP]"
    assert arrays["words_eid"].tolist() == [0, 0, 1, 1]
    assert arrays["words_option_ids"].tolist() == [0, 1, 0, 1]
    assert arrays["words_label_ids"].tolist() == [1, 1, 1, 1]


def test_pairs_stand_where_the_template_has_them(data_dir, tokenizer):
    template = {**PROMPT, "template": "{text_b} {} {text_a}"}
    columns = {"text_a": "text", "text_b": "label", "label": "label"}
    spec = task_from_json(prompted(data_dir, prompt=template, columns=columns))
    rows, _ = rows_of(spec, tokenizer, ["w1 w2\tw3", "w1 " * 9 + "\t" + "w3 " * 9], 9)
    assert rows[0] == "[CLS] w3 <w30> w1 w2 [SEP]"
    assert rows[2] == "[CLS] w3 w3 w3 <w30> w1 w1 w1 [SEP]"
    assert rows[3] == "[CLS] w3 w3 <w31> <w32> w1 w1 w1 [SEP]"


@pytest.mark.parametrize(
    ("options", "length", "message"),
    [
        ({"no": "w1", "yes": "W1"}, 16, "'w1' and 'W1' have the same tokens in '{text_a} w20 {}"),
        ({"no": "w1", "yes": "unheard"}, 16, "the option of the prompt of words is expected to be"),
        (
            {"no": "w1", "yes": "w2 w3"},
            6,
            "max_seq_length is expected to be more than the 6 tokens",
        ),
        ({"no": "w1", "yes": "w2 " * 30}, 16, "max_seq_length is expected to be more than"),
    ],
)
def test_options_have_to_be_known_and_leave_room(data_dir, tokenizer, options, length, message):
    spec = task_from_json(prompted(data_dir, prompt={**PROMPT, "options": options}))
    with pytest.raises(ValueError, match=message):
        rows_of(spec, tokenizer, ["w1"], length)


def test_the_loss_is_the_cross_entropy_of_the_options_tokens():
    head = PromptHead("words", Initializers(0.1, 0), 4, hidden_act="gelu")
    head.build()
    hidden = tf.random.stateless_normal([2, 3, 4], [0, 1])
    mask = tf.constant([[0, 1, 1], [0, 1, 0]])
    features = {"words_option_mask": mask, "words_option_ids": tf.constant([0, 1])}
    features |= {"words_label_ids": tf.constant([0, 0])}
    outputs = head(hidden, features)
    fake = tf.sigmoid(head.replaced_logits(hidden)).numpy()
    right = -np.mean(np.log(1 - fake[0, 1:]))
    wrong = -np.log(fake[1, 1])
    np.testing.assert_allclose(outputs["loss"], [right, wrong], rtol=1e-5)
    np.testing.assert_allclose(outputs["original"][0], -right, rtol=1e-5)


@pytest.fixture(scope="module")
def untrained(data_dir):
    """Configuration and results of a run without training."""
    return finetune(data_dir, [prompted(data_dir)], num_train_epochs=0)


def test_without_training_it_is_scored_as_options_are(data_dir, untrained):
    config, results = untrained
    texts, labels = zip(*sentences(10, 1), strict=True)
    texts = [" ".join(words) for words in texts]
    templates = [TEMPLATE.replace("{text_a}", text) for text in texts]
    pretrained = electra_tf.load(str(data_dir / "models" / "tiny"))
    scored = pretrained.score_options(templates, list(OPTIONS.values()))
    expected = 100 * np.mean(scored["option_ids"] == labels)
    assert results.zero_shot["words"]["accuracy"] == pytest.approx(expected)
    assert results.trials[0]["scores"]["words"]["accuracy"] == pytest.approx(expected)
    assert results.trials[0]["steps"] == 0
    assert f"| zero-shot {expected:.2f} | baseline 50.00" in repr(results)
    stored = json.loads(pathlib.Path(config.results_txt.replace(".txt", ".json")).read_text())
    assert stored["zero_shot"] == results.zero_shot

    records = list(Predictor(f"{config.model_dir}_1").of_lines(texts, "texts"))
    names = [record["prediction"] for record in records]
    assert names == [("no", "yes")[i] for i in scored["option_ids"]]


@pytest.mark.slow
def test_a_model_with_a_prompt_is_loaded_and_exported(untrained, tmp_path):
    folder = f"{untrained[0].model_dir}_1"
    texts = ["w1 w2", "", "w5 " * 30, "strange"]
    records = list(Predictor(folder).of_lines(["w1 w2", "w5 " * 30, "strange"], "texts"))
    expected = [list(record["probabilities"].values()) for record in records]
    export_model(folder, str(tmp_path / "exported"))
    for place in (folder, str(tmp_path / "exported")):
        found = electra_tf.load(place).predict(texts)
        np.testing.assert_allclose(found["probabilities"][[0, 2, 3]], expected, rtol=1e-4)
    for form, message in (("reference", "to have no prompt"), ("huggingface", "has none for a")):
        with pytest.raises(ValueError, match=message):
            convert(open_model(folder), form, str(tmp_path / form))


def test_training_makes_the_right_options_original(data_dir):
    task = prompted(data_dir, "learned")
    learned = data_dir / "finetuning_data" / "learned"
    (learned / "dev.tsv").write_text((learned / "train.tsv").read_text())
    changes = {"num_train_epochs": 40.0, "learning_rate": 3e-3, "train_batch_size": 16}
    _, results = finetune(data_dir, [task], **changes)
    scores = results.trials[0]["scores"]["learned"]
    assert scores["loss"] < results.zero_shot["learned"]["loss"] - 0.2
    assert scores["accuracy"] > results.zero_shot["learned"]["accuracy"]


def test_only_a_prompt_may_have_no_epochs(data_dir):
    task = prompted(data_dir, "plain", prompt=None)
    fields = json.loads(pathlib.Path(task).read_text())
    del fields["prompt"]
    pathlib.Path(task).write_text(json.dumps(fields))
    with pytest.raises(ValueError, match="num_train_epochs is expected to be above 0 for the task"):
        finetune(data_dir, [task], num_train_epochs=0)


def test_what_a_run_begins_with_is_the_head_too_where_it_is_used(data_dir):
    start = find_starting_point(str(data_dir / "models" / "tiny"))
    head = {name: weight + 1 for name, weight in start.discriminator_head.items()}
    other = dataclasses.replace(start, discriminator_head=head)
    assert head and fingerprint_of(start, False) == fingerprint_of(other, False)
    assert fingerprint_of(start, True) != fingerprint_of(other, True)


def test_a_start_without_a_discriminator_is_an_error(data_dir):
    folder = data_dir / "models" / "tiny" / "finetuning_models" / "words_model_1"
    assert find_starting_point(str(data_dir / "models" / "tiny")).discriminator_head
    with pytest.raises(ValueError, match="expected to have the head of a discriminator, with"):
        finetune(data_dir, [prompted(data_dir, "again")], init_checkpoint=str(folder))
