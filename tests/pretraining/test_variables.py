# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Every variable of a small model, written out: name, shape, weight decay."""

import pytest
from tiny_run import tiny_pretrainer

# width of the layers, of the feed-forward network, of the embeddings; then the variables
LAYER = """
attention/self/query/kernel      H H decay
attention/self/query/bias        H
attention/self/key/kernel        H H decay
attention/self/key/bias          H
attention/self/value/kernel      H H decay
attention/self/value/bias        H
attention/output/dense/kernel    H H decay
attention/output/dense/bias      H
attention/output/LayerNorm/beta  H
attention/output/LayerNorm/gamma H
intermediate/dense/kernel        H F decay
intermediate/dense/bias          F
output/dense/kernel              F H decay
output/dense/bias                H
output/LayerNorm/beta            H
output/LayerNorm/gamma           H
"""
TABLE = """
electra/embeddings/word_embeddings       100 8 decay
electra/embeddings/token_type_embeddings 2 8 decay
electra/embeddings/position_embeddings   16 8 decay
electra/embeddings/LayerNorm/beta        8
electra/embeddings/LayerNorm/gamma       8
electra/embeddings_project/kernel        8 16 decay
electra/embeddings_project/bias          16
discriminator_predictions/dense/kernel   16 16 decay
discriminator_predictions/dense/bias     16
discriminator_predictions/dense_1/kernel 16 1 decay
discriminator_predictions/dense_1/bias   1
generator/embeddings_project/kernel      8 12 decay
generator/embeddings_project/bias        12
generator_predictions/dense/kernel       12 8 decay
generator_predictions/dense/bias         8
generator_predictions/LayerNorm/beta     8
generator_predictions/LayerNorm/gamma    8
generator_predictions/output_bias        100
"""
SHAPE = {"num_hidden_layers": 1}


def rows_of(table, prefix="", **sizes):
    found = {}
    for line in table.split("\n")[1:-1]:
        name, *shape = line.split()
        decay = 0.01 if shape[-1] == "decay" else 0.0
        shape = [sizes.get(size, size) for size in shape if size != "decay"]
        found[prefix + name] = (tuple(map(int, shape)), decay, 1.0)
    return found


def rules_of(pretrainer):
    pretrainer.optimizer.build(pretrainer.trainable_variables)
    return {
        variable.path: (tuple(variable.shape), rule.weight_decay, rule.learning_rate_multiplier)
        for variable, rule in zip(
            pretrainer.trainable_variables, pretrainer.optimizer.rules, strict=True
        )
    }


def test_electra(data_dir):
    expected = {
        **rows_of(TABLE),
        **rows_of(LAYER, "electra/encoder/layer_0/", H=16, F=32),
        **rows_of(LAYER, "generator/encoder/layer_0/", H=12, F=48),
    }
    pretrainer = tiny_pretrainer(data_dir, SHAPE, generator_hidden_size=0.75)
    assert rules_of(pretrainer) == expected
    # Shared embeddings are there once.
    assert len(pretrainer.trainable_variables) == len(expected)
    assert pretrainer.generator.encoder.embeddings is pretrainer.discriminator.encoder.embeddings
    without = {name for name, (_, decay, _) in expected.items() if not decay}
    assert without == {name for name in expected if "LayerNorm" in name or "bias" in name}


@pytest.mark.parametrize(
    ("changes", "scopes"),
    [
        (
            {"untied_generator": False},
            {"electra", "generator_predictions", "discriminator_predictions"},
        ),
        ({"electra_objective": False}, {"electra", "generator_predictions"}),
        ({"uniform_generator": True}, {"electra", "discriminator_predictions"}),
        (
            {"electra_objective": False, "electric_objective": True},
            {
                "electra",
                "generator_ltr",
                "generator_rtl",
                "cloze_predictions",
                "discriminator_predictions",
            },
        ),
    ],
)
def test_scopes_of_other_objectives(data_dir, changes, scopes):
    names = [
        variable.path
        for variable in tiny_pretrainer(data_dir, SHAPE, **changes).trainable_variables
    ]
    assert {name.split("/")[0] for name in names} == scopes
    assert len(set(names)) == len(names)


def test_untied_embeddings(data_dir):
    pretrainer = tiny_pretrainer(data_dir, SHAPE, untied_generator_embeddings=True)
    rules = rules_of(pretrainer)
    assert rules["generator/embeddings/word_embeddings"] == ((100, 8), 0.01, 1.0)
    assert "generator/embeddings_project/kernel" not in rules
    assert len(rules) == len(TABLE.split("\n")[1:-1]) - 2 + 2 * 16 + 5
