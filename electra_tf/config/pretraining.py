# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-training run (google-research/electra, configure_pretraining.py)."""

import dataclasses
import math
import os
from typing import Any

from electra_tf.config.checks import check, check_given, check_names, check_types, is_text, shown
from electra_tf.config.devices import Devices, devices_of, with_strategy
from electra_tf.config.encoder import EncoderConfig, encoder_of_size
from electra_tf.config.pretraining_checks import check_pretraining
from electra_tf.config.stages import Stage, plan_stages, total_steps
from electra_tf.config.stored_sizes import configured_sizes
from electra_tf.files import escaped

DEBUG_RUN = {
    "train_batch_size": 8,
    "num_train_steps": 20,
    "eval_batch_size": 4,
    "iterations_per_loop": 1,
    "num_eval_steps": 2,
}

MODEL_KEYS = (
    "debug",
    "seed",
    "electra_objective",
    "electric_objective",
    "model_size",
    "model_hparam_overrides",
    "embedding_size",
    "vocab_size",
    "do_lower_case",
    "strip_accents",
    "pre_split",
    "uniform_generator",
    "two_tower_generator",
    "untied_generator_embeddings",
    "untied_generator",
    "generator_layers",
    "generator_hidden_size",
    "disentangled_embeddings",
)
"""Hyperparameters that make the model what it is: a model folder has one value of each for life."""


@dataclasses.dataclass(frozen=True)
class PretrainingConfig:
    """Everything that decides a pre-training run; build it with `from_hparams`."""

    model_name: str
    data_dir: str
    debug: bool = False
    """A tiny model for a few steps."""
    do_train: bool = True
    do_eval: bool = False

    # Objective
    electra_objective: bool = True
    """Replaced token detection; with this and `electric_objective` off: masked LM, as BERT."""
    electric_objective: bool = False
    """Electric (EMNLP 2020): noise-contrastive energies with a two-tower cloze model as noise."""
    gen_weight: float = 1.0
    disc_weight: float = 50.0
    mask_prob: float = 0.15
    """Share of the tokens that are masked."""
    max_predictions_per_seq: int | None = None
    """N, masked positions per sequence at most; default int((mask_prob + 0.005) * length)."""
    masking: str = "without_replacement"
    """New. "reference" draws positions with replacement, as the original did."""
    whole_word_masking: bool = False
    """New. Mask all tokens of a word or none; the records tell where words begin."""
    mask_prob_end: float | None = None
    """New. The share of masked tokens goes in a line from `mask_prob` to this; null: constant."""

    # Optimization
    learning_rate: float = 5e-4
    lr_decay_power: float = 1.0
    weight_decay_rate: float = 0.01
    num_warmup_steps: int = 10000
    adam_bias_correction: bool = False
    """New. The original has none."""
    optimizer: str = "adam"
    """New. "lamb" is meant for large batches."""
    ema_decay: float = 0.0
    """New. Decay of moving averages of the weights, with which a run evaluates; 0: none."""
    seed: int = 0
    """New. Decides initial weights, order of the data, masks, fakes and dropout."""

    # Run
    iterations_per_loop: int = 200
    """Steps per call into the runtime."""
    save_checkpoints_steps: int = 1000
    num_train_steps: int = 1000000
    num_eval_steps: int = 100
    """Batches of one evaluation, at most."""
    keep_checkpoint_max: int | None = 5
    """Newest checkpoints kept; 0 or null keeps all."""
    eval_every_steps: int = 0
    """New. Evaluate while training every so many steps, keep the best checkpoint; 0: never."""
    log_every_steps: int = 100
    """New. Steps between two lines of the log."""
    init_checkpoint: str | None = None
    """New. Weights to begin with at step 0: a checkpoint or its folder, ours or the original's."""
    init_checkpoint_ignore: str | None = None
    """New. Regular expression: variables with such names may differ from `init_checkpoint`."""

    # Computation
    precision: str | None = None
    """New. See `PRECISIONS`; null: bfloat16 on devices that have it, else float32."""
    jit_compile: bool | None = None
    """New. Compile steps by XLA, see docs/speed.md; null: on GPUs."""
    recompute_activations: bool = False
    """New. Compute what is in the layers again in the backward pass, to save memory."""

    # Model
    model_size: str = "small"
    model_hparam_overrides: dict = dataclasses.field(default_factory=dict)
    """Fields of `EncoderConfig` that differ from the size's."""
    embedding_size: int | None = None
    """E; default 128 for small, the hidden size for the others."""
    vocab_size: int = 30522
    do_lower_case: bool = True
    strip_accents: bool = True
    """New here; in the original a flag of the dataset builder only."""
    pre_split: bool = False
    """New. Whether words are what white space separates in the text, and nothing else."""
    tokenizer: str | None = None
    """New. "bert" takes a vocabulary for BERT's although its files describe another tokenizer."""

    # Generator
    uniform_generator: bool = False
    two_tower_generator: bool = False
    untied_generator_embeddings: bool = False
    untied_generator: bool = True
    generator_layers: float = 1.0
    """Generator's depth, as a share of the discriminator's."""
    generator_hidden_size: float = 0.25
    """Generator's width, as a share of the discriminator's."""
    generator_dropout: bool = True
    """New. Whether the generator drops out while it trains."""
    disentangled_embeddings: bool = False
    """New. Gradients of the discriminator do not reach the shared token embeddings, see
    `Embeddings`."""
    disallow_correct: bool = False
    temperature: float = 1.0

    # Batches
    max_seq_length: int = 128
    """L, tokens."""
    train_batch_size: int = 128
    """B, sequences over all devices."""
    eval_batch_size: int = 128
    length_buckets: list = dataclasses.field(default_factory=list)
    """New. Ascending lengths; batches of sequences of about one length are cut to one of them."""
    gradient_accumulation_steps: int = 1
    """New. Parts that a batch is computed in, one after the other, to save memory."""
    stages: list = dataclasses.field(default_factory=list)
    """New. Lengths, batch sizes and records that change as training goes, see `Stage`."""
    extend_positions: bool = False
    """New. Positions that a longer stage adds begin as copies of trained ones."""

    # Devices
    strategy: str = "one_device"
    """New. Where to compute, see `Devices`."""
    use_tpu: bool = False
    num_tpu_cores: int = 1
    tpu_job_name: str | None = None
    tpu_name: str | None = None
    tpu_zone: str | None = None
    gcp_project: str | None = None

    # Files; defaults follow from `data_dir` and `model_name`
    pretrain_tfrecords: str = ""
    """Comma-separated globs of record files."""
    eval_tfrecords: str | None = None
    """New. Held-out records; default: `pretrain_tfrecords`, which the original evaluates on."""
    vocab_file: str = ""
    model_dir: str = ""
    results_txt: str = ""
    results_pkl: str = ""

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
        known = [field.name for field in dataclasses.fields(cls)]
        settable = [name for name in known if name not in ("model_name", "data_dir")]
        check_names(hparams, settable, "hyperparameter")
        check_given(hparams)
        for name, value in {"model_name": model_name, "data_dir": data_dir}.items():
            check(is_text(value), name, "a text", value)
        if saved is not None:
            hparams = _with_saved_model(hparams, saved)
        values = {**_file_defaults(model_name, data_dir, hparams), **hparams}
        if values.get("debug"):
            values = {**DEBUG_RUN, **values}
        if values.get("model_size", "small") == "small":
            values.setdefault("embedding_size", 128)
        if values.get("electric_objective"):
            values.setdefault("two_tower_generator", True)
        steps = total_steps(values.get("stages"))
        if steps > 0:
            values.setdefault("num_train_steps", steps)
        return cls(model_name=model_name, data_dir=data_dir, **with_strategy(values))

    def __post_init__(self):
        check_types(self)
        check_pretraining(self)

    def replace(self, **changes: Any) -> "PretrainingConfig":
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, JSON-serializable."""
        return dataclasses.asdict(self)

    # ---- Derived values

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
    def devices(self) -> Devices:
        """Where to compute."""
        return devices_of(self)

    @property
    def encoder(self) -> EncoderConfig:
        """The discriminator's encoder; for masked LM the only one."""
        return encoder_of_size(
            self.model_size,
            self.model_hparam_overrides,
            self.vocab_size,
            self.embedding_size,
            self.debug,
        )

    @property
    def generator_encoder(self) -> EncoderConfig:
        """The generator's encoder: narrower, as deep, run_pretraining.py get_generator_config."""
        full = self.encoder
        if not self.has_separate_generator:
            return full
        hidden_size = round(full.hidden_size * self.generator_hidden_size)
        embedding_size = hidden_size if self.untied_generator_embeddings else full.embedding_size
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
        return self.electra_objective or self.electric_objective

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
