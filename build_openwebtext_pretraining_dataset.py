#!/usr/bin/env python3
# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Preprocesses the OpenWebText corpus for ELECTRA pre-training."""

from electra_tf.cli.build_openwebtext_pretraining_dataset import main

if __name__ == "__main__":
    main()
