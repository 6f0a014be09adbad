# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the outputs for rows to predictions for examples; windows are joined."""

import dataclasses
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from electra_tf.config import FinetuningConfig
from electra_tf.finetuning.qa_answers import Answers, answer_questions
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.tagging_features import join_windows


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Predictions for the examples of a split, in their order.

    values: classification: label ids [n]; multilabel: 0/1 [n, C]; regression: scores [n] in the
        task's range; tagging: a list of vectors of label ids, one per word; qa: `Answers`.
    probabilities: classification and multilabel: [n, C]; tagging: a list of [words] vectors, of
        the predicted tags; else None.
    logits: what the model gave, [n, C] or [n], where the original stores it; else None.
    loss: mean over rows; None without labels, or for questions, as in the original.
    """

    values: Any
    probabilities: Any = None
    logits: np.ndarray | None = None
    loss: float | None = None


def predictions_of(
    data: SplitData, outputs: dict[str, np.ndarray], config: FinetuningConfig
) -> Predictions:
    """Predictions for the examples of a split.

    Args:
        outputs: name -> array over all rows of the split, in order.
    """
    spec = data.task.spec
    loss = float(np.mean(outputs["loss"])) if data.is_labelled and spec.kind != "qa" else None
    if spec.kind == "qa":
        return Predictions(_answers(data, outputs, config))
    if spec.kind == "tagging":
        return _tags(data, outputs, loss)
    if spec.kind == "regression":
        low, high = spec.value_range
        scaled = outputs["predictions"].astype(np.float64)
        return Predictions(low + (high - low) * scaled, logits=outputs["predictions"], loss=loss)
    logits = outputs["logits"].astype(np.float64)
    is_one = spec.kind == "classification"
    probabilities = softmax(logits, axis=-1) if is_one else expit(logits)
    return Predictions(outputs["predictions"], probabilities, outputs["logits"], loss)


def records_of(data: SplitData, predictions: Predictions, null_threshold=None) -> list[dict]:
    """One JSON-serializable dict per example: id, texts, prediction, probabilities, label."""
    makers = {
        "classification": _class_record,
        "multilabel": _several_record,
        "regression": _score_record,
        "tagging": _tagging_record,
    }
    if data.task.spec.kind == "qa":
        return [_question_record(e, predictions.values, null_threshold) for e in data.examples]
    make = makers[data.task.spec.kind]
    return [make(data.task.spec, e, predictions, row) for row, e in enumerate(data.examples)]


def _answers(data, outputs, config) -> Answers:
    spec = data.task.spec
    return answer_questions(
        data.examples,
        data.windows,
        {**outputs, "eid": data.windows.eids},
        config.n_best_size,
        config.max_answer_length,
        config.joint_prediction,
        spec.has_unanswerable,
        config.answerable_classifier,
    )


def _tags(data, outputs, loss) -> Predictions:
    arrays, name = data.arrays, data.task.name
    rows = (arrays[f"{name}_eid"], arrays[f"{name}_first_word"], arrays[f"{name}_labels_mask"])
    tags = join_windows(*rows, outputs["predictions"])
    probabilities = join_windows(*rows, outputs["probability"])
    ids = [example.id for example in data.examples]
    return Predictions([tags[i] for i in ids], [probabilities[i] for i in ids], loss=loss)


def _texts(example) -> dict:
    pair = {} if example.text_b is None else {"text_b": example.text_b}
    return {"id": example.id, "text_a": example.text_a, **pair}


def _label(value) -> dict:
    return {} if value is None else {"label": value}


def _class_record(spec, example, predictions, row):
    probabilities = predictions.probabilities[row]
    return {
        **_texts(example),
        "prediction": spec.labels[int(predictions.values[row])],
        "probabilities": dict(zip(spec.labels, map(float, probabilities), strict=True)),
        **_label(example.label),
    }


def _several_record(spec, example, predictions, row):
    chosen = [label for label, on in zip(spec.labels, predictions.values[row], strict=True) if on]
    probabilities = map(float, predictions.probabilities[row])
    label = None if example.label is None else list(example.label)
    return {
        **_texts(example),
        "prediction": chosen,
        "probabilities": dict(zip(spec.labels, probabilities, strict=True)),
        **_label(label),
    }


def _score_record(spec, example, predictions, row):
    return {
        **_texts(example),
        "prediction": float(predictions.values[row]),
        **_label(example.label),
    }


def _tagging_record(spec, example, predictions, row):
    return {
        "id": example.id,
        "words": list(example.words),
        "prediction": [spec.labels[int(tag)] for tag in predictions.values[row]],
        "probabilities": [float(p) for p in predictions.probabilities[row]],
        **_label(None if example.tags is None else list(example.tags)),
    }


def _question_record(example, answers: Answers, null_threshold):
    """`prediction` is empty where the evidence for "no answer" is above the threshold."""
    text, best = answers.predictions[example.id], answers.n_best[example.id]
    record = {"id": example.id, "question": example.question, "prediction": text}
    if example.id in answers.null_odds:
        record["null_odds"] = answers.null_odds[example.id]
        if null_threshold is not None and record["null_odds"] > null_threshold:
            record["prediction"] = ""
    record["answers"] = [
        {"text": answer.text, "start": answer.start, "probability": answer.probability}
        for answer in best
    ]
    if example.is_impossible is not None:
        record["label"] = list(example.accepted)
    return record
