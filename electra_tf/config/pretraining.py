# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-training run (google-research/electra, configure_pretraining.py)."""

import dataclasses
import math
import os
from typing import Any

from electra_tf.config.encoder import EncoderConfig, encoder_of_size, size_of
from electra_tf.config.fields import Role, check, fact, names_of, shown
from electra_tf.config.pretraining_checks import (
    MOST_ROWS,
    MOST_STEPS,
    Stage,
    check_pretraining,
    plan_stages,
    total_steps,
)
from electra_tf.config.run_config import LARGEST_INTEGER, RunConfig
from electra_tf.config.stored import configured_sizes
from electra_tf.patterns import escaped

DEBUG_RUN = {
    "train_batch_size": 8,
    "num_train_steps": 20,
    "eval_batch_size": 4,
    "iterations_per_loop": 1,
    "num_eval_steps": 2,
}
OPTIMIZERS = ("adam", "lamb", "stable_adamw")
LR_SCHEDULES = ("reference", "trapezoid", "cosine")
MASKING_RULES = ("without_replacement", "reference")
DISCRIMINATOR_OBJECTIVES = (
    "replaced_tokens",
    "replaced_tokens_masked_only",
    "replace_mlm",
    "all_tokens_mlm",
)


@dataclasses.dataclass(frozen=True)
class PretrainingConfig(RunConfig):
    """Everything that decides a pre-training run; build it with `from_hparams`."""

    verb = "pretrain"

    do_eval: bool = False
    """Evaluate the newest checkpoint; exactly one of this and `do_train`."""

    # Objective
    electra_objective: bool = fact(True, Role.MODEL)
    """Replaced token detection; with this and `electric_objective` off: masked LM, as BERT."""
    electric_objective: bool = fact(False, Role.MODEL)
    """Electric (EMNLP 2020): noise-contrastive energies with a two-tower cloze model as noise."""
    discriminator_objective: str = fact(
        "replaced_tokens", Role.MODEL, choices=DISCRIMINATOR_OBJECTIVES
    )
    """New. What the second model learns of the corrupted text, see
    `pretraining.discriminators`."""
    gen_weight: float = fact(1.0, at_least=0)
    """Weight of the generator's loss."""
    disc_weight: float = fact(50.0, at_least=0)
    """Weight of the discriminator's loss."""
    mask_prob: float = fact(0.15, within="(0, 1)")
    """Share of the tokens that are masked."""
    max_predictions_per_seq: int | None = None
    """N, masked positions per sequence at most; default int((mask_prob + 0.005) * length)."""
    masking: str = fact("without_replacement", choices=MASKING_RULES)
    """New. "reference" draws positions with replacement, as the original did."""
    whole_word_masking: bool = False
    """New. Mask all tokens of a word or none; the records say where words begin."""
    mask_prob_end: float | None = fact(None, within="(0, 1)")
    """New. The share of masked tokens changes linearly from `mask_prob` to this; null: constant."""

    # Optimization
    learning_rate: float = fact(5e-4, at_least=0)
    """Highest learning rate, before warm-up and decay."""
    lr_decay_power: float = fact(1.0, at_least=0)
    """Exponent of the decay of the learning rate to 0 at `num_train_steps`."""
    lr_schedule: str = fact("reference", choices=LR_SCHEDULES)
    """New. "trapezoid": warm-up, constant, decay; "cosine": warm-up, half a cosine."""
    lr_decay_share: float = fact(0.2, within="[0, 1]")
    """New. Share of `num_train_steps` in which a trapezoid decays, at the end; 0: it does not."""
    decay_from: str | None = fact(None, Role.PATH)
    """New. Checkpoint, or folder, of a trapezoid's constant part that a new run continues."""
    num_warmup_steps: int = fact(10000, at_least=0)
    """Steps in which the learning rate rises linearly."""
    optimizer: str = fact("adam", choices=OPTIMIZERS)
    """New. "lamb" is meant for large batches; "stable_adamw" shortens steps at gradients that Adam
    did not expect."""
    adam_beta_1: float = fact(0.9, within="[0, 1)")
    """New. Decay of the average of the gradients, of every optimizer here."""
    adam_beta_2: float = fact(0.999, within="[0, 1)")
    """New. Decay of the average of their squares."""
    adam_epsilon: float = fact(1e-6, above=0)
    """New. Added to the root of that average."""
    ema_decay: float = fact(0.0, within="[0, 1)")
    """New. Decay of moving averages of the weights, with which a run evaluates; 0: none."""

    # Run
    iterations_per_loop: int = fact(200, at_least=1, at_most=10**6)
    """Steps per call into the runtime."""
    save_checkpoints_steps: int = fact(1000, at_least=1, at_most=LARGEST_INTEGER)
    """Steps between two checkpoints."""
    num_train_steps: int = fact(1000000, at_least=1, at_most=MOST_STEPS)
    """Steps of the run; a larger number trains a finished run further."""
    num_eval_steps: int = fact(100, at_least=1, at_most=LARGEST_INTEGER)
    """Batches of one evaluation, at most; any number can say "all of them"."""
    keep_checkpoint_max: int | None = fact(5, at_least=0, expected="at least 0 or null")
    """Newest checkpoints kept; 0 or null keeps all."""
    log_every_steps: int = fact(100, at_least=1, at_most=LARGEST_INTEGER)
    """New. Steps between two lines of the log."""
    init_checkpoint_ignore: str | None = None
    """New. Regular expression: variables with such names may differ from `init_checkpoint`."""
    recompute_activations: bool = False
    """New. Compute what is in the layers again in the backward pass, to save memory."""

    # Generator
    uniform_generator: bool = fact(False, Role.MODEL)
    """Draw fakes uniformly from the vocabulary, without a generator."""
    two_tower_generator: bool = fact(False, Role.MODEL)
    """Electric's kind of generator; true by default for Electric."""
    untied_generator_embeddings: bool = fact(False, Role.MODEL)
    """Token embeddings of the generator's own, of its width."""
    untied_generator: bool = fact(True, Role.MODEL)
    """Layers of the generator's own; false: the discriminator's layers generate, too."""
    generator_layers: float = fact(1.0, Role.MODEL, above=0)
    """Generator's depth, as a share of the discriminator's."""
    generator_hidden_size: float = fact(0.25, Role.MODEL, above=0)
    """Generator's width, as a share of the discriminator's."""
    generator_embedding_size: int | None = fact(None, Role.MODEL, at_least=1, at_most=2**16)
    """New. Width of token embeddings of the generator's own; null: that of the generator."""
    generator_checkpoint: str | None = fact(None, Role.PATH)
    """New. Initial weights of the generator alone: a checkpoint or a folder of a model."""
    freeze_generator: bool = fact(False, Role.MODEL)
    """New. The generator is not trained; it has embeddings of its own."""
    generator_dropout: bool = True
    """New. Whether the generator drops out while it trains."""
    disentangled_embeddings: bool = fact(False, Role.MODEL)
    """New. Gradients of the discriminator do not reach the shared token embeddings, see
    `Embeddings`."""
    disallow_correct: bool = False
    """Never draw the original token as a fake."""
    temperature: float = fact(1.0, above=0)
    """Logits are divided by it before fakes are drawn."""
    temperature_end: float | None = fact(None, above=0)
    """New. The temperature changes linearly from `temperature` to this; null: constant."""

    # Batches
    train_batch_size: int = fact(128, at_least=1, at_most=MOST_ROWS)
    """B, sequences over all devices."""
    eval_batch_size: int = fact(128, at_least=1, at_most=MOST_ROWS)
    """Sequences of an evaluation's batch, over all devices."""
    length_buckets: list = fact([])
    """New. Ascending lengths; batches of sequences of about one length are cut to one of them."""
    gradient_accumulation_steps: int = 1
    """New. Parts that a batch is computed in, one after the other, to save memory."""
    stages: list = fact([])
    """New. Lengths, batch sizes, records and objectives that change in training, see `Stage`."""
    extend_positions: bool = False
    """New. Positions that a longer stage adds, or that `init_checkpoint` lacks, begin as copies of
    trained ones."""

    # Files; defaults follow from `data_dir` and `model_name`
    pretrain_tfrecords: str = fact("", Role.PATH)
    """Comma-separated globs of record files."""
    eval_tfrecords: str | None = fact(None, Role.PATH)
    """New. Held-out records; default: `pretrain_tfrecords`, which the original evaluates on."""

    @classmethod
    def from_hparams(
        cls,
        model_name: str,
        data_dir: str,
        hparams: dict[str, Any],
        saved: dict[str, Any] | None = None,
    ) -> "PretrainingConfig":
        """Configuration of a run: `hparams` over the defaults that follow from them.

        Args:
            model_name: folder name under `<data_dir>/models`.
            data_dir: where data and models are.
            hparams: hyperparameters by name, as given by the user.
            saved: `to_dict()` of the model folder's earlier run; decides what the model is.

        Raises:
            ValueError: an unknown name, a value of a wrong type or out of range, or a
                contradiction between `hparams` and `saved`.
        """
        cls._check_hparams(model_name, data_dir, hparams)
        if saved is not None:
            hparams = _with_saved_model(hparams, saved)
        values = {
            **_file_defaults(model_name, data_dir, hparams),
            **size_of(hparams).defaults,
            **(DEBUG_RUN if hparams.get("debug") else {}),
            **hparams,
        }
        if values.get("electric_objective"):
            values.setdefault("two_tower_generator", True)
        if values.get("freeze_generator"):
            values.setdefault("untied_generator_embeddings", True)
        if values.get("decay_from"):
            values.setdefault("lr_schedule", "trapezoid")
        steps = total_steps(values.get("stages"))
        if steps > 0:
            values.setdefault("num_train_steps", steps)
        return cls._of(model_name, data_dir, values)

    @classmethod
    def to_find_files(
        cls, model_name: str, data_dir: str, hparams: dict[str, Any]
    ) -> "PretrainingConfig":
        """The configuration before the run's files are read, from which the rest of it follows.

        Arguments and errors are those of `from_hparams`.
        """
        # Sequences may be as short as the model's positions are few.
        shortest = {"max_seq_length": min(128, _positions(hparams)), **hparams}
        return cls.from_hparams(model_name, data_dir, shortest)

    def __post_init__(self):
        super().__post_init__()
        check_pretraining(self)

    # ---- Derived values

    @property
    def num_decay_steps(self) -> int:
        """Steps at the end in which the rate of a trapezoid decays."""
        return round(self.lr_decay_share * self.num_train_steps)

    @property
    def num_masked(self) -> int:
        """N, masked positions per sequence of `max_seq_length`."""
        return self.num_masked_of(self.max_seq_length)

    def num_masked_of(self, length: int) -> int:
        """N, masked positions per sequence of a length."""
        share = max(self.mask_prob, self.mask_prob_end or 0.0)
        lengths = {self.max_seq_length, *(stage.max_seq_length for stage in self.plan)}
        is_bucket = length in self.length_buckets and length not in lengths
        if self.max_predictions_per_seq is not None:
            fixed = self.max_predictions_per_seq
            return min(fixed, length) if is_bucket else fixed
        if is_bucket:
            # As many as its rows would have in a batch of full length.
            return min(math.ceil(share * length), int((share + 0.005) * max(lengths)))
        return int((share + 0.005) * length)

    @property
    def plan(self) -> tuple[Stage, ...]:
        """The stages of the run; a single one unless `stages` says otherwise."""
        return plan_stages(
            self.stages,
            {
                "steps": self.num_train_steps,
                "max_seq_length": self.max_seq_length,
                "train_batch_size": self.train_batch_size,
                "gradient_accumulation_steps": self.gradient_accumulation_steps,
                "pretrain_tfrecords": self.pretrain_tfrecords,
            },
        )

    @property
    def record_patterns(self) -> list[str]:
        """Patterns of all records that the run reads."""
        trained = {stage.pretrain_tfrecords for stage in self.plan} if self.do_train else set()
        return sorted(trained | self._evaluated_patterns)

    @property
    def patterns_of_one_length(self) -> list[str]:
        """Patterns of records that are read at `max_seq_length` of the run."""
        trained = {
            values.get("pretrain_tfrecords", self.pretrain_tfrecords)
            for values in (self.stages or [{}] if self.do_train else [])
            if "max_seq_length" not in values
        }
        return sorted(trained | self._evaluated_patterns)

    @property
    def _evaluated_patterns(self) -> set[str]:
        is_evaluated = self.do_eval or self.eval_every_steps
        return {self.eval_tfrecords or self.pretrain_tfrecords} if is_evaluated else set()

    @property
    def generator_encoder(self) -> EncoderConfig:
        """The generator's encoder: narrower, as deep, run_pretraining.py get_generator_config."""
        full = self.encoder
        if not self.has_separate_generator:
            return full
        hidden_size = round(full.hidden_size * self.generator_hidden_size)
        embedding_size = full.embedding_size
        if self.untied_generator_embeddings:
            embedding_size = self.generator_embedding_size or hidden_size
        try:
            return dataclasses.replace(
                full,
                hidden_size=hidden_size,
                num_hidden_layers=round(full.num_hidden_layers * self.generator_layers),
                intermediate_size=4 * hidden_size,
                num_attention_heads=max(1, hidden_size // 64),
                embedding_size=embedding_size,
            )
        except ValueError as error:
            raise ValueError(
                f"a generator of generator_hidden_size={self.generator_hidden_size} and "
                f"generator_layers={self.generator_layers} cannot be: its {error}"
            ) from error

    @property
    def has_discriminator(self) -> bool:
        """Whether there is a second model, which reads the corrupted text."""
        return self.electra_objective or self.electric_objective

    @property
    def detects_replaced_tokens(self) -> bool:
        """Whether the second model has a head of replaced token detection."""
        return self.has_discriminator and not self.discriminator_objective.endswith("_mlm")

    @property
    def has_generator(self) -> bool:
        return not self.uniform_generator

    @property
    def has_separate_generator(self) -> bool:
        """Whether generator and discriminator are two encoders."""
        return self.has_generator and self.has_discriminator and self.untied_generator

    @property
    def sizes(self) -> dict[str, Any]:
        """As `stored_sizes.model_sizes` gives them for a checkpoint of the model."""
        generator = self.generator_encoder if self.has_separate_generator else None
        return configured_sizes(self.encoder, generator)

    @property
    def results_json(self) -> str:
        return os.path.splitext(self.results_txt)[0] + ".json"


MODEL_KEYS = names_of(PretrainingConfig, Role.MODEL)
"""Hyperparameters that make the model what it is: a model folder always keeps its value of each."""


def _positions(hparams: dict[str, Any]) -> int:
    """Positions of the model that is asked for; wrong values are for the configuration to say."""
    overrides = hparams.get("model_hparam_overrides")
    positions = overrides.get("max_position_embeddings") if isinstance(overrides, dict) else None
    return positions if type(positions) is int else 512


def _file_defaults(model_name: str, data_dir: str, hparams: dict[str, Any]) -> dict[str, str]:
    model_dir = hparams.get("model_dir") or os.path.join(data_dir, "models", model_name)
    results = os.path.join(str(model_dir), "results")
    return {
        "pretrain_tfrecords": os.path.join(
            escaped(data_dir), "pretrain_tfrecords/pretrain_data.tfrecord*"
        ),
        "vocab_file": os.path.join(data_dir, "vocab.txt"),
        "model_dir": model_dir,
        "results_txt": os.path.join(results, "unsup_results.txt"),
        "results_pkl": os.path.join(results, "unsup_results.pkl"),
    }


def _with_saved_model(hparams: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    """`hparams` completed with what the saved model is; the two may not contradict each other."""
    overrides = hparams.get("model_hparam_overrides", {})
    check(isinstance(overrides, dict), "model_hparam_overrides", "an object", overrides)
    encoder = encoder_of_size(
        saved["model_size"],
        saved["model_hparam_overrides"],
        saved["vocab_size"],
        saved["embedding_size"],
        saved["debug"],
    )
    differing = [
        f"{key}: saved {saved[key]!r}, given {shown(hparams[key])}"
        for key in MODEL_KEYS
        if key in hparams and key != "model_hparam_overrides" and hparams[key] != saved[key]
    ] + [
        f"model_hparam_overrides[{key!r}]: saved {getattr(encoder, key)!r}, given {shown(value)}"
        for key, value in overrides.items()
        if getattr(encoder, key, None) != value
    ]
    if differing:
        raise ValueError(
            f"the model in {saved['model_dir']} was made with other hyperparameters: "
            + "; ".join(differing)
            + ". Leave them out to continue it, or choose another --model-name."
        )
    return {**hparams, **{key: saved[key] for key in MODEL_KEYS}}
