# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What runs of pre-training and of fine-tuning have in common."""

import dataclasses
import re
from typing import Any, ClassVar, TypeVar

from electra_tf.config.encoder import MODEL_SIZES, OVERRIDABLE, EncoderConfig, encoder_of_size
from electra_tf.config.fields import (
    Role,
    check,
    check_fields,
    check_names,
    fact,
    is_text,
    names_of,
)
from electra_tf.config.pretraining_checks import Stage

STRATEGIES = ("one_device", "mirrored", "multi_worker", "tpu")
"""The first GPU or else the CPU; all GPUs of this host; the hosts of TF_CONFIG or of a SLURM step
with all their GPUs; a Cloud TPU."""
PRECISIONS = ("float32", "bfloat16", "float16")
"""Of activations and matrix products. Weights, moments, losses, softmax, sampling and the
statistics of normalization are float32 in any case."""
VOCABULARIES_TAKEN_FOR = ("bert",)
"""What a vocabulary can be taken for, whatever its files say."""
LARGEST_INTEGER = 2**63 - 1
T = TypeVar("T", bound="RunConfig")


@dataclasses.dataclass(frozen=True)
class Devices:
    """What a strategy is made from; fields as in the configurations."""

    strategy: str = "one_device"
    tpu_name: str | None = None
    tpu_zone: str | None = None
    gcp_project: str | None = None
    tpu_job_name: str | None = None
    num_tpu_cores: int = 1


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The hyperparameters that both kinds of runs have; the rest is in the subclasses."""

    verb: ClassVar[str]
    """Of the command `electra` that runs it."""

    model_name: str = fact(role=Role.RUN)
    data_dir: str = fact(role=Role.PATH)
    debug: bool = fact(False, Role.MODEL | Role.RUN)
    """A tiny model for a few steps."""
    do_train: bool = fact(True, Role.RUN)
    """Whether to train."""
    seed: int = fact(0, Role.MODEL | Role.RUN, at_least=0)
    """New. Decides initial weights, order of the data, masks, fakes and dropout; of fine-tuning
    that of the first trial, from which the others count up."""

    # Model
    model_size: str = fact("small", Role.MODEL, choices=MODEL_SIZES)
    """Width and depth: small, base or large; decides also the default of `embedding_size`."""
    model_hparam_overrides: dict = fact({}, Role.MODEL | Role.SHAPE)
    """Fields of `EncoderConfig` that differ from the size's."""
    embedding_size: int | None = fact(None, Role.MODEL | Role.SHAPE)
    """E; default: the size's, 128 for small, the hidden size for the others."""
    vocab_size: int = fact(30522, Role.MODEL | Role.SHAPE)
    """V, rows of the token embeddings, at least the number of tokens in `vocab_file`. A command
    that is given none takes it from the initial weights, else from the vocabulary."""
    do_lower_case: bool = fact(True, Role.MODEL)
    """Lower-case the text. Default: what the vocabulary's files say, else this."""
    strip_accents: bool = fact(True, Role.MODEL)
    """New here; in the original a flag of the dataset builder only."""
    pre_split: bool = fact(False, Role.MODEL)
    """New. Whether words are what white space separates in the text, and nothing else."""
    tokenizer: str | None = fact(None, choices=VOCABULARIES_TAKEN_FOR, expected='null or "bert"')
    """New. "bert" takes a vocabulary for BERT's although its files describe another tokenizer."""

    # Training
    weight_decay_rate: float = fact(0.01, at_least=0)
    """Decoupled weight decay, times the learning rate; none for LayerNorm and biases."""
    adam_bias_correction: bool = False
    """New. Adam with bias correction, which the original has not."""
    init_checkpoint: str | None = fact(None, Role.PATH)
    """Initial weights: a checkpoint or its folder, ours or the original's; null: random ones. New
    in pre-training."""
    max_seq_length: int = fact(128, Role.SHAPE | Role.INPUT | Role.PREDICTION)
    """L, tokens of a sequence; that of the records, or the longest text of fine-tuning."""
    eval_every_steps: int = fact(0, at_least=0)
    """New. Evaluate every so many steps and keep the best checkpoint; 0: only at the end."""

    # Computation
    precision: str | None = fact(None, choices=PRECISIONS)
    """New. Of activations and matrix products; null: bfloat16 on devices that have it,
    else float32."""
    jit_compile: bool | None = None
    """New. Compile steps by XLA, see docs/speed.md; null: on GPUs."""

    # Devices
    strategy: str = fact("one_device", Role.RUN, choices=STRATEGIES)
    """New. Where to compute: the first GPU or else the CPU; all GPUs of this host; the hosts of
    TF_CONFIG or of a SLURM step; a Cloud TPU."""
    use_tpu: bool = fact(False, Role.RUN)
    """Compute on a TPU, the same as strategy "tpu"; not tried on one."""
    num_tpu_cores: int = fact(1, Role.RUN, at_least=1, at_most=2**16)
    """Cores that the TPU must have."""
    tpu_job_name: str | None = fact(None, Role.RUN)
    """Job of the TPU; null: worker."""
    tpu_name: str | None = fact(None, Role.RUN)
    """Name or address of the TPU."""
    tpu_zone: str | None = fact(None, Role.RUN)
    """Google Cloud zone of the TPU."""
    gcp_project: str | None = fact(None, Role.RUN)
    """Google Cloud project of the TPU."""

    # Files; defaults follow from `data_dir` and `model_name`
    vocab_file: str = fact("", Role.PATH)
    """Vocabulary, <data_dir>/vocab.txt; of fine-tuning that of the model, if it has one."""
    model_dir: str = fact("", Role.PATH)
    """Folder of the model; of fine-tuning without the number of the trial."""
    results_txt: str = fact("", Role.PATH)
    """File of the results; a JSON file is beside it."""
    results_pkl: str = fact("", Role.PATH)
    """File of the results, pickled."""

    @classmethod
    def _check_hparams(cls, model_name: str, data_dir: str, hparams: dict[str, Any]) -> None:
        """Raise a ValueError for an unknown name, an empty text, or a name that is no text."""
        known = [field.name for field in dataclasses.fields(cls)]
        settable = [name for name in known if name not in ("model_name", "data_dir")]
        listed = f"`electra {cls.verb} --list-hparams` lists them."
        check_names(hparams, settable, "hyperparameter", listed)
        for name, value in hparams.items():
            check(value != "", name, "a text that is not empty, or left out", value)
        for name, value in {"model_name": model_name, "data_dir": data_dir}.items():
            check(is_text(value), name, "a text", value)

    @classmethod
    def _of(cls: type[T], model_name: str, data_dir: str, values: dict[str, Any]) -> T:
        """The configuration; the original's `use_tpu` and `strategy` come to say the same."""
        if values.get("use_tpu"):
            values = {"strategy": "tpu", **values}
        elif values.get("strategy") == "tpu":
            values = {"use_tpu": True, **values}
        return cls(model_name=model_name, data_dir=data_dir, **values)

    def __post_init__(self):
        check_fields(self)
        name = self.model_name
        is_path = name.startswith("~") or re.search(r"[/\\\x00-\x1f]", name)
        expected = "the name of a folder inside <data_dir>/models, not a path"
        check(name.strip(" .") != "" and not is_path, "model_name", expected, name)
        check_names(self.model_hparam_overrides, OVERRIDABLE, "model_hparam_overrides key")
        check(
            self.use_tpu == (self.strategy == "tpu"),
            "strategy",
            f"'tpu' where use_tpu is true, and only there (use_tpu is {self.use_tpu})",
            self.strategy,
        )

    def replace(self: T, **changes: Any) -> T:
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, JSON-serializable."""
        return dataclasses.asdict(self)

    @property
    def changed(self) -> dict[str, Any]:
        """The fields that differ from those of a run without hyperparameters, by name."""
        tasks = {"task_names": self.task_names} if hasattr(self, "task_names") else {}
        plain = type(self).from_hparams(self.model_name, self.data_dir, tasks).to_dict()
        given = {name: v for name, v in self.to_dict().items() if v != plain[name]}
        return {"model_name": self.model_name, "data_dir": self.data_dir, **tasks, **given}

    def without_paths(self) -> dict[str, Any]:
        """`to_dict` without what may be a path, of the run and of its stages."""
        paths = names_of(type(self), Role.PATH | Role.MAY_BE_PATH)
        others = {name: value for name, value in self.to_dict().items() if name not in paths}
        if "stages" in others:
            paths = names_of(Stage, Role.PATH)
            others["stages"] = [
                {name: value for name, value in stage.items() if name not in paths}
                for stage in others["stages"]
            ]
        return others

    @property
    def devices(self) -> Devices:
        """Where to compute."""
        fields = dataclasses.fields(Devices)
        return Devices(**{field.name: getattr(self, field.name) for field in fields})

    @property
    def encoder(self) -> EncoderConfig:
        """The encoder that the hyperparameters ask for: the discriminator's, or masked LM's."""
        return encoder_of_size(
            self.model_size,
            self.model_hparam_overrides,
            self.vocab_size,
            self.embedding_size,
            self.debug,
        )
