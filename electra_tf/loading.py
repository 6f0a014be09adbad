# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra_tf.load`: any folder with a model, to be used from Python on raw text."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import tensorflow as tf

# Registers the operations of tokenizers in exported models.
import tensorflow_text  # noqa: F401

from electra_tf.finetuning.kinds.embedding import VECTOR
from electra_tf.interop.error_calibration import write_calibration
from electra_tf.interop.opening import EXPORTED, PRETRAINED, find_model, open_model
from electra_tf.interop.stored_model import StoredModel, objective_of
from electra_tf.serving.calibrating import USED, Goal, calibrated
from electra_tf.serving.columns import (
    as_array,
    check_count,
    input_names,
    joined,
    said_by,
    text_columns,
)
from electra_tf.serving.export import server_of_model
from electra_tf.serving.export_files import load_exported, with_top_k
from electra_tf.serving.options import Choices, check_rule, check_tuning, tuned_signature

Texts = Sequence[str] | Sequence[Sequence[str]]
Outputs = dict[str, np.ndarray]

_PREDICT = "text"
"""The signature of predictions; pre-trained models have it too, for features."""


def load(
    folder: str,
    *,
    task: str | None = None,
    generator: str | None = None,
    hparams: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    top_k: int | None = None,
    pre_split: bool | None = None,
    tokenizer: str | None = None,
) -> "LoadedModel":
    """The model of a folder, ready for text.

    Args:
        folder: what pre-training, fine-tuning or `electra export` wrote here, a checkpoint of the
            original or its folder, a Hugging Face ELECTRA folder, or "hf://owner/name".
        task: which one of a model that was fine-tuned on several.
        generator: Hugging Face folder of the generator, if it is not inside `folder`.
        hparams: what a checkpoint of the original does not contain: vocab_file, do_lower_case,
            model_hparam_overrides and so on; of a Hugging Face model with the head of a task
            task_names, with the path of a JSON file that describes it, and max_seq_length.
        labels: the classes of a fine-tuned checkpoint of the original, in the order of their ids.
        top_k: fillings for each `[MASK]` and each error; default: 5, of an exported model as many
            as it was exported with, which are the most that it has.
        pre_split: of a Hugging Face folder or a checkpoint of the original: whether words are what
            white space separates in the text, and nothing else; default: what the files say.
        tokenizer: of the same: "bert" takes the vocabulary for BERT's although the files describe
            another tokenizer.

    Raises:
        FileNotFoundError: there is no model there.
        OSError: a file of it is damaged; names it.
        ValueError: the model or its tokenizer cannot be represented, or lacks what is needed.
    """
    if top_k is not None:
        check_count(top_k, "top_k")
    place = find_model(folder)
    if place.kind == EXPORTED:
        given = (task, generator, hparams, labels, pre_split, tokenizer)
        if any(value is not None for value in given):
            raise ValueError(
                f"{folder} is an exported model, which has nothing to choose, but task, generator, "
                "hparams, labels, pre_split or tokenizer were given."
            )
        exported, alias = load_exported(place.folder)
        signatures = with_top_k(exported.signatures, top_k, folder)
        return LoadedModel(signatures, folder, (exported, alias))
    choice = {"pre_split": pre_split, "tokenizer": tokenizer}
    choice = {name: value for name, value in choice.items() if value is not None}
    hparams = {**(hparams or {}), **choice}
    reopened = functools.partial(open_model, folder, hparams, labels, generator)
    model = reopened()
    length = model.config.max_seq_length
    server = server_of_model(model, folder, task, length, tf.float32, top_k or 5)
    own = model.calibrated if place.kind == PRETRAINED else None
    source = folder if model.is_finetuned else f"{folder}{objective_of(model.config)}"
    return LoadedModel(server.signatures, source, server, own, reopened)


class LoadedModel:
    """A model with its tokenizer; made by `load`.

    Every method takes a sequence of B texts and returns a dict of numpy arrays, named as the
    outputs of the exported signatures are. Texts are str; for tasks on pairs (text, text_pair),
    for questions (question, context). Arrays are as wide as the longest row needs, filled up with
    "" and 0. Offsets count bytes of the text in UTF-8. What is longer than the model reads is cut
    (`is_truncated`), contexts of questions and sentences to tag are windowed instead.

    Args:
        signatures: name -> function of named tensors.
        source: for messages.
        owner: what the signatures' variables belong to; kept alive.
        folder: of a model that was pre-trained here, with step and fingerprint of its weights.
        reopened: reads the model once more, with all its weights; None if that cannot be.
    """

    def __init__(
        self,
        signatures: Mapping[str, Callable],
        source: str,
        owner: Any = None,
        folder: tuple[str, int, str] | None = None,
        reopened: Callable[[], StoredModel] | None = None,
    ):
        self._signatures = signatures
        self._source = source
        self._owner = owner
        self._folder = folder
        self._reopened = reopened

    @property
    def signatures(self) -> dict[str, tuple[str, ...]]:
        """Name -> names of the inputs, of all that the model computes; exports serve the same."""
        return {name: tuple(input_names(function)) for name, function in self._signatures.items()}

    def encode(self, texts: Texts, layer: int = -1, batch_size: int = 32) -> Outputs:
        """Features of texts.

        Args:
            texts: a sequence of texts, or of pairs of them.
            layer: 0 for what the first layer reads, n for the n-th; negative from the last.
            batch_size: number of texts computed at once.

        Returns:
            `token_features` float32 [B, L, H], 0 at padding; `first_token`, `mean` [B, H], the
            mean over all tokens with `[CLS]` and `[SEP]`; and of pre-trained models `tokens` str,
            `token_ids`, `starts`, `ends` int32 [B, T], `num_tokens` [B], `is_truncated` bool [B],
            where T = L - 2; of fine-tuned ones `input_ids`, `input_mask`, `segment_ids` [B, L],
            and of a task of the kind embedding `embedding` [B, H], unit vectors.

        Raises:
            ValueError: texts are not as expected, or there is no such layer.
        """
        if not isinstance(layer, int | np.integer) or isinstance(layer, bool):
            raise ValueError(f"layer is expected to be a whole number, but is {layer!r}.")
        return self._run("features", texts, batch_size, layer=np.int32(layer))

    def similarity(self, a: Texts, b: Texts, batch_size: int = 32) -> np.ndarray:
        """How alike texts are.

        Args:
            a: a sequence of texts, or of pairs of them, as `encode` takes them.
            b: likewise.
            batch_size: number of texts computed at once.

        Returns:
            Cosines, float32 [A, B]: of the vectors `embedding`, which models of that kind have; of
            other models' `mean` of the last layer.

        Raises:
            ValueError: texts are not as expected.
        """
        return self._unit_vectors(a, batch_size) @ self._unit_vectors(b, batch_size).T

    def replaced_tokens(self, texts: Sequence[str], batch_size: int = 32) -> Outputs:
        """How probable it is that each token was put there by a generator.

        Returns:
            `probabilities` float32 [B, T]; `tokens` str, `token_ids`, `starts`, `ends` int32
            [B, T]; `num_tokens` int32 [B]; `is_truncated` bool [B].

        Raises:
            ValueError: texts are not as expected, or the model has no discriminator.
        """
        return self._run("replaced_tokens", texts, batch_size)

    def fill_mask(self, texts: Sequence[str], batch_size: int = 32) -> Outputs:
        """The most probable tokens for each `[MASK]`, or what the tokenizer calls it, in the texts.

        Returns:
            `tokens` str, `token_ids` int32, `probabilities` float32 [B, M, K], best first; of the
            masks `starts`, `ends` int32 [B, M], `num_masks` [B]; `is_truncated` bool [B].

        Raises:
            ValueError: texts are not as expected, or the model has no generator.
        """
        return self._run("fill_mask", texts, batch_size)

    def pseudo_log_likelihood(self, texts: Sequence[str], batch_size: int = 32) -> Outputs:
        """How probable texts are, each token where all others are known.

        Of Electric's models the negative energies, in one pass; of a two-tower generator its
        log-probabilities, in one pass; of other generators and masked LMs the log-probabilities
        with each token masked by itself, a row per token. `[CLS]` and `[SEP]` do not count.

        Returns:
            `token_log_likelihoods` float32 [B, T], natural logarithms; `log_likelihood` [B], their
            sum; `mean_log_likelihood` [B]; `perplexity` [B], exp(-mean), unless the method is
            "energies", which are not normalized; `method` str [B], "energies", "two_towers" or
            "masked"; `tokens` str, `token_ids`, `starts`, `ends` int32 [B, T]; `num_tokens` [B];
            `is_truncated` bool [B].

        Raises:
            ValueError: texts are not as expected, or the model has neither Electric's energies nor
                a generator.
        """
        return self._run("pseudo_log_likelihood", texts, batch_size)

    def find_errors(
        self, texts: Sequence[str], threshold: float | None = None, batch_size: int = 32
    ) -> Outputs:
        """Words that do not belong where they are.

        Words are what white space separates, in scripts without spaces each token (unless the
        tokenizer is of texts that are split already). A "[MASK]" is read as the text that it is.

        Args:
            texts: a sequence of texts.
            threshold: the probability from which on a word is an error; default: that of
                `calibrate`, or else 0.5.
            batch_size: number of texts computed at once.

        Returns:
            `words` str, `starts`, `ends` int32 [B, W]; `probabilities` float32 [B, W] that the word
            is wrong, calibrated, and `logits` before calibration; `is_error` bool [B, W];
            `is_unknown` bool [B, W], words with unknown tokens, which are never errors;
            `num_words` int32, `is_truncated`, `is_calibrated` bool, `threshold` float32 [B]. With a
            generator: `replacements` str, `replacement_probabilities` float32 [B, W, K], best
            first, of the 32 most probable errors of a text. A replacement is one token, whatever
            the word's number of tokens; the word itself may be among them. Probabilities are shares
            among the tokens that can be a replacement, all of which sum to 1.

        Raises:
            ValueError: texts are not as expected, the threshold is not in 0..1, or the model has no
                discriminator.
        """
        used = -1.0 if threshold is None else threshold
        if threshold is not None and not (isinstance(used, Real) and 0 <= used <= 1):
            raise ValueError(f"threshold is expected to be in 0..1, but is {threshold!r}.")
        return self._run("find_errors", texts, batch_size, threshold=np.float32(used))

    def calibrate(
        self,
        texts: Sequence[str],
        precision: float | None = None,
        false_alarm_rate: float | None = None,
        error_rate: float = 0.05,
        seed: int = 0,
        batch_size: int = 32,
    ) -> dict[str, Any]:
        """Fit the probabilities and the threshold of `find_errors`, and store them in the folder.

        Args:
            texts: correct ones, unseen in training; errors as people make them are put in. Of each,
                only what fits into a row counts.
            precision: share of true errors among the words found, from which the threshold follows.
            false_alarm_rate: the same as the share of correct words that are found; default: 0.01
                if no precision is given.
            error_rate: share of words at which an error is put in; of characters in scripts
                without spaces. Probabilities and precision hold for texts with so many errors.
            seed: decides which errors.
            batch_size: number of texts computed at once.

        Returns:
            What error_calibration.json holds for the weights of this step: `temperature`, `bias`,
            `threshold`, `measured`. Other steps in the folder keep theirs.

        Raises:
            ValueError: the folder is not one of a discriminator that this library wrote; texts are
                not as expected or too few; no threshold reaches the precision.
        """
        goal = Goal.of(precision, false_alarm_rate)
        if self._folder is None or self._owner.errors is None:
            raise ValueError(
                f"calibrate is expected to be called on the folder of a discriminator that "
                f"`electra pretrain` or `electra convert` wrote, but {self._source} is none. "
                "Calibrate such a folder; what is exported or converted from it then is calibrated."
            )
        above_all = np.float32(2.0)  # nothing to be replaced
        given = {"batch_size": batch_size, "kept": USED, "threshold": above_all}
        find_errors = functools.partial(self._run, "find_errors", **given)
        found = calibrated(find_errors, texts, goal, error_rate, seed)
        write_calibration(found, *self._folder)
        self._owner.errors.calibrate(found)
        return dataclasses.asdict(found)

    def score_options(
        self,
        templates: Sequence[str],
        options: Sequence[str] | Sequence[Sequence[str]],
        few_shot: Sequence[tuple] | None = None,
        rule: str = "mean",
        batch_size: int = 32,
        **hparams: Any,
    ) -> Outputs:
        """Which option in the gap of a text the discriminator finds most original.

        Args:
            templates: B texts with one `{}` each; a "[MASK]" is read as the text that it is.
            options: O texts for all templates, or a sequence of them for each.
            few_shot: examples (template, right option) that a copy of the model learns from first,
                with (..., options) behind where templates have options of their own. None: as it
                was pre-trained. A task with a prompt keeps what was learned.
            rule: which of the scores below decides: mean, sum, mean_corrected, sum_corrected.
            batch_size: number of filled texts computed at once.
            **hparams: of few_shot: learning_rate, num_train_epochs (20), train_batch_size (16
                filled texts), seed and others of `finetuning.few_shot.SETTABLE`.

        Returns:
            `best` str, `option_ids` int32 [B]; `scores` float32 [B, O], those of the rule. `mean`
            and `sum` [B, O] of the log-probabilities that the option's tokens are original;
            `mean_alone`, `sum_alone`, of the option without the text; `mean_corrected`,
            `sum_corrected`, their differences; `num_tokens` int32, `is_truncated` bool [B, O];
            `num_options` int32 [B]. Scores of options that are not there are -inf.

        Raises:
            ValueError: a template has not one gap, an option is empty, unknown, alone or has the
                tokens of another, few_shot cannot be learned from, or there is no discriminator.
        """
        check_rule(rule)
        choices = Choices.of(templates, options)
        check_tuning(few_shot, hparams, self._reopened is not None, self._source)
        scorer = self
        if few_shot is not None and "score_options" in self._signatures:
            tuned = tuned_signature(self._reopened(), choices.shots(few_shot), hparams)
            scorer = LoadedModel({"score_options": tuned}, self._source)
        scored = scorer._run("score_options", choices.rows, batch_size)
        return choices.arranged(scored, rule)

    def predict(self, texts: Texts, batch_size: int = 32) -> Outputs:
        """Predictions of a fine-tuned model.

        Returns, by kind of task:
            classification: `label` str, `probability` float32, `label_id` int32 [B]; `labels` str,
                `probabilities`, `logits` [B, C];
            multilabel: `labels` str, `is_label` bool, `probabilities`, `logits` [B, C];
            regression: `score` float32 [B];
            embedding: `embedding` float32 [B, H], unit vectors;
            tagging: `words`, `tags` str, `starts`, `ends` int32, `probabilities` float32 [B, W],
                `num_words` [B]; for spans `entities`, `entity_types` str, `entity_starts`,
                `entity_ends`, `entity_probabilities` [B, N], `num_entities` [B];
            questions: `answer` str, `start`, `end` int32, `probability` float32 [B]; `answers`,
                `answer_starts`, `answer_ends`, `answer_probabilities` [B, N], `num_answers`
                [B]; where there may be no answer `no_answer_score`, `is_answered`: `answer` is ""
                then, and `probability` nevertheless that of the best answer.

        Raises:
            ValueError: texts are not as expected, or the model is not fine-tuned.
        """
        outputs = self._run(_PREDICT, texts, batch_size)
        if "token_features" in outputs:  # what `text` of a pre-trained model gives
            raise ValueError(
                f"{self._source} is not fine-tuned, so there is nothing that it predicts of texts; "
                "it has encode, replaced_tokens and fill_mask if it has the parts for them."
            )
        return outputs

    def _unit_vectors(self, texts: Texts, batch_size: int) -> np.ndarray:
        """One for each text, float32 [B, H]."""
        found = self._run("features", texts, batch_size, (VECTOR, "mean"), layer=np.int32(-1))
        vectors = found.get(VECTOR, found["mean"])
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def _run(
        self,
        name: str,
        texts: Texts,
        batch_size: int,
        kept: Sequence[str] = (),
        **shared: np.number,
    ) -> Outputs:
        """The outputs of a signature, or those of them that are to be kept, of all texts."""
        if name not in self._signatures:
            raise ValueError(
                f"{self._source} has no {name}; it has {', '.join(sorted(self._signatures))}."
            )
        check_count(batch_size, "batch_size")
        function = self._signatures[name]
        columns = text_columns(texts, [n for n in input_names(function) if n not in shared])
        parts = []
        for start in range(0, len(texts), batch_size):
            chunk = {key: column[start : start + batch_size] for key, column in columns.items()}
            size = len(next(iter(chunk.values())))
            rows = {key: tf.fill([size], value) for key, value in shared.items()}
            try:
                outputs = function(**{k: tf.constant(v) for k, v in chunk.items()}, **rows)
            except tf.errors.InvalidArgumentError as error:
                raise ValueError(f"{self._source}, {name}: {said_by(error)}") from error
            wanted = set(kept) & set(outputs) or set(outputs)
            parts.append({key: as_array(outputs[key]) for key in wanted})
        return {key: joined([part[key] for part in parts]) for key in parts[0]}
