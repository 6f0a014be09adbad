# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA in TensorFlow 2 and Keras 3: pre-training text encoders as discriminators."""

__version__ = "0.1.0"
