# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tags and the spans that they mark."""

import pytest
from task_files import recorded

from electra_tf.finetuning.kinds.spans import in_letters_of, spans_of, to_bioes


@pytest.mark.parametrize(
    ("tags", "bioes"),
    [
        ("O", "O"),
        ("B-X", "S-X"),
        ("B-X I-X I-X O", "B-X I-X E-X O"),
        ("B-X B-X I-X", "S-X B-X E-X"),
        ("I-X I-X O I-Y", "B-X E-X O S-Y"),
        ("B-geo-loc I-geo-loc", "B-geo-loc E-geo-loc"),
    ],
)
@pytest.mark.parametrize("rule", ["conll", "reference"])
def test_bio_becomes_bioes(tags, bioes, rule):
    assert to_bioes(tags.split(), rule) == tuple(bioes.split())
    assert to_bioes(bioes.split(), rule) == tuple(bioes.split())


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        ("O B-A I-A E-A S-A", "S-A O B-A I-A E-A"),
        ("O B-A I-A", "B-A O B-A I-A I-A"),
        ("O I-A", "I-A O I-A I-A I-A"),
        ("O B-A L-A U-A", "S-A O B-A I-A E-A"),  # nothing stands for what is inside
    ],
)
def test_spans_are_written_in_the_letters_of_the_labels(labels, written):
    found = in_letters_of("S-A O B-A I-A E-A".split(), labels.split())
    assert found == tuple(written.split())


def test_ill_formed_sequences_are_read_by_the_rule():
    tags = ["B-A", "I-A", "I-B", "E-B", "I-B"]
    assert spans_of(tags) == [(0, 1, "A"), (2, 3, "B"), (4, 4, "B")]
    assert spans_of(tags, "reference") == [(0, 4, "B")]
    with pytest.raises(ValueError, match="rule is expected to be conll or reference, but is 'bio'"):
        spans_of(tags, "bio")


def test_recorded_labels_mark_what_their_own_conversion_marks():
    golden = recorded("tasks/features.json")["tasks"]["chunk"]
    tags = {number: tag for tag, number in golden["label_mapping"].items()}
    for row in golden["dev"]:
        sentence = [tags[i] for i in row["chunk_labels"][: int(sum(row["chunk_labels_mask"]))]]
        assert list(to_bioes(sentence)) == sentence
