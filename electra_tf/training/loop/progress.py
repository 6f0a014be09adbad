# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How far a run is, for people: a bar at a terminal, lines of the log elsewhere."""

import logging as std_logging
import sys

from absl import logging
from tqdm import tqdm

from electra_tf.training.loop.logs import clock

WIDTH = 100
"""Characters of a line, at most."""
MUCH_WAITING = 0.1
"""Share of the time from which waiting for input is a problem."""
_LOSSES = (
    ("total_loss", "loss"),
    ("loss", "loss"),
    ("masked_lm_loss", "mlm"),
    ("disc_loss", "rtd"),
    ("restoration_loss", "restored"),
    ("masked_lm_accuracy", "mlm acc"),
    ("disc_auc", "auc"),
)
"""Logged values and what they are called here, in the order of the line."""


def progress_line(
    step: int, num_steps: int, values: dict[str, float], elapsed: float, width: int = WIDTH
) -> str:
    """One line for people: how far, how well, how fast, how long.

    What is beyond the width is left out, the least important first; the log's file has all of it.

    Args:
        step: steps done.
        num_steps: steps of the run.
        values: what is logged, with `steps_per_second`, `tokens_per_second` and
            `input_wait_share`, and `flops_per_second` if known; losses are shown under short
            names.
        elapsed: seconds since the run (this process) began.
        width: of the line, in characters.
    """
    speed, waiting = values["steps_per_second"], values["input_wait_share"]
    # Texts, and when they are left out: higher numbers earlier, 0 never.
    parts = [(f"step {step}/{num_steps}", 0), (f"{100 * step / num_steps:.1f}%", 3)]
    ranks = {"mlm acc": 2, "loss": 1 if "masked_lm_loss" in values else 0}
    shown = [(name, label) for name, label in _LOSSES if name in values]
    parts += [(f"{label} {values[name]:.3f}", ranks.get(label, 0)) for name, label in shown]
    parts += [(f"{speed:.3g} steps/s", 0), (f"{values['tokens_per_second']:,.0f} tokens/s", 6)]
    if "flops_per_second" in values:
        parts.append((f"{values['flops_per_second'] / 1e9:,.1f} GFLOP/s", 7))
    parts.append((f"input wait {100 * waiting:.0f}%", 5 if waiting < MUCH_WAITING else 1))
    parts.append((f"elapsed {clock(elapsed)}", 4))
    parts.append((f"ETA {clock((num_steps - step) / speed)}", 0))
    for rank in range(7, 0, -1):
        if len(" | ".join(text for text, _ in parts)) > width:
            parts = [part for part in parts if part[1] != rank]
    return " | ".join(text for text, _ in parts)


class Progress:
    """Shows how far a run is behind a label; to be closed at its end."""

    def __init__(self, step: int, num_steps: int, label: str = ""):
        self._label, self._num_steps = label, num_steps
        self._bar: tqdm | None = None
        if sys.stderr.isatty() and logging.get_verbosity() >= logging.INFO:
            description = label.rstrip(" |") or None
            self._bar = tqdm(
                desc=description, total=num_steps, initial=step, unit="step", leave=False
            )
            logging.get_absl_handler().python_handler.addFilter(self._clear_before)

    def update(self, step: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(step - self._bar.n)

    def show(self, step: int, values: dict[str, float], elapsed: float) -> None:
        """Show what was logged of the last steps; arguments are those of `progress_line`."""
        if self._bar is None:
            width = WIDTH - len(self._label)
            line = progress_line(step, self._num_steps, values, elapsed, width)
            logging.info("%s%s", self._label, line)
            return
        found = [f"{label} {values[name]:.3f}" for name, label in _LOSSES if name in values]
        self._bar.set_postfix_str(", ".join(found), refresh=False)
        self.update(step)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            logging.get_absl_handler().python_handler.removeFilter(self._clear_before)

    def _clear_before(self, _: std_logging.LogRecord) -> bool:
        """Lines of the log stand above the bar, which comes back with the next steps."""
        self._bar.clear()
        return True
