# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Steps one after the other: logs, signals, what workers agree on."""
