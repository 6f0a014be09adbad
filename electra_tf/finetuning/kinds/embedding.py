# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Unit vectors of texts, learned by picking the text of a pair among those of other pairs.

A row of a pair is `[CLS] a [SEP] [CLS] b [SEP]`, of one with a hard negative a third such part:
`position_ids` begin at 0 in each, and `sequence_ids` keep attention inside, so each text is encoded
as it is alone. A single text to train on is packed twice, and dropout makes the two differ (SimCSE,
Gao et al., 2021).
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig, check
from electra_tf.config.fields import is_number
from electra_tf.config.task_kinds import POOLINGS, RECALLS, TEMPERATURE, DescribedEmbedding
from electra_tf.config.task_table import Split, TaskSpec
from electra_tf.finetuning.files.contents import require_examples
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.examples import TextExample, TextExamples, arrays_of_parts
from electra_tf.finetuning.files.labels import LabelRule
from electra_tf.finetuning.files.tables import read_texts
from electra_tf.finetuning.kinds.heads import TaskHead, Tensors
from electra_tf.finetuning.kinds.kind import Predictions
from electra_tf.finetuning.kinds.scorers import ranking_scores, regression_scores
from electra_tf.finetuning.kinds.sequence import TextKind
from electra_tf.model import Initializers
from electra_tf.model.part import serializable
from electra_tf.text import Tokenizer
from electra_tf.text.packing import dense, heads, pack_segments
from electra_tf.training.distribution.replicas import is_spread, rows_of_all_replicas

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData

VECTOR = "embedding"
"""The name under which exported and loaded models give the unit vector of a text."""
_QUERIES_AT_ONCE = 256
_EXCLUDED = -1e9
"""In place of the logit of a candidate that is not one."""


class NumberRule(LabelRule):
    """Any finite number, a float."""

    def _checked(self, cell: Any, place: str, bad_rows: BadRows) -> float | None:
        try:
            score = math.nan if isinstance(cell, bool) else float(cell)
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if not math.isfinite(score):
            bad_rows.report(place, "a score, a number", repr(cell))
            return None
        return score


@serializable
class EmbeddingHead(TaskHead):
    """The unit vectors of the texts of a row; it has no weights of its own.

    Args:
        *common: name, initializers and hidden_size, see `TaskHead`.
        pooling: "mean", over all tokens with `[CLS]` and `[SEP]`, or "first_token", `[CLS]`.
        temperature: cosines are divided by it before the softmax of the loss.
        **options: others of `TaskHead`.

    Outputs: `embeddings` float32 [B, S, H] of the S texts of a row, 0 for those that it lacks. S is
    the width of the feature `<task>_text_ids`, or 1 without it. In training on several replicas
    also those of the G rows of all replicas, `candidates` float32 [G, S, H] with `candidate_ids`
    [G, S], and `first_row`, the number among them of the first row of this replica.
    """

    label_names = ("text_ids",)
    exchanges_rows = True
    own_arguments = ("pooling", "temperature")

    def __init__(
        self,
        *common: Any,
        pooling: str = POOLINGS[0],
        temperature: float = TEMPERATURE,
        **options: Any,
    ):
        super().__init__(*common, **options)
        self.pooling = pooling
        self.temperature = temperature

    def input_widths(self) -> list:
        return []

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        ids = features.get(f"{self.name}_text_ids")
        count = 1 if ids is None else ids.shape[1]
        # Padding has the number 0; a row of one text needs no numbers.
        numbers = features.get("sequence_ids", features["input_mask"])
        weights = tf.one_hot(numbers - 1, count, axis=1)  # [B, S, L]
        if self.pooling == "first_token":
            # The first of the tokens so far is where their number is 1.
            weights *= tf.cast(tf.cumsum(weights, axis=2) < 1.5, tf.float32)
        sums = tf.matmul(weights, tf.cast(hidden, tf.float32))  # in the direction of the means
        vectors = tf.math.l2_normalize(sums, axis=-1)
        if ids is None or not training or not is_spread():
            return {"embeddings": vectors}
        # As float64, since devices do not exchange int32; it is exact.
        rows, first = rows_of_all_replicas([vectors, tf.cast(ids, tf.float64)])
        return {
            "embeddings": vectors,
            "candidates": rows[0],
            "candidate_ids": tf.cast(rows[1], ids.dtype),
            "first_row": first,
        }

    def loss(self, outputs: Tensors) -> tf.Tensor:
        """Cross-entropy of the own second text among the candidates of the batch, [B].

        Candidates are the second texts and hard negatives of all rows (InfoNCE), in training those
        of all replicas. Left out are those that belong to the row as well: copies of its texts, and
        what stands beside the same first text in another row. Rows without a second text have the
        loss 0.
        """
        vectors, ids = outputs["embeddings"], outputs["text_ids"]
        if ids.shape[1] == 1:
            return tf.zeros_like(ids[:, 0], tf.float32)
        candidates = outputs.get("candidates", vectors)
        candidate_ids = outputs.get("candidate_ids", ids)
        rows = outputs.get("first_row", 0) + tf.range(tf.shape(ids)[0])
        own = rows[:, None] == tf.range(tf.shape(candidate_ids)[0])  # [row, candidate]
        logits, allowed = [], []
        for number in range(1, ids.shape[1]):
            cosines = tf.matmul(vectors[:, 0], candidates[:, number], transpose_b=True)
            logits.append(cosines / self.temperature)  # [row, candidate]
            are_negative = self._are_negative(ids, candidate_ids, number)
            allowed.append(are_negative | (own & (number == 1)))
        # A mask, since XLA compiles no slice that begins where the number of a replica says.
        positive = tf.reduce_sum(tf.where(own, logits[0], 0.0), axis=1)
        masked = tf.where(tf.concat(allowed, 1), tf.concat(logits, 1), _EXCLUDED)
        losses = tf.reduce_logsumexp(masked, axis=1) - positive
        return tf.where(ids[:, 1] > 0, losses, 0.0)

    def _are_negative(self, ids: tf.Tensor, candidate_ids: tf.Tensor, number: int) -> tf.Tensor:
        """Whether the texts of a number are none of the rows' own, bool [row, candidate]."""
        candidates = candidate_ids[None, :, number]
        same_query = ids[:, :1] == candidate_ids[None, :, 0]
        return (
            (candidates > 0)
            & (candidates != ids[:, :1])
            & (candidates != ids[:, 1:2])
            & ~(same_query if number == 1 else tf.zeros_like(same_query))
        )


class Embedding(DescribedEmbedding, TextKind):
    """Vectors of texts; values are those of an example's texts, float32 [n, S, H]."""

    has_labels = False
    serves_features = True

    # ---- Data

    def problem(self, spec: TaskSpec) -> tuple[str, str, Any] | None:
        options = {"pooling": POOLINGS[0], "temperature": TEMPERATURE, **spec.options}
        if set(options) != {"pooling", "temperature"} or options["pooling"] not in POOLINGS:
            return "options", f"pooling, one of {', '.join(POOLINGS)}, and temperature", options
        temperature = options["temperature"]
        if is_number(temperature) and temperature > 0:
            return None
        return "temperature", "a number above 0", temperature

    def read(
        self, path: str, file: Split, spec: TaskSpec, bad_rows: BadRows, labelled: bool
    ) -> list[TextExample]:
        columns = file.columns
        scored = labelled and columns.label is not None
        examples = []
        for example in read_texts(path, file.format, columns, NumberRule(), bad_rows, scored):
            if example.text_a.strip() and (example.text_b is None or example.text_b.strip()):
                examples.append(example)
            else:
                bad_rows.report(f"{path}, line {example.line}", "two texts", "an empty cell")
        require_examples(examples, path)
        if labelled and file.name == "train" and columns.text_b is None:
            return [dataclasses.replace(e, text_b=e.text_a) for e in examples]
        return examples

    def is_pair(self, spec: TaskSpec) -> bool:
        return False

    # ---- Rows and model

    def rows(
        self, spec: TaskSpec, examples: TextExamples, tokenizer: Tokenizer, max_seq_length: int
    ) -> tuple[dict[str, np.ndarray], None]:
        """One row for each example, as wide as its texts of `max_seq_length` tokens.

        `<task>_text_ids` int32 [n, S] are equal for equal texts, and 0 where there is none.
        """
        check(max_seq_length >= 5, "max_seq_length", "5 or more for texts", max_seq_length)
        texts = [_texts_of(example) for example in examples]
        count = max(map(len, texts), default=1)

        def make(part: slice) -> dict[str, tf.Tensor]:
            return _packed(texts[part], tokenizer, max_seq_length, count)

        arrays = arrays_of_parts(make, [sum(map(len, row)) for row in texts])
        numbers: dict[str, int] = {}
        ids = np.zeros((len(examples), count), np.int32)
        for row, own in enumerate(texts):
            ids[row, : len(own)] = [numbers.setdefault(text, 1 + len(numbers)) for text in own]
        arrays[f"{spec.name}_text_ids"] = ids
        arrays[f"{spec.name}_eid"] = np.array([example.id for example in examples], np.int32)
        return arrays, None

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> EmbeddingHead:
        shape = config.encoder
        drops = shape.hidden_dropout_prob > 0 or shape.attention_probs_dropout_prob > 0
        is_single = any(s.name == "train" and s.columns.text_b is None for s in spec.splits)
        if config.do_train and is_single and not drops:
            raise ValueError(
                "hidden_dropout_prob of model_hparam_overrides is expected to be above 0 for the "
                f"task {spec.name}, whose training texts are single ones, which only dropout makes "
                "into pairs, but the encoder has no dropout."
            )
        return EmbeddingHead(spec.name, initializers, hidden_size, **spec.options)

    # ---- From outputs to results

    def outputs_needed(self, head: TaskHead) -> tuple[str, ...]:
        return ("embeddings",)

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        return Predictions(outputs["embeddings"], logits=outputs["embeddings"])

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict[str, Any]:
        """The `similarity` of a pair, or the `embedding` of a single text."""
        vectors = predictions.values[row]
        if len(vectors) > 1 and np.any(vectors[1]):
            return {"similarity": float(vectors[0] @ vectors[1])}
        return {VECTOR: [float(value) for value in vectors[0]]}

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        """Rank correlation with the scores of pairs; or how well second texts are found again.

        A query is a first text; candidates are the different second texts and hard negatives of the
        split, without those that `EmbeddingHead.loss` leaves out.
        """
        vectors = np.asarray(predictions.values, np.float32)
        labels = [example.label for example in data.examples]
        if labels[0] is not None:
            cosines = np.sum(vectors[:, 0] * vectors[:, 1], axis=-1)
            return {"spearman": regression_scores(cosines, labels)["spearman"]}
        ids = data.arrays[f"{data.task.name}_text_ids"]
        return ranking_scores(*_places(vectors, ids), RECALLS)

    def trivial(self, train: "SplitData", data: "SplitData") -> np.ndarray:
        """The same vector for every text, which is any order."""
        return np.ones((*data.arrays[f"{data.task.name}_text_ids"].shape, 1), np.float32)

    def collapse(self, spec: TaskSpec, values: np.ndarray) -> str | None:
        is_constant = np.ptp(values[:, :2].reshape(-1, values.shape[-1]), axis=0).max() < 1e-6
        return "every text has the same vector" if is_constant else None

    # ---- In exports

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """`embedding` float32 [B, H], unit vectors."""
        return {VECTOR: outputs["embeddings"][:, 0]}


def _texts_of(example: TextExample) -> list[str]:
    """The one to three texts of an example; an empty cell is no hard negative."""
    texts = [text for text in (example.text_a, example.text_b) if text is not None]
    return texts + ([example.negative] if (example.negative or "").strip() else [])


def _packed(
    texts: Sequence[Sequence[str]], tokenizer: Tokenizer, max_seq_length: int, count: int
) -> dict[str, tf.Tensor]:
    """Rows of several texts each, int32 [n, count * max_seq_length].

    For [["w1", "w2 w3"]], with [CLS] = 2 and [SEP] = 3, `input_ids` are 2 7 3 2 8 9 3, then
    padding; `position_ids` 0 1 2 0 1 2 3, and `sequence_ids` 1 1 1 2 2 2 2.
    """
    counts = [len(row) for row in texts]
    ids = tokenizer(tf.constant([text for row in texts for text in row], tf.string))
    ids = heads(ids, tf.minimum(ids.row_lengths(), max_seq_length - 2))
    vocabulary = tokenizer.vocabulary
    packed = pack_segments(ids, None, vocabulary.cls_id, vocabulary.sep_id).input_ids
    numbers = tf.constant([n for size in counts for n in range(1, 1 + size)], tf.int32)

    def row(ragged: tf.RaggedTensor, default: int = 0) -> tf.Tensor:
        joined = tf.RaggedTensor.from_row_lengths(ragged, counts).merge_dims(1, 2)
        return dense(joined, default, count * max_seq_length)

    numbers = tf.repeat(numbers, packed.row_lengths())
    return {
        "input_ids": row(packed, vocabulary.pad_id),
        "input_mask": row(tf.ones_like(packed)),
        "segment_ids": row(tf.zeros_like(packed)),
        "position_ids": row(tf.cast(tf.ragged.range(packed.row_lengths()), tf.int32)),
        "sequence_ids": row(packed.with_flat_values(numbers)),
    }


def _places(vectors: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many candidates are nearer to each query than its own second text, and as near.

    Args:
        vectors: unit vectors of the texts, float32 [n, S, H].
        ids: of the texts, int32 [n, S], see `Embedding.rows`.

    Returns:
        Numbers of the nearer ones, and of those as near, the own one included, int [n].
    """
    others, others_ids = vectors[:, 1:].reshape(-1, vectors.shape[-1]), ids[:, 1:].ravel()
    candidates, first = np.unique(others_ids, return_index=True)
    candidates, first = candidates[candidates > 0], first[candidates > 0]
    column = {text: number for number, text in enumerate(candidates)}
    belonging: dict[int, set[int]] = {}
    for query, own in ids[:, :2]:
        belonging.setdefault(query, {column.get(query)}).add(column[own])
    nearer, as_near = [], []
    for start in range(0, len(ids), _QUERIES_AT_ONCE):
        queries = ids[start : start + _QUERIES_AT_ONCE]
        cosines = vectors[start : start + _QUERIES_AT_ONCE, 0] @ others[first].T
        for (query, own, *_), row in zip(queries, cosines, strict=True):
            mine = row[column[own]]
            row[[n for n in belonging[query] if n is not None]] = -np.inf
            nearer.append(np.count_nonzero(~(row <= mine)))  # NaN is not near
            as_near.append(1 + np.count_nonzero(row == mine))
    return np.array(nearer), np.array(as_near)
