# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Classes of texts by a prompt: the discriminator decides which class's word is original in it.

Each text is read once for each class, with the word of the class in the gap of the prompt. The head
is that of replaced token detection, which a pre-trained model brings, so that a task is answered
without training, and learned from few examples (Xia et al. 2022, https://arxiv.org/abs/2205.15223;
Li et al. 2022, https://arxiv.org/abs/2203.03235).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig, check
from electra_tf.config.prompts import GAP, TEXTS, parts_of_template, problem_of_template
from electra_tf.config.task_kinds import DescribedPrompt
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TextExamples, arrays_of_parts
from electra_tf.finetuning.kinds.heads import TaskHead, Tensors
from electra_tf.finetuning.kinds.kind import Kind, Predictions, mean_loss
from electra_tf.finetuning.kinds.sequence import Classification
from electra_tf.model import Initializers
from electra_tf.model.layers import ACTIVATIONS
from electra_tf.model.part import serializable
from electra_tf.text import Tokenizer
from electra_tf.text.prompts import Cut, PromptRows, check_different, prompt_rows, row_ids

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData


@serializable
class PromptHead(TaskHead):
    """The discriminator's head, on the tokens of the option that a row has in its prompt.

    Outputs: `original` [B], the mean log-probability that these tokens are original; `replaced`
    [B], that they are not. The loss is the cross-entropy of the two: the option of the right class
    is original, every other one is replaced.

    Args:
        *common: name, initializers and hidden_size, see `TaskHead`.
        hidden_act: activation of the hidden layer.
        **options: others of `TaskHead`.
    """

    label_names = ("label_ids",)
    own_arguments = ("hidden_act",)
    pretrained_part = "discriminator_predictions"

    def __init__(self, *common: Any, hidden_act: str, **options: Any):
        super().__init__(*common, **options)
        self.hidden_act = hidden_act
        self.hidden_layer = self.dense(self.hidden_size, "dense", ACTIVATIONS[hidden_act])
        self.output_layer = self.dense(1, "dense_1")

    def input_widths(self) -> list[tuple[keras.layers.Dense | None, int]]:
        return [(self.hidden_layer, self.hidden_size), (self.output_layer, self.hidden_size)]

    def replaced_logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """For each token, whether it was replaced; hidden [B, L, H] -> float32 [B, L]."""
        return tf.cast(tf.squeeze(self.output_layer(self.hidden_layer(hidden)), -1), tf.float32)

    def outputs(
        self, hidden: tf.Tensor, features: Tensors, seed: tf.Tensor | None, training: bool
    ) -> Tensors:
        logits = self.replaced_logits(hidden)
        mask = tf.cast(self.feature(features, "option_mask"), tf.float32)
        count = tf.reduce_sum(mask, axis=1)

        def mean(log_probs: tf.Tensor) -> tf.Tensor:
            # Rows of other tasks have no option.
            return tf.math.divide_no_nan(tf.reduce_sum(log_probs * mask, axis=1), count)

        return {
            "original": mean(tf.math.log_sigmoid(-logits)),
            "replaced": mean(tf.math.log_sigmoid(logits)),
            "option_ids": self.feature(features, "option_ids"),
        }

    def loss(self, outputs: Tensors) -> tf.Tensor:
        is_right = outputs["option_ids"] == outputs["label_ids"]
        return -tf.where(is_right, outputs["original"], outputs["replaced"])


class PromptedClassification(DescribedPrompt, Classification):
    """One class, by the options of a prompt; values are label ids [n].

    An example has a row for each class, in the order of the ids. What the model gives for it, its
    `logits`, are the mean log-probabilities that the tokens of each class's option are original.
    """

    weighs_labels = False
    has_zero_shot = True

    compared = Kind.compared  # rows are of single classes

    def problem(self, spec: TaskSpec) -> tuple[str, str, Any] | None:
        if spec.prompt is None or len(spec.prompt.options) != len(spec.labels or ()):
            return "prompt", "a template and an option for each label", spec.prompt
        places = (TEXTS, TEXTS[:1])
        if all(problem_of_template(spec.prompt.template, texts) for texts in places):
            return "prompt", "a template with {text_a} and {} once", spec.prompt.template
        return super().problem(spec)

    # ---- Rows and model

    def rows(
        self, spec: TaskSpec, examples: TextExamples, tokenizer: Tokenizer, max_seq_length: int
    ) -> tuple[dict[str, np.ndarray], None]:
        """A row for each class of each example; texts lose their ends, prompts never do.

        Raises:
            ValueError: an option has unknown tokens or none, or the prompt alone is too long.
        """
        _check_options(spec, tokenizer, max_seq_length)

        def make(part: slice) -> dict[str, tf.Tensor]:
            first = tf.constant([example.text_a for example in examples[part]], tf.string)
            second = tf.constant([example.text_b or "" for example in examples[part]], tf.string)
            texts = (first, second)
            found = rows_of_texts(spec, texts, tokenizer, max_seq_length, max_seq_length)
            return {**found.batch, f"{spec.name}_option_mask": found.option_mask}

        classes = len(spec.labels)
        sizes = [classes * (len(e.text_a) + len(e.text_b or "")) for e in examples]
        arrays = arrays_of_parts(make, sizes)
        ids = np.array([example.id for example in examples], np.int32)
        arrays[f"{spec.name}_eid"] = np.repeat(ids, classes)
        numbers = np.arange(classes, dtype=np.int32)
        arrays[f"{spec.name}_option_ids"] = np.tile(numbers, len(examples))
        targets = self.targets(spec, examples)
        return arrays | {name: np.repeat(ids, classes) for name, ids in targets.items()}, None

    def head(
        self, spec: TaskSpec, config: FinetuningConfig, initializers: Initializers, hidden_size: int
    ) -> PromptHead:
        hidden_act = config.encoder.hidden_act
        return PromptHead(spec.name, initializers, hidden_size, hidden_act=hidden_act)

    # ---- From outputs to results

    def outputs_needed(self, head: PromptHead) -> tuple[str, ...]:
        return ("original", "loss")

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        logits = outputs["original"].reshape(-1, len(data.task.spec.labels))
        probabilities = self.probabilities(logits.astype(np.float64))
        loss = mean_loss(data, outputs)
        return Predictions(np.argmax(logits, axis=-1), probabilities, logits, loss)

    def gold(self, data: "SplitData") -> np.ndarray:
        return super().gold(data)[:: len(data.task.spec.labels)]

    # ---- In exports

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """As of any classification; outputs are those of all rows of the texts."""
        logits = tf.reshape(outputs["original"], [-1, len(spec.labels)])
        of_texts = {"logits": logits, "predictions": tf.argmax(logits, axis=-1)}
        return super().served(spec, of_texts, config)


def rows_of_texts(
    spec: TaskSpec,
    texts: Sequence[tf.Tensor],
    tokenizer: Tokenizer,
    max_seq_length: int,
    length: int | None = None,
) -> PromptRows:
    """The rows of texts, one for each class, those of a text behind each other.

    Args:
        spec: a task with a prompt.
        texts: strings [B] of the first texts and, where the template has them, of the second.
        tokenizer: of the model.
        max_seq_length: tokens of a row, at most.
        length: as of `prompt_rows`.
    """
    options = tf.constant(spec.prompt.options)
    count = tf.shape(texts[0])[0]
    pieces, cuts, place = [], [], 0
    for part in parts_of_template(spec.prompt.template):
        if part == GAP:
            place = len(pieces)
            pieces.append(tf.tile(options, [count]))
        elif part in TEXTS:
            cuts.append(Cut(len(pieces)))
            text = texts[TEXTS.index(part)]
            pieces.append(tf.repeat(text, len(spec.labels)))
        else:
            pieces.append(tf.fill([count * len(spec.labels)], part))
    if spec.prompt.template.find(TEXTS[1]) in range(spec.prompt.template.find(TEXTS[0])):
        cuts.reverse()  # as in other pairs, the second text is the one that loses one more
    return prompt_rows(tokenizer, pieces, place, cuts, max_seq_length, length)


def _check_options(spec: TaskSpec, tokenizer: Tokenizer, max_seq_length: int):
    """Raise a ValueError unless options have known tokens, differ, and the prompt leaves room."""
    empty = tf.constant([""])
    rows = rows_of_texts(spec, (empty, empty), tokenizer, max_seq_length)
    known = rows.num_tokens - rows.num_unknown
    for option, count, total in zip(spec.prompt.options, known, rows.num_tokens, strict=True):
        is_known = count == total and total > 0
        expected = "a text whose tokens the vocabulary knows"
        check(is_known, f"the option of the prompt of {spec.name}", expected, option)
    options = spec.prompt.options
    check_different([spec.prompt.template] * len(options), options, row_ids(rows).numpy().tolist())
    prompt = tf.math.reduce_max(tf.reduce_sum(rows.batch["input_mask"], axis=1))
    is_short = bool(tf.reduce_all(rows.fits)) and int(prompt) < max_seq_length
    expected = f"more than the {int(prompt)} tokens of the prompt of {spec.name}"
    check(is_short, "max_seq_length", expected, max_seq_length)
