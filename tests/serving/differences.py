# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How far an export may be from its model."""

import numpy as np

from electra_tf.serving import ExportDiffersError

TOLERANCES = {"float32": 1e-4, "bfloat16": 0.1}
"""Allowed difference of a probability. What has a scale of 1 but no bounds (features, scores of a
regression as a share of their range) may differ by this in the root mean square, and by ten times
as much at single places."""


class Differences:
    """The largest difference so far; one that is too large is an error."""

    def __init__(self, dtype: str):
        self.tolerance = TOLERANCES[dtype]
        self.largest = 0.0
        self.count = 0

    def probability(self, what: str, exported, live):
        self._compare(what, exported, live, self.tolerance)

    def feature(self, what: str, exported, live):
        difference = self._compare(what, exported, live, 10 * self.tolerance)
        if difference.size > 1:
            typical = float(np.sqrt(np.mean(difference**2)))
            self._check(f"{what}, root mean square", typical, self.tolerance)

    def logits(self, what: str, exported, live):
        """Of numbers of any scale."""
        live = np.asarray(live, np.float64)
        scale = max(1.0, np.abs(live).max(initial=0.0))
        self.feature(what, np.asarray(exported, np.float64) / scale, live / scale)

    def same(self, what: str, exported, live):
        """Of what must be equal."""
        self.count += 1
        if exported != live:
            raise ExportDiffersError(f"{what}: {exported!r} exported, {live!r} expected")

    def decided(self, what: str, exported: bool, live: bool, chance: float):
        """Of a yes or no that may differ where the model gives one half to both.

        Args:
            chance: the model's probability that makes it say yes above one half.
        """
        if abs(chance - 0.5) > self.tolerance:
            self.same(what, bool(exported), bool(live))

    def chosen(self, what: str, chance_of_choice: float, best_chance: float):
        """Of a choice that may differ where the model itself is undecided."""
        self.count += 1
        if best_chance - chance_of_choice > 2 * self.tolerance:
            raise ExportDiffersError(
                f"{what}: the choice has the probability {chance_of_choice}, the best {best_chance}"
            )

    def _compare(self, what, exported, live, tolerance):
        exported, live = np.asarray(exported, np.float64), np.asarray(live, np.float64)
        if exported.shape != live.shape:
            raise ExportDiffersError(
                f"{what}: shape {exported.shape} exported, {live.shape} expected"
            )
        self.count += 1
        difference = np.abs(exported - live)
        worst = float(difference.max(initial=0.0))
        self.largest = max(self.largest, worst)
        self._check(what, worst, tolerance)
        return difference

    def _check(self, what, found, allowed):
        if not found <= allowed:
            raise ExportDiffersError(f"{what}: differs by {found:.2e}, allowed are {allowed:.0e}")
