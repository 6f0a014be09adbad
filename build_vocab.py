# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Trains a vocabulary; see `python build_vocab.py --help`."""

from electra_tf.cli.build_vocab import main

if __name__ == "__main__":
    main()
