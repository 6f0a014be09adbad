#!/usr/bin/env python3
# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Shows what pre-training records hold: the manifest as a table, and decoded examples."""

from electra_tf.cli.inspect_records import main

if __name__ == "__main__":
    main()
