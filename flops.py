#!/usr/bin/env python3
# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Counts the floating-point operations of a pre-training run, beside those of published runs."""

from electra_tf.cli.flops import main

if __name__ == "__main__":
    main()
