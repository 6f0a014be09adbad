# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What TensorBoard shows of evaluations, read back from the event files."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.plugin_util import markdown_to_safe_html
from tiny_run import make_examples, tiny_config, write_records

from electra_tf.pretraining import run
from electra_tf.pretraining.evaluation_pictures import describe_examples, rtd_histograms
from electra_tf.text import SPECIAL_TOKENS, AddedToken, Vocabulary

ONE_LAYER = {"num_hidden_layers": 1}
WORDS = ("the", "chef", "cook", "##ed", "ate", "a*b|<c>", "meal", ".")
HISTOGRAMS = ("eval/rtd_probability_of_replaced", "eval/rtd_probability_of_original")


def ids_of(vocabulary, text, length=10):
    ids = [vocabulary.id_of(token) for token in text.split()]
    return np.array([ids + [0] * (length - len(ids))])


def one_example(vocabulary):
    """Masked: "cook", which "ate" replaces, "##ed", which stays, and "meal", which stays."""
    original = "[CLS] the chef cook ##ed the meal . [SEP]"
    outputs = {
        "input_ids": ids_of(vocabulary, original),
        "input_mask": np.array([[1] * 9 + [0]]),
        "masked_input_ids": ids_of(vocabulary, "[CLS] the chef [MASK] [MASK] the meal . [SEP]"),
        # Drawn with replacement, as in the original: the first entry of a position counts.
        "masked_positions": np.array([[3, 6, 4, 3, 0]]),
        "masked_weights": np.array([[1.0, 1.0, 1.0, 1.0, 0.0]]),
        "guessed_ids": ids_of(vocabulary, "the meal ##ed chef [PAD]", 5),
        "corrupted_input_ids": ids_of(vocabulary, "[CLS] the chef ate ##ed the meal . [SEP]"),
        "is_replaced": np.arange(10)[None] == 3,
        "rtd_logits": np.full([1, 10], -3.0),
        "rtd_weights": np.array([[1.0] * 9 + [0.0]]),
    }
    outputs["rtd_logits"][0, [3, 7]] = 2.0
    return outputs


@pytest.fixture
def vocabulary():
    return Vocabulary((*SPECIAL_TOKENS, *WORDS))


def test_an_example_with_a_fake(vocabulary):
    assert describe_examples(one_example(vocabulary), vocabulary, "held_out") == (
        "Examples from held&#95;out. Masked tokens are **bold**.\n\n"
        "### Example 1\n\n"
        "9 tokens, 3 masked, 1 replaced, 2 flagged as replaced\n\n"
        "*original:* [CLS] the chef **cooked** the **meal** . [SEP]\n\n"
        "*corrupted:* [CLS] the chef **ateed** the **meal** . [SEP]\n\n"
        "| position | token | masked as | in its place | replaced | P(replaced) |  |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| 3 | cook | &#91;MASK&#93; | ate | yes | 88.1% | right |\n"
        "| 4 | &#35;&#35;ed | &#91;MASK&#93; | &#35;&#35;ed | no | 4.7% | right |\n"
        "| 6 | meal | meal | meal | no | 4.7% | right |\n"
        "| 7 | . | . | . | no | 88.1% | wrong |\n"
    )


def test_a_masked_lm_shows_guesses(vocabulary):
    outputs = one_example(vocabulary)
    for name in ("corrupted_input_ids", "is_replaced", "rtd_logits"):
        del outputs[name]
    text = describe_examples(outputs, vocabulary, "held out")
    assert "9 tokens, 3 masked\n" in text and "corrupted" not in text
    assert text.endswith(
        "| position | token | masked as | guess |  |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| 3 | cook | &#91;MASK&#93; | the | wrong |\n"
        "| 4 | &#35;&#35;ed | &#91;MASK&#93; | &#35;&#35;ed | right |\n"
        "| 6 | meal | meal | meal | right |\n"
    )


def test_tokens_that_are_restored(vocabulary):
    outputs = one_example(vocabulary)
    del outputs["rtd_logits"], outputs["rtd_weights"]
    outputs["restored_ids"] = ids_of(vocabulary, "cook the ##ed chef [PAD]", 5)
    text = describe_examples(outputs, vocabulary, "held out")
    assert "9 tokens, 3 masked, 1 replaced\n" in text
    assert text.endswith(
        "| position | token | masked as | in its place | replaced | restored as |  |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| 3 | cook | &#91;MASK&#93; | ate | yes | cook | right |\n"
        "| 4 | &#35;&#35;ed | &#91;MASK&#93; | &#35;&#35;ed | no | &#35;&#35;ed | right |\n"
        "| 6 | meal | meal | meal | no | the | wrong |\n"
    )


def test_tokens_that_the_loss_does_not_cover_are_not_flagged(vocabulary):
    outputs = one_example(vocabulary)
    outputs["rtd_weights"] = np.isin(np.arange(10)[None], [3, 4, 6]).astype(np.float32)
    text = describe_examples(outputs, vocabulary, "held out")
    assert "1 replaced, 1 flagged as replaced" in text and "| 7 |" not in text


def test_tensorboard_shows_tokens_as_they_are(vocabulary):
    outputs = one_example(vocabulary)
    odd = vocabulary.id_of("a*b|<c>")
    outputs["input_ids"][0, 3] = outputs["corrupted_input_ids"][0, 3] = odd
    html = markdown_to_safe_html(describe_examples(outputs, vocabulary, "*.tfrecord"))
    assert "<strong>a&#42;b&#124;&#60;c&#62;ed</strong>" in html
    assert "<td>a&#42;b&#124;&#60;c&#62;</td>" in html
    assert html.count("<tr>") == 5


def test_pieces_of_sentencepiece_keep_their_spaces():
    words = ("\u2581the", "\u2581chef", "s", "\u2581ate", "\u2581")
    vocabulary = Vocabulary((*SPECIAL_TOKENS, *words), kind="sentencepiece", digest="0")
    outputs = {
        "input_ids": ids_of(vocabulary, "[CLS] \u2581the \u2581chef s \u2581ate \u2581 [SEP]"),
        "input_mask": np.array([[1] * 7 + [0] * 3]),
        "masked_input_ids": ids_of(vocabulary, "[CLS] \u2581the [MASK] s \u2581ate \u2581 [SEP]"),
        "masked_positions": np.array([[2, 5]]),
        "masked_weights": np.array([[1.0, 1.0]]),
        "guessed_ids": ids_of(vocabulary, "\u2581the \u2581", 2),
    }
    text = describe_examples(outputs, vocabulary, "held out")
    assert "*original:* [CLS] the **chef**s ate**&#9601;** [SEP]\n" in text


def test_a_fake_that_is_no_token(vocabulary):
    """A model may have more embeddings than there are tokens."""
    outputs = one_example(vocabulary)
    outputs["corrupted_input_ids"][0, 3] = len(vocabulary)
    text = describe_examples(outputs, vocabulary, "held out")
    assert "| cook | &#91;MASK&#93; | &#91;13&#93; | yes | 88.1% | right |" in text


def test_an_added_token_that_is_a_line_break_stays_in_its_row(vocabulary):
    vocabulary = vocabulary.with_added([AddedToken("\n", None)], "added")
    outputs = one_example(vocabulary)
    outputs["corrupted_input_ids"][0, 3] = vocabulary.id_of("\n")
    text = describe_examples(outputs, vocabulary, "held out")
    assert "| cook | &#91;MASK&#93; | &#10; | yes | 88.1% | right |\n" in text


def test_rows_that_fill_a_batch_up_are_no_examples(vocabulary):
    outputs = one_example(vocabulary)
    outputs = {name: np.concatenate([rows, 0 * rows]) for name, rows in outputs.items()}
    assert describe_examples(outputs, vocabulary, "held out").count("### Example") == 1
    nothing = {name: 0 * rows for name, rows in outputs.items()}
    assert "### Example" not in describe_examples(nothing, vocabulary, "held out")


def test_each_token_is_in_one_histogram():
    found = rtd_histograms(np.array([True, False, False]), np.array([0.0, 1e4, -1e4], np.float32))
    assert {name: values.tolist() for name, values in found.items()} == {
        "rtd_probability_of_replaced": [0.5],
        "rtd_probability_of_original": [1.0, 0.0],
    }


# ---- In a run


def summaries(config):
    """(tag, step) -> value, of a run's event files."""
    return {
        (value.tag, event.step): tf.make_ndarray(value.tensor)
        for file in sorted(pathlib.Path(config.model_dir).glob("events.*"))
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }


def test_event_files_of_a_run(data_dir):
    held_out = make_examples(20, seed=5)
    write_records(data_dir / "held_out.tfrecord", held_out)
    config = tiny_config(
        data_dir,
        "shown",
        ONE_LAYER,
        num_train_steps=6,
        eval_every_steps=3,
        eval_tfrecords=str(data_dir / "held_out.tfrecord"),
    )
    run.train(config)
    found = summaries(config)
    texts = [found["eval/examples", step].item().decode() for step in (3, 6)]
    assert {tag for tag, _ in found if tag.startswith("eval/")} >= {"eval/loss", *HISTOGRAMS}
    for text in texts:
        assert "held&#95;out.tfrecord. Masked" in text and "training data" not in text
        assert text.count("### Example") == 4
        first = " ".join(f"w{i - 5}" for i in held_out["input_ids"][0] if i > 4)
        original = next(line for line in text.splitlines() if line.startswith("*original:*"))
        assert original.replace("**", "") == f"*original:* [CLS] {first} [SEP]"
    # The same tokens are masked at every evaluation.
    of_original = [[x for x in text.splitlines() if x.startswith("*orig")] for text in texts]
    assert of_original[0] == of_original[1]
    # Together the histograms have all tokens; the replaced ones are as many as the log says.
    replaced, original = (found[name, 6][:, 2].sum() for name in HISTOGRAMS)
    assert replaced + original == held_out["input_mask"].sum()
    share = float(found["eval/replaced_share", 6])
    assert replaced / (replaced + original) == pytest.approx(share)


def test_without_held_out_records_the_text_says_so(data_dir):
    config = tiny_config(
        data_dir,
        "unsaid",
        ONE_LAYER,
        num_train_steps=2,
        eval_every_steps=2,
        num_eval_steps=1,
        electra_objective=False,
    )
    run.train(config)
    found = summaries(config)
    text = found["eval/examples", 2].item().decode()
    assert "&#40;training data&#41;. Masked" in text
    assert not {tag for tag, _ in found} & set(HISTOGRAMS)
