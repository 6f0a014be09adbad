# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Stages of a long command: which one of how many runs, and how long the rest will take."""

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

SURE_AFTER = 10.0
"""Expected seconds of finished stages from which the pace of this machine is taken."""


class Stage(NamedTuple):
    """A part of the work."""

    title: str
    seconds: float
    """Expected on two otherwise idle cores."""
    work: Callable[[], None]
    outputs: tuple[os.PathLike | str, ...] = ()
    """The stage is skipped if all of these exist; without any it is never skipped."""

    @property
    def is_needed(self) -> bool:
        return not self.outputs or not all(map(os.path.exists, self.outputs))


def run_stages(stages: Sequence[Stage], now: Callable[[], float] = time.monotonic):
    """Run the stages that are needed, one after the other, and announce each."""
    expected = taken = 0.0
    for number, stage in enumerate(stages, start=1):
        pace = taken / expected if expected >= SURE_AFTER else 1.0
        left = pace * sum(s.seconds for s in stages[number - 1 :] if s.is_needed)
        place = f"Stage {number} of {len(stages)}"
        print(f"\n== {place}: {stage.title} ({about(left)} left)", flush=True)
        if not stage.is_needed:
            print(f"already there: {', '.join(map(str, stage.outputs))}")
            continue
        began = now()
        stage.work()
        taken += now() - began
        expected += stage.seconds


def about(seconds: float) -> str:
    """Seconds in words: `about(100)` is "about 2 minutes"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes} minute{'s' if minutes > 1 else ''}"
