# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a pre-trained pair serves: features, replaced tokens, fillings for gaps."""

import math
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from electra_tf.interop.error_calibration import ErrorCalibration
from electra_tf.interop.stored_model import Pair
from electra_tf.model import Encoder
from electra_tf.pretraining.discriminators import Discriminator
from electra_tf.pretraining.masking import gather_positions, neighbours
from electra_tf.pretraining.pair import TwoTowerClozeModel, UniformGenerator
from electra_tf.serving import likelihood
from electra_tf.serving.errors import ErrorFinder
from electra_tf.serving.located import located_batch, names_of, text_positions
from electra_tf.serving.options import option_scores
from electra_tf.serving.served_encoder import ServedEncoder, is_disentangled
from electra_tf.serving.signatures import (
    IDS,
    LAYER,
    STRINGS,
    THRESHOLD,
    checked_ids,
    chosen_layer,
    plain_variables,
    pooled,
    signature,
)
from electra_tf.text import Tokenizer
from electra_tf.text.packing import dense, text_batch


class PretrainedServer(tf.Module):
    """Signatures of a pre-trained model.

    Args:
        pretrainer: whose weights are copied.
        tokenizer: of its text.
        max_seq_length: tokens of a row, at most; longer texts lose their ends.
        dtype: of weights and matrix products of encoders.
        top_k: fillings for each gap.
        calibration: of `find_errors`, if there is one.
        branches: of encoders, see `ServedEncoder`.

    Attributes:
        encoders: as `encoders_of` the pretrainer, in the form that serves.
        errors: finds errors; None without replaced token detection.
    """

    def __init__(
        self,
        pretrainer: Pair,
        tokenizer: Tokenizer,
        max_seq_length: int,
        dtype: tf.DType,
        top_k: int,
        calibration: ErrorCalibration | None = None,
        branches: int = 1,
    ):
        super().__init__()
        self._tokenizer = tokenizer
        self._max_seq_length = max_seq_length
        self._top_k = min(top_k, len(tokenizer.vocabulary))
        discriminator, generator = pretrainer.discriminator, pretrainer.generator
        served, tables = {}, {}
        for encoder in encoders_of(pretrainer):
            # What the models share is shared here, too: which table, and how it is seen.
            table = id(encoder.embeddings), is_disentangled(encoder)
            served[id(encoder)] = ServedEncoder(encoder, dtype, tables.get(table), branches)
            tables[table] = served[id(encoder)].embeddings
        self.encoders = list(served.values())
        self._encoder = self.encoders[0]
        self._towers = [served[id(encoder)] for encoder in _towers_of(generator)]
        self._head = discriminator.head if isinstance(discriminator, Discriminator) else None
        self._generator = generator.head if self._towers else None
        self._head_weights = [plain_variables(h) for h in (self._head, self._generator) if h]
        self._log_odds = None
        if pretrainer.config.electric_objective:
            mask_prob = pretrainer.config.mask_prob
            self._log_odds = math.log(mask_prob / (1 - mask_prob))
        self._is_two_tower = isinstance(generator, TwoTowerClozeModel)
        self.errors = None
        if self._head is not None:
            self.errors = ErrorFinder(
                tokenizer,
                max_seq_length,
                self._top_k,
                calibration,
                lambda batch: self._replaced_logits(batch, self._encoder(batch)[-1]),
                self._filling_logits if self._generator is not None else None,
            )

    @property
    def signatures(self) -> dict[str, tf.types.experimental.PolymorphicFunction]:
        """Name -> function that can be saved."""
        found = {
            "text": signature(self._text, text=STRINGS),
            "ids": signature(self._ids, **IDS),
            "features": signature(self._features, text=STRINGS, layer=LAYER),
        }
        if self._head is not None:
            found["replaced_tokens"] = signature(self._replaced_tokens, text=STRINGS)
            found["find_errors"] = signature(self.errors, text=STRINGS, threshold=THRESHOLD)
            found["score_options"] = signature(self._score_options, text=STRINGS, option=STRINGS)
        if self._generator is not None:
            found["fill_mask"] = signature(self._fill_mask, text=STRINGS)
        if self._generator is not None or self._log_odds is not None:
            found["pseudo_log_likelihood"] = signature(self._pseudo_log_likelihood, text=STRINGS)
        return found

    # ---- Signatures

    def _text(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        batch = text_batch(self._tokenizer, text, None, self._max_seq_length)
        outputs = self._outputs(batch)
        return {**outputs, "input_ids": batch["input_ids"], "input_mask": batch["input_mask"]}

    def _ids(self, **batch: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._outputs(checked_ids(batch, self._encoder.max_length))

    def _features(self, text: tf.Tensor, layer: tf.Tensor) -> dict[str, tf.Tensor]:
        batch, located = located_batch(self._tokenizer, text, self._max_seq_length)
        hidden = chosen_layer(self._encoder(batch), layer)
        return {**pooled(hidden, batch["input_mask"]), **located}

    def _replaced_tokens(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        batch, located = located_batch(self._tokenizer, text, self._max_seq_length)
        probabilities = tf.sigmoid(self._replaced_logits(batch, self._encoder(batch)[-1]))
        return {**located, "probabilities": text_positions(probabilities, located["num_tokens"])}

    def _score_options(self, text: tf.Tensor, option: tf.Tensor) -> dict[str, tf.Tensor]:
        def logits(batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
            return self._replaced_logits(batch, self._encoder(batch)[-1])

        return option_scores(self._tokenizer, logits, text, option, self._max_seq_length)

    def _fill_mask(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        batch, located = located_batch(self._tokenizer, text, self._max_seq_length, masked=True)
        return filled_masks(
            located,
            lambda positions: self._filling_logits(batch, positions),
            self._tokenizer,
            self._top_k,
        )

    def _pseudo_log_likelihood(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        batch, located = located_batch(self._tokenizer, text, self._max_seq_length)
        ids = batch["input_ids"]
        is_text = tf.sequence_mask(located["num_tokens"] + 1, tf.shape(ids)[1])
        is_text &= tf.range(tf.shape(ids)[1]) > 0  # without [CLS] and [SEP]
        if self._log_odds is not None:
            # The energy without the noise's share; `_replaced_logits` adds that.
            energies = self._head(tf.cast(self._encoder(batch)[-1], tf.float32))
            method, values = likelihood.ENERGIES, tf.where(is_text, -energies, 0.0)
        elif self._is_two_tower:
            states = self._filling_states(batch)
            method = likelihood.TWO_TOWERS
            values = likelihood.of_states(ids, is_text, states, self._logits_of)
        else:
            mask_id = self._tokenizer.vocabulary.mask_id
            method = likelihood.MASKED
            values = likelihood.masked_one_by_one(batch, is_text, mask_id, self._filling_logits)
        return likelihood.likelihood_outputs(located, values[:, 1:-1], method)

    # ---- Details

    def _outputs(self, batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        hidden = self._encoder(batch)[-1]
        outputs = pooled(hidden, batch["input_mask"])
        if self._head is not None:
            outputs["replaced_logits"] = self._replaced_logits(batch, hidden)
        return outputs

    def _replaced_logits(self, batch: Mapping[str, tf.Tensor], hidden: tf.Tensor) -> tf.Tensor:
        logits = self._head(tf.cast(hidden, tf.float32))
        if self._log_odds is not None:
            positions = tf.zeros_like(batch["input_ids"]) + tf.range(
                tf.shape(batch["input_ids"])[1]
            )
            # Not the cross-entropy's own operation, which LiteRT does not have.
            log_probs = tf.nn.log_softmax(self._filling_logits(batch, positions))
            log_probs = tf.gather(log_probs, batch["input_ids"], axis=2, batch_dims=2)
            logits += self._log_odds + log_probs
        return logits

    def _filling_logits(self, batch: Mapping[str, tf.Tensor], positions: tf.Tensor) -> tf.Tensor:
        """Logits of the generator at positions int32 [B, M] of the rows, float32 [B, M, V]."""
        return self._logits_of(gather_positions(self._filling_states(batch), positions))

    def _filling_states(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """What the generator's head reads at each position of the rows, float32 [B, L, H]."""
        states = [tf.cast(tower(batch)[-1], tf.float32) for tower in self._towers]
        return neighbours(*states) if self._is_two_tower else states[0]

    def _logits_of(self, states: tf.Tensor) -> tf.Tensor:
        """Logits of the generator float32 [B, M, V] for states [B, M, H]."""
        return self._generator(states, self._towers[0].embeddings.words)


def encoders_of(pretrainer: Pair) -> list[Encoder]:
    """The encoders of its models, each once; the discriminator's is the first, if there is one."""
    first = [] if pretrainer.discriminator is None else [pretrainer.discriminator.encoder]
    return first + [e for e in _towers_of(pretrainer.generator) if all(e is not f for f in first)]


def _towers_of(generator: keras.layers.Layer) -> list[Encoder]:
    if isinstance(generator, UniformGenerator):
        return []
    if isinstance(generator, TwoTowerClozeModel):
        return [generator.left_to_right, generator.right_to_left]
    return [generator.encoder]


def filled_masks(
    located: Mapping[str, tf.Tensor],
    logits_at: Callable[[tf.Tensor], tf.Tensor],
    tokenizer: Tokenizer,
    top_k: int,
) -> dict[str, tf.Tensor]:
    """The most probable tokens for every mask.

    Args:
        located: tokens of the texts with their places, see `located_batch`.
        tokenizer: of the model.
        logits_at: positions in the rows int32 [B, M] -> logits [B, M, V].
        top_k: number of tokens for each mask.

    Returns:
        `tokens` string, `token_ids`, `probabilities` [B, M, top_k], best first, and `starts`,
        `ends` [B, M] of the masks, `num_masks` [B], `is_truncated` [B]. Rows with fewer masks
        than M, the most of any row, are filled up with "" and 0.
    """
    in_text = tf.sequence_mask(located["num_tokens"], tf.shape(located["token_ids"])[1])
    is_mask = (located["token_ids"] == tokenizer.vocabulary.mask_id) & in_text
    found = tf.where(is_mask)
    counts = tf.math.count_nonzero(is_mask, axis=1)
    places = tf.RaggedTensor.from_row_lengths(
        tf.cast(found[:, 1], tf.int32), counts, validate=False
    )
    positions = dense(places)  # [B, M], in the text
    real = tf.sequence_mask(counts, tf.shape(positions)[1])
    probabilities = tf.nn.softmax(logits_at(positions + 1))
    # The model may have more ids than there are tokens.
    top = tf.math.top_k(probabilities[..., : len(tokenizer.vocabulary)], k=top_k)
    shown = real[:, :, None]
    return {
        "tokens": tf.where(shown, names_of(tokenizer, top.indices), ""),
        "token_ids": tf.where(shown, top.indices, 0),
        "probabilities": tf.where(shown, top.values, 0.0),
        "starts": tf.where(real, tf.gather(located["starts"], positions, batch_dims=1), 0),
        "ends": tf.where(real, tf.gather(located["ends"], positions, batch_dims=1), 0),
        "num_masks": tf.cast(counts, tf.int32),
        "is_truncated": located["is_truncated"],
    }
