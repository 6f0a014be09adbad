# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs of every kind of task from data files to results."""

import csv
import json
import pathlib
import pickle
import shutil
import zipfile

import numpy as np
import pytest
from task_files import GOLDENS
from tiny_finetuning import MODEL, SETTINGS, finetune, write_task

from electra_tf.finetuning import run
from electra_tf.finetuning.prediction import Predictor
from electra_tf.runs import resolve_finetuning

ONE_EPOCH = {"num_train_epochs": 1.0, "write_test_outputs": True}


@pytest.fixture
def glue_dir(tuning_dir):
    """The data folder with the recorded GLUE and CoNLL files."""
    shutil.copytree(GOLDENS / "tasks" / "finetuning_data", tuning_dir / "finetuning_data")
    return tuning_dir


def details(config, name):
    """Predictions of a task and split, such as "cola_dev_1"."""
    folder = pathlib.Path(config.results_txt.replace(".txt", "_details"))
    return [
        json.loads(line) for line in (folder / f"{name}_predictions.jsonl").read_text().splitlines()
    ]


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_cola(glue_dir):
    config, results = finetune(glue_dir, ["cola"], **ONE_EPOCH)
    scores = results.trials[0]["scores"]["cola"]
    assert next(iter(scores)) == "mcc" and list(scores)[-1] == "loss"
    text = pathlib.Path(config.results_txt).read_text()
    cells = " - ".join(f"{metric}: {value:.2f}" for metric, value in scores.items())
    assert text == f"cola: {cells}\n"
    assert pickle.loads(pathlib.Path(config.results_pkl).read_bytes()) == [{"cola": scores}]
    assert results.baselines["cola"]["mcc"] == 0.0
    dev = details(config, "cola_dev_1")
    assert [row["id"] for row in dev] == list(range(12))
    for row in dev:
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["prediction"] == max(row["probabilities"], key=row["probabilities"].get)
    right = np.mean([row["prediction"] == row["label"] for row in dev])
    assert scores["accuracy"] == pytest.approx(100 * right)
    folder = glue_dir / "models" / "tiny" / "test_predictions"
    logits = pickle.loads((folder / "cola_test_1_predictions.pkl").read_bytes())
    table = rows_of(folder / "glue" / "trial_1" / "CoLA.tsv")
    assert table[0] == ["index", "prediction"]
    assert [[i, str(np.argmax(logits[int(i)]))] for i, _ in table[1:]] == table[1:]
    assert "label" not in details(config, "cola_test_1")[0]


def test_mnli_has_two_development_and_three_test_sets(glue_dir):
    config, results = finetune(glue_dir, ["mnli"], **ONE_EPOCH)
    assert list(results.trials[0]["scores"]) == ["mnli", "mnli_dev_mismatched"]
    assert set(results.baselines) == {"mnli", "mnli_dev_mismatched"}
    archive = glue_dir / "models" / "tiny" / "test_predictions" / "glue" / "trial_1.zip"
    with zipfile.ZipFile(archive) as content:
        assert content.namelist() == ["AX.tsv", "MNLI-m.tsv", "MNLI-mm.tsv"]
        lines = content.read("AX.tsv").decode().splitlines()
    words = {line.split("\t")[1] for line in lines[1:]}
    assert words <= {"contradiction", "entailment", "neutral"}
    classes = (
        pathlib.Path(config.results_txt.replace(".txt", "_details")) / "mnli_dev_1_classes.txt"
    )
    table = classes.read_text()
    assert table.startswith("gold \\ predicted") and "precision" in table


def test_sts_scores_stay_in_their_range(glue_dir):
    config, results = finetune(glue_dir, ["sts"], **ONE_EPOCH)
    assert next(iter(results.trials[0]["scores"]["sts"])) == "spearman"
    assert results.trials[0]["steps"] == 3  # both orders of 12 pairs
    table = rows_of(
        glue_dir / "models" / "tiny" / "test_predictions" / "glue" / "trial_1" / "STS-B.tsv"
    )
    assert all(0 <= float(score) <= 5 for _, score in table[1:])
    row = details(config, "sts_dev_1")[0]
    assert isinstance(row["prediction"], float) and "text_b" in row


def test_chunks(glue_dir):
    config, results = finetune(glue_dir, ["chunk"], num_train_epochs=1.0)
    assert next(iter(results.trials[0]["scores"]["chunk"])) == "f1"
    for row in details(config, "chunk_dev_1"):
        assert len(row["words"]) == len(row["prediction"]) == len(row["label"])
        assert len(row["probabilities"]) == len(row["words"])
    predictor = Predictor(f"{config.model_dir}_1")
    dev = predictor.of_file(glue_dir / "finetuning_data" / "chunk" / "dev.txt")
    expected = [row["prediction"] for row in details(config, "chunk_dev_1")]
    assert [row["prediction"] for row in dev] == expected
    (row,) = predictor.of_lines([" ".join(dev[0]["words"]) + "\n", "\n"], "test")
    assert row["prediction"] == dev[0]["prediction"]


def small_squad(path, paragraphs=4):
    content = json.loads((GOLDENS / "qa" / "squad.json").read_text())
    content["data"] = content["data"][:1]
    content["data"][0]["paragraphs"] = content["data"][0]["paragraphs"][:paragraphs]
    for paragraph in content["data"][0]["paragraphs"]:
        for question in paragraph["qas"]:
            question["question"] = question["question"][:40]
    path.write_text(json.dumps(content))
    return [q["id"] for p in content["data"][0]["paragraphs"] for q in p["qas"]]


def test_squad(tuning_dir):
    folder = tuning_dir / "finetuning_data" / "squad"
    folder.mkdir(parents=True)
    ids = small_squad(folder / "dev.json", 2)
    small_squad(folder / "train.json", 2)
    small_squad(folder / "test.json", 1)
    settings = {"max_query_length": 4, "doc_stride": 8, "beam_size": 4, "qa_na_threshold": -1e9}
    config, results = finetune(tuning_dir, ["squad"], train_batch_size=32, **settings, **ONE_EPOCH)
    scores = results.trials[0]["scores"]["squad"]
    assert next(iter(scores)) == "best_exact" and "loss" not in scores
    answers = tuning_dir / "models" / "tiny" / "results" / "squad_qa"
    predictions = json.loads((answers / "squad_preds.json").read_text())
    assert sorted(predictions) == sorted(ids)
    assert sorted(json.loads((answers / "squad_null_odds.json").read_text())) == sorted(ids)
    assert sorted(json.loads((answers / "squad_nbest.json").read_text())) == sorted(ids)
    assert json.loads((answers / "squad_eval.json").read_text()) == scores
    # All null odds are above the threshold, so nothing is answered.
    assert {row["prediction"] for row in details(config, "squad_dev_1")} == {""}
    test = tuning_dir / "models" / "tiny" / "test_predictions" / "squad_test_1_predictions.json"
    assert set(json.loads(test.read_text()).values()) == {""}
    line = json.dumps({"question": "w1 ?", "context": "w1 w2 w3 " * 20, "id": "q"})
    predictor = Predictor(f"{config.model_dir}_1")
    (row,) = predictor.of_lines([line], "standard input")
    assert row["id"] == "q" and row["answers"][0]["text"] in "w1 w2 w3 " * 20
    with pytest.raises(ValueError, match="standard input, line 2: expected each id once"):
        list(predictor.of_lines([line, line], "standard input"))
    lines = [json.dumps({"question": "?", "context": f"w{i}", "id": None}) for i in (1, 2)]
    rows = list(predictor.of_lines(lines, "standard input"))
    assert [(row["id"], row["answers"][0]["text"]) for row in rows] == [("1", "w1"), ("2", "w2")]


@pytest.mark.parametrize(
    ("name", "joint", "classifier"),
    [("squadv1", False, False), ("squad", True, False), ("squad", False, True)],
)
def test_other_heads_of_questions(tuning_dir, name, joint, classifier):
    folder = tuning_dir / "finetuning_data" / name
    folder.mkdir(parents=True)
    for split in ("train", "dev"):
        ids = small_squad(folder / f"{split}.json", 1)
    if name == "squadv1":  # has no unanswerable questions
        for split in ("train", "dev"):
            content = json.loads((folder / f"{split}.json").read_text())
            (paragraph,) = content["data"][0]["paragraphs"]
            paragraph["qas"] = [q for q in paragraph["qas"] if q["answers"]]
            ids = [q["id"] for q in paragraph["qas"]]
            (folder / f"{split}.json").write_text(json.dumps(content))
    settings = {"max_query_length": 4, "doc_stride": 8, "beam_size": 4, "num_train_epochs": 1.0}
    head = {"joint_prediction": joint, "answerable_classifier": classifier}
    _, results = finetune(tuning_dir, [name], **head, **settings)
    answers = tuning_dir / "models" / "tiny" / "results" / f"{name}_qa"
    assert sorted(json.loads((answers / f"{name}_preds.json").read_text())) == sorted(ids)
    assert (answers / f"{name}_null_odds.json").exists() == (name == "squad")
    assert "f1" in results.trials[0]["scores"][name]

    # Evaluated alone, the model says itself what its head and its windows are like.
    only = {key: value for key, value in SETTINGS.items() if key != "max_seq_length"}
    config, start = resolve_finetuning(
        MODEL, str(tuning_dir), {**only, "task_names": [name], "do_train": False}
    )
    assert run.finetune(config, start).trials[0]["scores"] == results.trials[0]["scores"]
    for key, value in head.items():
        asked = {**only, "task_names": [name], "do_train": False, key: not value}
        with pytest.raises(ValueError, match=f"{key}={not value} asked for, {value} trained"):
            resolve_finetuning(MODEL, str(tuning_dir), asked)


def test_several_labels(tuning_dir):
    lines = [
        {"text": f"w{5 + n} w{n % 3}", "topics": [["a"], ["a", "b"], []][n % 3]} for n in range(12)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    task = write_task(
        tuning_dir,
        "topics",
        {"train.jsonl": text, "dev.jsonl": text},
        kind="multilabel",
        format="jsonl",
        columns={"text_a": "text", "label": "topics"},
        labels=["a", "b"],
    )
    config, results = finetune(tuning_dir, [task])
    assert next(iter(results.trials[0]["scores"]["topics"])) == "micro_f1"
    row = details(config, "topics_dev_1")[1]
    assert row["label"] == ["a", "b"] and set(row["probabilities"]) == {"a", "b"}
    assert row["prediction"] == [name for name, p in row["probabilities"].items() if p > 0.5]


def test_two_tasks_at_once(glue_dir):
    config, results = finetune(glue_dir, ["rte", "chunk"], num_train_epochs=1.0)
    trial = results.trials[0]
    assert list(trial["scores"]) == ["rte", "chunk"]
    assert config.results_txt.endswith("rte,chunk_results.txt")
    assert len(details(config, "rte_dev_1")) == 12
    with pytest.raises(ValueError, match="rte, chunk, but is None"):
        Predictor(f"{config.model_dir}_1")
    pair = "w1 w2\tw3"
    (row,) = Predictor(f"{config.model_dir}_1", "rte").of_lines([pair], "standard input")
    assert (row["text_a"], row["text_b"]) == ("w1 w2", "w3")


def test_mrqa(tuning_dir):
    folder = tuning_dir / "finetuning_data" / "newsqa"
    folder.mkdir(parents=True)
    context = "w5 w6 w7 w8 " * 6
    answer = {"text": "w6 w7", "char_spans": [[3, 7]]}
    question = {"qid": "q", "question": "w1", "answers": ["w6 w7"], "detected_answers": [answer]}
    lines = [{"header": {}}, {"context": context, "qas": [question]}]
    for split in ("train", "dev"):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{split}.jsonl").write_text(text)
    settings = {"max_query_length": 4, "doc_stride": 4, "beam_size": 4, "num_train_epochs": 1.0}
    config, results = finetune(tuning_dir, ["newsqa"], **settings)
    assert set(results.trials[0]["scores"]["newsqa"]) == {"f1", "exact_match"}
    (row,) = details(config, "newsqa_dev_1")
    first = row["answers"][0]
    assert row["prediction"] == first["text"] == context[first["start"] :][: len(first["text"])]


def test_tags_that_the_training_file_lacks(tuning_dir):
    folder = tuning_dir / "finetuning_data" / "ccg"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("w5 A\nw6 B\n\nw5 A\nw7 A\n")
    (folder / "dev.txt").write_text("w5 A\nw6 C\n\nw9 A\n")
    config, results = finetune(tuning_dir, ["ccg"], num_train_epochs=1.0)
    # A for w5 is right, B for w6 is not, and a word never seen gets the tag that is seen most.
    assert results.baselines["ccg"]["accuracy"] == pytest.approx(200 / 3)
    assert [row["label"] for row in details(config, "ccg_dev_1")] == [["A", "C"], ["A"]]
    classes = pathlib.Path(config.results_txt.replace(".txt", "_details/ccg_dev_1_classes.txt"))
    assert "<unseen>" in classes.read_text()
