# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a fine-tuned model serves: one task's predictions for raw text, for ids, and features."""

import math
from collections.abc import Callable, Mapping

import tensorflow as tf

from electra_tf.finetuning.kinds import Kind, kind_of
from electra_tf.finetuning.kinds.heads import TaskHead
from electra_tf.finetuning.kinds.prompted import PromptedClassification, rows_of_texts
from electra_tf.finetuning.kinds.question_answers import best_answers, no_answer_scores
from electra_tf.finetuning.kinds.question_windows import question_batch
from electra_tf.finetuning.kinds.questions import Questions
from electra_tf.finetuning.kinds.tagging import Tagging
from electra_tf.finetuning.kinds.tagging_rows import word_batch
from electra_tf.finetuning.model_folder import FinetunedModel
from electra_tf.serving.served_encoder import ServedEncoder
from electra_tf.serving.signatures import (
    IDS,
    LAYER,
    STRINGS,
    checked_ids,
    chosen_layer,
    plain_variables,
    pooled,
    signature,
)
from electra_tf.serving.tagged_text import entities_of, per_text, words_of
from electra_tf.text.packing import dense, text_batch

ROWS_AT_ONCE = 32
"""Windows of long sentences that are computed together; bounds memory."""
ANSWER_ROWS_AT_ONCE = 8
"""The same for contexts: ends are looked for from each of the likely starts."""


def server_of(
    loaded: FinetunedModel, task_id: int, max_seq_length: int, dtype: tf.DType, branches: int = 1
) -> "TaskServer":
    """The server for one task of a fine-tuned model."""
    kind = kind_of(loaded.tasks[task_id].spec)
    server = next(server for of_kind, server in _SERVERS if isinstance(kind, of_kind))
    return server(loaded, task_id, max_seq_length, dtype, branches)


class TaskServer(tf.Module):
    """Signatures of a fine-tuned model; made by `server_of`.

    max_seq_length: tokens of a row, at most.
    dtype: of weights and matrix products of the encoder.
    branches: of the encoder, see `ServedEncoder`.

    Attributes:
        encoders: the one encoder, in a list.
    """

    def __init__(
        self,
        loaded: FinetunedModel,
        task_id: int,
        max_seq_length: int,
        dtype: tf.DType,
        branches: int = 1,
    ):
        super().__init__()
        self._spec = loaded.tasks[task_id].spec
        self._config = loaded.config
        self._tokenizer = loaded.tokenizer
        self._max_seq_length = max_seq_length
        self._encoder = ServedEncoder(loaded.model.encoder, dtype, branches=branches)
        self.encoders = [self._encoder]
        self._head: TaskHead = loaded.model.task_heads.heads[task_id]
        self._head_weights = plain_variables(self._head)

    @property
    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """Name -> function that can be saved."""
        return {
            "text": signature(self._text, **self._inputs),
            "ids": signature(self._ids, **IDS),
            "features": signature(self._features, **self._inputs, layer=LAYER),
        }

    @property
    def _inputs(self) -> dict[str, tf.TensorSpec]:
        is_pair = kind_of(self._spec).is_pair(self._spec)
        return {"text": STRINGS, "text_pair": STRINGS} if is_pair else {"text": STRINGS}

    def _ids(self, **batch: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = checked_ids(batch, self._encoder.max_length)
        return self._named(self._head_outputs(batch))

    def _features(self, layer: tf.Tensor, **texts: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = self._feature_batch(*texts.values())
        hidden = chosen_layer(self._encoder(batch), layer)
        shown = {name: batch[name] for name in ("input_ids", "input_mask", "segment_ids")}
        if kind_of(self._spec).serves_features:
            shown |= self._named(self._head(tf.cast(hidden, tf.float32), batch))
        return {**pooled(hidden, batch["input_mask"]), **shown}

    def _feature_batch(
        self, first: tf.Tensor, second: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        return text_batch(self._tokenizer, first, second, self._max_seq_length)

    def _head_outputs(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        hidden = tf.cast(self._encoder(batch)[-1], tf.float32)
        return self._head(hidden, batch)

    def _text(self, **texts: tf.Tensor) -> dict[str, tf.Tensor]:
        raise NotImplementedError

    def _named(self, outputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Labels and numbers for each row."""
        return kind_of(self._spec).served(self._spec, outputs, self._config)


class TextServer(TaskServer):
    """One prediction per text or pair; the kind of the task says what it consists of."""

    def _text(self, **texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._named(self._head_outputs(self._feature_batch(*texts.values())))


class PromptServer(TaskServer):
    """A class of each text or pair, by the discriminator's judgement of a prompt's options."""

    def _text(self, **texts: tf.Tensor) -> dict[str, tf.Tensor]:
        given = list(texts.values())
        rows = rows_of_texts(self._spec, given, self._tokenizer, self._max_seq_length)
        count = tf.shape(rows.option_mask)[0]
        numbers = tf.range(count) % len(self._spec.labels)
        own = {"option_mask": rows.option_mask, "option_ids": numbers}
        named = {f"{self._spec.name}_{name}": values for name, values in own.items()}
        outputs = in_chunks(self._head_outputs, {**rows.batch, **named}, ROWS_AT_ONCE)
        return self._named(outputs)

    def _ids(self, **batch: tf.Tensor) -> dict[str, tf.Tensor]:
        """Of rows that a client has made: for each token, whether it was replaced."""
        batch = checked_ids(batch, self._encoder.max_length)
        hidden = tf.cast(self._encoder(batch)[-1], tf.float32)
        return {"replaced_logits": self._head.replaced_logits(hidden)}


class TagServer(TaskServer):
    """`tags` [B, W] of the words, and for tags of spans the entities."""

    def _feature_batch(
        self, first: tf.Tensor, second: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        batch = super()._feature_batch(first, second)
        return {**batch, "segment_ids": batch["input_mask"]}  # as in training

    def _head_outputs(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        hidden = tf.cast(self._encoder(batch)[-1], tf.float32)
        return {"logits": tf.cast(self._head.output_layer(hidden), tf.float32)}

    def _text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words = words_of(text)
        batch, places = word_batch(words.texts, self._tokenizer, self._max_seq_length)
        logits = in_chunks(self._head_outputs, batch, ROWS_AT_ONCE)["logits"]
        logits = tf.gather_nd(logits, tf.stack([places.row, places.position], axis=1))
        probabilities = tf.reduce_max(tf.nn.softmax(logits), axis=-1)
        tags = tf.argmax(logits, axis=-1)
        labels = self._spec.labels
        outputs = {
            "words": per_text(words.texts.flat_values, words.texts, ""),
            "starts": per_text(words.starts.flat_values, words.texts, 0),
            "ends": per_text(words.ends.flat_values, words.texts, 0),
            "tags": per_text(tf.gather(tf.constant(labels), tags), words.texts, ""),
            "probabilities": per_text(probabilities, words.texts, 0),
            "num_words": tf.cast(words.texts.row_lengths(), tf.int32),
        }
        if self._spec.scheme != "spans":
            return outputs
        entities = entities_of(text, words, tags, probabilities, labels, self._spec.span_rule)
        return {**outputs, **entities}


class AnswerServer(TaskServer):
    """`answer` [B] with its bytes in the context, and the n best ones."""

    @property
    def _inputs(self) -> dict[str, tf.TensorSpec]:
        return {"question": STRINGS, "context": STRINGS}

    def _text(self, question: tf.Tensor, context: tf.Tensor) -> dict[str, tf.Tensor]:
        config = self._config
        batch, windows = question_batch(
            self._tokenizer,
            question,
            context,
            self._max_seq_length,
            config.doc_stride,
            config.max_query_length,
        )
        outputs = in_chunks(self._head_outputs, batch, ANSWER_ROWS_AT_ONCE)
        sizes = (config.n_best_size, config.max_answer_length)
        candidates = best_answers(
            context, windows, outputs, *sizes, config.joint_prediction, "BYTE"
        )
        # Sums of float64, of which missing ones get the probability 0.
        scores = tf.cast(candidates.start_logits, tf.float64)
        scores += tf.cast(candidates.end_logits, tf.float64)
        probabilities = tf.nn.softmax(dense(scores, -math.inf))
        found = {
            "answers": dense(candidates.texts, ""),
            "answer_starts": tf.cast(dense(candidates.starts), tf.int32),
            "answer_ends": tf.cast(dense(candidates.ends), tf.int32),
            "answer_probabilities": tf.cast(probabilities, tf.float32),
            "num_answers": tf.cast(candidates.texts.row_lengths(), tf.int32),
        }
        result = {
            "answer": found["answers"][:, 0],
            "start": found["answer_starts"][:, 0],
            "end": found["answer_ends"][:, 0],
            "probability": found["answer_probabilities"][:, 0],
            **found,
        }
        if not self._spec.has_unanswerable:
            return result
        odds = no_answer_scores(windows, outputs, candidates, config.answerable_classifier)
        is_none = odds > config.qa_na_threshold
        for name in ("answer", "start", "end"):
            result[name] = tf.where(is_none, tf.zeros_like(result[name]), result[name])
        return {**result, "no_answer_score": odds, "is_answered": ~is_none}


_SERVERS = (
    (Tagging, TagServer),
    (Questions, AnswerServer),
    (PromptedClassification, PromptServer),
    (Kind, TextServer),
)
"""What serves a kind; the first that fits."""


def in_chunks(
    function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]],
    batch: dict[str, tf.Tensor],
    rows_at_once: int,
) -> dict[str, tf.Tensor]:
    """`function` of a batch, a bounded number of rows at a time, so that memory is bounded too.

    Args:
        function: dict of [rows, ...] -> dict of [rows, ...], row by row.
        batch: its argument.
        rows_at_once: the most rows of a call.
    """
    rows = tf.shape(batch["input_ids"])[0]
    names = sorted(batch)
    first = {name: batch[name][:rows_at_once] for name in names}
    outputs = function(first)
    keys = sorted(outputs)

    def more(start: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return start < rows

    def body(start: tf.Tensor, *parts: tf.Tensor) -> tuple[tf.Tensor, ...]:
        chunk = {name: batch[name][start : start + rows_at_once] for name in names}
        found = function(chunk)
        joined = [tf.concat([part, found[key]], 0) for key, part in zip(keys, parts, strict=True)]
        return start + rows_at_once, *joined

    values = [outputs[key] for key in keys]
    shapes = [tf.TensorShape([None]).concatenate(value.shape[1:]) for value in values]
    _, *values = tf.while_loop(
        more,
        body,
        [tf.constant(rows_at_once), *values],
        shape_invariants=[tf.TensorShape([]), *shapes],
    )
    return dict(zip(keys, values, strict=True))
