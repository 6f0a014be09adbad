# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the second model, the discriminator, learns of the corrupted text.

ELECTRA's objective and those that its paper compares with it (Clark et al., ICLR 2020, section 3.4,
table 5). A class each decides the model, the loss, what is measured, and the operations of the
head. B batch, L length, N masked positions, V vocabulary, H hidden.
"""

from collections.abc import Mapping

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig, PretrainingConfig
from electra_tf.model import (
    CopyHead,
    Encoder,
    Initializers,
    ReplacedTokenHead,
    TokenPredictionHead,
)
from electra_tf.model.flops import TransformerFlops
from electra_tf.model.part import ModelOfParts, serializable
from electra_tf.pretraining.losses import (
    copied_token_cross_entropy,
    normalized_sum,
    replaced_token_cross_entropy,
    token_cross_entropy,
)
from electra_tf.pretraining.masking import gather_positions, replace_positions

Tensors = Mapping[str, tf.Tensor]
Metrics = dict[str, keras.metrics.Metric]
RESTORATION_HEAD, COPY_HEAD = "restoration_predictions", "copy_predictions"
"""First parts of the names of the heads that predict original tokens from the corrupted text."""


# ---- Models


class EncoderWithHead(ModelOfParts):
    """What models of an encoder and a head on its states have in common."""

    parts = ("encoder", "head")
    default_name = "discriminator"

    def __init__(self, encoder: Encoder, head: keras.layers.Layer, name: str | None = None):
        super().__init__(name=name or self.default_name)
        self.encoder = encoder
        self.head = head
        self.built = True


class SecondModel(EncoderWithHead):
    """What reads the corrupted text.

    Call: {input_ids, input_mask, segment_ids [B, L]} and what `logits` needs ->
    `discriminator_hidden` [B, L, H] and what `logits` gives.
    """

    def call(
        self,
        inputs: Tensors,
        seed: tf.Tensor | None = None,
        training: bool | None = None,
    ) -> dict[str, tf.Tensor]:
        hidden = self.encoder(inputs, seed=seed, training=training).last_hidden_state
        return {**self.logits(hidden, inputs), "discriminator_hidden": hidden}

    def logits(self, hidden: tf.Tensor, inputs: Tensors) -> dict[str, tf.Tensor]:
        """What the head says of the last hidden states, [B, L, H]."""
        raise NotImplementedError


@serializable
class Discriminator(SecondModel):
    """An encoder and one logit per position: `rtd_logits` float32 [B, L]. See `SecondModel`."""

    def logits(self, hidden: tf.Tensor, inputs: Tensors) -> dict[str, tf.Tensor]:
        return {"rtd_logits": self.head(hidden)}


@serializable
class TokenRestorer(SecondModel):
    """An encoder and a vocabulary head over its embeddings: which token was there originally?

    Call: see `SecondModel`; of `masked_positions` [B, N], `restored_logits` float32 [B, N, V].
    """

    def logits(self, hidden: tf.Tensor, inputs: Tensors) -> dict[str, tf.Tensor]:
        at_masked = gather_positions(hidden, inputs["masked_positions"])
        return {"restored_logits": self.head(at_masked, self.encoder.seen_word_embeddings)}


@serializable
class CopyingTokenRestorer(TokenRestorer):
    """A `TokenRestorer` of every position, which may copy the token that it reads.

    Call: see `SecondModel`; `restored_logits` float32 [B, L, V], `copy_logits` float32 [B, L].
    """

    parts = ("encoder", "head", "copy_head")

    def __init__(
        self,
        encoder: Encoder,
        head: TokenPredictionHead,
        copy_head: CopyHead,
        name: str | None = None,
    ):
        super().__init__(encoder, head, name)
        self.copy_head = copy_head

    def logits(self, hidden: tf.Tensor, inputs: Tensors) -> dict[str, tf.Tensor]:
        return {
            "restored_logits": self.head(hidden, self.encoder.seen_word_embeddings),
            "copy_logits": self.copy_head(hidden),
        }


# ---- Objectives


class ReplacedTokens:
    """ELECTRA: was this token replaced? Asked of all tokens.

    Losses: `rtd_weights` float32 [B, L], the tokens that count; `rtd_token_losses` [B, L];
    `rtd_loss` [].
    """

    loss = "rtd_loss"
    token_losses = "rtd_token_losses"

    def model(self, encoder: Encoder, initializers: Initializers) -> keras.Model:
        """The second model, on its encoder."""
        return Discriminator(encoder, ReplacedTokenHead(encoder.config, initializers))

    def weights(self, batch: Tensors) -> tf.Tensor:
        """Of each token or masked position of a masked batch in the loss: float32 [B, L or N]."""
        return tf.cast(batch["input_mask"], tf.float32)

    def losses(self, outputs: Tensors, total_weight: tf.Tensor) -> dict[str, tf.Tensor]:
        """Losses of what the model computed, and what `update` needs besides.

        Args:
            outputs: the masked and corrupted batch with the outputs of the model.
            total_weight: sum of `weights` over the global batch.
        """
        weights = self.weights(outputs)
        token_losses = replaced_token_cross_entropy(outputs["rtd_logits"], outputs["is_replaced"])
        return {
            "rtd_weights": weights,
            "rtd_token_losses": token_losses,
            "rtd_loss": normalized_sum(token_losses, weights, total_weight),
        }

    def metrics(self) -> Metrics:
        """New running metrics by their names in the log."""
        mean = keras.metrics.Mean
        return {
            "disc_loss": mean(name="disc_loss"),
            "disc_auc": keras.metrics.AUC(name="disc_auc"),
            "disc_accuracy": mean(name="disc_accuracy"),
            "disc_precision": mean(name="disc_precision"),
            "disc_recall": mean(name="disc_recall"),
            "replaced_share": mean(name="replaced_share"),
        }

    def update(self, metrics: Metrics, outputs: Tensors) -> None:
        """Add the outputs of one batch."""
        weights = outputs["rtd_weights"]
        labels = tf.cast(outputs["is_replaced"], tf.float32)
        flagged = tf.cast(outputs["rtd_logits"] > 0, tf.float32)
        right = flagged == labels
        metrics["disc_accuracy"].update_state(right, weights)
        metrics["disc_precision"].update_state(right, weights * flagged)
        metrics["disc_recall"].update_state(right, weights * labels)
        metrics["replaced_share"].update_state(labels, weights)
        metrics["disc_auc"].update_state(labels, tf.sigmoid(outputs["rtd_logits"]), weights)
        # The original averages the losses of sequences, not of tokens.
        tokens = tf.reduce_sum(weights, axis=-1)
        sequence_losses = tf.reduce_sum(outputs["rtd_token_losses"] * weights, axis=-1) / (
            tokens + 1e-6
        )
        metrics["disc_loss"].update_state(sequence_losses, tf.cast(tokens > 0, tf.float32))

    def head_flops(self, encoder: TransformerFlops, masked_share: float) -> float:
        """Operations of the head's forward pass on one sequence, see `model.flops`.

        Args:
            encoder: of the second model.
            masked_share: N / L.
        """
        return encoder.binary_head


class ReplacedTokensMaskedOnly(ReplacedTokens):
    """The paper's "ELECTRA 15 %": as `ReplacedTokens`, asked of the masked-out tokens alone."""

    def weights(self, batch: Tensors) -> tf.Tensor:
        ids, positions, weights = (
            batch[name] for name in ("input_ids", "masked_positions", "masked_weights")
        )
        _, is_masked = replace_positions(ids, positions, batch["masked_ids"], weights)
        return tf.cast(is_masked, tf.float32)


class ReplaceMaskedLM:
    """The paper's "Replace MLM": masked LM that reads the generator's tokens instead of [MASK].

    The loss is -log softmax(logits)[original token], over the masked-out tokens.

    Losses: `restoration_token_losses` float32 [B, N], `restoration_loss` []; `restored_ids` int32
    [B, N], the most probable tokens.
    """

    loss = "restoration_loss"
    token_losses = "restoration_token_losses"

    def model(self, encoder: Encoder, initializers: Initializers) -> keras.Model:
        """See `ReplacedTokens`; likewise below."""
        return TokenRestorer(encoder, _restoration_head(encoder.config, initializers))

    def weights(self, batch: Tensors) -> tf.Tensor:
        return batch["masked_weights"]

    def losses(self, outputs: Tensors, total_weight: tf.Tensor) -> dict[str, tf.Tensor]:
        logits = outputs["restored_logits"]
        token_losses = token_cross_entropy(logits, outputs["masked_ids"])
        return {
            "restoration_token_losses": token_losses,
            "restored_ids": tf.argmax(logits, axis=-1, output_type=tf.int32),
            "restoration_loss": normalized_sum(token_losses, self.weights(outputs), total_weight),
        }

    def metrics(self) -> Metrics:
        names = ("restoration_loss", "restored_masked_accuracy", "replaced_share")
        return {name: keras.metrics.Mean(name=name) for name in names}

    def update(self, metrics: Metrics, outputs: Tensors) -> None:
        losses, weights = outputs["restoration_token_losses"], self.weights(outputs)
        metrics["restoration_loss"].update_state(losses, weights)
        right = outputs["restored_ids"] == outputs["masked_ids"]
        metrics["restored_masked_accuracy"].update_state(right, outputs["masked_weights"])
        metrics["replaced_share"].update_state(outputs["is_replaced"], outputs["input_mask"])

    def head_flops(self, encoder: TransformerFlops, masked_share: float) -> float:
        return encoder.vocabulary_head(masked_share)


class AllTokensMaskedLM(ReplaceMaskedLM):
    """The paper's "All-Tokens MLM": which token was at every position, by copying or predicting?

    With D = sigmoid(copy logit) at a position, the probability of a token is

        p(token) = D [token is the one of the corrupted input] + (1 - D) softmax(logits)[token]

    and the loss is -log p(original token), over all tokens.

    Losses: as of `ReplaceMaskedLM`, with `restoration_token_losses` of all tokens [B, L], and
    `all_restored_ids` int32 [B, L].
    """

    def model(self, encoder: Encoder, initializers: Initializers) -> keras.Model:
        head = _restoration_head(encoder.config, initializers)
        copy_head = CopyHead(encoder.config, initializers, name=COPY_HEAD)
        return CopyingTokenRestorer(encoder, head, copy_head)

    def weights(self, batch: Tensors) -> tf.Tensor:
        return tf.cast(batch["input_mask"], tf.float32)

    def losses(self, outputs: Tensors, total_weight: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, copy_logits = outputs["restored_logits"], outputs["copy_logits"]
        ids, corrupted_ids = outputs["input_ids"], outputs["corrupted_input_ids"]
        cross_entropies = token_cross_entropy(logits, ids)
        log_sums = cross_entropies + _at(logits, ids)
        token_losses = copied_token_cross_entropy(
            cross_entropies, copy_logits, ids == corrupted_ids
        )
        restored_ids = _most_probable(logits, log_sums, copy_logits, corrupted_ids)
        return {
            "restoration_token_losses": token_losses,
            "restored_ids": gather_positions(restored_ids, outputs["masked_positions"]),
            "all_restored_ids": restored_ids,
            "restoration_loss": normalized_sum(token_losses, self.weights(outputs), total_weight),
        }

    def metrics(self) -> Metrics:
        accuracy = keras.metrics.Mean(name="restored_accuracy")
        return {**super().metrics(), "restored_accuracy": accuracy}

    def update(self, metrics: Metrics, outputs: Tensors) -> None:
        super().update(metrics, outputs)
        right = outputs["all_restored_ids"] == outputs["input_ids"]
        metrics["restored_accuracy"].update_state(right, self.weights(outputs))

    def head_flops(self, encoder: TransformerFlops, masked_share: float) -> float:
        return encoder.vocabulary_head(1.0) + encoder.copy_head


def _restoration_head(config: EncoderConfig, initializers: Initializers) -> TokenPredictionHead:
    return TokenPredictionHead(config, initializers, name=RESTORATION_HEAD)


def _most_probable(
    logits: tf.Tensor, log_sums: tf.Tensor, copy_logits: tf.Tensor, corrupted_ids: tf.Tensor
) -> tf.Tensor:
    """The token with the highest p of `AllTokensMaskedLM`, int32 [B, L].

    log_sums [B, L] are those of the exponentials of the logits.
    """
    best = tf.argmax(logits, axis=-1, output_type=tf.int32)
    copied, written = (tf.exp(_at(logits, ids) - log_sums) for ids in (corrupted_ids, best))
    # Both sides are over 1 - D.
    return tf.where(tf.exp(copy_logits) + copied >= written, corrupted_ids, best)


def _at(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """The logit of each token: [B, L, V], [B, L] -> [B, L]."""
    return tf.gather(logits, ids, axis=2, batch_dims=2)


DiscriminatorObjective = ReplacedTokens | ReplaceMaskedLM
_OBJECTIVES: dict[str, type[DiscriminatorObjective]] = {
    "replaced_tokens": ReplacedTokens,
    "replaced_tokens_masked_only": ReplacedTokensMaskedOnly,
    "replace_mlm": ReplaceMaskedLM,
    "all_tokens_mlm": AllTokensMaskedLM,
}


def discriminator_objective(config: PretrainingConfig) -> DiscriminatorObjective | None:
    """What the second model of a run learns; None for masked LM, which has no second model."""
    return _OBJECTIVES[config.discriminator_objective]() if config.has_discriminator else None
