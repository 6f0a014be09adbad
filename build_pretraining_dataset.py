#!/usr/bin/env python3
# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writes out text data as TFRecords that ELECTRA can be pre-trained on."""

from electra_tf.cli.build_pretraining_dataset import main

if __name__ == "__main__":
    main()
