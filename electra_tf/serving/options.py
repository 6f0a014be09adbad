# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which filling of a gap a discriminator finds most original, without training.

A discriminator computes for each token the probability that it was replaced. An option is scored by
the log-probabilities that its own tokens are original, in the filled text: their mean (Xia et al.
2022, https://arxiv.org/abs/2205.15223; the most original word is the prediction in Li et al. 2022,
https://arxiv.org/abs/2203.03235, too) or their sum. Some words look original everywhere. The
corrected scores subtract what the option has alone, as a text without context.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.config.prompts import GAP, RULES
from electra_tf.files import shortened
from electra_tf.finetuning.few_shot import Shots, tuned_logits
from electra_tf.interop.stored_model import StoredModel
from electra_tf.serving.signatures import STRINGS, signature
from electra_tf.text import Tokenizer
from electra_tf.text.prompts import (
    OUTER_ENDS,
    PromptRows,
    check_different,
    prompt_rows,
    row_ids,
    split_at_gap,
)

ReplacedLogits = Callable[[Mapping[str, tf.Tensor]], tf.Tensor]
"""`input_ids, input_mask, segment_ids` [R, L] -> logits that a token was replaced [R, L]."""


def option_scores(
    tokenizer: Tokenizer,
    replaced_logits: ReplacedLogits,
    text: tf.Tensor,
    option: tf.Tensor,
    max_seq_length: int,
) -> dict[str, tf.Tensor]:
    """Scores of options in the gaps of texts; runs in a graph.

    Where the filled text is too long, its ends that are farthest from the option are cut.

    Args:
        tokenizer: of the model.
        replaced_logits: what the discriminator computes.
        text: strings [R], with one `{}` each.
        option: strings [R].
        max_seq_length: tokens of a row, at most.

    Returns:
        float32 [R]: `mean` and `sum` of the log-probabilities that the option's tokens are
        original; `mean_alone` and `sum_alone`, the same of the option as a text of its own;
        `mean_corrected` and `sum_corrected`, the differences. int32 [R]: `num_tokens` of the
        option, `num_unknown` among them. bool [R]: `is_truncated`. string [R]: `row_ids`, the ids
        of the whole row, by which options are compared.
    """
    before, behind = split_at_gap(text)
    rows = prompt_rows(tokenizer, (before, option, behind), 1, OUTER_ENDS, max_seq_length)
    nothing = tf.fill(tf.shape(option), "")
    alone = prompt_rows(tokenizer, (nothing, option, nothing), 1, OUTER_ENDS, max_seq_length)
    checks = [
        _check(rows.num_tokens > 0, option, "to have a token"),
        _check(rows.fits & alone.fits, option, f"to fit into {max_seq_length} tokens"),
    ]
    with tf.control_dependencies(checks):
        mean, total = _original(rows, replaced_logits)
        mean_alone, total_alone = _original(alone, replaced_logits)
    return {
        "mean": mean,
        "sum": total,
        "mean_alone": mean_alone,
        "sum_alone": total_alone,
        "mean_corrected": mean - mean_alone,
        "sum_corrected": total - total_alone,
        "num_tokens": rows.num_tokens,
        "num_unknown": rows.num_unknown,
        "is_truncated": rows.is_truncated,
        "row_ids": row_ids(rows),
    }


def _check(holds: tf.Tensor, option: tf.Tensor, expected: str) -> tf.Operation:
    message = [f"option is expected {expected}, but is", tf.boolean_mask(option, ~holds)]
    return tf.debugging.Assert(tf.reduce_all(holds), message, summarize=1)


def _original(rows: PromptRows, replaced_logits: ReplacedLogits) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and sum of the option's log-probabilities of being original, float32 [R]."""
    mask = tf.cast(rows.option_mask, tf.float32)
    log_probs = tf.math.log_sigmoid(-replaced_logits(rows.batch))
    total = tf.reduce_sum(log_probs * mask, axis=1)
    return tf.math.divide_no_nan(total, tf.reduce_sum(mask, axis=1)), total


def tuned_signature(
    model: StoredModel, shots: Shots, hparams: Mapping[str, Any]
) -> tf.types.experimental.PolymorphicFunction:
    """The signature `score_options` of a discriminator that has learned from examples.

    Args:
        model: a pre-trained one, which stays as it is.
        shots: what a copy of it learns from.
        hparams: see `finetuning.few_shot`.

    Raises:
        ValueError: see `tuned_logits`, or the model is none that can learn so.
    """
    length = model.config.max_seq_length
    start = model.as_start()
    if not start.discriminator_head:
        raise ValueError(
            f"few_shot is expected to be None for {model.description}, which has no discriminator "
            "whose head alone computes whether a token was replaced."
        )
    logits = tuned_logits(start, model.tokenizer, shots, length, hparams)

    def scores(text: tf.Tensor, option: tf.Tensor) -> dict[str, tf.Tensor]:
        return option_scores(model.tokenizer, logits, text, option, length)

    return signature(scores, text=STRINGS, option=STRINGS)


# ---- For Python


@dataclasses.dataclass(frozen=True)
class Choices:
    """Texts with a gap, and the options of each; made by `of`, which checks them.

    templates: B texts with one `{}` each.
    options: for each of them two or more texts.
    """

    templates: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, templates: Sequence[str], options: Sequence[Any]) -> "Choices":
        """Check what a caller gives.

        Args:
            templates: see there.
            options: a sequence of texts for all templates, or one sequence for each.

        Raises:
            ValueError: a template has not one gap, there are fewer than two options or two equal
                ones, or one of them is empty; names it.
        """
        templates = _texts(templates, "templates", least=1)
        for place, template in enumerate(templates):
            if template.count(GAP) != 1:
                raise ValueError(
                    f"templates[{place}] is expected to have {GAP} once, but is {template!r}."
                )
        is_sequence = isinstance(options, Sequence | np.ndarray) and not isinstance(options, str)
        if is_sequence and len(options) and not isinstance(options[0], str):
            if len(options) != len(templates):
                raise ValueError(
                    f"options is expected to have one sequence for each of the {len(templates)} "
                    f"templates, but has {len(options)}."
                )
            own = [_options(given, f"options[{n}]") for n, given in enumerate(options)]
        else:
            own = [_options(options, "options")] * len(templates)
        return cls(templates, tuple(own))

    def shots(self, given: Sequence[Any]) -> Shots:
        """What `few_shot` gives to learn from, as rows.

        Args:
            given: (template, right option) for each example where all templates share their
                options, else (template, right option, its options).

        Raises:
            ValueError: an example is none of this, or see `of`.
        """
        is_shared = len(set(self.options)) == 1
        form = "(template, right option)" + ("" if is_shared else " with (..., options) behind")
        if isinstance(given, str | Mapping) or not hasattr(given, "__len__") or not len(given):
            raise ValueError(f"few_shot is expected to be a sequence of {form}, but is {given!r}.")
        for place, shot in enumerate(given):
            sizes = (2, 3) if is_shared else (3,)
            if not (isinstance(shot, tuple | list) and len(shot) in sizes):
                raise ValueError(f"few_shot[{place}] is expected to be {form}, but is {shot!r}.")
        options = [shot[2] if len(shot) == 3 else self.options[0] for shot in given]
        try:
            choices = Choices.of([shot[0] for shot in given], options)
        except ValueError as error:
            raise ValueError(f"few_shot: {error}") from error
        for place, (shot, own) in enumerate(zip(given, choices.options, strict=True)):
            if shot[1] not in own:
                raise ValueError(
                    f"few_shot[{place}] is expected to have one of the options {list(own)}, but "
                    f"has {shot[1]!r}."
                )
        pairs = zip(given, choices.options, strict=True)
        is_right = [option == shot[1] for shot, own in pairs for option in own]
        templates, filled = zip(*choices.rows, strict=True)
        return Shots(templates, filled, is_right)

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(template, option) of every row, those of a template behind each other."""
        pairs = zip(self.templates, self.options, strict=True)
        return [(template, option) for template, options in pairs for option in options]

    def arranged(self, scored: Mapping[str, np.ndarray], rule: str) -> dict[str, np.ndarray]:
        """Arrays [B, O] of what was computed for the rows, and the best options by a rule.

        Args:
            scored: outputs of `option_scores` for `rows`.
            rule: one of `RULES`.

        Raises:
            ValueError: an option has unknown tokens, or the tokens of another one; names them.
        """
        for (template, option), count in zip(self.rows, scored["num_unknown"], strict=True):
            if count:
                raise ValueError(
                    "options is expected to have tokens that the vocabulary knows, but "
                    f"{option!r} has unknown ones in {shortened(repr(template), 200)}."
                )
        check_different(*zip(*self.rows, strict=True), scored["row_ids"])
        counts = np.array([len(options) for options in self.options])
        is_there = np.arange(counts.max()) < counts[:, None]  # [B, O]
        found = {"num_options": counts.astype(np.int32)}
        for name, values in scored.items():
            if name not in ("num_unknown", "row_ids"):
                filler = -np.inf if values.dtype.kind == "f" else 0
                found[name] = np.full(is_there.shape, filler, values.dtype)
                found[name][is_there] = values
        best = np.argmax(found[rule], axis=1)
        names = [options[number] for options, number in zip(self.options, best, strict=True)]
        return {
            "best": np.array(names, object),
            "option_ids": best.astype(np.int32),
            "scores": found[rule],
            **found,
        }


def check_rule(rule: str) -> None:
    """Raise a ValueError unless options can be ordered by it."""
    if rule not in RULES:
        raise ValueError(f"rule is expected to be one of {', '.join(RULES)}, but is {rule!r}.")


def check_tuning(
    few_shot: Any, hparams: Mapping[str, Any], can_be_trained: bool, source: str
) -> None:
    """Raise a ValueError unless there are hyperparameters for examples only, and for no export."""
    if few_shot is None and hparams:
        raise ValueError(
            f"few_shot is expected to be given with {', '.join(sorted(hparams))}, but is None."
        )
    if few_shot is not None and not can_be_trained:
        raise ValueError(
            f"few_shot is expected to be None for {source}, since an exported model cannot be "
            "trained; load the folder that it was exported from."
        )


def _options(given: Any, name: str) -> tuple[str, ...]:
    options = _texts(given, name, least=2)
    for place, option in enumerate(options):
        if not option.strip():
            raise ValueError(f"{name}[{place}] is expected to be a text, but is {option!r}.")
    if len(set(options)) < len(options):
        raise ValueError(f"{name} is expected to have different texts, but has {list(options)}.")
    return options


def _texts(given: Any, name: str, least: int) -> tuple[str, ...]:
    is_sequence = hasattr(given, "__len__") and hasattr(given, "__getitem__")
    is_other = isinstance(given, str | bytes | Mapping)
    if not is_sequence or is_other or len(given) < least:
        raise ValueError(
            f"{name} is expected to be a sequence of {('one', 'two')[least - 1]} or more texts, "
            f"but is {given!r}."
        )
    for place, text in enumerate(given):
        if not isinstance(text, str):
            raise ValueError(f"{name}[{place}] is expected to be a text, but is {text!r}.")
    return tuple(given)
