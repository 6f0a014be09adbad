# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""SavedModels that take raw strings or token ids."""

from electra_tf.serving.comparison import ExportDiffersError
from electra_tf.serving.export import export_model

__all__ = ["ExportDiffersError", "export_model"]
