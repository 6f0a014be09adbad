# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the rules of health need of a pre-training run's configuration."""

from typing import NamedTuple

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining.masking import MASK_TOKEN_RATE
from electra_tf.pretraining.record_facts import RecordFacts

RISE_OF_MASKING = 5.0
"""Nats per share of tokens that are masked beside those of the start (`mask_prob_end`)."""
SHORTEST_PATIENCE, LONGEST_PATIENCE, PATIENT_SHARE = 1000, 10000, 0.4
"""Steps after the warm-up before a run is expected to have learned something."""


class RunFacts(NamedTuple):
    """What the rules need of a configuration."""

    vocab_size: int
    num_train_steps: int
    num_warmup_steps: int
    masked_per_step: float
    """Masked tokens of a batch, at most."""
    first_discriminator_step: int
    """Steps done before the first stage that trains the discriminator."""
    has_discriminator: bool
    """Whether a stage trains one."""
    has_probabilities: bool
    """Whether the discriminator's outputs alone are its probabilities. Electric adds the noise's
    log-probabilities to them, and calls what the noise drew a fake even where it is the original
    token, so that healthy runs stay near an AUC of 0.5. Other objectives have no such outputs, or
    of masked tokens alone, among which there may be no original one."""
    has_generator: bool
    is_generator_trained: bool
    kept_share: float
    """Share of masked tokens that the generator sees, and so may copy."""
    can_restore: bool
    """Whether a drawn token may be the original one."""
    keeps_case: bool
    """Whether the text is not lower-cased."""
    expected_rise: float
    """Nats by which the masked-LM loss may rise as more and more tokens are masked."""

    @classmethod
    def of(cls, config: PretrainingConfig) -> "RunFacts":
        """Those of a configuration."""
        has_discriminator = config.has_discriminator and not all(
            stage.masked_lm_only for stage in config.plan
        )
        is_default = config.discriminator_objective == "replaced_tokens"
        masked = [s.train_batch_size * config.num_masked_of(s.max_seq_length) for s in config.plan]
        return cls(
            config.vocab_size,
            config.num_train_steps,
            config.num_warmup_steps,
            float(min(masked)),
            min((s.first_step for s in config.plan if not s.masked_lm_only), default=0),
            has_discriminator,
            has_discriminator and is_default and not config.electric_objective,
            config.has_generator,
            config.has_generator and not config.freeze_generator and config.gen_weight > 0,
            # A two-tower generator does not see the token that it predicts.
            0.0 if config.two_tower_generator else 1 - MASK_TOKEN_RATE,
            not config.disallow_correct,
            not config.do_lower_case,
            RISE_OF_MASKING * max(0.0, (config.mask_prob_end or 0.0) - config.mask_prob),
        )

    def warm_from(self, is_of_discriminator: bool = False) -> int:
        """The step at which a model has had as many steps as the warm-up has."""
        first = self.first_discriminator_step if is_of_discriminator else 0
        return first + self.num_warmup_steps

    def patience(self, is_of_discriminator: bool = False) -> float:
        """The step from which a model is expected to have learned something."""
        warm = self.warm_from(is_of_discriminator)
        after = PATIENT_SHARE * (self.num_train_steps - warm)
        return warm + min(max(after, SHORTEST_PATIENCE), LONGEST_PATIENCE)

    def plateau(self, facts: RecordFacts) -> float:
        """Nats: the masked-LM loss of a model that copies what it sees, and guesses the rest."""
        return (1 - self.kept_share) * facts.unigram_entropy
