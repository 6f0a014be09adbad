# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Converts weights between formats: see docs/interop.md."""

from electra_tf.cli.convert_checkpoint import main

if __name__ == "__main__":
    main()
