# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions on paragraphs: SQuAD 1.1 and 2.0 JSON, and the JSONL of the MRQA shared task."""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from electra_tf.config.fields import is_unicode, is_whole
from electra_tf.finetuning.files.contents import (
    json_object,
    json_value,
    read_lines,
    require_examples,
)
from electra_tf.finetuning.files.data_warnings import BadRows, shown
from electra_tf.finetuning.files.examples import QuestionExample

_INTEGER = re.compile(r"\s*-?\d{1,18}\s*")
_NO_ANSWER = frozenset(
    "noanswer cannotanswer unanswerable impossible na none null unknown notfound".split()
)
"""Letters of what files write at -1, or without a place, for questions without an answer."""


def read_squad(
    path: str, bad_rows: BadRows, has_unanswerable: bool, labelled: bool = True
) -> list[QuestionExample]:
    """Returns the `QuestionExample`s of a SQuAD file; ids are those of the file, texts or integers.

    has_unanswerable: whether questions may have no answer (2.0). They say so in is_impossible;
    where it is left out, by having no answers. "answers" may be a list, or an object of lists as
    Hugging Face's; an answer that stands for none, such as NO_ANSWER at -1, is none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON or not laid out so, a question is bad (see `BadRows`), an id
            occurs twice, or there is no question.
    """
    content = json_value(path)
    answers_of = functools.partial(_squad_answers, has_unanswerable) if labelled else _no_answers
    questions = _Questions(str(path), "paragraph", "id", answers_of, bad_rows)
    number = 0
    for article in _list(content, "data", str(path)):
        for paragraph in _list(article, "paragraphs", f"{path}, article {shown(article, 40)}"):
            number += 1
            questions.add_paragraph(paragraph, number)
    return require_examples(questions.examples, path)


def read_mrqa(path: str, bad_rows: BadRows, labelled: bool = True) -> list[QuestionExample]:
    """Returns the `QuestionExample`s of an MRQA file: one paragraph per line, after a header.

    Raises:
        FileNotFoundError: there is no such file, nor one with .gz added.
        ValueError: as for `read_squad`.
    """
    path = str(path)
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

    def __init__(
        self,
        path: str,
        unit: str,
        id_key: str,
        answers_of: Callable[[Mapping[str, Any], str], tuple],
        bad_rows: BadRows,
    ):
        self.examples = []
        self._path, self._unit, self._id_key = path, unit, id_key
        self._answers_of, self._bad_rows = answers_of, bad_rows
        self._ids = set()

    def add_paragraph(self, paragraph: Any, number: int) -> None:
        """Adds the questions of a paragraph; reports it, or those of them that cannot be used."""
        place = f"{self._path}, {self._unit} {number}"
        fields = paragraph if isinstance(paragraph, dict) else {}
        context, records = fields.get("context"), fields.get("qas")
        if not is_unicode(context) or not context.strip():
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
                where = place if name in (None, "") else f"{place}, question {name!r}"
                self._bad_rows.report(where, *problem.args)
            else:
                self._ids.add(str(name))

    def _example(self, record: Mapping[str, Any], name: Any, context: str, number: int):
        if not (is_unicode(name) and name) and not is_whole(name):
            expected = f"a text under {self._id_key!r} of a question, or an integer"
            raise _Unusable(expected, shown(record))
        if str(name) in self._ids:  # files of predictions have texts for ids
            raise _Unusable("each id once", "it a second time")
        question = record.get("question")
        if not is_unicode(question):
            raise _Unusable("a text under 'question'", shown(question))
        answers, accepted, is_impossible = self._answers_of(record, context)
        return QuestionExample(
            name, question, context, answers, is_impossible, accepted, self._path, number
        )


def _list(container: Any, key: str, place: str):
    value = container.get(key) if isinstance(container, dict) else None
    if not isinstance(value, list):
        raise ValueError(f"{place}: expected a list under {key!r}, received {shown(value)}.")
    return value


def _no_answers(record: Mapping[str, Any], context: str):
    return (), (), None


def _squad_answers(has_unanswerable: bool, record: Mapping[str, Any], context: str):
    impossible = record.get("is_impossible") if has_unanswerable else False
    if not isinstance(impossible, bool | None):
        raise _Unusable("true or false under 'is_impossible'", shown(impossible))
    given = record.get("answers")
    answers = [] if given is None and impossible else _answer_list(given)
    if has_unanswerable:
        answers = [answer for answer in answers if not _stands_for_none(answer, impossible)]
    if impossible is None:
        impossible = not answers
    if impossible and answers:
        raise _Unusable("no answers, since is_impossible is true", shown(answers))
    if not impossible and not answers:
        raise _Unusable("at least one answer", "none")
    spans = tuple(_span(context, answer) for answer in answers)
    return spans, tuple(answer["text"] for answer in answers), impossible


def _answer_list(answers: Any):
    """Returns the answers of a question as a list of objects with numbers for places."""
    if isinstance(answers, dict):
        columns = [answers.get(name) for name in ("text", "answer_start")]
        if all(isinstance(column, list) for column in columns):
            if len(columns[0]) != len(columns[1]):
                raise _Unusable("as many texts of answers as places", shown(answers))
            columns = zip(*columns, strict=True)
            answers = [{"text": text, "answer_start": start} for text, start in columns]
        else:
            answers = [answers]
    if not isinstance(answers, list):
        raise _Unusable("a list under 'answers'", shown(answers))
    if not all(isinstance(answer, dict) for answer in answers):
        raise _Unusable("answers with 'text' and 'answer_start'", shown(answers))
    return [answer | {"answer_start": _integer(answer.get("answer_start"))} for answer in answers]


def _integer(value: Any):
    """Returns an integer that is written as a text or as 1.0; other values as they are."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _stands_for_none(answer: Mapping[str, Any], impossible: bool | None):
    """Whether what is called an answer says that there is none.

    impossible: what the question says of itself; then whatever has no place is no answer.
    """
    text = answer.get("text")
    if not isinstance(text, str):
        return False
    letters = "".join(filter(str.isalpha, text.lower()))
    is_placed = answer["answer_start"] not in (-1, None)
    return not text.strip() or (not is_placed and (impossible is True or letters in _NO_ANSWER))


def _span(context: str, answer: Mapping[str, Any]):
    """Returns (text, first character) of an answer in its context, without space around it."""
    text, start = answer.get("text"), answer["answer_start"]
    if not isinstance(text, str) or not text.strip() or not is_whole(start):
        raise _Unusable("answers with 'text' and 'answer_start'", shown(answer))
    # The place is that of the text as it is written, or else that of its first word.
    for written in (text, text.strip()):
        found = context[start : start + len(written)]
        if start >= 0 and _same_text(found, written):
            return found.strip(), start + len(found) - len(found.lstrip())
    raise _Unusable(
        f"the answer {shown(text)} at character {start} of the context",
        shown(context[max(start, 0) : max(start, 0) + len(text)]),
    )


def _mrqa_answers(record: Mapping[str, Any], context: str):
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


def _is_list_of_spans(places: Any):
    return (
        isinstance(places, list)
        and bool(places)
        and isinstance(places[0], list)
        and [type(place) for place in places[0]] == [int, int]
    )


def _same_text(found: str, text: str):
    """Whether two strings differ at most in white space and in capital letters."""
    return " ".join(found.split()).lower() == " ".join(text.split()).lower()


def question_of_line(text: str, place: str, number: int) -> QuestionExample:
    """Returns the `QuestionExample` of a JSON object with "question", "context" and maybe "id".

    number: of the line, which is the id where there is none.

    Raises:
        ValueError: the line is no such object, or a text is missing or blank.
    """
    place = f"{place}, line {number}"
    record = json_object(text, place, BadRows())
    texts = [record.get(name) for name in ("question", "context")]
    if not all(is_unicode(value) and value.strip() for value in texts):
        raise ValueError(
            f'{place}: expected texts under "question" and "context", received {shown(text)}.'
        )
    name = record.get("id")
    if not is_whole(name):
        name = str(number if name is None else name)
    return QuestionExample(name, *texts, file=place, line=number)


def answered_question(
    number: int,
    texts: tuple[str, str],
    answers: Any,
    has_unanswerable: bool,
    place: str,
) -> QuestionExample:
    """Returns the `QuestionExample` of a question with its answers, as a program holds them.

    number: its id.
    texts: question and context.
    answers: objects with "text" and "answer_start", as in SQuAD files; empty for no answer.

    Raises:
        ValueError: they are not laid out so, or an answer is not in the context; names the place.
    """
    try:
        spans, accepted, is_impossible = _squad_answers(
            has_unanswerable, {"answers": answers}, texts[1]
        )
    except _Unusable as problem:
        expected, received = problem.args
        raise ValueError(f"{place} is expected to be {expected}, but is {received}.") from problem
    return QuestionExample(number, *texts, spans, is_impossible, accepted, place)
