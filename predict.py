# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Predicts with a fine-tuned model: see README.md."""

from electra_tf.cli.predict import main

if __name__ == "__main__":
    main()
