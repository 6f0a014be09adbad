# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What exported signatures say of texts, and of inputs at the edges."""

import numpy as np
import pytest
import tensorflow as tf
from served_models import LENGTH

from electra_tf.finetuning.kinds.spans import spans_of
from electra_tf.serving.tagged_text import entities_of, words_of


def call(function, **inputs):
    return {
        k: v.numpy() for k, v in function(**{k: tf.constant(v) for k, v in inputs.items()}).items()
    }


def test_rows_are_as_long_as_the_longest_text(pair):
    outputs = call(pair["text"], text=["one two", "one two three four"])
    assert outputs["input_mask"].tolist() == [[1] * 4 + [0] * 2, [1] * 6]
    alone = call(pair["text"], text=["one two"])
    np.testing.assert_allclose(outputs["mean"][0], alone["mean"][0], atol=1e-5)
    assert np.all(outputs["token_features"][0, 4:] == 0)
    long = call(pair["text"], text=["word " * 100])
    assert long["input_ids"].shape == (1, LENGTH)


def test_replaced_tokens_point_into_the_text(pair):
    texts = ["Café, naïve!", ""]
    outputs = call(pair["replaced_tokens"], text=texts)
    count = outputs["num_tokens"][0]
    pieces = [
        texts[0].encode()[a:b].decode()
        for a, b in zip(outputs["starts"][0, :count], outputs["ends"][0, :count], strict=True)
    ]
    assert pieces == ["Café", ",", "naïve", "!"]
    assert outputs["tokens"][0].tolist() == [b"cafe", b",", b"naive", b"!"]
    assert np.all((outputs["probabilities"][0] > 0) & (outputs["probabilities"][0] < 1))
    assert outputs["num_tokens"].tolist() == [4, 0] and not outputs["is_truncated"].any()
    assert call(pair["replaced_tokens"], text=["word " * 100])["is_truncated"].all()


def test_masks_are_found_anywhere(pair):
    text = "é[MASK]x [MASK]"
    outputs = call(pair["fill_mask"], text=[text, "no gap"])
    assert outputs["num_masks"].tolist() == [2, 0]
    spans = zip(outputs["starts"][0], outputs["ends"][0], strict=True)
    assert [text.encode()[a:b] for a, b in spans] == [b"[MASK]", b"[MASK]"]
    assert outputs["tokens"].shape == (2, 2, 3) and np.all(outputs["tokens"][1] == b"")
    assert np.all(np.diff(outputs["probabilities"][0], axis=-1) <= 0)
    assert call(pair["fill_mask"], text=["no gap"])["tokens"].shape == (1, 0, 3)


def test_layers_are_chosen_per_text(pair):
    both = call(pair["features"], text=["a b", "a b", "a b"], layer=np.array([0, 2, -1], np.int32))
    assert not np.allclose(both["mean"][0], both["mean"][1])
    np.testing.assert_allclose(both["mean"][1], both["mean"][2], atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"layer is expected to be in -3\.\.2"):
        pair["features"](text=tf.constant(["a"]), layer=tf.constant([3]))


def test_inputs_of_different_numbers_are_an_error(pair, reader):
    expected = r"question, context are expected to have one shape, but have\] \[\[2\]\s*\[3\]\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        reader["text"](question=tf.constant(["a", "b"]), context=tf.constant(["a", "b", "c"]))
    expected = "text, layer are expected to have one shape, but have"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        pair["features"](text=tf.constant(["a", "b"]), layer=tf.constant([1]))
    rows = {name: tf.ones([2, 5], tf.int32) for name in ("input_ids", "input_mask")}
    expected = "input_ids, input_mask, segment_ids are expected to have one shape, but have"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        pair["ids"](**rows, segment_ids=tf.zeros([2, 4], tf.int32))


def test_bytes_that_are_not_utf_8_give_no_tokens(pair):
    found = call(pair["replaced_tokens"], text=[b"\xff\xfe", b"caf\xc3 x", b"\xed\xa0\x80 y"])
    assert np.all(found["starts"] <= found["ends"])
    assert found["num_tokens"][0] == 0 and found["tokens"][1].tolist()[-1] == b"x"


def test_a_request_without_rows_is_an_error(pair):
    with pytest.raises(tf.errors.InvalidArgumentError, match="text: expected one row at least"):
        pair["text"](text=tf.zeros([0], tf.string))


def test_rows_of_ids_that_are_too_long_are_an_error(pair):
    rows = {name: tf.ones([1, 65], tf.int32) for name in ("input_ids", "input_mask")}
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most 64 tokens in a row"):
        pair["ids"](**rows, segment_ids=tf.zeros([1, 65], tf.int32))


@pytest.mark.slow
def test_entities_are_pieces_of_the_text(tagger):
    text = "  Zoë\u00a0visits  東京 and Ω " * 20
    outputs = call(tagger["text"], text=[text, ""])
    count = outputs["num_words"][0]
    words = [
        text.encode()[a:b].decode()
        for a, b in zip(outputs["starts"][0, :count], outputs["ends"][0, :count], strict=True)
    ]
    assert words == text.split() and outputs["num_words"][1] == outputs["num_entities"][1] == 0
    tags = [tag.decode() for tag in outputs["tags"][0, :count]]
    expected = [(words[a], words[b], kind) for a, b, kind in spans_of(tags)]
    found = outputs["num_entities"][0]
    entities = [entity.decode() for entity in outputs["entities"][0, :found]]
    types = [kind.decode() for kind in outputs["entity_types"][0, :found]]
    pairs = zip(entities, types, strict=True)
    assert [(e.split()[0], e.split()[-1], k) for e, k in pairs] == expected


@pytest.mark.slow
def test_answers_of_long_contexts_are_pieces_of_them(reader):
    context = "Früher war 東京 called Edo ; " * 30
    outputs = call(reader["text"], question=["what", "what"], context=[context, ""])
    count = outputs["num_answers"][0]
    for answer, start, end in zip(
        outputs["answers"][0, :count],
        outputs["answer_starts"][0, :count],
        outputs["answer_ends"][0, :count],
        strict=True,
    ):
        assert context.encode()[start:end] == answer and answer
    assert outputs["answer_probabilities"][0].sum() == pytest.approx(1, abs=1e-5)
    assert outputs["num_answers"][1] == 1 and outputs["answers"][1, 0] == b""


LABELS = ("B-A", "B-B", "E-A", "E-B", "I-A", "I-B", "O", "S-A", "S-B")


@pytest.mark.parametrize("rule", ["conll", "reference"])
def test_spans_are_those_of_fine_tuning(rule):
    generator = np.random.default_rng(0)
    counts = generator.integers(0, 9, 200)
    texts = [" ".join(f"w{i}" for i in range(count)) for count in counts]
    words = words_of(tf.constant(texts))
    tags = generator.integers(0, len(LABELS), counts.sum())
    chances = generator.random(counts.sum()).astype(np.float32)
    found = entities_of(
        tf.constant(texts), words, tf.constant(tags), tf.constant(chances), LABELS, rule
    )
    ends = np.cumsum(counts)
    for row, (end, count) in enumerate(zip(ends, counts, strict=True)):
        names = [LABELS[tag] for tag in tags[end - count : end]]
        expected = [
            (
                " ".join(f"w{i}" for i in range(a, b + 1)),
                kind,
                chances[end - count :][a : b + 1].min(),
            )
            for a, b, kind in spans_of(names, rule)
        ]
        size = int(found["num_entities"][row])
        columns = (found[name][row, :size].numpy() for name in ("entities", "entity_types"))
        texts_found, kinds = ([value.decode() for value in column] for column in columns)
        probabilities = found["entity_probabilities"][row, :size].numpy()
        assert list(zip(texts_found, kinds, probabilities, strict=True)) == expected


SHAPES = {1: [(), (1, 2), (2, 1), (1, 1, 1), (0, 3)], 2: [(), (3,), (1, 2, 3), (1,)]}


@pytest.mark.parametrize("served", ["pair", "tagger", "reader"])
def test_every_input_of_every_signature_says_which_shape_it_expects(served, request):
    """Also those shapes of which a part could be read."""
    signatures = request.getfixturevalue(served)
    for function in signatures.values():
        specs = function.structured_input_signature[1]
        for name, spec in specs.items():
            for shape in SHAPES[spec.shape.rank]:
                inputs = {
                    other: tf.zeros([2] * s.shape.rank, s.dtype) for other, s in specs.items()
                }
                inputs[name] = tf.zeros(shape, spec.dtype)
                with pytest.raises(tf.errors.InvalidArgumentError) as error:
                    function(**inputs)
                expected = "[rows]" if spec.shape.rank == 1 else "[rows, tokens]"
                words = f"{name} is expected to have the shape {expected}, but has the shape"
                assert f"[{words}] [{' '.join(map(str, shape))}]" in error.value.message


def test_inputs_of_another_type(pair):
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a string tensor"):
        pair["text"](text=tf.constant([1, 2]))
    rows = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), tf.ones([1, 3], tf.int64))
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a int32 tensor"):
        pair["ids"](**rows)
