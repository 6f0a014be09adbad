# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Options in the gap of a text are scored by the discriminator's probabilities of their tokens."""

import numpy as np
import pytest
from tiny_finetuning import make_data_dir

import electra_tf

TEMPLATES = ["w5 {} w6", "{} w7", "w8 w9 w8 {}"]
OPTIONS = ["w1", "w2 w3", "w4"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    root = make_data_dir(tmp_path_factory.mktemp("options") / "data")
    return electra_tf.load(str(root / "models" / "tiny"))


def original(model, text, first, last):
    """Log-probabilities that the tokens first..last of a text are original."""
    return np.log1p(-model.replaced_tokens([text])["probabilities"][0, first:last])


def test_scores_are_log_probabilities_of_the_options_tokens(model):
    found = model.score_options(TEMPLATES, OPTIONS)
    assert found["scores"].shape == (3, 3) and found["num_tokens"].tolist() == [[1, 2, 1]] * 3
    own, alone = original(model, "w5 w2 w3 w6", 1, 3), original(model, "w2 w3", 0, 2)
    for name, reduce in (("mean", np.mean), ("sum", np.sum)):
        np.testing.assert_allclose(found[name][0, 1], reduce(own), rtol=1e-5)
        np.testing.assert_allclose(found[f"{name}_alone"][0, 1], reduce(alone), rtol=1e-5)
        difference = reduce(own) - reduce(alone)
        np.testing.assert_allclose(found[f"{name}_corrected"][0, 1], difference, atol=1e-5)


@pytest.mark.parametrize("rule", ["mean", "sum", "mean_corrected", "sum_corrected"])
def test_the_best_option_is_that_of_the_rule(model, rule):
    found = model.score_options(TEMPLATES, OPTIONS, rule=rule, batch_size=2)
    np.testing.assert_array_equal(found["scores"], found[rule])
    assert found["option_ids"].tolist() == found["scores"].argmax(axis=1).tolist()
    assert found["best"].tolist() == [OPTIONS[i] for i in found["option_ids"]]


def test_each_template_may_have_options_of_its_own(model):
    found = model.score_options(TEMPLATES[:2], [["w1", "w2"], ["w2 w3", "w4", "w1"]])
    shared = model.score_options(TEMPLATES[:2], OPTIONS)
    np.testing.assert_allclose(found["mean"][1, :2], shared["mean"][1, 1:], rtol=1e-5)
    assert found["num_options"].tolist() == [2, 3] and found["mean"][0, 2] == -np.inf


def test_long_texts_lose_the_ends_that_are_far_from_the_option(model):
    long = "w8 " * 40 + "{}" + " w9" * 40
    found = model.score_options([long], ["w1", "w4"])
    assert found["is_truncated"].all()
    # 16 tokens are a row: [CLS], [SEP], the option, and 13 others.
    same = model.score_options(["w8 " * 7 + "{}" + " w9" * 6], ["w1", "w4"])
    np.testing.assert_allclose(found["mean"], same["mean"], rtol=1e-5)


@pytest.mark.parametrize(
    ("templates", "options", "message"),
    [
        (["none"], OPTIONS, r"templates\[0\] is expected to have {} once, but is .none'"),
        (["{}", "{} {}"], OPTIONS, r"templates\[1\] is expected to have {} once"),
        ([], OPTIONS, "templates is expected to be a sequence of one or more texts"),
        ("{}", OPTIONS, "templates is expected to be a sequence"),
        (["{}"], ["w1"], "options is expected to be a sequence of two or more texts"),
        (["{}"], ["w1", " "], r"options\[1\] is expected to be a text, but is ' '"),
        (["{}"], ["w1", 3], r"options\[1\] is expected to be a text, but is 3"),
        (["{}"], ["w1", "w1"], "to have different texts"),
        (["{}"], [["w1", "w2"]] * 2, "one sequence for each of the 1 templates, but has 2"),
        (["w5 {}"], ["w1", "w2", "W2"], "'w2' and 'W2' have the same tokens in 'w5 {}'"),
        (["{} w5"], ["w1", " w1"], "'w1' and ' w1' have the same tokens in '{} w5'"),
        (["{}"], ["w1", "strange"], "'strange' has unknown ones in '{}'"),
        (["{}"], ["w1", "w2 " * 15], "score_options: option is expected to fit into 16 tokens"),
    ],
)
def test_what_cannot_be_scored_is_named(model, templates, options, message):
    with pytest.raises(ValueError, match=message):
        model.score_options(templates, options)


def test_the_rule_is_one_of_four(model):
    with pytest.raises(ValueError, match="rule is expected to be one of mean, sum, "):
        model.score_options(TEMPLATES, OPTIONS, rule="prior")


@pytest.mark.slow
def test_a_copy_learns_from_few_examples(model):
    templates = ["w5 {} w6", "w7 {} w8"]
    shots = list(zip(templates, ["w1", "w2 w3"], strict=True))
    hparams = {"learning_rate": 5e-3, "layerwise_lr_decay": 0.0, "num_train_epochs": 80}
    before = model.score_options(templates, OPTIONS)
    found = model.score_options(templates, OPTIONS, few_shot=shots, **hparams)
    assert found["best"].tolist() == ["w1", "w2 w3"] != before["best"].tolist()
    after = model.score_options(templates, OPTIONS)
    np.testing.assert_array_equal(after["mean"], before["mean"])  # the model stays as it is


def test_one_step_on_one_example_changes_the_scores(model):
    before = model.score_options(TEMPLATES, OPTIONS)["mean"]
    shots = [(TEMPLATES[0], OPTIONS[0])]
    found = model.score_options(TEMPLATES, OPTIONS, few_shot=shots, num_train_epochs=1)
    assert (found["mean"] != before).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"few_shot": []}, r"few_shot is expected to be a sequence of \(template, right option\)"),
        ({"few_shot": ["w5 {}"]}, r"few_shot\[0\] is expected to be \(template, right option\)"),
        ({"few_shot": [("{}", "w9")]}, r"few_shot\[0\] is expected to have one of the options"),
        ({"few_shot": [("w5", "w1")]}, r"few_shot: templates\[0\] is expected to have {} once"),
        ({"few_shot": [("{} {}", "a", ["a", "b"])]}, r"few_shot: templates\[0\]"),
        ({"few_shot": [("{}", "a", ["a", "b"])]}, "an option of few_shot is expected to be one of"),
        ({"few_shot": [("{}", "w1")], "max_seq_length": 8}, "unknown hyperparameter of few_shot"),
        ({"few_shot": [("{}", "w1")], "num_train_epochs": 0}, "to give at least one step"),
        ({"few_shot": [("{}", "w1")], "learning_rate": 0.0}, "few_shot is expected to be above 0"),
        ({"few_shot": [("{}", "w1", ["w1", "W1"])]}, "'w1' and 'W1' have the same tokens"),
        ({"seed": 3}, "few_shot is expected to be given with seed, but is None"),
    ],
)
def test_examples_that_cannot_be_learned_from_are_named(model, given, message):
    with pytest.raises(ValueError, match=message):
        model.score_options(TEMPLATES, OPTIONS, **given)


def test_templates_with_options_of_their_own_have_examples_with_such(model):
    options = [["w1", "w2"], ["w3", "w4"], ["w5", "w6", "w7"]]
    with pytest.raises(ValueError, match=r"with \(..., options\) behind, but is \('{}', 'w1'\)"):
        model.score_options(TEMPLATES, options, few_shot=[("{}", "w1")])
