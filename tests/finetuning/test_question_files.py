# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""SQuAD and MRQA files: what is read, and which question is wrong and why."""

import gzip
import json

import pytest
from task_files import write

from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.squad import read_mrqa, read_squad

CONTEXT = "The dog  saw\na cat."
ANSWER = {"text": "dog", "answer_start": 4}


def squad(tmp_path, *questions, context=CONTEXT):
    paragraph = {"context": context, "qas": list(questions)}
    content = {"version": "v2.0", "data": [{"title": "t", "paragraphs": [paragraph]}]}
    return write(tmp_path / "a.json", json.dumps(content))


def question(name="q", answers=(ANSWER,), impossible=False, **changed):
    record = {"id": name, "question": "who?", "answers": answers, "is_impossible": impossible}
    record |= changed
    return {key: value for key, value in record.items() if value is not ...}


def test_questions_with_and_without_answers(tmp_path):
    path = squad(tmp_path, question("a"), question("b", (), True))
    first, second = read_squad(path, BadRows(), has_unanswerable=True)
    assert (first.id, first.answers, first.is_impossible) == ("a", (("dog", 4),), False)
    assert first.accepted == ("dog",)
    assert (second.answers, second.is_impossible) == ((), True)
    unlabelled = read_squad(path, BadRows(), has_unanswerable=True, labelled=False)
    assert [e.is_impossible for e in unlabelled] == [None, None]


def test_version_1_needs_no_is_impossible(tmp_path):
    path = squad(tmp_path, question(impossible=...))
    assert read_squad(path, BadRows(), has_unanswerable=False)[0].is_impossible is False


def test_white_space_and_case_of_an_answer_may_differ(tmp_path):
    path = squad(tmp_path, question(answers=[{"text": "Dog  saw a", "answer_start": 4}]))
    assert read_squad(path, BadRows(), True)[0].answers == (("dog  saw\na", 4),)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"answers": [{"text": "dog", "answer_start": 3}]},
            r"'dog' at character 3 .*, received ' do",
        ),
        ({"answers": [{"text": "cat. x", "answer_start": 15}]}, r"'cat\. x' at character 15"),
        ({"answers": [{"text": "dog", "answer_start": -1}]}, r"at character -1"),
        ({"answers": [{"text": "dog"}]}, r"answers with 'text' and 'answer_start'"),
        ({"answers": ...}, r"a list under 'answers', received None"),
        ({"answers": []}, r"at least one answer, received none"),
        ({"impossible": True}, r"no answers, since is_impossible is true"),
        ({"impossible": "no"}, r"true or false under 'is_impossible', received 'no'"),
        ({"question": 3}, r"a text under 'question', received 3"),
        ({"id": ...}, r"paragraph 1: expected a text under 'id' of a question"),
    ],
)
def test_questions_that_do_not_fit_are_errors(changed, expected, tmp_path):
    path = squad(tmp_path, question(**changed), question("good"))
    with pytest.raises(ValueError, match=expected) as error:
        read_squad(path, BadRows(), has_unanswerable=True)
    assert str(path) in str(error.value)
    bad_rows = BadRows(tmp_path / "skipped.txt")
    assert [e.id for e in read_squad(path, bad_rows, True)] == ["good"]
    assert len(bad_rows.messages) == 1


def test_files_that_do_not_fit_are_errors(tmp_path):
    with pytest.raises(ValueError, match="each id once, received it a second time"):
        read_squad(squad(tmp_path, question(), question()), BadRows(), True)
    with pytest.raises(ValueError, match="paragraph 1: expected a text under 'context'"):
        read_squad(squad(tmp_path, question(), context=" "), BadRows(), True)
    with pytest.raises(ValueError, match="empty split"):
        read_squad(squad(tmp_path), BadRows(), True)
    for text, expected in (("{", "line 1: expected JSON"), ("{}", "a list under 'data'")):
        with pytest.raises(ValueError, match=expected):
            read_squad(write(tmp_path / "b.json", text), BadRows(), True)


def mrqa_lines(*spans):
    detected = [{"text": text, "char_spans": [list(span)]} for text, span in spans]
    record = {"qid": "m", "question": "who?", "answers": ["Dog"], "detected_answers": detected}
    lines = [{"header": {"dataset": "x"}}, {"context": CONTEXT, "qas": [record]}]
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.mark.parametrize("compressed", [False, True])
def test_mrqa_files_have_a_header_and_may_be_compressed(compressed, tmp_path):
    lines = mrqa_lines(("Dog", (4, 6)))
    if compressed:
        (tmp_path / "train.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    else:
        write(tmp_path / "train.jsonl", lines)
    (example,) = read_mrqa(tmp_path / "train.jsonl", BadRows())
    assert (example.id, example.answers, example.accepted) == ("m", (("dog", 4),), ("Dog",))
    assert (example.is_impossible, example.line) == (False, 2)


def test_mrqa_spans_that_do_not_fit_are_errors(tmp_path):
    path = write(tmp_path / "a.jsonl", mrqa_lines(("dog", (3, 5))))
    with pytest.raises(ValueError, match=r"question 'm': expected the answer 'dog' at characters"):
        read_mrqa(path, BadRows())
    path = write(tmp_path / "b.jsonl", mrqa_lines())
    with pytest.raises(ValueError, match="a list under 'detected_answers'"):
        read_mrqa(path, BadRows())
    path = write(tmp_path / "d.jsonl", mrqa_lines(("dog", (4, 6))).replace("[[4, 6]]", "[4, 6]"))
    with pytest.raises(ValueError, match="detected answers with 'text' and 'char_spans'"):
        read_mrqa(path, BadRows())
    write(tmp_path / "c.jsonl.gz", "no gzip")
    with pytest.raises(ValueError, match=r"c\.jsonl\.gz: expected a gzip file"):
        read_mrqa(tmp_path / "c.jsonl", BadRows())


NONE = {"text": "NO_ANSWER", "answer_start": -1}


@pytest.mark.parametrize(
    ("changed", "answers", "is_impossible"),
    [
        # What says that there is no answer.
        ({"impossible": ...}, (("dog", 4),), False),
        ({"impossible": None, "answers": []}, (), True),
        ({"impossible": True, "answers": ...}, (), True),
        ({"impossible": True, "answers": [NONE]}, (), True),
        (
            {"impossible": ..., "answers": [{"text": "CANNOTANSWER", "answer_start": "-1"}]},
            (),
            True,
        ),
        ({"impossible": True, "answers": {"text": [], "answer_start": []}}, (), True),
        ({"impossible": True, "answers": [{"text": "", "answer_start": 0}]}, (), True),
        ({"impossible": ..., "answers": [{"text": "N/A", "answer_start": None}]}, (), True),
        ({"impossible": True, "answers": [{"text": "keine", "answer_start": -1}]}, (), True),
        ({"answers": [NONE, ANSWER]}, (("dog", 4),), False),
        # How answers and places are written.
        ({"answers": {"text": ["dog"], "answer_start": [4]}}, (("dog", 4),), False),
        ({"answers": {"text": "dog", "answer_start": 4}}, (("dog", 4),), False),
        ({"answers": [{"text": "dog", "answer_start": "4"}]}, (("dog", 4),), False),
        ({"answers": [{"text": "dog", "answer_start": 4.0}]}, (("dog", 4),), False),
        # White space around an answer, at the place of the space or of the word.
        ({"answers": [{"text": " dog ", "answer_start": 3}]}, (("dog", 4),), False),
        ({"answers": [{"text": " dog", "answer_start": 4}]}, (("dog", 4),), False),
        ({"answers": [{"text": "cat.  ", "answer_start": 15}]}, (("cat.", 15),), False),
        ({"answers": [{"text": "a cat\n", "answer_start": 13}]}, (("a cat", 13),), False),
    ],
)
def test_answers_as_people_write_them(changed, answers, is_impossible, tmp_path):
    path = squad(tmp_path, question(**changed))
    (example,) = read_squad(path, BadRows(), has_unanswerable=True)
    assert (example.answers, example.is_impossible) == (answers, is_impossible)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"answers": [NONE]}, r"at least one answer, received none"),
        ({"answers": {"text": ["dog"], "answer_start": []}}, r"as many texts of answers as places"),
        ({"answers": [{"text": "dog", "answer_start": "four"}]}, r"answers with 'text' and"),
        ({"answers": [{"text": "dog", "answer_start": 4.5}]}, r"answers with 'text' and"),
        ({"answers": [{"text": "dog", "answer_start": True}]}, r"answers with 'text' and"),
        ({"answers": [" dog"]}, r"answers with 'text' and"),
        ({"id": True}, r"a text under 'id' of a question, or an integer"),
        ({"id": 5.5}, r"a text under 'id' of a question, or an integer"),
    ],
)
def test_answers_that_say_nothing_are_errors(changed, expected, tmp_path):
    with pytest.raises(ValueError, match=expected):
        read_squad(squad(tmp_path, question(**changed)), BadRows(), has_unanswerable=True)


def test_version_1_has_no_answers_that_stand_for_none(tmp_path):
    path = squad(tmp_path, question(answers=[NONE], impossible=...))
    with pytest.raises(ValueError, match="'NO_ANSWER' at character -1"):
        read_squad(path, BadRows(), has_unanswerable=False)


def test_ids_may_be_integers_and_stay_what_they_are(tmp_path):
    path = squad(tmp_path, question(51), question(0), question("52"))
    assert [e.id for e in read_squad(path, BadRows(), True)] == [51, 0, "52"]
    with pytest.raises(ValueError, match="question '51': expected each id once, received it a"):
        read_squad(squad(tmp_path, question(51), question("51")), BadRows(), True)
    lines = mrqa_lines(("dog", (4, 6))).replace('"m"', "7")
    assert [e.id for e in read_mrqa(write(tmp_path / "m.jsonl", lines), BadRows())] == [7]


def test_questions_in_utf16(tmp_path):
    path = squad(tmp_path, question())
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    assert len(read_squad(path, BadRows(), True)) == 1


def test_brackets_without_end_are_an_error(tmp_path):
    with pytest.raises(ValueError, match="nested too deeply"):
        read_squad(write(tmp_path / "a.json", "[" * 100_000), BadRows(), True)
    with pytest.raises(ValueError, match="line 1: expected a JSON object"):
        read_mrqa(write(tmp_path / "a.jsonl", "[" * 100_000), BadRows())
