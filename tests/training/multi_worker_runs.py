# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs a command in several worker processes that find each other through TF_CONFIG.

    python multi_worker_runs.py FOLDER PLAN...

PLAN is a JSON object: `command` ("pretrain" or "finetune"), `arguments` of it, and
optionally `stop`: {"worker": 1, "signal": 9, "step": 4}, by which worker 1 kills itself before its
fourth step, `hang`: a worker that sleeps there instead, and `others`: more arguments for all but
the chief. Plans are done one after the other.
Each prints a line of JSON: the exit status of every worker, or minus the signal that ended it, and
how long the last one lived on after `stop`. What they print is in FOLDER/<plan>_<worker>.txt.
"""

import json
import os
import signal
import socket
import sys
import time

from electra_tf.cli.main import run_command
from electra_tf.training.distribution import coordination
from electra_tf.training.loop.runners import StepRunner


def free_ports(count):
    """They stay free for the moment that it takes to bind them again."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def stop_before_step(number, act):
    """With one step per call."""
    whole_call, calls = StepRunner.__call__, []

    def call(runner, batches):
        calls.append(batches)
        if len(calls) == number:
            act()
        return whole_call(runner, batches)

    StepRunner.__call__ = call


def work(plan, index, ports):
    workers = [f"localhost:{port}" for port in ports]
    task = {"type": "worker", "index": index}
    os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
    coordination.HEARTBEAT_SECONDS = 6
    coordination.GRACE_SECONDS = 6
    stop = plan.get("stop")
    if stop and stop["worker"] == index:
        stop_before_step(stop["step"], lambda: os.kill(os.getpid(), stop["signal"]))
    if plan.get("hang") == index:
        stop_before_step(stop["step"], lambda: time.sleep(300))
    arguments = plan["arguments"] + (plan.get("others", []) if index else [])
    run_command([plan["command"], *arguments, "--strategy", "multi_worker"])


def start(plan, index, ports, output):
    child = os.fork()  # before TensorFlow starts threads; saves importing it for each worker
    if child:
        return child
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    work(plan, index, ports)
    os._exit(99)  # commands end by sys.exit


def run(folder, name, plan):
    ports = free_ports(plan.get("workers", 2))
    children = [
        start(plan, i, ports, os.path.join(folder, f"{name}_{i}.txt")) for i in range(len(ports))
    ]
    ends, statuses = {}, {}
    while len(statuses) < len(children):
        child, status = os.wait()
        ends[child] = time.monotonic()
        statuses[child] = os.waitstatus_to_exitcode(status)
    lived_on = max(ends.values()) - min(ends.values())
    return {"statuses": [statuses[child] for child in children], "lived_on": lived_on}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, text in enumerate(sys.argv[2:]):
        print(json.dumps(run(sys.argv[1], number, json.loads(text))), flush=True)
