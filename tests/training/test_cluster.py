# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The cluster as TF_CONFIG or SLURM describe it."""

import json

import pytest

from electra_tf.training.distribution.strategy import cluster_size, resolve_cluster

WORKERS = ["host1:2222", "host2:2222"]
SLURM = {
    "SLURM_JOB_ID": "20007",
    "SLURM_STEP_NUM_TASKS": "3",
    "SLURM_STEP_NODELIST": "node[9-11]",
    "SLURM_STEP_TASKS_PER_NODE": "1(x3)",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURMD_NODENAME": "node9",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch):
    for name in ("TF_CONFIG", *SLURM):
        monkeypatch.delenv(name, raising=False)


def set_tf_config(monkeypatch, cluster, job, index):
    content = {"cluster": cluster, "task": {"type": job, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(content))


def described(resolver):
    return resolver.cluster_spec().as_dict(), resolver.task_type, resolver.task_id


@pytest.mark.parametrize(
    ("cluster", "job", "index"),
    [({"worker": WORKERS}, "worker", 1), ({"chief": WORKERS[:1], "worker": WORKERS}, "chief", 0)],
)
def test_tf_config(monkeypatch, cluster, job, index):
    set_tf_config(monkeypatch, cluster, job, index)
    assert described(resolve_cluster()) == (cluster, job, index)
    assert cluster_size() == sum(map(len, cluster.values()))


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ("{", "expected to be JSON"),
        ("[]", "expected to be as in"),
        ("{}", "no 'cluster' or no 'task'"),
        ('{"cluster": {"worker": ["a:1"]}}', "no 'cluster' or no 'task'"),
        (
            '{"cluster": {"ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "jobs .'ps', 'worker'. instead of chief and worker",
        ),
        (
            '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
            "more than one chief",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
            "task type 'chief', which is no job",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "task index 1, but 1 of 'worker'",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "0"}}',
            "task index '0'",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": ["worker"], "index": 0}}',
            "task type .'worker'., which is no job",
        ),
        ('{"cluster": ["a:1"], "task": {"type": "worker", "index": 0}}', "expected to be as in"),
        ('{"cluster": {"worker": "a:1"}}', "expected to be as in"),
        ('{"cluster": {"worker": [1]}}', "expected to be as in"),
        ('{"cluster": {"worker": 3}}', "expected to be as in"),
    ],
)
def test_tf_config_that_is_wrong(monkeypatch, config, problem):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match=problem) as caught:
        resolve_cluster()
    assert "TF_CONFIG" in str(caught.value)


@pytest.mark.parametrize("rank", range(3))
def test_every_slurm_task_finds_its_own_address(monkeypatch, rank):
    """Hosts are sorted as text (node10 before node9), whatever SLURM's ranks are."""
    for name, value in {**SLURM, "SLURM_PROCID": str(rank)}.items():
        monkeypatch.setenv(name, value)
    host = f"node{9 + rank}"
    monkeypatch.setenv("SLURMD_NODENAME", host)
    cluster, job, index = described(resolve_cluster())
    assert cluster == {"worker": ["node10:20007", "node11:20007", "node9:20007"]}
    assert job == "worker"
    assert cluster["worker"][index] == f"{host}:20007"


def test_slurm_tasks_that_share_a_node(monkeypatch):
    changes = {"SLURM_STEP_NODELIST": "a,b", "SLURM_STEP_TASKS_PER_NODE": "2,1"}
    changes |= {"SLURMD_NODENAME": "a", "SLURM_LOCALID": "1", "SLURM_PROCID": "1"}
    for name, value in {**SLURM, **changes}.items():
        monkeypatch.setenv(name, value)
    cluster, _, index = described(resolve_cluster())
    assert cluster == {"worker": ["a:20007", "a:20008", "b:20007"]}
    assert index == 1


@pytest.mark.parametrize("name", ["SLURM_STEP_NODELIST", "SLURMD_NODENAME", "SLURM_PROCID"])
def test_slurm_that_says_too_little(monkeypatch, name):
    for other, value in SLURM.items():
        if other != name:
            monkeypatch.setenv(other, value)
    with pytest.raises(ValueError, match=name):
        resolve_cluster()


def test_neither():
    with pytest.raises(ValueError, match=r"TF_CONFIG, as in .* srun"):
        resolve_cluster()
    assert cluster_size() == 1


@pytest.mark.parametrize("name", ["SLURM_STEP_NUM_TASKS", "SLURM_JOB_ID", "SLURM_LOCALID"])
def test_slurm_numbers_that_are_none(monkeypatch, name):
    for other, value in {**SLURM, name: "two"}.items():
        monkeypatch.setenv(other, value)
    with pytest.raises(ValueError, match=f"{name} is expected to be a number, but is 'two'"):
        resolve_cluster()
