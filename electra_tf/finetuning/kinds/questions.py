# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Questions whose answers are pieces of a context."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from electra_tf.config import FinetuningConfig
from electra_tf.config.finetuning import filled
from electra_tf.config.task_kinds import DescribedQuestions
from electra_tf.config.task_table import Split, TaskSpec
from electra_tf.files import write_json
from electra_tf.finetuning.files.data_warnings import BadRows, warn_of_unseparated_words
from electra_tf.finetuning.files.examples import QuestionExample
from electra_tf.finetuning.files.squad import question_of_line, read_mrqa, read_squad
from electra_tf.finetuning.kinds.heads import Tensors
from electra_tf.finetuning.kinds.kind import Kind, Predictions
from electra_tf.finetuning.kinds.question_answers import Answers, answer_questions
from electra_tf.finetuning.kinds.question_head import QuestionAnsweringHead
from electra_tf.finetuning.kinds.question_metrics import (
    mrqa_scores,
    squad_v1_scores,
    squad_v2_scores,
)
from electra_tf.finetuning.kinds.question_rows import QuestionFeatures, question_features
from electra_tf.model import Initializers
from electra_tf.text import Tokenizer

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.evaluation import Evaluation
    from electra_tf.finetuning.split_data import SplitData

_BEAMS = ("start_top_log_probs", "start_top_index", "end_top_log_probs", "end_top_index")
_POSITIONS = ("start_logits", "end_logits")


class Questions(DescribedQuestions, Kind):
    """Questions on contexts; values are the `Answers`."""

    has_labels = False
    row_settings = ("doc_stride", "max_query_length")
    label_arrays = ("start_positions", "end_positions", "is_impossible")

    def spec_of_head(self, name: str, labels: tuple[str, ...] | None) -> TaskSpec:
        split = Split("test", "test.squad", "squad", labelled=False)
        return TaskSpec(name, self.name, (split,), self.metrics[0], official="squad_v1")

    def read(
        self, path: str, file: Split, spec: TaskSpec, bad_rows: BadRows, labelled: bool
    ) -> list[QuestionExample]:
        if file.format == "mrqa":
            return read_mrqa(path, bad_rows, labelled)
        return read_squad(path, bad_rows, spec.has_unanswerable, labelled)

    def warn(
        self, examples: Sequence[QuestionExample], spec: TaskSpec, path: str, split: str
    ) -> None:
        if spec.answer_units == "words" and split != "train":
            warn_of_unseparated_words(examples, path)

    def example_of_line(
        self, spec: TaskSpec, line: str, number: int, place: str
    ) -> QuestionExample:
        return question_of_line(line, place, number)

    def rows(
        self,
        spec: TaskSpec,
        examples: Sequence[QuestionExample],
        tokenizer: Tokenizer,
        max_seq_length: int,
        **settings: int,
    ) -> QuestionFeatures:
        return question_features(examples, tokenizer, max_seq_length, spec.name, **settings)

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> QuestionAnsweringHead:
        # Hyperparameters have the names of its arguments.
        options = {name: getattr(config, name) for name in QuestionAnsweringHead.own_arguments}
        return QuestionAnsweringHead(spec.name, initializers, hidden_size, **options)

    def settings_of_layers(self, layers: set[str]) -> dict[str, bool]:
        return {
            "joint_prediction": "qa_hidden" in layers,
            "answerable_classifier": "dense_2" in layers,
            "answerable_uses_start_logits": "dense_3" in layers,
        }

    def outputs_needed(self, head: QuestionAnsweringHead) -> tuple[str, ...]:
        spans = _BEAMS if head.end_hidden is not None else ()
        # Without a classifier the logits of position 0 are the evidence for "no answer".
        logits = () if spans and head.answerable_layer is not None else _POSITIONS
        return (*spans, *logits, "answerable_logit")

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        config = data.config
        answers = answer_questions(
            data.examples,
            data.windows,
            {**outputs, "eid": data.windows.eids},
            config.n_best_size,
            config.max_answer_length,
            config.joint_prediction,
            data.task.spec.has_unanswerable,
            config.answerable_classifier,
        )
        return Predictions(answers)

    def record(self, data: "SplitData", predictions: Predictions, row: int) -> dict[str, Any]:
        """`prediction` is empty where the evidence for "no answer" is above the threshold."""
        answers, example = predictions.values, data.examples[row]
        record = {
            "id": example.id,
            "question": example.question,
            "prediction": answers.predictions[example.id],
        }
        if example.id in answers.null_odds:
            record["null_odds"] = answers.null_odds[example.id]
            if record["null_odds"] > data.config.qa_na_threshold:
                record["prediction"] = ""
        record["answers"] = [
            {"text": answer.text, "start": answer.start, "probability": answer.probability}
            for answer in answers.n_best[example.id]
        ]
        if example.is_impossible is not None:
            record["label"] = list(example.accepted)
        return record

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        examples, spec, answers = data.examples, data.task.spec, predictions.values
        if spec.official == "squad_v2":
            given = answers.predictions, answers.null_odds, data.config.qa_na_threshold
            return squad_v2_scores(examples, *given, spec.answer_units)
        scores = squad_v1_scores if spec.official == "squad_v1" else mrqa_scores
        return scores(examples, answers.predictions, spec.answer_units)

    def trivial(self, train: "SplitData", data: "SplitData") -> Answers:
        """The first word of each context, the cheapest guess of a span.

        Where questions may have no answer, `squad_v2_scores` adds the other one: best_exact and
        best_f1 are never below the share of questions without an answer.
        """
        examples = data.examples
        null_odds = {e.id: 0.0 for e in examples} if data.task.spec.has_unanswerable else {}
        first_words = {example.id: example.context.split()[0] for example in examples}
        return Answers(first_words, {}, null_odds)

    def write_answers(self, evaluation: "Evaluation") -> None:
        """Answers, n best answers, null odds and scores, as JSON files."""
        config = evaluation.data.config
        name, answers = evaluation.name, evaluation.predictions.values  # of dev, that of the task
        path = filled(config.qa_preds_file, config.data_dir, name)
        write_json(path, answers.predictions)
        n_best = {key: [a._asdict() for a in best] for key, best in answers.n_best.items()}
        write_json(os.path.join(os.path.dirname(path), f"{name}_nbest.json"), n_best)
        write_json(filled(config.qa_eval_file, config.data_dir, name), evaluation.scores)
        if answers.null_odds:
            write_json(filled(config.qa_na_file, config.data_dir, name), answers.null_odds)

    def write_predictions(self, path: str, evaluation: "Evaluation") -> None:
        """Answers by question as JSON, empty where there is none by the threshold."""
        answers, threshold = evaluation.predictions.values, evaluation.data.config.qa_na_threshold
        final = {
            name: "" if answers.null_odds.get(name, -np.inf) > threshold else text
            for name, text in answers.predictions.items()
        }
        write_json(os.path.splitext(path)[0] + ".json", final)

    def least_length(self, config: FinetuningConfig) -> int:
        return config.max_query_length + 4

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """What the head predicts answers from; not what an option leaves undefined."""
        kept = [name for name in outputs if not name.endswith("_eid")]
        if config.joint_prediction:
            # The end depends on the start: there are no logits of ends alone.
            kept = [name for name in kept if name != "end_logits"]
        else:
            kept = [name for name in kept if "_top_" not in name]
        if not config.answerable_classifier:
            kept = [name for name in kept if name != "answerable_logit"]
        return {name: outputs[name] for name in kept}
