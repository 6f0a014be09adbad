# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The built-in tasks, one row each, and what a row can say.

A task of GLUE, of the MRQA shared task or of tagging is added here, and nowhere else.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

QUESTION_HPARAMS = {"max_seq_length": 512, "num_train_epochs": 2.0, "write_test_outputs": False}
"""What a task of questions changes."""


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where the parts of an example stand: positions (negative: from the end) or column names."""

    text_a: int | str
    text_b: int | str | None = None
    label: int | str | None = None
    header: bool | None = True
    """Whether the first row of a TSV, CSV or CoNLL file holds the names of the columns; None (of
    CoNLL): it is expected not to, and refused if it seems so."""
    count: int | None = None
    """Cells per row where there is no header to count; None: as many as the first row has."""
    negative: int | str | None = None
    """A text that is like text_b, but does not belong to text_a (a hard negative)."""


@dataclasses.dataclass(frozen=True)
class Split:
    """A file of a task."""

    name: str
    file: str
    """Relative to the folder of the task."""
    format: str
    """tsv, csv, jsonl, conll, squad or mrqa."""
    columns: Columns | None = None
    """Of tables; for conll the word is text_a and the tag is label."""
    labelled: bool = True


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A split that is taken out of another one by a hash of the text."""

    split: str
    source: str
    share: float
    """Of the source's examples, between 0 and 1."""


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A text with a gap, and what fills it for each class."""

    template: str
    """With {text_a}, {text_b} of pairs, and {} for the option."""
    options: tuple[str, ...]
    """In the order of the labels."""


@dataclasses.dataclass(frozen=True)
class TaskSpec:
    """The description of a task, without its data."""

    name: str
    kind: str
    """Name of one of `kinds.KINDS`."""
    splits: tuple[Split, ...]
    metric: str
    """The primary one, in percent unless it is an error; see the `metrics` of the kind."""
    labels: tuple[str, ...] | None = None
    """Classes in the order of their ids; None: collected when the task is loaded."""
    value_range: tuple[float, float] | None = None
    """Lowest and highest score of a regression; targets are scaled to 0..1."""
    double_unordered: bool = False
    """Whether training pairs are repeated with their texts exchanged."""
    official: str | None = None
    """Metrics of question answering: squad_v1, squad_v2 or mrqa."""
    answer_units: str = "words"
    """What answers to questions share in the F1 score: words, or characters where no spaces
    separate words; see `question_metrics`."""
    scheme: str | None = None
    """Of tags: spans (BIO tags become BIOES, entity F1) or tokens (as they are, accuracy)."""
    given_labels: tuple[str, ...] | None = None
    """Of spans: the tags that a user has named, such as BIO, in whose letters predictions are
    returned; None: `labels`."""
    span_rule: str = "conll"
    """How ill-formed tag sequences are read as spans: conll or reference; see `spans`."""
    share_unseen_tags: bool = False
    """Whether tags that the training file lacks get one label together instead of one each."""
    held_out: HeldOut | None = None
    separator: str = ";"
    """Between the labels of a multi-label cell."""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    """What else the kind keeps of the keys of a JSON file."""
    prompt: Prompt | None = None
    """Of a classification by the discriminator's own head; None for one with a head of its own."""

    @property
    def has_unanswerable(self) -> bool:
        """Whether questions may have no answer (SQuAD 2.0)."""
        return self.official == "squad_v2"

    @property
    def split_names(self) -> tuple[str, ...]:
        """Names of all splits, the held-out one included."""
        names = [split.name for split in self.splits]
        return (*names, self.held_out.split) if self.held_out else tuple(names)

    def split(self, name: str) -> Split:
        """Returns the `Split` of a name.

        Raises:
            ValueError: the task has none of that name.
        """
        found = [split for split in self.splits if split.name == name]
        if not found:
            raise ValueError(
                f"The task {self.name} has no split {name!r}; it has {', '.join(self.split_names)}."
            )
        return found[0]


@dataclasses.dataclass(frozen=True)
class BuiltIn:
    """A row of the table."""

    spec: TaskSpec
    hparams: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the task changes of the hyperparameters where it is the only one of a run."""
    submission: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Split -> name of its file in a submission to the GLUE leaderboard."""


def _tsv(
    name: str,
    text_a: int,
    text_b: int | None = None,
    label: int | None = None,
    header: bool = True,
    count: int | None = None,
    file: str | None = None,
):
    columns = Columns(text_a, text_b, label, header, count)
    return Split(name, f"{file or name}.tsv", "tsv", columns, labelled=label is not None)


def _glue(labelled: tuple[int | None, ...], unlabelled: tuple[int, ...]):
    """Splits train and dev with columns (text_a, text_b, label), test with (text_a, text_b)."""
    return _tsv("train", *labelled), _tsv("dev", *labelled), _tsv("test", *unlabelled)


def _classes(
    name: str,
    submission: str,
    labels: tuple[str, ...],
    labelled: tuple[int | None, ...] = (1, 2, 3),
    unlabelled: tuple[int, ...] = (1, 2),
    hparams: Mapping[str, Any] | None = None,
    **options: Any,
) -> BuiltIn:
    splits = _glue(labelled, unlabelled)
    spec = TaskSpec(name, "classification", splits, metric="accuracy", labels=labels, **options)
    return BuiltIn(spec, hparams or {}, {"test": submission})


def _questions(
    name: str,
    file_format: str,
    extension: str,
    official: str,
    metric: str,
    hparams: Mapping[str, Any] = QUESTION_HPARAMS,
) -> BuiltIn:
    splits = tuple(
        Split(split, f"{split}.{extension}", file_format, labelled=split != "test")
        for split in ("train", "dev", "test")
    )
    return BuiltIn(TaskSpec(name, "qa", splits, metric=metric, official=official), hparams)


def _tags(
    name: str,
    scheme: str,
    metric: str,
    hparams: Mapping[str, Any] | None = None,
    **options: Any,
) -> BuiltIn:
    columns = Columns(text_a=0, label=-1, header=None)
    splits = tuple(
        Split(split, f"{split}.txt", "conll", columns) for split in ("train", "dev", "test")
    )
    spec = TaskSpec(name, "tagging", splits, metric=metric, scheme=scheme, **options)
    return BuiltIn(spec, hparams or {})


_BINARY = ("0", "1")
_ENTAILMENT = ("entailment", "not_entailment")
# Columns of train.tsv and dev.tsv of CoLA, which have no header: source, label, mark, sentence.
_COLA = {"text_a": 3, "label": 1, "header": False, "count": 4}

# Columns, labels and doubling: classification_tasks.py:331-493; metrics: the README's results.
_ROWS = (
    BuiltIn(
        TaskSpec(
            "cola",
            "classification",
            (_tsv("train", **_COLA), _tsv("dev", **_COLA), _tsv("test", 1)),
            metric="mcc",
            labels=_BINARY,
        ),
        submission={"test": "CoLA"},
    ),
    _classes("sst", "SST-2", _BINARY, (0, None, 1), (1,)),
    _classes("mrpc", "MRPC", _BINARY, (3, 4, 0), (3, 4), double_unordered=True),
    _classes("qqp", "QQP", _BINARY, (3, 4, 5), (1, 2)),
    BuiltIn(
        TaskSpec(
            "sts",
            "regression",
            _glue((-3, -2, -1), (-2, -1)),
            metric="spearman",
            value_range=(0.0, 5.0),
            double_unordered=True,
        ),
        {"num_train_epochs": 10.0},
        {"test": "STS-B"},
    ),
    BuiltIn(
        TaskSpec(
            "mnli",
            "classification",
            (
                _tsv("train", 8, 9, -1),
                _tsv("dev", 8, 9, -1, file="dev_matched"),
                _tsv("dev_mismatched", 8, 9, -1),
                _tsv("test_matched", 8, 9),
                _tsv("test_mismatched", 8, 9),
                _tsv("diagnostic", 1, 2),
            ),
            metric="accuracy",
            labels=("contradiction", "entailment", "neutral"),
        ),
        submission={
            "test_matched": "MNLI-m",
            "test_mismatched": "MNLI-mm",
            "diagnostic": "AX",
        },
    ),
    _classes("qnli", "QNLI", _ENTAILMENT),
    _classes("rte", "RTE", _ENTAILMENT, hparams={"num_train_epochs": 10.0}),
    _classes("wnli", "WNLI", _BINARY),
    _questions("squad", "squad", "json", "squad_v2", "best_exact"),
    _questions("squadv1", "squad", "json", "squad_v1", "exact_match"),
    *(
        _questions(name, "mrqa", "jsonl", "mrqa", "f1")
        for name in ("newsqa", "triviaqa", "searchqa", "hotpotqa")
    ),
    # As in the original, which has no hyperparameters for it.
    _questions("naturalqs", "mrqa", "jsonl", "mrqa", "f1", hparams={}),
    _tags("chunk", "spans", "f1", {"max_seq_length": 256}, span_rule="reference"),
    _tags("ner", "spans", "f1"),
    _tags("pos", "tokens", "accuracy"),
    _tags("ccg", "tokens", "accuracy", share_unseen_tags=True),
)

TASKS = {row.spec.name: row for row in _ROWS}
