# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-trained pair as training has it, asked eagerly: what exports are compared with."""

import numpy as np
import tensorflow as tf

from electra_tf.interop.stored_model import StoredModel
from electra_tf.model import Encoder
from electra_tf.pretraining import ElectraPretrainer
from electra_tf.serving.served_encoder import is_disentangled
from electra_tf.training.checkpoints.weights import assign_weights


class LivePair:
    """Answers of the Keras models for rows that are filled up to the full length."""

    def __init__(self, source: StoredModel):
        config = source.config.replace(precision="float32")
        self._pretrainer = ElectraPretrainer(config, source.tokenizer.vocabulary)
        assign_weights(source.weights, self._pretrainer, source.description)
        self._tokenizer = source.tokenizer
        self._length = source.config.max_seq_length

    def batch(self, texts) -> dict[str, np.ndarray]:
        """`input_ids, input_mask, segment_ids` int32 [B, max_seq_length] of single texts."""
        rows = [row[: self._length - 2] for row in self._tokenizer(texts).to_list()]
        return self._padded(rows)

    def states(self, batch) -> list[np.ndarray]:
        """As `encoder_states`."""
        return encoder_states(self._encoder, batch)

    def replaced(self, batch) -> np.ndarray | None:
        """Probability that each token is a fake, [B, L]; None without a discriminator."""
        if self._pretrainer.discriminator is None:
            return None
        # Nothing is masked: the corrupted text is the text.
        nothing = {
            "masked_positions": tf.zeros([len(batch["input_ids"]), 1], tf.int32),
            "masked_ids": tf.zeros([len(batch["input_ids"]), 1], tf.int32),
            "masked_weights": tf.zeros([len(batch["input_ids"]), 1]),
            "masked_input_ids": batch["input_ids"],
        }
        batch = {name: tf.constant(rows) for name, rows in batch.items()}
        normalizers = {name: tf.constant(1.0) for name in ("mlm", "discriminator", "cloze")}
        outputs = self._pretrainer.compute_outputs({**batch, **nothing}, normalizers=normalizers)
        return tf.sigmoid(outputs["rtd_logits"]).numpy()

    def located(self, texts) -> list[dict]:
        """Byte offsets and ids of the tokens of each text that fit, and whether not all do."""
        found = self._tokenizer.offsets(texts)
        kept = self._length - 2
        columns = (column.to_list() for column in (found.ids, found.starts, found.ends))
        return [
            {
                "tokens": [self.token(i).encode() for i in ids[:kept]],
                "token_ids": ids[:kept],
                "starts": starts[:kept],
                "ends": ends[:kept],
                "is_truncated": len(ids) > kept,
            }
            for ids, starts, ends in zip(*columns, strict=True)
        ]

    @property
    def mask_token(self) -> str:
        return self.token(self._tokenizer.vocabulary.mask_id)

    def token(self, token_id: int) -> str:
        return self._tokenizer.vocabulary.token_of(int(token_id))

    def is_truncated(self, masked_text: str) -> bool:
        """Whether the end of a text with masks does not fit."""
        return len(self._masked(masked_text)[0]) > self._length - 2

    def _masked(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of a text with masks, and the bytes of those that fit."""
        mask = self.mask_token
        ids, places, byte = [], [], 0
        parts = text.split(mask)
        for number, part in enumerate(parts):
            ids += self._tokenizer([part])[0].numpy().tolist()
            byte += len(part.encode())
            if number < len(parts) - 1:
                if len(ids) < self._length - 2:
                    places.append((byte, byte + len(mask)))
                ids.append(self._tokenizer.vocabulary.mask_id)
                byte += len(mask)
        return ids, places

    def fillings(self, text: str) -> tuple[list[tuple[int, int]], np.ndarray]:
        """Bytes of the masks of a text that fit, and probabilities of all tokens for each."""
        vocabulary = self._tokenizer.vocabulary
        ids, places = self._masked(text)
        batch = self._padded([ids[: self._length - 2]])
        positions = np.flatnonzero(batch["input_ids"][0] == vocabulary.mask_id)
        if not len(positions):
            return [], np.zeros([0, len(vocabulary)])
        inputs = {name: tf.constant(rows) for name, rows in batch.items()}
        inputs["masked_input_ids"] = inputs["input_ids"]
        inputs["masked_positions"] = tf.constant(positions[None], tf.int32)
        logits = self._pretrainer.generator(inputs)["mlm_logits"]
        return places, tf.nn.softmax(logits[0]).numpy()[:, : len(vocabulary)]

    @property
    def _encoder(self):
        if self._pretrainer.discriminator is not None:
            return self._pretrainer.discriminator.encoder
        return self._pretrainer.generator.encoder

    def _padded(self, rows):
        return padded_rows(rows, self._tokenizer.vocabulary, self._length)


def padded_rows(rows, vocabulary, length: int) -> dict[str, np.ndarray]:
    """Lists of ids that fit as `[CLS] ids [SEP]`, filled up to the full length, int32 [B, L]."""
    ids = np.full((len(rows), length), vocabulary.pad_id, np.int32)
    mask = np.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row) + 2] = [vocabulary.cls_id, *row, vocabulary.sep_id]
        mask[number, : len(row) + 2] = 1
    return {"input_ids": ids, "input_mask": mask, "segment_ids": np.zeros_like(ids)}


def encoder_states(encoder: Encoder, batch) -> list[np.ndarray]:
    """What the first layer reads, and what each layer gives: float32 [B, L, H]."""
    options = {"disentangled": True} if is_disentangled(encoder) else {}
    first = encoder.embeddings(batch["input_ids"], batch["segment_ids"], **options)
    if encoder.embeddings_project is not None:
        first = encoder.embeddings_project(first)
    return [first.numpy(), *(state.numpy() for state in encoder(batch).layer_outputs)]
