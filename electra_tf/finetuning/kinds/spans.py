# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tags and the spans they mark: BIO, BIOES, BILOU and BMES in, spans or BIOES out."""

from collections.abc import Sequence

from electra_tf.config import check
from electra_tf.config.span_tags import OUTSIDE, SPAN_TAGS, is_span_tag, tag_of, tag_parts
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.data_warnings import BadRows, choices
from electra_tf.finetuning.files.examples import TaggingExample, TaggingExamples


def check_tags(
    examples: TaggingExamples, spec: TaskSpec, bad_rows: BadRows
) -> list[TaggingExample]:
    """Returns the examples whose tags a task can use; reports the others.

    Tags of spans must be as `is_span_tag` has it; if the task lists its labels, tags must be among
    them.
    """
    usable = []
    for example in examples:
        tags = example.tags
        if spec.scheme == "spans":
            bad = [tag for tag in tags if not is_span_tag(tag)]
            expected = SPAN_TAGS
            if not bad:
                tags = to_bioes(tags, spec.span_rule)
        else:
            bad, expected = [], ""
        if not bad and spec.labels is not None and not spec.share_unseen_tags:
            bad = [tag for tag in tags if tag not in spec.labels]
            expected = f"one of the tags {choices(spec.labels)}"
        if bad:
            line = example.lines[tags.index(bad[0])]
            bad_rows.report(f"{example.file}, line {line}", expected, repr(bad[0]))
            continue
        usable.append(example)
    return usable


def spans_of(tags: Sequence[str], rule: str = "conll") -> list[tuple[int, int, str]]:
    """Returns the spans that tags mark, a list of (first word, last word, type).

    Well-formed sequences mean the same under both rules. "conll", as conlleval and seqeval: a
    change of type, or I or E after the end of a span, begins a span. "reference"
    (tagging_utils.py:23-41): only B, S and the end of a run of O do; a span has the type of its
    last word.
    ["B-A", "I-A", "I-B"] marks (0, 1, A), (2, 2, B) under "conll" and (0, 2, B) under "reference".

    Raises:
        ValueError: rule is another.
    """
    check(rule in ("conll", "reference"), "rule", "conll or reference", rule)
    spans, start, previous = [], None, (OUTSIDE, "")
    for position, tag in enumerate((*tags, OUTSIDE)):
        current = tag_parts(tag)
        is_new = current[0] in "BS" or current[0] == OUTSIDE
        if rule == "conll":
            is_new = is_new or previous[0] in "ES" or current[1] != previous[1]
        if start is not None and is_new:
            spans.append((start, position - 1, previous[1]))
            start = None
        if current[0] != OUTSIDE and start is None:
            start = position
        previous = current
    return spans


def to_bioes(tags: Sequence[str], rule: str = "conll") -> tuple[str, ...]:
    """Returns the tags of the same spans in BIOES: B I O of two words becomes B E O."""
    result = [OUTSIDE] * len(tags)
    for first, last, kind in spans_of(tags, rule):
        result[first : last + 1] = [tag_of("I", kind)] * (last + 1 - first)
        result[last] = tag_of("E", kind)
        result[first] = tag_of("B" if last > first else "S", kind)
    return tuple(result)


def in_letters_of(tags: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Returns tags in BIOES with the letters that labels have: where they lack E and S, in BIO.

    S-A becomes B-A among the labels O, B-A, I-A, and I-A among O, I-A.
    """
    letters = {tag_parts(label)[0] for label in labels}
    nearest = {"E": "EI", "S": "SBI", "B": "BI"}
    parts = [tag_parts(tag) for tag in tags]
    return tuple(
        tag_of(next((n for n in nearest.get(letter, "") if n in letters), letter), kind)
        for letter, kind in parts
    )


def given_tag(tag: str, given: Sequence[str]) -> str:
    """Returns the one of the given tags that stands for a tag of any scheme.

    S-A is U-A among the tags of BILOU, B-A among O, B-A, I-A, and I-A among O, I-A.
    """
    nearest = {"B": "BISE", "I": "IBES", "E": "EIBS", "S": "SBIE"}
    known = {tag_parts(other): other for other in given}
    letter, kind = tag_parts(tag)
    same = [known[other, kind] for other in nearest.get(letter, "") if (other, kind) in known]
    return same[0] if same else tag
