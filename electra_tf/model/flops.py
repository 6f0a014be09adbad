# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Floating-point operations of a Transformer, counted as the original counts them.

Rules of google-research/electra, flops_computation.py: every arithmetic operation is one, so a
product of matrices counts 2 m n k; embeddings are looked up by a product with one-hot rows; a
backward pass costs what its forward pass does. The last is half of what is usual, and of what is
computed: numbers from here compare with published ones of the same kind.
"""

import dataclasses

DROPOUT = 4
"""Per element: draw, compare, mask, scale."""
LAYER_NORM = 5
"""Per element: mean, variance (2), shift, scale."""
ACTIVATION = 8
"""Per element, of GELU in its tanh form."""
SOFTMAX = 5
"""Per element: maximum, difference, exponential, sum, quotient."""
NUM_SEGMENTS = 2


@dataclasses.dataclass(frozen=True)
class TransformerFlops:
    """Operations of the forward pass on one sequence. H width, E embeddings, A heads, L length."""

    hidden_size: int
    num_layers: int
    length: int = 512
    vocab_size: int = 30522
    embedding_size: int | None = None
    """None: the hidden size."""
    intermediate_size: int | None = None
    """None: four times the hidden size."""
    num_heads: int | None = None
    """None: one for 64 of the hidden size."""
    head_size: int | None = None
    """None: all heads together are as wide as the hidden size."""
    is_decoder: bool = False
    """Decoders attend twice: to themselves and to an encoder."""

    @property
    def layers(self) -> float:
        """All layers."""
        return self.num_layers * self.length * (self._attention + self._feed_forward)

    @property
    def input_embeddings(self) -> float:
        """Look-up of tokens, segments and positions, and their projection."""
        width = self._embedding_size
        per_token = 2 * width * self.vocab_size
        per_token += 2 * width * (self.length + NUM_SEGMENTS) + 2 * width
        per_token += (LAYER_NORM + DROPOUT) * width
        if width != self.hidden_size:
            per_token += 2 * self.hidden_size * width + self.hidden_size
        return self.length * per_token

    def vocabulary_head(self, share: float) -> float:
        """Prediction of tokens, at a share of the positions."""
        width = self._embedding_size
        per_token = 2 * self.hidden_size * width + width + (ACTIVATION + LAYER_NORM) * width
        per_token += 2 * width * self.vocab_size + (SOFTMAX + 2) * self.vocab_size
        return share * self.length * per_token

    @property
    def binary_head(self) -> float:
        """One decision per position."""
        width = self.hidden_size
        return self.length * (2 * width * width + width + ACTIVATION * width + 2 * width)

    @property
    def copy_head(self) -> float:
        """One decision per position, without a layer of its own."""
        return self.length * 2 * self.hidden_size

    @property
    def _attention(self) -> float:
        """Per token of a layer."""
        width, heads = self.hidden_size, self.num_heads or max(self.hidden_size // 64, 1)
        projected = heads * self.head_size if self.head_size else width
        once = 3 * (2 * width * projected + projected)
        once += 2 * projected * self.length  # scores
        once += (SOFTMAX + DROPOUT + 1) * heads * self.length
        once += 2 * width * self.length  # weighted sums of values, H wide in the original's count
        once += 2 * width * width + width + (DROPOUT + 1) * width
        # The original counts one normalization here, not one per element.
        return (once + LAYER_NORM) * (2 if self.is_decoder else 1)

    @property
    def _feed_forward(self) -> float:
        """Per token of a layer."""
        width = self.hidden_size
        inner = self.intermediate_size or 4 * width
        return (
            2 * (2 * width * inner)
            + (ACTIVATION + 1) * inner
            + (1 + DROPOUT + 1 + LAYER_NORM) * width
        )

    @property
    def _embedding_size(self) -> int:
        return self.embedding_size or self.hidden_size
