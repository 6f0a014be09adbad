# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Data files of fine-tuning: from bytes to examples."""
