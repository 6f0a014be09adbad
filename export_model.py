# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports a model as a SavedModel; see electra_tf/cli/export_model.py."""

from electra_tf.cli.export_model import main

if __name__ == "__main__":
    main()
