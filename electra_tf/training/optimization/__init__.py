# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Optimizers, schedules and one update of the weights."""
