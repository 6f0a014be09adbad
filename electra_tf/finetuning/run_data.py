# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The splits that a fine-tuning run reads."""

from collections.abc import Sequence

from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.finetuning.evaluation import baseline_of
from electra_tf.finetuning.split_data import SplitData, load_split
from electra_tf.finetuning.task import Task
from electra_tf.text import Tokenizer


class RunData:
    """The splits of a run, by what they are for.

    Args:
        config: the run.
        tokenizer: of the model.
        tasks: in the order of their ids.
        is_chief: whether this process writes features; the others take those that it has written.

    Attributes:
        train, dev: of every task, as far as the run needs them.
        other_dev: further development splits.
        test: those to predict for with `write_test_outputs`.
    """

    def __init__(
        self, config: FinetuningConfig, tokenizer: Tokenizer, tasks: Sequence[Task], is_chief: bool
    ):
        self._config, self._tokenizer, self._tasks = config, tokenizer, tasks
        self._is_chief = is_chief
        # Without training, the training file is good for the baselines only.
        self.train = [
            self._load(i, "train", training=True)
            for i, task in enumerate(tasks)
            if config.do_train or task.has("train")
        ]
        needs_dev = config.do_eval or config.eval_every_steps
        self.dev = [self._load(i, "dev") for i in range(len(tasks))] if needs_dev else []
        self.other_dev, self.test = self._other_splits() if config.do_eval else ([], [])

    @property
    def splits(self) -> list[SplitData]:
        """All of them."""
        return [*self.train, *self.dev, *self.other_dev, *self.test]

    def baselines(self) -> dict[str, dict[str, float]]:
        """Split -> the metrics of what one would predict without a model."""
        by_name = {data.task.name: data for data in self.train}
        labelled = [d for d in (*self.dev, *self.other_dev, *self.test) if d.is_labelled]
        return {
            data.name: baseline_of(by_name.get(data.task.name, data), data) for data in labelled
        }

    def log_examples(self) -> None:
        """Log the first example of every task, as text and as the model reads it."""
        for data in self.train:
            logging.info("First example of %s: %s", data.task.name, data.examples[0])
            ids = data.arrays["input_ids"][0][data.arrays["input_mask"][0] == 1]
            tokens = [self._tokenizer.vocabulary.token_of(int(i)) for i in ids]
            logging.info("tokens: %s", " ".join(tokens))
            for name, rows in data.arrays.items():
                logging.info("%s: %s", name, rows[0].tolist())

    def _load(self, task_id: int, split: str, training: bool = False) -> SplitData:
        cached = self._config.use_tfrecords_if_existing or not self._is_chief
        config = self._config.replace(use_tfrecords_if_existing=cached)
        return load_split(self._tasks[task_id], split, task_id, config, self._tokenizer, training)

    def _other_splits(self) -> tuple[list[SplitData], list[SplitData]]:
        """Further development splits, and those to predict for with `write_test_outputs`.

        Raises:
            FileNotFoundError: test outputs are asked for, but a task has no test file.
        """
        other_dev, test = [], []
        for task_id, task in enumerate(self._tasks):
            names = [name for name in task.spec.split_names if task.has(name)]
            other_dev += [self._load(task_id, n) for n in names if n.startswith("dev_")]
            unused = [n for n in names if n not in ("train", "dev") and not n.startswith("dev_")]
            if unused and not self._config.write_test_outputs:
                logging.info(
                    "%s: %s not used; write_test_outputs predicts for all splits that are not "
                    'train, dev or "dev_...".',
                    task.name,
                    " and ".join(unused),
                )
            if self._config.write_test_outputs:
                wanted = [n for n in names if n != "train" and not n.startswith("dev")]
                if not wanted:
                    raise FileNotFoundError(
                        f"write_test_outputs is expected to be false for the task {task.name}, "
                        f"since no test file of it is in {task.folder}."
                    )
                test += [self._load(task_id, name) for name in wanted]
        return other_dev, test
