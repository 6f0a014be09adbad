# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What runs of pre-training and of fine-tuning have in common."""

import dataclasses
from typing import Any, TypeVar

from electra_tf.config.encoder import MODEL_SIZES, OVERRIDABLE, EncoderConfig, encoder_of_size
from electra_tf.config.fields import (
    Role,
    check,
    check_fields,
    check_given,
    check_model_name,
    check_names,
    fact,
    is_text,
    names_of,
)
from electra_tf.config.pretraining_checks import Stage
from electra_tf.files import exists, parse_json, read_json

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

    model_name: str = fact(role=Role.RUN)
    data_dir: str = fact(role=Role.PATH)
    debug: bool = fact(False, Role.MODEL | Role.RUN)
    """A tiny model for a few steps."""
    do_train: bool = fact(True, Role.RUN)
    seed: int = fact(0, Role.MODEL | Role.RUN, at_least=0)
    """New. Decides initial weights, order of the data, masks, fakes and dropout; of fine-tuning
    that of the first trial, from which the others count up."""

    # Model
    model_size: str = fact("small", Role.MODEL, choices=MODEL_SIZES)
    model_hparam_overrides: dict = fact({}, Role.MODEL | Role.SHAPE)
    """Fields of `EncoderConfig` that differ from the size's."""
    embedding_size: int | None = fact(None, Role.MODEL | Role.SHAPE)
    """E; default: the size's, 128 for small, the hidden size for the others."""
    vocab_size: int = fact(30522, Role.MODEL | Role.SHAPE)
    do_lower_case: bool = fact(True, Role.MODEL)
    strip_accents: bool = fact(True, Role.MODEL)
    """New here; in the original a flag of the dataset builder only."""
    pre_split: bool = fact(False, Role.MODEL)
    """New. Whether words are what white space separates in the text, and nothing else."""
    tokenizer: str | None = fact(None, choices=VOCABULARIES_TAKEN_FOR, expected='null or "bert"')
    """New. "bert" takes a vocabulary for BERT's although its files describe another tokenizer."""

    # Training
    weight_decay_rate: float = fact(0.01, at_least=0)
    adam_bias_correction: bool = False
    """New. The original has none."""
    init_checkpoint: str | None = fact(None, Role.PATH)
    """Initial weights: a checkpoint or its folder, ours or the original's; null: random ones. New
    in pre-training."""
    max_seq_length: int = fact(128, Role.SHAPE | Role.INPUT | Role.PREDICTION)
    """L, tokens."""
    eval_every_steps: int = fact(0, at_least=0)
    """New. Evaluate every so many steps and keep the best checkpoint; 0: only at the end."""

    # Computation
    precision: str | None = fact(None, choices=PRECISIONS)
    """New. See `PRECISIONS`; null: bfloat16 on devices that have it, else float32."""
    jit_compile: bool | None = None
    """New. Compile steps by XLA, see docs/speed.md; null: on GPUs."""

    # Devices
    strategy: str = fact("one_device", Role.RUN, choices=STRATEGIES)
    """New. Where to compute, see `Devices`."""
    use_tpu: bool = fact(False, Role.RUN)
    num_tpu_cores: int = fact(1, Role.RUN, at_least=1, at_most=2**16)
    tpu_job_name: str | None = fact(None, Role.RUN)
    tpu_name: str | None = fact(None, Role.RUN)
    tpu_zone: str | None = fact(None, Role.RUN)
    gcp_project: str | None = fact(None, Role.RUN)

    # Files; defaults follow from `data_dir` and `model_name`
    vocab_file: str = fact("", Role.PATH)
    model_dir: str = fact("", Role.PATH)
    results_txt: str = fact("", Role.PATH)
    results_pkl: str = fact("", Role.PATH)

    @classmethod
    def _check_hparams(cls, model_name: str, data_dir: str, hparams: dict[str, Any]) -> None:
        """Raise a ValueError for an unknown name, an empty text, or a name that is no text."""
        known = [field.name for field in dataclasses.fields(cls)]
        settable = [name for name in known if name not in ("model_name", "data_dir")]
        check_names(hparams, settable, "hyperparameter")
        check_given(hparams)
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
        check_model_name(self.model_name)
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


def load_hparams(text_or_path: str) -> dict[str, Any]:
    """Hyperparameters from a JSON object or from the path of a file that holds one.

    Raises:
        ValueError: the text is neither, or not a JSON object.
        FileNotFoundError: it names a file, but there is none.
    """
    text = text_or_path.strip()
    # Folders may have names with braces.
    is_file = text.endswith(".json") or not text.startswith("{")
    if not is_file and ('"' in text or not text.strip("{} \n\t")):
        return parse_json(text, "--hparams")
    if text and exists(text_or_path):
        return read_json(text_or_path)
    problem = FileNotFoundError if "." in text or "/" in text else ValueError
    raise problem(
        "--hparams is expected to be a JSON object or the path of a file with one, but "
        f"{text_or_path!r} is no JSON object, and there is no file of that name."
    )
