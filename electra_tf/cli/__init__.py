# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Commands: arguments to configuration to a run; no logic of their own."""
