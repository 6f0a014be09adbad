# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Floating-point operations of pre-training runs, ours and published ones."""

from electra_tf.config import EncoderConfig, PretrainingConfig
from electra_tf.config.pretraining_checks import Stage
from electra_tf.model.flops import TransformerFlops
from electra_tf.pretraining.discriminators import discriminator_objective

PUBLISHED_SHARE = 0.15625
"""Predicted positions in the original's count: 80 of 512."""
FORWARD_AND_BACKWARD = 2
"""The original's count; see `model.flops`."""


def flops_of_sequence(
    config: PretrainingConfig, length: int, masked_lm_only: bool = False
) -> float:
    """Operations of one training step on one sequence of `length` tokens, by the original's rules.

    With `masked_lm_only` the stage leaves the discriminator out.
    """
    share = config.num_masked_of(length) / length
    total = 0.0
    objective = discriminator_objective(config)
    if objective is not None and not masked_lm_only:
        discriminator = _of_encoder(config.encoder, length)
        forward = discriminator.layers + discriminator.input_embeddings
        forward += objective.head_flops(discriminator, share)
        total += FORWARD_AND_BACKWARD * forward
    if config.has_generator:
        generator = _of_encoder(config.generator_encoder, length)
        towers = 2 if config.two_tower_generator else 1
        forward = towers * (generator.layers + generator.input_embeddings)
        forward += generator.vocabulary_head(1.0 if config.two_tower_generator else share)
        total += (1 if config.freeze_generator else FORWARD_AND_BACKWARD) * forward
    return total


def flops_of_run(config: PretrainingConfig) -> float:
    """Operations of all steps of all stages; with `length_buckets` their upper bound."""
    return sum(stage.steps * _of_step(config, stage) for stage in config.plan)


def _of_step(config: PretrainingConfig, stage: Stage) -> float:
    length, masked_lm_only = stage.max_seq_length, stage.masked_lm_only
    return stage.train_batch_size * flops_of_sequence(config, length, masked_lm_only)


def _of_encoder(encoder: EncoderConfig, length: int) -> TransformerFlops:
    return TransformerFlops(
        encoder.hidden_size,
        encoder.num_hidden_layers,
        length,
        encoder.vocab_size,
        encoder.embedding_size,
        encoder.intermediate_size,
        encoder.num_attention_heads,
    )


# ---- Published runs, as the original's table has them


def published_flops() -> dict[str, float]:
    """Training operations of published models, in the order of the original's table."""
    return {
        # 768,648,884 words, ten epochs in batches of 20 x 128; of XLNet, 32 sequences were counted.
        "elmo": 2 * 10 * 768648884 * 568093262680 / (20.0 * 128),
        "xlnet": 2 * 500000 * 8192 * 15064773691518 / 32.0,
        "gpt": _masked_lm(TransformerFlops(768, 12, vocab_size=40000), 128, 960800, 1.0),
        "bert_small": _masked_lm(
            TransformerFlops(256, 12, length=128, embedding_size=128), 128, 1.45e6
        ),
        "bert_base": _masked_lm(TransformerFlops(768, 12), 256, 1e6),
        "bert_large": _masked_lm(TransformerFlops(1024, 24), 256, 1e6),
        "electra_small": _electra(256, 12, 64, 128, 1e6, length=128, embedding_size=128),
        "electra_base": _electra(768, 12, 256, 256, 766000),
        "electra_400k": _electra(1024, 24, 256, 2048, 400000),
        "electra_1.75M": _electra(1024, 24, 256, 2048, 1750000),
        "roberta": _masked_lm(TransformerFlops(1024, 24, vocab_size=50265), 8000, 500000),
        "albert": _masked_lm(
            TransformerFlops(4096, 12, vocab_size=30000, embedding_size=128), 4096, 1.5e6
        ),
        "t5_11b": sum(
            _masked_lm(
                TransformerFlops(
                    1024,
                    24,
                    vocab_size=32000,
                    intermediate_size=65536,
                    num_heads=128,
                    head_size=128,
                    is_decoder=is_decoder,
                ),
                2048,
                1e6,
                share=float(is_decoder),
            )
            for is_decoder in (False, True)
        ),
    }


def _masked_lm(
    model: TransformerFlops, batch_size: int, steps: float, share: float = PUBLISHED_SHARE
) -> float:
    forward = model.layers + model.input_embeddings + model.vocabulary_head(share)
    return FORWARD_AND_BACKWARD * batch_size * steps * forward


def _electra(
    hidden_size: int,
    layers: int,
    generator_size: int,
    batch_size: int,
    steps: float,
    length: int = 512,
    embedding_size: int | None = None,
) -> float:
    embedding_size = embedding_size or hidden_size
    model = TransformerFlops(hidden_size, layers, length, embedding_size=embedding_size)
    generator = TransformerFlops(generator_size, layers, length, embedding_size=embedding_size)
    forward = model.layers + model.input_embeddings + model.binary_head
    return FORWARD_AND_BACKWARD * batch_size * steps * forward + _masked_lm(
        generator, batch_size, steps
    )


def steps_like_those_at(config: PretrainingConfig, step: int) -> tuple[float, float]:
    """Steps of a whole run, and those that are left after `step`, as many as would be of its kind.

    A step of a later stage, on longer sequences or larger batches, counts for several.
    """
    costs = [(stage, _of_step(config, stage)) for stage in config.plan]
    one = next(cost for stage, cost in costs if step <= stage.last_step)
    whole = sum(stage.steps * cost for stage, cost in costs)
    left = sum(min(s.steps, max(0, s.last_step - step)) * cost for s, cost in costs)
    return whole / one, left / one
