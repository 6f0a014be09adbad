# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A Keras model that answers questions with pieces of their contexts."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.files.squad import answered_question
from electra_tf.finetuning.kinds.questions import Questions
from electra_tf.model.part import serializable
from electra_tf.task_models.inputs import Given
from electra_tf.task_models.task_model import TaskModel


@serializable
class QuestionAnswerer(TaskModel):
    """An answer to each question, which is a piece of its context; texts are pairs of the two.

    Labels are answers: (text, first character in the context), or dicts of `text` and `start`, or
    several of them in a list, of which the first is learned and all count as right. None, "" or an
    empty list say that there is no answer; if some of the first labels do, the model learns that
    there may be none (SQuAD 2.0), else that there is always one.

    `predict` gives a dict for each question: the `answer` with its `probability`, `start` and
    `end`, characters of the context; `answers`, the best ones, of the same keys; and where there
    may be no answer `no_answer_score` and `is_answered`: `answer` is "" then, at None.
    """

    kind = Questions()
    column_names = ("question", "context")
    needs_all_columns = True
    is_open = True

    def settled(self, given: Given) -> TaskSpec:
        spec = self.tasks[0]
        if any(not _answers(label) for label in given.labels or ()):
            return dataclasses.replace(spec, official="squad_v2")
        return spec

    def examples(self, given: Given) -> list[QuestionExample]:
        pairs = enumerate(zip(*given.columns, strict=True))
        if given.labels is None:
            return [QuestionExample(number, *texts, file="x") for number, texts in pairs]
        may_be_none = self.tasks[0].has_unanswerable
        labels = given.labels
        return [
            answered_question(number, texts, _answers(labels[number]), may_be_none, f"y[{number}]")
            for number, texts in pairs
        ]

    def predicted(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [_prediction(record) for record in records]


def _answers(label: Any) -> Any:
    """Answers as SQuAD files have them; what is none of the forms is left for the reader of those.

    ("w1", 3) becomes [{"text": "w1", "answer_start": 3}].
    """
    if label is None or (isinstance(label, str) and not label):
        return []
    if isinstance(label, Mapping):
        if not label:
            return []
        start = label.get("answer_start", label.get("start"))
        if isinstance(label.get("text"), list | tuple):
            return {"text": list(label["text"]), "answer_start": list(start or ())}
        return [{"text": label.get("text"), "answer_start": start}] if label.get("text") else []
    is_list = isinstance(label, list | tuple)
    if is_list and len(label) == 2 and isinstance(label[0], str):
        return [{"text": label[0], "answer_start": label[1]}] if label[0] else []
    return [answer for part in label for answer in _answers(part)] if is_list else label


def _prediction(record: Mapping[str, Any]) -> dict[str, Any]:
    answers = [
        {
            "answer": found["text"],
            "start": found["start"],
            "end": found["start"] + len(found["text"]),
            "probability": found["probability"],
        }
        for found in record["answers"]
    ]
    answer = record["prediction"]
    nowhere = {
        "answer": answer,
        "start": None,
        "end": None,
        "probability": answers[0]["probability"],
    }
    best = next((found for found in answers if found["answer"] == answer), nowhere)
    prediction = {**best, "answers": answers}
    if "null_odds" in record:
        prediction["no_answer_score"] = record["null_odds"]
        prediction["is_answered"] = bool(answer)
    return prediction
