# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions on paragraphs: SQuAD 1.1 and 2.0 JSON, and the JSONL of the MRQA shared task."""

import functools
import json

import tensorflow as tf

from electra_tf.finetuning.bad_rows import BadRows, shown
from electra_tf.finetuning.examples import QuestionExample
from electra_tf.finetuning.files import (
    is_text,
    json_object,
    read_lines,
    read_text,
    require_examples,
)


def read_squad(path, bad_rows, has_unanswerable, labelled=True):
    """Returns the `QuestionExample`s of a SQuAD file; ids are those of the file.

    has_unanswerable: whether questions may have no answer (2.0), and say so in is_impossible.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON or not laid out so, a question is bad (see `BadRows`), an id
            occurs twice, or there is no question.
    """
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: expected JSON, received {error.msg}."
        ) from error
    answers_of = functools.partial(_squad_answers, has_unanswerable) if labelled else _no_answers
    questions = _Questions(str(path), "paragraph", "id", answers_of, bad_rows)
    number = 0
    for article in _list(content, "data", str(path)):
        for paragraph in _list(article, "paragraphs", f"{path}, article {shown(article, 40)}"):
            number += 1
            questions.add_paragraph(paragraph, number)
    return require_examples(questions.examples, path)


def read_mrqa(path, bad_rows, labelled=True):
    """Returns the `QuestionExample`s of an MRQA file: one paragraph per line, after a header.

    Raises:
        FileNotFoundError: there is no such file, nor one with .gz added.
        ValueError: as for `read_squad`.
    """
    path = str(path)
    if not tf.io.gfile.exists(path) and tf.io.gfile.exists(f"{path}.gz"):
        path = f"{path}.gz"
    answers_of = _mrqa_answers if labelled else _no_answers
    questions = _Questions(path, "line", "qid", answers_of, bad_rows)
    for line, text in enumerate(read_lines(path), start=1):
        paragraph = json_object(text, f"{path}, line {line}", bad_rows)
        if paragraph is None or (line == 1 and "header" in paragraph):
            continue
        questions.add_paragraph(paragraph, line)
    return require_examples(questions.examples, path)


class _Unusable(Exception):
    """What was expected and what was received instead."""


class _Questions:
    """Collects the examples of one file.

    unit: what a paragraph is counted as. id_key: of a question. answers_of: (record, context) ->
    (answers, accepted, is_impossible), or raises `_Unusable`.
    """

    def __init__(self, path, unit, id_key, answers_of, bad_rows):
        self.examples = []
        self._path, self._unit, self._id_key = path, unit, id_key
        self._answers_of, self._bad_rows = answers_of, bad_rows
        self._ids = set()

    def add_paragraph(self, paragraph, number):
        """Adds the questions of a paragraph; reports it, or those of them that cannot be used."""
        place = f"{self._path}, {self._unit} {number}"
        fields = paragraph if isinstance(paragraph, dict) else {}
        context, records = fields.get("context"), fields.get("qas")
        if not is_text(context) or not context.strip():
            self._bad_rows.report(place, "a text under 'context'", shown(context))
            return
        if not isinstance(records, list):
            self._bad_rows.report(place, "a list under 'qas'", shown(records))
            return
        for record in records:
            fields = record if isinstance(record, dict) else {}
            name = fields.get(self._id_key)
            try:
                self.examples.append(self._example(fields, name, context, number))
            except _Unusable as problem:
                where = f"{place}, question {name!r}" if name else place
                self._bad_rows.report(where, *problem.args)
            else:
                self._ids.add(name)

    def _example(self, record, name, context, number):
        if not is_text(name) or not name:
            raise _Unusable(f"a text under {self._id_key!r} of a question", shown(record))
        if name in self._ids:
            raise _Unusable("each id once", "it a second time")
        question = record.get("question")
        if not is_text(question):
            raise _Unusable("a text under 'question'", shown(question))
        answers, accepted, is_impossible = self._answers_of(record, context)
        return QuestionExample(
            name, question, context, answers, is_impossible, accepted, self._path, number
        )


def _list(container, key, place):
    value = container.get(key) if isinstance(container, dict) else None
    if not isinstance(value, list):
        raise ValueError(f"{place}: expected a list under {key!r}, received {shown(value)}.")
    return value


def _no_answers(record, context):
    return (), (), None


def _squad_answers(has_unanswerable, record, context):
    answers = record.get("answers")
    if not isinstance(answers, list):
        raise _Unusable("a list under 'answers'", shown(answers))
    impossible = False
    if has_unanswerable:
        impossible = record.get("is_impossible")
        if not isinstance(impossible, bool):
            raise _Unusable("true or false under 'is_impossible'", shown(impossible))
    if impossible and answers:
        raise _Unusable("no answers, since is_impossible is true", shown(answers))
    if not impossible and not answers:
        raise _Unusable("at least one answer", "none")
    spans = []
    for answer in answers:
        text = answer.get("text") if isinstance(answer, dict) else None
        start = answer.get("answer_start") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not text.strip() or not isinstance(start, int):
            raise _Unusable("answers with 'text' and 'answer_start'", shown(answer))
        if start < 0 or not _same_text(context[start : start + len(text)], text):
            raise _Unusable(
                f"the answer {shown(text)} at character {start} of the context",
                shown(context[max(start, 0) : max(start, 0) + len(text)]),
            )
        spans.append((context[start : start + len(text)], start))
    return tuple(spans), tuple(answer["text"] for answer in answers), impossible


def _mrqa_answers(record, context):
    detected, accepted = record.get("detected_answers"), record.get("answers")
    if not isinstance(detected, list) or not detected:
        raise _Unusable("a list under 'detected_answers'", shown(detected))
    if not isinstance(accepted, list) or not accepted:
        raise _Unusable("a list under 'answers'", shown(accepted))
    spans = []
    for answer in detected:
        text = answer.get("text") if isinstance(answer, dict) else None
        places = answer.get("char_spans") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not _is_list_of_spans(places):
            raise _Unusable("detected answers with 'text' and 'char_spans'", shown(answer))
        start, last = places[0]
        found = context[start : last + 1]
        if start < 0 or not _same_text(found, text):
            raise _Unusable(
                f"the answer {shown(text)} at characters {start} to {last} of the context",
                shown(found),
            )
        spans.append((found, start))
    return tuple(spans), tuple(map(str, accepted)), False


def _is_list_of_spans(places):
    return (
        isinstance(places, list)
        and bool(places)
        and isinstance(places[0], list)
        and [type(place) for place in places[0]] == [int, int]
    )


def _same_text(found, text):
    """Whether two strings differ at most in white space and in capital letters."""
    return " ".join(found.split()).lower() == " ".join(text.split()).lower()


def question_of_line(text, place, number):
    """Returns the `QuestionExample` of a JSON object with "question", "context" and maybe "id".

    number: of the line, which is the id where there is none.

    Raises:
        ValueError: the line is no such object, or a text is missing or blank.
    """
    place = f"{place}, line {number}"
    record = json_object(text, place, BadRows())
    texts = [record.get(name) for name in ("question", "context")]
    if not all(is_text(value) and value.strip() for value in texts):
        raise ValueError(
            f'{place}: expected texts under "question" and "context", received {shown(text)}.'
        )
    name = record.get("id")
    return QuestionExample(str(number if name is None else name), *texts, file=place, line=number)
