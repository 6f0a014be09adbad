# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The command `electra`: arguments to configuration to a run; no other logic."""
